"""先呼座席: the agent's phone rings before the citizen's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from callbacks import seat_legs, service
from callbacks.model import CallbackState, RequestOutcome
from calls.switch.state_snapshot import parse_switch_state, tickets
from engine.wiring.callbacks import AGENT_PROMPT, told
from ivr.model import Script
from ledger.model import Kind
from queues.events import AgentSignedIn, Forced
from queues.model import TicketPhase
from queues.states import AgentState
from routing.model import CallbackFirst
from telephony.errors import AmiDown
from telephony.events import Event, OriginateOutcome
from telephony.model import AgentId, GroupId, Party, SeatId, Stage, Var
from tests.support.engine_harness import TABLE, event
from tests.unit.callbacks.test_callback_service import NUMBER, SEAT, Home, revived

pytestmark = pytest.mark.unit

OTHER = SeatId("8002")
PHONES_OWN = "hl1-1795351330.77"
"""The unique id of the channel of the phone that was rung."""


@pytest.fixture
async def home(monkeypatch: pytest.MonkeyPatch) -> Home:
    for module in (service, seat_legs):
        monkeypatch.setattr(module, "HANG_UP_SECONDS", 0)
    here = Home()
    groups = {name: replace(group, callback_first=CallbackFirst.AGENT) for name, group in TABLE.groups.items()}
    here.table = replace(here.table, groups=groups, auto_answer=frozenset({SEAT}))
    return here


async def rung(home: Home) -> str:
    """Promised, an agent reserved, whose phone rings; the unique id of that phone's channel."""
    home.ask()
    home.agent()
    await home.look()
    return str(home.dialled[-1]["channel_id"])


async def answered(home: Home, reason: int = 4) -> None:
    """The phone that was rung last: 4 it was answered, 5 busy, 3 it rang in vain."""
    home.ring(reason)
    await home.settle()


def gone(home: Home, seat: str = SEAT) -> None:
    told: dict[str, str] = {"Call": home.promise.call, "Seat": seat, "State": "gone"}
    home.news.hear(event("UserEvent", UserEvent="AgentFirst", **told))


async def test_the_agents_phone_rings_first_shown_as_a_callback_and_answers_by_itself(home: Home) -> None:
    await rung(home)
    (first,) = home.dialled
    assert (first["channel"], first["context"]) == ("Local/callback-agent@ring-phone/n", "rung")
    told = first["variables"]
    assert (told[f"__{Var.RING}"], told[f"__{Var.RING_ID}"]) == (SEAT, first["channel_id"])
    assert first["caller_id"] == f'"回拨" <{home.promise.call}>'
    assert told[f"__{Var.PARTY}"] == Party.AGENT
    assert told[f"__{Var.PROMPTS}"] == "callback-agent&line-12320"
    assert home.state(SEAT) is AgentState.RINGING
    assert (home.promise.state, home.promise.attempts, home.promise.agent) == (CallbackState.RINGING, 0, "1001")
    assert home.ledger.of(Kind.ENTERED) == [], "no call yet"


async def test_the_citizen_is_dialled_when_the_agent_has_answered_and_finds_the_agent(home: Home) -> None:
    leg = await rung(home)
    home.news.hear(event("UserEvent", UserEvent="RingPhone", Call=leg, Uniqueid=PHONES_OWN))
    await answered(home)
    _, second = home.dialled
    assert second["channel"].startswith("PJSIP/pstn/sip:")
    assert (second["variables"][Var.RING], second["variables"][Var.TRUNK]) == (NUMBER, "pstn")
    assert (second["context"], second["exten"]) == ("callback", SEAT)
    assert second["channel_id"] == home.dialled[0]["variables"][f"__{Var.CALL}"] == home.promise.call
    assert second["variables"][Var.FETCH] == PHONES_OWN
    assert (home.promise.state, home.promise.attempts) == (CallbackState.DIALLING, 1)
    assert [data["seat"] for data in home.ledger.of(Kind.OFFERED)] == [SEAT]


