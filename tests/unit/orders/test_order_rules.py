"""The clockwork of urgent orders, by itself: what may happen in any order of events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orders.model import (
    OVER,
    Acknowledged,
    AcknowledgementWay,
    ClearAlarm,
    Dial,
    DutyCallFailure,
    Effect,
    Ended,
    EscalationStep,
    Event,
    Extended,
    HangUp,
    IllegalOrderEvent,
    Looked,
    NotCalled,
    Notify,
    NotTaken,
    Order,
    OrderEvent,
    OrderState,
    RaiseAlarm,
    Updated,
)
from orders.rules import MOVES, UNREACHABLE_SECONDS, apply, raised
from orders.serialisation import fold, happened, messages, order_of, to_data
from telephony.model import CALL_ID, CallId

pytestmark = pytest.mark.unit

BEGAN = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
DEADLINE = 300
WATER = EscalationStep("water", "供水", ("0663001", "0663002"), rounds=2)
NET = EscalationStep("net", "网上部门", pushed=True)
OFFICE = EscalationStep("office", "值班室", ("0663009",), pushed=True)


def made(*steps: EscalationStep, **changes: object) -> Order:
    order = Order(
        number="hl1-20261122-0007",
        call=CallId("hl1-1795351322.1"),
        key="k",
        type="outage",
        type_name="供水中断",
        place="东山路",
        summary="停水",
        caller="13800001234",
        by="1001",
        raised_at=BEGAN,
        steps=steps or (WATER, OFFICE),
        acknowledge_seconds=DEADLINE,
    )
    return replace(order, **changes)  # type: ignore[arg-type]


def after(order: Order, *events: Event, seconds: float = 0) -> tuple[Order, list[Effect]]:
    """All these events at one moment, counted from the order's own."""
    done: list[Effect] = []
    for event in events:
        order, effects = apply(order, event, BEGAN + timedelta(seconds=seconds))
        done += effects
    return order, done


def dialled(order: Order, seconds: float = 0) -> tuple[Order, Dial]:
    order, (effect,) = after(order, Looked(), seconds=seconds)
    assert isinstance(effect, Dial)
    return order, effect


def call_of(order: Order) -> CallId:
    assert order.ringing is not None
    return order.ringing.call


def test_phones_are_called_in_turn_each_round_after_the_other_and_one_at_a_time() -> None:
    order, called = made(), []
    for _ in range(4):
        order, dial = dialled(order)
        assert after(order, Looked())[1] == [], "one at a time"
        called.append((dial.attempt.number, dial.round))
        order, _ = after(order, NotTaken(call_of(order), DutyCallFailure.BUSY))
    assert called == [("0663001", 0), ("0663002", 0), ("0663001", 1), ("0663002", 1)]


def test_a_level_whose_phones_were_all_in_vain_is_not_waited_for_unless_it_has_an_interface() -> None:
    order = made(replace(WATER, rounds=1, phones=("0663001",)), OFFICE)
    order, _ = dialled(order)
    order, _ = after(order, NotTaken(call_of(order), DutyCallFailure.NO_ANSWER))
    order, effects = after(order, Looked())
    assert (order.step, effects) == (1, [Notify(OrderEvent.RAISED, ("office",))])
    order, _ = dialled(order)
    order, _ = after(order, NotTaken(call_of(order), DutyCallFailure.NO_ANSWER))
    order, _ = dialled(replace(order, steps=(order.steps[0], replace(OFFICE, rounds=2))))
    order, _ = after(order, NotTaken(call_of(order), DutyCallFailure.NO_ANSWER))
    assert after(order, Looked(), seconds=DEADLINE - 1) == (order, [])


@pytest.mark.parametrize("ringing", [False, True])
def test_a_deadline_that_passes_tells_the_next_level_and_the_last_one_a_supervisor(ringing: bool) -> None:
    order = made(NET, OFFICE)
    assert raised(order)[1] == (Notify(OrderEvent.RAISED, ("net",)),)
    assert after(order, Looked(), seconds=DEADLINE - 0.001)[0] is order
    order, effects = after(order, Looked(), seconds=DEADLINE)
    assert (order.step, order.due) == (1, BEGAN + timedelta(seconds=2 * DEADLINE))
    assert effects == [Notify(OrderEvent.RAISED, ("office",))]
    if ringing:
        order, _ = dialled(order, DEADLINE)
    order, effects = after(order, Looked(), seconds=2 * DEADLINE)
    assert (order.state, effects) == (OrderState.UNANSWERED, [RaiseAlarm()])
    rings = [HangUp(call_of(order))] if ringing else []
    order, effects = after(order, Acknowledged("net", AcknowledgementWay.COMMAND, "王科长"))
    assert order.state is OrderState.ACKNOWLEDGED
    assert effects == [Notify(OrderEvent.ACKNOWLEDGED, ("net", "office")), *rings, ClearAlarm()]


