from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queues.model import SignIn
from queues.roster import Member, Roster, actions, member, members, reconcile, roster
from telephony.model import AgentId, GroupId, SeatId

pytestmark = pytest.mark.unit

GENERAL, MARKET = GroupId("general"), GroupId("market")
IN = SignIn(AgentId("1001"), SeatId("8001"), (GENERAL, MARKET))
REST = SignIn(AgentId("1001"), SeatId("8001"), (GENERAL, MARKET), "小休")


def short(made: tuple[dict[str, str], ...]) -> list[str]:
    return [" ".join((a["Action"], a["Queue"], a.get("Paused", ""), a.get("Reason", ""))).strip() for a in made]


def test_a_sign_in_is_one_member_per_group_and_one_on_duty() -> None:
    assert actions(None, IN)[0] == {
        "Action": "QueueAdd",
        "Queue": "duty",
        "Interface": "PJSIP/8001",
        "MemberName": "1001",
        "StateInterface": "PJSIP/8001",
        "Penalty": "0",
        "Paused": "0",
    }
    assert short(actions(None, IN)) == ["QueueAdd duty 0", "QueueAdd group-general 0", "QueueAdd group-market 0"]


@pytest.mark.parametrize(
    ("old", "new", "made"),
    [
        (None, REST, ["QueueAdd duty 1 小休", "QueueAdd group-general 1 小休", "QueueAdd group-market 1 小休"]),
        (IN, REST, ["QueuePause duty 1 小休", "QueuePause group-general 1 小休", "QueuePause group-market 1 小休"]),
        (REST, IN, ["QueuePause duty 0", "QueuePause group-general 0", "QueuePause group-market 0"]),
        (IN, None, ["QueueRemove duty", "QueueRemove group-general", "QueueRemove group-market"]),
        (IN, SignIn(IN.agent, IN.seat, (MARKET,)), ["QueueRemove group-general"]),
        (SignIn(IN.agent, IN.seat, (MARKET,)), IN, ["QueueAdd group-general 0"]),
        (
            SignIn(IN.agent, IN.seat, ()),
            SignIn(AgentId("1002"), IN.seat, ()),
            ["QueueRemove duty", "QueueAdd duty 0"],
        ),
        (IN, IN, []),
        (None, None, []),
    ],
)
def test_each_change_asks_for_what_differs(old: SignIn | None, new: SignIn | None, made: list[str]) -> None:
    assert short(actions(old, new)) == made


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            {
                "Event": "QueueMember",
                "Queue": "duty",
                "Name": "1001",
                "Location": "PJSIP/8001",
                "StateInterface": "PJSIP/8001",
                "Paused": "1",
                "PausedReason": "小休",
            },
            Member("duty", "PJSIP/8001", "1001", True, "小休"),
        ),
        (
            {
                "Event": "QueueMemberAdded",
                "Queue": "group-general",
                "MemberName": "1001",
                "Interface": "PJSIP/8001",
                "Paused": "0",
                "PausedReason": "left over",
            },
            Member("group-general", "PJSIP/8001", "1001"),
        ),
        ({"Event": "QueueStatusComplete"}, None),
        ({"Queue": "duty"}, None),
    ],
)
def test_members_are_read_from_both_kinds_of_event(event: dict[str, str], expected: Member | None) -> None:
    assert member(event) == expected


def test_foreign_members_and_contradictions_are_reported_not_guessed_away() -> None:
    found = [
        Member("duty", "Local/1@x", "1001"),
        Member("duty", "PJSIP/8009", "张三"),
        Member("group-general", "PJSIP/8001", "1000"),
        *members(IN),
        Member("duty", "PJSIP/8002", "1001"),
        Member("group-market", "PJSIP/8003", "1003", True),
    ]
    assert roster(found) == Roster(
        (IN, SignIn(AgentId("1003"), SeatId("8003"), (MARKET,), "")),
        (
            "队列duty的成员Local/1@x（1001）不是座席签入，已忽略",
            "队列duty的成员PJSIP/8009（张三）不是座席签入，已忽略",
            "座席8001同时有工号1001和1000，以1001为准",
            "工号1001同时在座席8001和8002，以8001为准",
        ),
    )
    assert roster(reversed(found)) == roster(found)


numbers = st.integers(1000, 1005).map(str)
groups = st.lists(st.sampled_from([GENERAL, MARKET, GroupId("transport")]), unique=True)
some_sign_ins = st.dictionaries(
    numbers.map(AgentId), st.tuples(groups, st.none() | st.sampled_from(["小休", "用餐"])), max_size=5
).map(
    lambda rows: tuple(
        SignIn(agent, SeatId(f"8{agent[1:]}"), tuple(sorted(names)), pause)
        for agent, (names, pause) in sorted(rows.items())
    )
)


@given(some_sign_ins, some_sign_ins)
def test_reconciling_makes_membership_say_exactly_who_is_signed_in(
    old: tuple[SignIn, ...], new: tuple[SignIn, ...]
) -> None:
    have = {(m.queue, m.interface): m for sign_in in old for m in members(sign_in)}
    for action in reconcile(have.values(), new):
        key = (action["Queue"], action["Interface"])
        paused, reason = action.get("Paused") == "1", action.get("Reason", "")
        if action["Action"] == "QueueAdd":
            assert key not in have
            have[key] = Member(*key, action["MemberName"], paused, reason)
        elif action["Action"] == "QueuePause":
            have[key] = Member(*key, have[key].name, paused, reason)
        else:
            del have[key]
    assert roster(have.values()) == Roster(new, ())
    assert reconcile(have.values(), new) == ()