async def test_the_citizens_answer_is_a_talk_at_once(home: Home) -> None:
    await rung(home)
    await answered(home)
    call = home.promise.call
    talks = event("UserEvent", UserEvent="AgentFirst", Call=call, Seat=SEAT, State="talks", Channel="PJSIP/pstn-2")
    home.news.hear(talks)
    assert home.state(SEAT) is AgentState.TALKING
    assert (home.queues.acd.tickets[call].channel, home.calls.live[call].channel) == ("PJSIP/pstn-2", "PJSIP/pstn-2")
    assert home.states() == ["waiting", "ringing", "dialling", "reached", "kept"]
    assert [data["agent"] for data in home.ledger.of(Kind.ANSWERED)] == ["1001"]
    gone(home)  # the agent's channel was taken out of its waiting place
    assert home.state(SEAT) is AgentState.TALKING


@pytest.mark.parametrize(("reason", "why"), [(5, "agent-busy"), (3, "agent-no-answer"), (0, "agent-unreachable")])
async def test_an_agent_who_does_not_answer_costs_the_promise_nothing(home: Home, reason: int, why: str) -> None:
    await rung(home)
    await answered(home, reason)
    assert (home.promise.state, home.promise.attempts, home.promise.why) == (CallbackState.WAITING, 0, why)
    assert home.state(SEAT) is AgentState.NOT_RESPONDING
    assert home.queues.acd.tickets[home.promise.call].phase is TicketPhase.WAITING
    assert home.ledger.of(Kind.NOT_ANSWERED) == [], "of no call yet: the promise tells"
    home.agent("1002", OTHER)
    await home.settle()
    assert home.dialled[-1]["variables"][f"__{Var.RING}"] == OTHER
    assert home.dialled[-1]["channel_id"] != home.dialled[0]["channel_id"]


async def test_why_a_phone_was_not_answered_is_known_from_its_hang_up(home: Home) -> None:
    leg = await rung(home)
    home.news.hear(
        event("Hangup", Channel="Local/callback-agent@ring-phone-00000001;1", Uniqueid=leg, Linkedid=leg, Cause="21")
    )
    await answered(home, 1)
    assert home.promise.why == "agent-rejected"


@pytest.mark.parametrize(("reason", "why"), [(5, "busy"), (3, "no-answer")])
async def test_a_citizen_who_is_not_reached_frees_the_agent(home: Home, reason: int, why: str) -> None:
    await rung(home)
    await answered(home)
    await answered(home, reason)
    assert (home.promise.state, home.promise.why, home.promise.attempts) == (CallbackState.WAITING, why, 1)
    assert home.state(SEAT) is AgentState.READY
    assert home.promise.not_before is not None


async def test_an_agent_who_hangs_up_while_the_citizen_rings_does_not_make_it_ring_twice(home: Home) -> None:
    await rung(home)
    await answered(home)
    gone(home)
    assert home.state(SEAT) is AgentState.NOT_RESPONDING
    home.agent("1002", OTHER)
    await home.look()
    assert len(home.dialled) == 2
    assert home.queues.acd.tickets[home.promise.call].seat == OTHER, "another agent is held for the answer"
    assert home.promise.state is CallbackState.DIALLING


async def test_an_agent_who_hangs_up_before_the_citizen_is_dialled_does_not_count(home: Home) -> None:
    await rung(home)
    gone(home)
    await answered(home)
    assert len(home.dialled) == 1
    assert (home.promise.state, home.promise.attempts, home.promise.why) == (
        CallbackState.WAITING,
        0,
        "agent-cut-short",
    )