def test_a_line_that_cannot_be_had_is_left_alone_for_a_while() -> None:
    order, _ = dialled(made())
    order, _ = after(order, NotTaken(call_of(order), DutyCallFailure.UNREACHABLE))
    assert after(order, Looked(), seconds=UNREACHABLE_SECONDS - 1) == (order, [])
    assert after(order, Looked(), seconds=UNREACHABLE_SECONDS)[0].ringing is not None


def test_without_a_switch_nobody_is_called_and_the_clock_goes_on() -> None:
    order = made(WATER, OFFICE)
    assert after(order, Looked(phones=False)) == (order, [])
    assert after(order, Looked(phones=False), seconds=DEADLINE)[0].step == 1


def test_a_call_that_was_not_made_counts_for_nothing_and_its_id_is_not_used_again() -> None:
    order, first = dialled(made())
    order, _ = after(order, NotCalled(call_of(order), BEGAN + timedelta(seconds=10)))
    assert (order.dialled, order.ringing) == (0, None)
    assert after(order, Looked(), seconds=9)[0] is order
    order, again = dialled(order, 10)
    assert (again.attempt.number, again.round) == (first.attempt.number, 0)
    assert again.attempt.call != first.attempt.call


def test_taken_twice_is_taken_once_and_by_another_is_refused() -> None:
    order, effects = after(made(NET, OFFICE), Acknowledged("net", AcknowledgementWay.SIGNATURE, "值班员"))
    assert effects == [Notify(OrderEvent.ACKNOWLEDGED, ("net",))]
    assert after(order, Acknowledged("net", AcknowledgementWay.SIGNATURE)) == (order, [])
    assert after(order, Acknowledged("office", AcknowledgementWay.PHONE_KEY)) == (order, []), (
        "a phone that was late is not scolded"
    )
    with pytest.raises(IllegalOrderEvent, match="已由 网上部门 签收"):
        after(order, Acknowledged("office", AcknowledgementWay.SIGNATURE))
    with pytest.raises(IllegalOrderEvent, match="没有派给"):
        after(order, Acknowledged("fire", AcknowledgementWay.COMMAND))


def test_who_was_told_hears_of_everything_and_who_was_not_of_nothing() -> None:
    order = made(NET, OFFICE)
    order, updated = after(order, Updated("", "水漫上路面", "1001"))
    order, same = after(order, Updated("东山路", "", "1001"))
    order, closed = after(order, Ended(OrderState.CANCELLED, "1001", "误报"))
    assert updated == [Notify(OrderEvent.UPDATED, ("net",))]
    assert same == []
    assert closed == [Notify(OrderEvent.CANCELLED, ("net",))]
    for event in (
        Updated("", "x", ""),
        Acknowledged("net", AcknowledgementWay.COMMAND),
        Ended(OrderState.CLOSED, "", ""),
    ):
        with pytest.raises(IllegalOrderEvent, match="已撤销"):
            after(order, event)
    assert after(order, Acknowledged("net", AcknowledgementWay.PHONE_KEY)) == (order, [])


@pytest.mark.parametrize(
    "event", [Acknowledged("office", AcknowledgementWay.SIGNATURE), Ended(OrderState.CANCELLED, "1001", "误报")]
)
def test_a_phone_that_rings_for_what_is_settled_elsewhere_is_let_go(event: Event) -> None:
    order, dial = dialled(made())
    settled, effects = after(order, event)
    assert settled.ringing is None
    assert HangUp(dial.attempt.call) in effects
    assert HangUp(dial.attempt.call) not in after(order, Acknowledged("water", AcknowledgementWay.PHONE_KEY))[1], (
        "it is being spoken to"
    )


