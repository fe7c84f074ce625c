"""The framing of AMI, whatever the chunks, and the headers that may go out."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.ami_codec import MAX_HEADERS, MAX_MESSAGE_BYTES, AmiDecoder, checked
from telephony.errors import AmiProtocolError, AmiUnsafeValue
from telephony.events import Event, Headers, Response

pytestmark = pytest.mark.unit

BANNER = b"Asterisk Call Manager/11.0.0\r\n"


def read(wire: bytes) -> list[Event | Response]:
    return AmiDecoder().receive(BANNER + wire)


def flat(messages: list[Event | Response]) -> list[object]:
    return [(type(message), {name: message.headers.all(name) for name in message.headers}) for message in messages]


def test_an_event_may_hold_a_response() -> None:
    (event,) = read(b"Event: OriginateResponse\r\nResponse: Failure\r\nReason: 0\r\n\r\n")
    assert isinstance(event, Event)
    assert (event.name, event["response"], event.get("Nothing")) == ("OriginateResponse", "Failure", None)


def test_a_response_and_what_a_command_printed() -> None:
    (response,) = read(b"Response: Success\r\nMessage: Command output follows\r\nOutput: a: b\r\nOutput: \r\n\r\n")
    assert isinstance(response, Response)
    assert response.message == "Command output follows"
    assert response.output == ("a: b", "")


def test_variables_are_parsed_and_unset_ones_are_absent() -> None:
    (event,) = read(
        b"Event: Status\r\nVariable: HL_A=x y\r\nVariable: HL_B=1=2\r\nVariable: HL_Z=(null)\r\nVariable: HL_E=\r\n"
        b"ChanVariable: HL_C=3\r\n\r\n"
    )
    assert isinstance(event, Event)
    assert event.variables == {"HL_A": "x y", "HL_B": "1=2", "HL_E": "", "HL_C": "3"}


def test_one_chan_variable_is_as_good_as_many() -> None:
    (event,) = read(b"Event: Newchannel\r\nChanVariable: HL_C=3\r\n\r\n")
    assert isinstance(event, Event)
    assert event.variables == {"HL_C": "3"}


def test_the_first_of_equal_headers_counts() -> None:
    (event,) = read(b"Event: Newchannel\r\nUniqueid: real\r\nUniqueid: forged\r\n\r\n")
    assert isinstance(event, Event)
    assert event["uniqueid"] == "real"
    assert event.headers.all("UNIQUEID") == ("real", "forged")


def test_headers_do_not_show_values() -> None:
    assert repr(Headers({"CallerIDNum": "13800000000"})) == "Headers(CallerIDNum)"


@given(st.lists(st.sampled_from([b"Event: A\r\n", b"B: \xe5\xbc\xa0", b"\r\n", b"\r", b"\n", b":", b"x"])), st.data())
def test_chunking_does_not_matter(pieces: list[bytes], data: st.DataObject) -> None:
    wire = BANNER + b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(wire)), max_size=6).map(sorted))
    decoder, messages = AmiDecoder(), []
    for start, end in pairwise([0, *cuts, len(wire)]):
        messages += decoder.receive(wire[start:end])
    assert flat(messages) == flat(AmiDecoder().receive(wire))


@given(st.binary())
def test_nothing_but_a_protocol_error_is_raised(wire: bytes) -> None:
    for start in (b"", BANNER):
        try:
            AmiDecoder().receive(start + wire)
        except AmiProtocolError:
            assert not start


def test_a_message_without_end_is_refused() -> None:
    decoder = AmiDecoder()
    decoder.receive(BANNER)
    with pytest.raises(AmiProtocolError):
        decoder.receive(b"x" * (MAX_MESSAGE_BYTES + 1))
    assert decoder.buffered == 0


@given(st.text(), st.text())
def test_what_is_checked_is_one_line(name: str, value: str) -> None:
    try:
        ((safe_name, safe_value),) = checked({name: value})
    except AmiUnsafeValue:
        return
    line = f"{safe_name}: {safe_value}"
    assert not set("\r\n\0") & set(line)
    assert len(line.encode()) <= 1022


def test_the_limits_of_asterisks_line_and_count() -> None:
    assert checked([("Variable", "x" * 1012)])
    with pytest.raises(AmiUnsafeValue):
        checked([("Variable", "x" * 1013)])
    with pytest.raises(AmiUnsafeValue):
        checked([("Variable", "a=b")] * (MAX_HEADERS - 1))
