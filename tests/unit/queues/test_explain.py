from __future__ import annotations

from collections.abc import Callable

import pytest

from queues.events import NotAnswered, Paused, PolicyChanged, SeatUnreachable
from queues.explain import why_not
from queues.labels_zh import STATE, WHY
from queues.model import OfferFailure, SeatReason
from queues.states import AgentState
from tests.unit.queues.floor import POLICY, Floor, call_id, seat_id

pytestmark = pytest.mark.unit

C1, S1 = call_id(1), seat_id(1)


def paused(floor: Floor) -> None:
    floor.sign_in(1)
    floor.tell(Paused(S1, "用餐"))
    floor.join(1)


def lost(floor: Floor) -> None:
    floor.sign_in(1)
    floor.tell(SeatUnreachable(S1))
    floor.join(1)


def wrapping_up(floor: Floor) -> None:
    floor.sign_in(1)
    floor.join(2)
    floor.talk(2, 1)
    floor.end(2, 1)
    floor.join(1, after=3)


def talking(floor: Floor) -> None:
    floor.sign_in(1)
    floor.join(2)
    floor.talk(2, 1)
    floor.join(1)


def not_responding(floor: Floor) -> None:
    floor.sign_in(1)
    floor.join(1)
    floor.tell(NotAnswered(C1, S1, OfferFailure.NO_ANSWER))


def not_responding_for_good(floor: Floor) -> None:
    floor.tell(PolicyChanged(type(POLICY)(back_after={})))
    not_responding(floor)


def other_group(floor: Floor) -> None:
    floor.sign_in(1, "general")
    floor.join(1, "market")


def other_group_for_now(floor: Floor) -> None:
    floor.sign_in(1, "general", "housing-fund")
    floor.join(1, "market", overflow=((30, "general"),))
    floor.now += 10_500


def elsewhere(floor: Floor) -> None:
    floor.sign_in(2)
    floor.sign_in(1, after=1)
    floor.join(1)


def here(floor: Floor) -> None:
    floor.sign_in(1)
    floor.join(1)
    floor.talk(1, 1)


def held(floor: Floor) -> None:
    floor.sign_in(1)
    floor.sign_in(2, after=1)
    floor.join(1)
    floor.tell(NotAnswered(C1, S1, OfferFailure.ERROR))


@pytest.mark.parametrize(
    ("happened", "seat", "text"),
    [
        (lambda floor: None, 1, f"来电{C1}不在排队中：尚未进入、已结束或已由其他方式处理"),
        (lambda floor: floor.join(1), 1, "座席8001没有人签入"),
        (paused, 1, "座席8001（工号1001）当前示忙，原因：用餐"),
        (lost, 1, "座席8001（工号1001）当前话机失联"),
        (wrapping_up, 1, "座席8001（工号1001）当前话后整理，7秒后自动恢复"),
        (talking, 1, f"座席8001（工号1001）当前通话中，来电{call_id(2)}"),
        (not_responding, 1, "座席8001（工号1001）当前未应答，原因：振铃无人应答，60秒后自动恢复"),
        (not_responding_for_good, 1, "座席8001（工号1001）当前未应答，原因：振铃无人应答，需座席自己示闲"),
        (other_group, 1, "技能组不符：来电现在要market，座席8001（工号1001）服务general"),
        (
            other_group_for_now,
            1,
            "技能组不符：来电现在要market，座席8001（工号1001）服务general、housing-fund；再等20秒扩展到general后可以接",
        ),
        (elsewhere, 1, "来电已在座席8002（已分配来电）；分配时该座席空闲最久，或座席8001当时不能接"),
        (here, 1, "来电就在座席8001（通话中）"),
        (held, 2, "来电上次转接失败，1秒后重新分配"),
    ],
)
def test_every_reason_is_said_in_chinese(happened: Callable[[Floor], object], seat: int, text: str) -> None:
    floor = Floor()
    happened(floor)
    assert why_not(floor.acd, C1, seat_id(seat), floor.now) == text


def test_every_state_and_reason_has_words() -> None:
    assert set(STATE) == set(AgentState)
    assert set(WHY) == set(SeatReason)
    assert {SeatReason(failure.value) for failure in OfferFailure} < set(WHY)