def test_facts_say_all_and_the_latest_is_the_truth() -> None:
    order, _ = dialled(made(WATER, OFFICE, since=BEGAN, not_before=BEGAN))
    over, _ = after(
        order,
        Acknowledged("water", AcknowledgementWay.PHONE_KEY, "0663001"),
        Ended(OrderState.CLOSED, "1001", "已修复"),
        seconds=5,
    )
    other = replace(order, number="hl1-20261122-0008")
    told = [("F3", to_data(over, "closed")), ("F1", to_data(order, "raised")), ("F2", to_data(other, "raised"))]
    assert fold(order.call, told) == [over, other]
    assert order_of(order.call, to_data(order, "dialling")) == order
    spoils: tuple[dict[str, object], ...] = ({"steps": []}, {"raised_at": None}, {"step": 2}, {"state": "lost"})
    for spoiled in spoils:
        with pytest.raises((ValueError, KeyError, TypeError)):
            order_of(order.call, {**to_data(order, "raised"), **spoiled})


def test_a_message_says_what_the_department_must_know_and_by_when() -> None:
    order = made(NET, OFFICE)
    data = to_data(order, "raised", [Notify(OrderEvent.RAISED, ("net",)), Notify(OrderEvent.UPDATED, ("office",))])
    (first, told), (second, _) = messages("F1", order.call, BEGAN, data)
    assert (first, second) == ("department-net", "department-office")
    assert told["acknowledge_by"] == "2026-11-22T08:05:00+00:00"
    assert (told["id"], told["order"], told["what"], told["caller"]) == ("F1", order.number, "raised", "13800001234")
    assert messages("F2", order.call, BEGAN, to_data(order, "dialling")) == []


@given(st.integers(1, 9_999_999), st.integers(0, 5_000), st.integers(1, 9_999_999), st.integers(0, 5_000))
def test_calls_of_orders_have_ids_of_their_own(first: int, one: int, second: int, other: int) -> None:
    ids = []
    for serial, attempts in ((first, one), (second, other)):
        order, _ = dialled(made(number=f"hl1-20261122-{serial:04}", attempts=attempts))
        assert CALL_ID.fullmatch(call_of(order))
        assert 8_000_000_000 <= int(call_of(order).rpartition(".")[2]) < 9_000_000_000
        ids.append(call_of(order))
    different = (first % 1_000_000, one % 1_000) != (second % 1_000_000, other % 1_000)
    assert (ids[0] != ids[1]) == different


