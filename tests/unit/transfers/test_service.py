"""One-key transfers as the engine hears of them: in order, out of order, twice, and for numbers that are none."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.model import Kind
from telephony.model import CallId, Party
from transfers.service import Transfer, TransferWatch
from transfers.states import Progress, TransferState

pytestmark = pytest.mark.unit

CALL = CallId("hl1-1795351322.1")


class Watched:
    def __init__(self) -> None:
        self.facts: list[dict[str, Any]] = []
        self.reached: list[tuple[str, bool]] = []
        self.watch = TransferWatch(
            self._note,
            lambda target, outcome, _: self.reached.append((target, outcome)),
            lambda key: {"701": "water"}.get(key, ""),
        )

    def _note(self, kind: Kind, call: CallId, **data: Any) -> None:
        assert (kind, call) == (Kind.TRANSFER, CALL)
        self.facts.append(data)

    def hear(self, *states: str, target: str = "110", **more: str) -> None:
        for state in states:
            form = {"Form": "one-key"} if state == "asked" else {}
            self.watch.on_event(CALL, {"Target": target, "State": state, **form, **more})

    @property
    def states(self) -> list[str]:
        return [str(data["state"]) for data in self.facts]


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_transfer_from_the_key_to_the_end(watched: Watched) -> None:
    watched.hear("asked")
    watched.hear("dialling", Trunk="emergency-110")
    watched.hear("answered", Trunk="emergency-110")
    watched.watch.end(CALL)
    assert watched.states == ["asked", "dialling", "answered", "ended"]
    assert len({data["id"] for data in watched.facts}) == 1
    assert {data["target"] for data in watched.facts} == {"110"}
    assert watched.facts[-1]["trunk"] == "emergency-110"


def test_the_second_trunk_is_told_of(watched: Watched) -> None:
    watched.hear("asked")
    watched.hear("dialling", Trunk="emergency-110")
    watched.hear("dialling", Trunk="emergency-110-backup")
    assert [data["trunk"] for data in watched.facts] == ["", "emergency-110", "emergency-110-backup"]


def test_a_failure_carries_its_cause(watched: Watched) -> None:
    watched.hear("asked", "dialling")
    watched.hear("failed", Cause="17")
    assert watched.facts[-1]["cause"] == "17"
    assert "cause" not in watched.facts[0]


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (["failed", "answered"], ["failed"]),
        (["failed", "dialling"], ["failed"]),
        (["asked", "answered", "answered"], ["asked", "answered"]),
        (["asked", "dialling", "failed", "failed"], ["asked", "dialling", "failed"]),
    ],
)
def test_news_out_of_order_is_dropped(watched: Watched, told: list[str], kept: list[str]) -> None:
    watched.hear(*told)
    assert watched.states == kept


def test_news_that_was_lost_does_not_lose_the_rest(watched: Watched) -> None:
    watched.hear("answered")
    watched.watch.end(CALL)
    assert watched.states == ["answered", "ended"]


def test_whoever_leaves_is_told_once(watched: Watched) -> None:
    watched.hear("asked", "dialling", "answered")
    watched.watch.on_leave(CALL, Party.AGENT)
    watched.watch.on_leave(CALL, Party.AGENT)
    watched.watch.on_leave(CALL, Party.CENTRE)
    assert watched.states == ["asked", "dialling", "answered", "agent-left", "ended"]


def test_three_parties_come_back_when_agent_and_centre_have_left(watched: Watched) -> None:
    watched.watch.on_event(CALL, {"Target": "110", "State": "asked", "Form": "three-party"})
    watched.hear("answered")
    watched.watch.on_leave(CALL, Party.AGENT)
    watched.watch.on_leave(CALL, Party.CENTRE)
    watched.watch.on_return(CALL)
    assert watched.states == ["asked", "answered", "agent-left", "returned"]


def test_who_is_put_out_of_the_callers_conference_has_not_left_first(watched: Watched) -> None:
    watched.hear("asked", "answered")
    for party in (Party.CALLER, Party.AGENT, Party.CENTRE):
        watched.watch.on_leave(CALL, party)
    watched.watch.end(CALL)
    assert watched.states == ["asked", "answered", "ended"]


def test_a_caller_whom_nobody_reached_goes_back(watched: Watched) -> None:
    watched.hear("asked", "dialling")
    watched.watch.on_leave(CALL, Party.AGENT)
    watched.hear("failed")
    watched.watch.on_leave(CALL, Party.CENTRE)
    watched.watch.on_return(CALL)
    assert watched.states == ["asked", "dialling", "waiting", "failed", "returned"]


def test_a_caller_who_asks_by_a_key_has_no_agent(watched: Watched) -> None:
    watched.watch.on_event(CALL, {"Target": "110", "State": "asked", "Form": "caller-key"})
    watched.hear("dialling", "answered")
    assert watched.states == ["asked", "waiting", "agent-left"]


def test_it_is_told_whether_a_centre_could_be_reached(watched: Watched) -> None:
    watched.hear("asked", "dialling", "failed")
    watched.hear("asked", "answered", target="120")
    assert watched.reached == [("110", False), ("120", True)]


def test_after_a_restart_it_is_what_the_switch_shows(watched: Watched) -> None:
    shown = Transfer("110", TransferState.AGENT_LEFT, trunk="emergency-110")
    watched.watch.restore(CALL, shown)
    watched.watch.restore(CALL, shown)
    assert watched.states == ["agent-left"]
    watched.watch.restore(CALL, Transfer("110", TransferState.WAITING))
    assert watched.states == ["agent-left", "waiting"]


def test_the_key_pressed_again_is_a_new_transfer(watched: Watched) -> None:
    watched.hear("asked", "dialling", "failed")
    watched.hear("asked", target="120")
    assert watched.states == ["asked", "dialling", "failed", "ended", "asked"]
    assert watched.facts[3]["target"] == "110"
    assert watched.facts[3]["id"] != watched.facts[4]["id"]


@pytest.mark.parametrize("target", ["", "12345", "911", "110\n", "${X}"])
def test_what_is_no_centre_is_dropped(watched: Watched, target: str) -> None:
    watched.hear("asked", target=target)
    assert watched.facts == []


@pytest.mark.parametrize("state", ["", "ASKED", "ringing"])
def test_what_is_no_state_is_dropped(watched: Watched, state: str) -> None:
    watched.hear(state)
    watched.watch.on_event(CALL, {})
    assert watched.facts == []


def test_an_end_is_told_once_and_only_of_a_transfer(watched: Watched) -> None:
    watched.watch.on_leave(CALL, Party.CALLER)
    watched.watch.end(CALL)
    watched.hear("asked")
    watched.watch.end(CALL)
    watched.watch.end(CALL)
    assert watched.states == ["asked", "ended"]
    assert watched.watch.transfers == {}


def test_a_partner_is_told_by_its_name_and_raises_no_alarm_of_a_centre(watched: Watched) -> None:
    watched.hear("asked", target="701", Form="blind")
    watched.hear("dialling", "failed", target="701")
    watched.hear("asked", target="799")
    assert [(one["target"], one["state"]) for one in watched.facts] == [
        ("water", "asked"),
        ("water", "dialling"),
        ("water", "failed"),
    ]
    assert watched.facts[0]["form"] == "blind"
    assert watched.reached == []


def test_a_partner_seen_on_the_switch_has_its_name_too(watched: Watched) -> None:
    watched.watch.restore(CALL, Transfer("701", TransferState.ANSWERED))
    assert [(one["target"], one["state"]) for one in watched.facts] == [("water", "answered")]


DIALLER = "hl1-1795351330.7"


def test_a_line_that_rings_or_sends_early_media_is_known_until_the_next_news(watched: Watched) -> None:
    watched.hear("asked")
    watched.hear("dialling", Trunk="emergency-110", Uniqueid=DIALLER)
    held, seen = watched.watch.transfers[CALL], []
    for status in ("RINGING", "PROGRESS", "PROCEEDING"):
        watched.watch.progress(DIALLER, status)
        seen.append(held.progress)
    assert seen == [Progress.RINGING, Progress.EARLY_MEDIA, Progress.EARLY_MEDIA]
    assert held.state is TransferState.EARLY_MEDIA
    watched.watch.restore(CALL, Transfer("110", TransferState.DIALLING))
    assert held.state is TransferState.EARLY_MEDIA, "its channel shows no more than that it is dialled"
    watched.hear("dialling", Trunk="emergency-110-backup", Uniqueid=DIALLER)
    assert held.progress is Progress.SILENT, "the next trunk has said nothing yet"
    watched.watch.progress(DIALLER, "RINGING")
    watched.watch.on_leave(CALL, Party.AGENT)
    assert (held.state, held.progress) == (TransferState.WAITING, Progress.RINGING)
    watched.hear("answered", Trunk="emergency-110-backup", Uniqueid=DIALLER)
    watched.watch.progress(DIALLER, "RINGING")
    assert held.progress is Progress.SILENT, "it has answered"
    told = ["asked", "dialling", "early-media", "dialling", "waiting", "agent-left"]
    assert watched.states == told, "that it rings is no fact"


def test_what_another_channel_dials_is_no_progress_of_ours(watched: Watched) -> None:
    watched.hear("asked")
    watched.watch.progress("", "RINGING")
    watched.hear("dialling", Uniqueid=DIALLER)
    watched.watch.progress("hl1-1795351330.9", "RINGING")
    assert watched.watch.transfers[CALL].progress is Progress.SILENT


def consulted(watched: Watched, *states: str) -> None:
    watched.watch.on_event(CALL, {"Target": "701", "State": "asked", "Form": "attended"})
    watched.hear(*states, target="701")


def test_a_consultation_until_the_caller_joins(watched: Watched) -> None:
    consulted(watched, "dialling", "answered")
    watched.watch.on_join(CALL)
    watched.watch.on_leave(CALL, Party.AGENT)
    assert watched.states == ["asked", "aside", "consulting", "answered", "agent-left"]
    assert {(data["target"], data["form"]) for data in watched.facts} == {("water", "attended")}


def test_a_caller_who_joins_while_it_rings_hears_it_ring(watched: Watched) -> None:
    consulted(watched, "dialling")
    watched.watch.on_join(CALL)
    watched.hear("answered", target="701")
    assert watched.states == ["asked", "aside", "dialling", "answered"]


def test_a_caller_who_comes_into_any_other_conference_is_no_news(watched: Watched) -> None:
    watched.hear("asked")
    watched.watch.on_join(CALL)
    watched.hear("dialling", "answered")
    watched.watch.on_join(CALL)
    assert watched.states == ["asked", "dialling", "answered"]
