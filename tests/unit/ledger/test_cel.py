"""Calls rebuilt from what Asterisk remembers. cel-sample.csv was written by Asterisk 22.10.1."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.cel import FIELDS, callers, parse, rebuild
from ledger.model import Fact, Kind
from ledger.records import fold
from telephony.model import CallId

pytestmark = pytest.mark.unit

SAMPLE = (Path(__file__).parent / "cel-sample.csv").read_bytes()
AGENT = CallId("nodea-1795349828.0")
FALLBACK = CallId("nodea-1795349831.2")
SUBCENTRE = CallId("nodea-1795349834.4")
CONFERENCE = CallId("nodea-1795349837.6")
HOSTILE = CallId("nodea-1795349840.11")
ALL = [AGENT, FALLBACK, SUBCENTRE, CONFERENCE, HOSTILE]


def filled(block: bytes = SAMPLE, known: dict[CallId, set[Kind]] | None = None) -> dict[CallId, list[Fact]]:
    facts = rebuild([event for _, event in parse(block, last=True).events], known or {})
    return {call: [fact for fact in facts if fact.call == call] for call in {fact.call for fact in facts}}


def record(name: str, time: str, unique: str, *, context: str = "", exten: str = "", extra: str = "") -> bytes:
    fields = [name, time, unique, unique, context, exten, "PJSIP/pstn-00000001", "", "", "", "138", "", extra]
    assert len(fields) == len(FIELDS)
    return (",".join('"' + field.replace('"', '""') + '"' for field in fields) + "\n").encode()


def test_every_record_of_a_real_file_is_read() -> None:
    parsed = parse(SAMPLE)
    assert parsed.torn == 0
    assert parsed.consumed == len(SAMPLE)
    assert len(parsed.events) == len(re.findall(rb'(?m)^"[A-Z_]+","1', SAMPLE))


def test_only_citizens_channels_are_calls() -> None:
    assert sorted(callers(event for _, event in parse(SAMPLE).events)) == sorted(ALL)


def test_what_each_call_was() -> None:
    found = {call: fold(facts) for call, facts in filled().items()}
    assert sorted(found) == sorted(ALL)

    def outline(call: CallId) -> tuple[str, str, str, str]:
        row = found[call]
        assert row is not None
        assert row.caller == "13800138000"
        assert row.source == "cel"
        assert row.ended_by == "caller"
        return row.number, row.answered_by, row.seat, row.group

    assert outline(AGENT) == ("12345", "agent", "8003", "")
    assert outline(FALLBACK) == ("12333", "fallback", "8003", "duty")
    assert outline(SUBCENTRE) == ("12366", "subcentre", "", "")
    assert outline(CONFERENCE)[0] == "777"
    assert outline(HOSTILE) == ("1", "agent", "8003", "")
    row = found[AGENT]
    assert row is not None
    assert (row.waited_ms, row.talk_ms, row.end_cause) == (809, 1698, "16")


def test_a_call_the_engine_recorded_whole_gets_nothing() -> None:
    known = {call: {Kind.ENTERED, Kind.FALLBACK, Kind.ANSWERED, Kind.ENDED} for call in ALL}
    assert filled(known=known) == {}


def test_a_call_of_which_the_engine_saw_only_the_end_gets_its_beginning() -> None:
    known = {call: {Kind.ENDED} for call in ALL}
    assert [fact.kind for fact in filled(known=known)[AGENT]] == [Kind.ENTERED, Kind.ANSWERED]


def test_a_call_the_engine_lost_half_way_gets_only_its_end() -> None:
    known = {AGENT: {Kind.ENTERED, Kind.WAITING, Kind.ANSWERED}}
    assert [fact.kind for fact in filled(known=known)[AGENT]] == [Kind.ENDED]


def test_filling_in_twice_gives_the_same_facts() -> None:
    assert filled() == filled(SAMPLE + SAMPLE)


def test_a_call_that_goes_on_is_left_alone_until_the_switch_has_lost_it() -> None:
    cut = SAMPLE[: SAMPLE.index(b'"BRIDGE_EXIT"')]
    events = [event for _, event in parse(cut).events]
    assert rebuild(events, {}) == []
    facts = rebuild(events, {}, lost={AGENT})
    assert [fact.kind for fact in facts] == [Kind.ENTERED, Kind.ANSWERED, Kind.ENDED]
    assert facts[-1].data["cause"] == "switch-gone"


@given(st.integers(0, len(SAMPLE)))
def test_cut_anywhere_the_rest_is_read_later(cut: int) -> None:
    first = parse(SAMPLE[:cut])
    second = parse(SAMPLE[first.consumed :])
    assert first.torn == second.torn == 0
    together = [event for _, event in (*first.events, *second.events)]
    assert together == [event for _, event in parse(SAMPLE).events]


@given(st.integers(1, len(SAMPLE) - 1))
def test_a_torn_record_costs_no_other(cut: int) -> None:
    """Asterisk was killed while writing, and goes on in the same file."""
    start = SAMPLE.rfind(b'\n"', 0, cut) + 1
    glued = parse(SAMPLE[:cut] + SAMPLE, last=True)
    whole = len(parse(SAMPLE).events)
    assert len(glued.events) - whole - len(parse(SAMPLE[:start]).events) in (-1, 0, 1)
    assert [event for _, event in glued.events][-whole + 1 :] == [event for _, event in parse(SAMPLE).events][1:]


@given(st.text(), st.text())
def test_no_text_of_a_caller_forges_a_record(exten: str, more: str) -> None:
    for hostile in (
        exten,
        f'{exten}"\n"HANGUP","1795349840.557871","hl1-1795349840.9","{more}',
        f'"HANGUP","1795349840.557871","hl1-1795349840.9","{more}',
        f'HANGUP","1795349840.557871","hl1-1795349840.9","{more}',
    ):
        unique = "hl1-1795349840.1"
        text = hostile.replace("\x00", "")
        block = record("CHAN_START", "1795349840.000000", unique, context="from-pstn", exten=text)
        block += record("CHAN_END", "1795349841.000000", unique)
        events = [event for _, event in parse(block).events]
        assert {event.unique for event in events} == {unique}
        assert [event.name for event in events] == ["CHAN_START", "CHAN_END"]
        number = rebuild(events, {})[0].data["number"]
        assert set(number) <= set("0123456789+")
        assert len(number) <= 32


@given(st.binary())
def test_any_bytes_are_survived(block: bytes) -> None:
    assert parse(block).consumed <= len(block)
    assert parse(SAMPLE + block + b"\n" + SAMPLE, last=True).events


def test_a_seats_own_emergency_call_is_a_call_and_its_sign_in_is_not() -> None:
    signing_in = "hl1-1795349840.1"
    emergency = "hl1-1795349840.2"
    block = record("CHAN_START", "1795349840.000000", signing_in, context="from-seats", exten="*11")
    block += record("CHAN_END", "1795349841.000000", signing_in)
    block += record("CHAN_START", "1795349840.000000", emergency, context="from-seats", exten="110")
    block += record("BRIDGE_ENTER", "1795349842.000000", emergency, context="emergency", exten="110")
    block += record("HANGUP", "1795349843.000000", emergency, extra='{"hangupcause":16}')
    block += record("CHAN_END", "1795349843.000000", emergency)
    facts = filled(block)
    assert list(facts) == [emergency]
    assert facts[CallId(emergency)][1].data["by"] == "emergency"


def legs(name: str, time: str, unique: str, linked: str, exten: str, app: str) -> bytes:
    fields = [name, time, unique, linked, "from-pstn", exten, "PJSIP/pstn-0000000a", app, "", "", "", "", ""]
    return (",".join(f'"{field}"' for field in fields) + "\n").encode()


@pytest.mark.parametrize(
    ("unique", "linked", "exten", "app"),
    [
        pytest.param("hl1-1700000000.8000000012", "hl1-1700000000.8000000012", "s", "", id="an id of ours"),
        pytest.param("hl1-1700000000.7", "hl1-1700000000.7", "s", "AppDial2", id="originated"),
        pytest.param(
            "hl1-1700000000.7", "hl1-1700000000.6", "s", "AppDial", id="a duty phone that a citizen waits for"
        ),
        pytest.param("hl1-1700000000.7", "hl1-1700000000.6", "s", "", id="a leg of another's call"),
    ],
)
def test_a_call_that_we_make_is_no_citizens_call(unique: str, linked: str, exten: str, app: str) -> None:
    block = (
        legs("CHAN_START", "1700000001.000001", unique, linked, exten, "")
        + legs("HANGUP", "1700000020.000001", unique, linked, "", app)
        + legs("CHAN_END", "1700000020.000002", unique, linked, "", app)
    )
    assert filled(block) == {}


def test_a_leg_of_ours_whose_switch_was_killed_is_no_call_and_a_citizens_is() -> None:
    block = legs("CHAN_START", "1700000001.000001", "hl1-1700000000.7", "hl1-1700000000.6", "", "")
    block += legs("CHAN_START", "1700000001.000001", "hl1-1700000000.8", "hl1-1700000000.8", "12345", "")
    assert list(callers(event for _, event in parse(block, last=True).events)) == ["hl1-1700000000.8"]


def test_a_centres_call_that_the_engine_missed_is_a_call() -> None:
    block = record("CHAN_START", "1700000001.000001", "hl1-1700000000.8", context="from-centre", exten="12345")
    block += record("CHAN_END", "1700000005.000001", "hl1-1700000000.8", context="from-centre", exten="12345")
    assert list(filled(block)) == ["hl1-1700000000.8"]


def test_no_extension_is_written_down_because_a_pin_may_stand_in_one() -> None:
    assert not {"exten", "dnid"} & {field.lower() for field in FIELDS}


def test_a_place_of_a_sub_centre_is_no_agent_of_ours() -> None:
    call = "hl1-1700000000.8"
    block = record("CHAN_START", "1700000001.000001", call, context="from-pstn", exten="12345")
    fields = [
        "BRIDGE_ENTER", "1700000003.000001", call, call, "connect", "12345", "PJSIP/pstn-00000001", "Dial",
        "PJSIP/12366@subcentre-12366,20,gir", "", "138", "", "{}",
    ]  # fmt: skip
    block += (",".join('"' + field.replace('"', '""') + '"' for field in fields) + "\n").encode()
    block += record("CHAN_END", "1700000009.000001", call, context="connect", exten="12345")
    row = fold(filled(block)[CallId(call)])
    assert row is not None
    assert (row.answered_by, row.seat, row.agent) == ("subcentre", "", "")