STEPS = st.lists(
    st.builds(
        EscalationStep,
        st.uuids().map(str),
        st.just("部门"),
        st.lists(st.sampled_from(["0663001", "0663002", "0663003"]), max_size=3, unique=True).map(tuple),
        st.booleans(),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=4,
)


class Clockwork(RuleBasedStateMachine):
    """Anything may happen at any time; the promises of the module's docstring hold all the same."""

    @initialize(steps=STEPS, deadline=st.integers(10, 100))
    def begin(self, steps: list[EscalationStep], deadline: int) -> None:
        self.now = BEGAN
        self.order = made(*steps, acknowledge_seconds=deadline)
        self.alarmed = False
        self.used: set[CallId] = set()
        self.told = {
            name for effect in raised(self.order)[1] if isinstance(effect, Notify) for name in effect.departments
        }

    def happens(self, event: Event) -> None:
        before = self.order
        try:
            self.order, effects = apply(before, event, self.now)
        except IllegalOrderEvent:
            assert not isinstance(event, Looked | NotCalled | NotTaken)
            return
        if self.order is before:
            assert effects == ()
            return
        assert happened(before, self.order, event)
        assert self.order.state is before.state or self.order.state in MOVES[before.state]
        assert self.order.step in (before.step, before.step + 1)
        assert order_of(self.order.call, to_data(self.order, "x")) == self.order
        for effect in effects:
            match effect:
                case Dial():
                    assert before.ringing is None
                    assert self.order.state is OrderState.DISPATCHED
                    assert effect.attempt.call not in self.used
                    self.used.add(effect.attempt.call)
                case RaiseAlarm():
                    assert not self.alarmed
                    self.alarmed = True
                case ClearAlarm():
                    assert self.alarmed
                    self.alarmed = False
                case Notify():
                    self.told.update(effect.departments)

    @rule(seconds=st.integers(0, 60), phones=st.booleans())
    def look(self, seconds: int, phones: bool) -> None:
        self.now += timedelta(seconds=seconds)
        self.happens(Looked(phones))

    @precondition(lambda self: self.order.ringing is not None)
    @rule(why=st.sampled_from(DutyCallFailure))
    def in_vain(self, why: DutyCallFailure) -> None:
        self.happens(NotTaken(call_of(self.order), why))

    @precondition(lambda self: self.order.ringing is not None)
    @rule()
    def refused(self) -> None:
        self.happens(NotCalled(call_of(self.order), self.now + timedelta(seconds=10)))

    @rule(call=st.just(CallId("hl1-1795351322.5")), why=st.sampled_from(DutyCallFailure))
    def some_other_call(self, call: CallId, why: DutyCallFailure) -> None:
        before = self.order
        self.happens(NotTaken(call, why))
        assert self.order is before

    @rule(data=st.data(), how=st.sampled_from(AcknowledgementWay))
    def take(self, data: st.DataObject, how: AcknowledgementWay) -> None:
        self.happens(Acknowledged(data.draw(st.sampled_from(self.order.steps)).department, how, "x"))

    @rule(summary=st.sampled_from(["停水", "水漫", ""]))
    def type_more(self, summary: str) -> None:
        self.happens(Updated("", summary, "1001"))

    @rule(state=st.sampled_from(sorted(OVER)))
    def end(self, state: OrderState) -> None:
        self.happens(Ended(state, "1001", "完"))

    @invariant()
    def who_is_called_is_asked(self) -> None:
        order = getattr(self, "order", None)
        if order is None:
            return
        assert order.ringing is None or order.state in (OrderState.DISPATCHED, OrderState.UNANSWERED)
        assert self.alarmed == (order.state is OrderState.UNANSWERED)
        assert self.told == {step.department for step in order.told if step.pushed}
        if order.state is OrderState.DISPATCHED:
            assert order.dialled <= order.steps[order.step].rounds * len(order.steps[order.step].phones)

    @rule()
    def nobody_is_forgotten(self) -> None:
        """With nobody doing anything, the clock alone brings every order to a supervisor."""
        order, now = self.order, self.now
        for _ in range(200):
            if order.state is not OrderState.DISPATCHED:
                return
            now += timedelta(seconds=10)
            order, _ = apply(order, Looked(), now)
            if order.ringing is not None:
                order, _ = apply(order, NotTaken(order.ringing.call, DutyCallFailure.NO_ANSWER), now)
        raise AssertionError(order)


TestClockwork = Clockwork.TestCase
TestClockwork.pytestmark = pytest.mark.unit  # type: ignore[attr-defined]


def test_an_order_that_is_taken_and_not_dealt_with_is_told_of_once_and_again_after_more_time() -> None:
    order, _ = after(made(NET, finish_minutes=30), Acknowledged("net", AcknowledgementWay.COMMAND, "某人"), seconds=60)
    assert order.finish_by == BEGAN + timedelta(seconds=60, minutes=30)
    assert after(order, Looked(), seconds=60 + 30 * 60 - 0.001) == (order, [])
    late, effects = after(order, Looked(), seconds=60 + 30 * 60)
    assert (late.state, late.overdue, effects) == (OrderState.ACKNOWLEDGED, True, [RaiseAlarm()])
    assert happened(order, late, Looked()) == "late"
    assert after(late, Looked(), seconds=9999) == (late, []), "told once"
    further, effects = after(late, Extended(10), seconds=9999)
    assert (further.finish_by, further.overdue) == (BEGAN + timedelta(seconds=9999, minutes=10), False)
    assert effects == [Notify(OrderEvent.UPDATED, ("net",)), ClearAlarm()]
    again, effects = after(further, Looked(), seconds=9999 + 600)
    assert (again.overdue, effects) == (True, [RaiseAlarm()])
    closed, effects = after(again, Ended(OrderState.CLOSED, "1010", "修好"), seconds=11_000)
    assert (closed.overdue, effects) == (False, [Notify(OrderEvent.CLOSED, ("net",)), ClearAlarm()])
    assert fold(closed.call, [("1", to_data(again, "late"))]) == [again]


def test_more_time_is_only_for_what_is_taken_and_an_order_without_a_deadline_is_never_late() -> None:
    for order in (made(), after(made(), Ended(OrderState.CLOSED, "1010", "修好"))[0]):
        with pytest.raises(IllegalOrderEvent, match="延期"):
            after(order, Extended(10))
    order, _ = after(made(NET), Acknowledged("net", AcknowledgementWay.COMMAND))
    assert (order.finish_by, after(order, Looked(), seconds=10**7)) == (None, (order, []))


def test_an_order_of_before_there_were_deadlines_is_read_as_one_without() -> None:
    told = to_data(made(), "raised")
    for name in ("finish_minutes", "finish_by", "late_at"):
        del told[name]
    assert order_of(made().call, told) == made()