async def test_a_phone_that_is_withdrawn_from_the_offer_stops_ringing_and_the_next_one_rings(home: Home) -> None:
    leg = await rung(home)
    home.agent("1002", OTHER)
    home.queues.apply(Forced(SEAT, AgentState.SIGNED_OUT))
    await home.settle()
    assert ("Hangup", {"Channel": leg}) in home.link.sent
    assert home.dialled[-1]["variables"][f"__{Var.RING}"] == OTHER
    home.outcomes[0].set_result(OriginateOutcome(True, 4, f"PJSIP/{SEAT}-1", leg))  # answered in the very same moment
    await home.settle()
    assert len(home.dialled) == 2
    await answered(home)
    assert home.dialled[-1]["exten"] == OTHER


async def test_cancelled_while_the_agents_phone_rings(home: Home) -> None:
    leg = await rung(home)
    assert home.callbacks.cancel(home.promise.id, "市民来电取消")
    await home.settle()
    assert ("Hangup", {"Channel": leg}) in home.link.sent
    assert home.promise.state is CallbackState.CANCELLED
    assert home.state(SEAT) is AgentState.READY
    await answered(home)
    assert len(home.dialled) == 1


async def test_who_was_served_meanwhile_is_not_called(home: Home) -> None:
    await rung(home)
    home.agent("1002", OTHER)
    home.desk.place(home.question(Script.OFFER))
    home.dial("DialEnd", 1, OTHER, DialStatus="ANSWER")
    assert home.promise.state is CallbackState.CANCELLED
    await answered(home)
    assert len(home.dialled) == 1


async def test_without_the_switch_the_promise_waits_and_nobody_is_blamed(home: Home) -> None:
    await rung(home)
    home.outcomes[-1].set_exception(AmiDown("gone"))
    await home.settle()
    assert (home.promise.state, home.promise.attempts) == (CallbackState.WAITING, 0)
    assert home.promise.not_before is not None
    assert home.state(SEAT) is AgentState.READY


async def test_after_a_restart_the_promise_of_an_agent_who_was_rung_stands_in_the_line(home: Home) -> None:
    await rung(home)
    fresh = revived(home, home.promise)
    await fresh.resolve_in_doubt()
    found = fresh.book.get(home.promise.id)
    assert found is not None
    assert (found.state, found.attempts, found.call) == (CallbackState.WAITING, 0, home.promise.call)


async def test_after_a_restart_an_agent_who_waits_for_a_ringing_citizen_is_held_for_it(home: Home) -> None:
    await rung(home)
    await answered(home)
    call = home.promise.call
    shown = [
        channel("PJSIP/pstn-00000002", call, {Var.CALL: call, Var.PARTY: Party.CALLER, Var.STAGE: Stage.RING}),
        channel(f"PJSIP/{SEAT}-00000001", "hl1-1795351330.1", {Var.CALL: call, Var.PARTY: Party.AGENT}),
    ]
    (ticket,) = tickets(parse_switch_state(shown, (), ()), GroupId("general"))
    assert (ticket.phase, ticket.seat) == (TicketPhase.OFFERED, SEAT)
    assert ticket.ticket.channel == "", "its telephone rings: it is not to be redirected"


async def test_a_place_of_a_sub_centre_has_no_phone_to_ring_first(home: Home) -> None:
    home.ask()
    home.queues.apply(AgentSignedIn(AgentId("12366001"), SeatId("12366001"), (GroupId("general"),), site="s"))
    await home.look()
    (only,) = home.dialled
    assert only["channel"].startswith("PJSIP/pstn/sip:")
    assert only["exten"] == "s"


def test_the_line_is_named_only_where_agents_are_told_lines(home: Home) -> None:
    silent = {name: replace(group, whisper=False) for name, group in home.table.groups.items()}
    assert home.ask() is RequestOutcome.PROMISED
    assert told(replace(home.table, groups=silent), home.promise) == AGENT_PROMPT
    assert told(home.table, replace(home.promise, line="12345")) == AGENT_PROMPT


def channel(name: str, unique: str, variables: dict[str, str]) -> Event:
    return event(
        "Status", Channel=name, Uniqueid=unique, Variable=[f"{name}={value}" for name, value in variables.items()]
    )
