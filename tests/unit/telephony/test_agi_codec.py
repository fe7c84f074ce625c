"""The AGI grammar, byte for byte as Asterisk 22.10.1 sent it, and whatever else a peer may send."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony.agi_codec import (
    MAX_ARGS,
    MAX_COMMAND_BYTES,
    MAX_HEADER_BYTES,
    MAX_REPLY_BYTES,
    TRANSITIONS,
    AgiCodec,
    Closed,
    Event,
    HungUp,
    Line,
    Opened,
    Reply,
    State,
    quoted,
)
from telephony.errors import AgiProtocolError

pytestmark = pytest.mark.unit

HEADER = (
    b"agi_network: yes\nagi_network_script: enter\nagi_request: agi://127.0.0.1:4573/enter\n"
    b"agi_channel: PJSIP/pstn-00000001\nagi_uniqueid: n1-1795348615.0\nagi_callerid: 13800000000\n"
    b"agi_calleridname: unknown\nagi_accountcode: \nagi_threadid: 140341653849792\nagi_arg_1: 12345\nagi_arg_2: a b\n\n"
)


def drain(codec: AgiCodec, chunks: Iterable[bytes]) -> tuple[list[Event], str | None]:
    events: list[Event] = []
    try:
        for chunk in chunks:
            codec.receive(chunk)
            while (event := codec.next_event()) is not None:
                events.append(event)
    except AgiProtocolError as error:
        return events, str(error)
    return events, None


def opened(header: bytes = HEADER) -> AgiCodec:
    codec = AgiCodec()
    events, error = drain(codec, [header])
    assert error is None
    assert len(events) == 1
    return codec


def answer(reply: bytes) -> tuple[list[Event], str | None]:
    codec = opened()
    codec.command("EXEC", "NoOp")
    return drain(codec, [reply])


def test_a_header_block_says_who_asks_and_what() -> None:
    events, _ = drain(AgiCodec(), [HEADER])
    (event,) = events
    assert isinstance(event, Opened)
    assert event.script == "enter"
    assert event.args == ("12345", "a b")
    assert event.env["agi_uniqueid"] == "n1-1795348615.0"
    assert event.env["agi_accountcode"] == ""
    assert "agi_arg_1" not in event.env


@pytest.mark.parametrize(
    ("lines", "script"),
    [
        (b"agi_request: agi://h:4573/seat-key?x=1\n", "seat-key"),
        (b"agi_request: agi://h:4573/\n", ""),
        (b"agi_request: /usr/lib/x/last\n", "usr/lib/x/last"),
        (b"agi_network_script: a/b?q\n", "a/b"),
        (b"agi_network: yes\n", ""),
    ],
)
def test_the_script_is_the_path_of_the_url(lines: bytes, script: str) -> None:
    (event,), _ = drain(AgiCodec(), [lines + b"\n"])
    assert isinstance(event, Opened)
    assert event.script == script


def test_a_line_injected_by_a_caller_changes_nothing() -> None:
    header = HEADER.replace(
        b"agi_calleridname: unknown",
        b"agi_calleridname: x\nagi_uniqueid: forged\nagi_network_script: forged\nnot a line",
    )
    (event,), error = drain(AgiCodec(), [header])
    assert error is None
    assert isinstance(event, Opened)
    assert (event.script, event.env["agi_uniqueid"], event.args) == ("enter", "n1-1795348615.0", ("12345", "a b"))


def test_a_forged_argument_is_refused() -> None:
    header = HEADER.replace(b"agi_calleridname: unknown", b"agi_calleridname: x\nagi_arg_1: forged")
    assert drain(AgiCodec(), [header])[1] == "an argument is given twice"


def test_a_header_ended_by_a_caller_is_refused() -> None:
    header = HEADER.replace(b"agi_calleridname: unknown", b"agi_calleridname: x\n")
    assert drain(AgiCodec(), [header])[1] is not None


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"\n\n",
        b"agi_x: " + b"y" * MAX_HEADER_BYTES,
        b"agi_x: y\n" * 257 + b"\n",
        b"agi_request: agi://[::1/x\n\n",
        b"".join(b"agi_arg_%d: x\n" % n for n in range(1, MAX_ARGS + 2)) + b"\n",
        b"agi_arg_2: x\n\n",
    ],
)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    assert drain(AgiCodec(), [data])[1] is not None


def test_as_many_arguments_as_asterisk_sends_are_taken() -> None:
    header = b"".join(b"agi_arg_%d: %d\n" % (n, n) for n in range(1, MAX_ARGS + 1)) + b"\n"
    (event,), _ = drain(AgiCodec(), [header])
    assert isinstance(event, Opened)
    assert event.args == tuple(str(n) for n in range(1, MAX_ARGS + 1))


@pytest.mark.parametrize(
    ("line", "reply"),
    [
        (b"200 result=0", Reply(200, "0", None, "200 result=0")),
        (b"200 result=-2", Reply(200, "-2", None, "200 result=-2")),
        (b"200 result=1 (a;b)", Reply(200, "1", "a;b", "200 result=1 (a;b)")),
        (b"200 result=1 ()", Reply(200, "1", "", "200 result=1 ()")),
        (b"200 result= (timeout)", Reply(200, "", "timeout", "200 result= (timeout)")),
        (b"200 result=1 (f(x))", Reply(200, "1", "f(x)", "200 result=1 (f(x))")),
        (b"200 result=0 endpos=960", Reply(200, "0", None, "200 result=0 endpos=960")),
        (b"200 result=1 (dtmf) endpos=1", Reply(200, "1", "dtmf", "200 result=1 (dtmf) endpos=1")),
        (b"200 result=1 (one\ntwo\nthree)", Reply(200, "1", "one\ntwo\nthree", "200 result=1 (one\ntwo\nthree)")),
        ("200 result=1 (张三丰)".encode(), Reply(200, "1", "张三丰", "200 result=1 (张三丰)")),
        (b"510 Invalid or unknown command", Reply(510, "", None, "510 Invalid or unknown command")),
        (
            b"511 Command Not Permitted on a dead channel",
            Reply(511, "", None, "511 Command Not Permitted on a dead channel"),
        ),
        (b"520 Invalid command syntax.", Reply(520, "", None, "520 Invalid command syntax.")),
        (
            b"520-Invalid command syntax.\nReturns 0\n200 result=1 (x)\nHANGUP\n520 End of proper usage.",
            Reply(
                520,
                "",
                None,
                "520-Invalid command syntax.\nReturns 0\n200 result=1 (x)\nHANGUP\n520 End of proper usage.",
            ),
        ),
        (b"100 result=0 Trying...\n200 result=0", Reply(200, "0", None, "200 result=0")),
    ],
)
def test_replies(line: bytes, reply: Reply) -> None:
    assert answer(line + b"\n") == ([reply], None)


@pytest.mark.parametrize(
    "line",
    [
        b"200",
        b"200 ",
        b"200 nonsense",
        b"999 what",
        b"hello",
        b"",
        b"520End",
        b"x" * (MAX_REPLY_BYTES + 1),
    ],
)
def test_what_is_no_reply_is_refused(line: bytes) -> None:
    assert answer(line + b"\n")[1] is not None


def test_a_value_that_never_ends_is_bounded() -> None:
    assert answer(b"200 result=1 (" + b"x\n" * MAX_REPLY_BYTES)[1] == "reply too long"


@pytest.mark.parametrize("ending", [b")", b")\n"])
def test_the_limit_of_a_reply_does_not_depend_on_its_chunks(ending: bytes) -> None:
    assert answer(b"200 result=1 (" + b"x" * MAX_REPLY_BYTES + ending)[1] == "reply too long"


def test_a_value_that_looks_whole_too_early_is_an_error_and_no_later_answer() -> None:
    assert answer(b"200 result=1 (a)\nb)\n")[1] is not None


def test_a_reply_nobody_asked_for_is_refused() -> None:
    assert drain(opened(), [b"200 result=0\n"])[1] == "complete reply while idle"


def test_hanging_up_comes_between_commands_and_before_a_reply() -> None:
    codec = opened()
    assert drain(codec, [b"HANGUP\n"]) == ([HungUp()], None)
    codec.command("GET VARIABLE", "X")
    events, error = drain(codec, [b"HANGUP\n511 dead\nHANGUP\n"])
    assert error is None
    assert events == [HungUp(), Reply(511, "", None, "511 dead"), HungUp()]


def test_the_end_of_the_stream_is_told_once() -> None:
    codec = opened()
    assert codec.receive_eof() == Closed()
    assert codec.receive_eof() is None
    codec.receive(b"200 result=0\n")
    assert codec.next_event() is None
    assert codec.buffered == 0


def test_commands_are_quoted_where_asterisk_needs_it() -> None:
    codec = opened()
    assert codec.command("EXEC", "MSet", "A=1,B=x y") == b'EXEC MSet "A=1,B=x y"\n'
    drain(codec, [b"200 result=0\n"])
    assert codec.command("SET VARIABLE", "X", 'li"ne\\x') == b'SET VARIABLE X "li\\"ne\\\\x"\n'
    drain(codec, [b"200 result=1\n"])
    assert codec.command("SAY DIGITS", "12", "") == b'SAY DIGITS 12 ""\n'


@pytest.mark.parametrize("argument", ["a\nb", "a\rb", "a\0b", "\n", "\ud800"])
def test_a_second_command_cannot_hide_in_an_argument(argument: str) -> None:
    codec = opened()
    with pytest.raises(AgiProtocolError):
        codec.command("SET VARIABLE", "X", argument)
    assert codec.state is State.IDLE


def test_a_line_that_asterisk_would_split_is_refused() -> None:
    codec = opened()
    rest = MAX_COMMAND_BYTES - len(b"EXEC NoOp \n")
    with pytest.raises(AgiProtocolError):
        codec.command("EXEC", "NoOp", "x" * (rest + 1))
    assert len(codec.command("EXEC", "NoOp", "x" * rest)) == MAX_COMMAND_BYTES


def test_more_arguments_than_asterisk_takes_are_refused() -> None:
    with pytest.raises(AgiProtocolError):
        opened().command("EXEC", *["x"] * MAX_ARGS)


@pytest.mark.parametrize("verb", ["", "exec", "EXEC\n", "EXEC  ", "EXEC x"])
def test_a_verb_is_upper_case_words(verb: str) -> None:
    with pytest.raises(AgiProtocolError):
        opened().command(verb)


def test_only_one_command_is_open_at_a_time() -> None:
    codec = AgiCodec()
    with pytest.raises(AgiProtocolError):
        codec.command("ANSWER")
    codec = opened()
    codec.command("ANSWER")
    with pytest.raises(AgiProtocolError):
        codec.command("ANSWER")
    assert drain(codec, [b"200 result=0\n"])[1] is None


def test_the_table_leaves_no_state_without_a_way_out() -> None:
    reachable = {State.HEADER}
    for _ in State:
        reachable |= {to for (frm, _), to in TRANSITIONS.items() if frm in reachable}
    assert reachable == set(State)
    assert all((state, Line.EOF) in TRANSITIONS for state in State)
    assert not any(line is Line.NONSENSE for _, line in TRANSITIONS)


AGI_PIECES = st.sampled_from(
    [
        HEADER,
        b"agi_arg_1: x\n",
        b"agi_",
        b"\n",
        b"\n\n",
        b"200 result=0\n",
        b"200 result=1 (a\n",
        b"b)\n",
        b"520-Usage\n",
        b"520 End\n",
        b"HANGUP\n",
        b"511 dead\n",
        b"100 Trying\n",
        b"200 result=1 (" + b"a=) " * 50,
    ]
)
WIRE = st.lists(st.one_of(st.binary(max_size=40), AGI_PIECES), max_size=12).map(b"".join)


def converse(chunks: Iterable[bytes]) -> tuple[list[Event], str | None]:
    """Answers each chance to send with a command, as a session does; returns all that was seen."""
    codec = AgiCodec()
    events: list[Event] = []
    try:
        for chunk in chunks:
            codec.receive(chunk)
            while (event := codec.next_event()) is not None:
                events.append(event)
                if codec.state is State.IDLE:
                    codec.command("EXEC", "NoOp")
            assert codec.buffered <= max(MAX_HEADER_BYTES, MAX_REPLY_BYTES)
    except AgiProtocolError as error:
        assert codec.state is State.CLOSED
        assert codec.buffered == 0
        return events, str(error)
    return events, None


@settings(max_examples=200)
@given(wire=st.one_of(WIRE, WIRE.map(lambda tail: HEADER + tail)), data=st.data())
def test_chunking_does_not_matter_and_nothing_else_is_raised(wire: bytes, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(wire)), max_size=8).map(sorted))
    edges = [0, *cuts, len(wire)]
    pieces = [wire[start:end] for start, end in pairwise(edges)]
    whole = converse([wire])
    assert converse(pieces) == whole
    assert converse(wire[i : i + 1] for i in range(len(wire))) == whole


@given(st.text())
def test_a_quoted_argument_reads_back_as_one(argument: str) -> None:
    try:
        text = quoted(argument)
    except AgiProtocolError:
        return
    assert asterisk_reads(text) == [argument]


def asterisk_reads(line: str) -> list[str]:
    """parse_args() of res_agi.c."""
    words: list[str] = []
    current, in_quotes, escaped, in_word = "", False, False, False
    for char in line:
        if escaped:
            current, escaped = current + char, False
        elif char == "\\":
            escaped = in_word = True
        elif char == '"':
            in_quotes, in_word = not in_quotes, True
        elif char in " \t" and not in_quotes:
            if in_word:
                words.append(current)
            current, in_word = "", False
        else:
            current, in_word = current + char, True
    return [*words, current] if in_word else words
