"""The last-resort script as Asterisk runs it: a process of its own, AGI on its standard input and output."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asterisk.agi import AGI, AGIHangup

from agi_scripts.last_resort import DEADLINE_SECONDS, MAX_LINES, Agi, answer, converse
from routing.model import CallFacts, MergeMode
from routing.rules import decide
from routing.sample_table import sample_table
from routing.snapshot import freeze, write_snapshot

pytestmark = pytest.mark.unit

SCRIPT = Path(__file__).parents[3] / "agi_scripts" / "last_resort.py"
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
SNAPSHOT = freeze(sample_table(), 7, NOW)
CALLER = "13812345678"
HEADER = f"agi_request: {SCRIPT}\nagi_callerid: {CALLER}\nagi_calleridname: 张三丰\nagi_arg_1: 12333\n\n"
DEFAULT = b'EXEC MSet "HL_GROUP=duty,HL_PROMPTS=greeting-12345,HL_DONE=last-resort"\n'


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "snapshot.json"
    write_snapshot(path, SNAPSHOT)
    return path


@pytest.fixture(autouse=True)
def _hangup_signal() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def run(snapshot: Path, number: str, conversation: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), str(snapshot), number],
        input=conversation,
        capture_output=True,
        check=False,
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
    )


@pytest.mark.parametrize("number", ["12345", "12333", *sorted(SNAPSHOT.numbers)[:3]])
def test_the_table_on_disk_says_which_prompt_and_which_group(published: Path, number: str) -> None:
    decision = decide(CallFacts(number), SNAPSHOT, datetime.now(UTC))
    done = run(published, number, HEADER.encode() + b"200 result=0\n")
    assert done.returncode == 0
    assert done.stderr == b""
    line = done.stdout.decode()
    assert line.startswith(
        f'EXEC MSet "HL_GROUP={decision.group},HL_PROMPTS={"&".join(decision.prompts) or "greeting-12345"},'
    )
    assert line.endswith(',HL_VERSION=7,HL_DONE=last-resort"\n')


def test_all_three_modes_reach_a_group_with_their_prompt(published: Path) -> None:
    for mode in MergeMode:
        row = next(row for row in SNAPSHOT.numbers.values() if row.mode is mode)
        variables, trouble = answer(published, row.number, NOW)
        decision = decide(CallFacts(row.number), SNAPSHOT, NOW)
        assert trouble == ""
        assert variables["HL_GROUP"] == decision.group
        assert variables["HL_PROMPTS"] == ("&".join(decision.prompts) or "greeting-12345")
        assert list(variables)[-1] == "HL_DONE"


@pytest.mark.parametrize("number", ["", "999999", "${SHELL(id)}", "1" * 300, "a,b&c;d\n"])
def test_a_number_that_is_none_goes_to_the_default_group(published: Path, number: str) -> None:
    done = run(published, number, HEADER.encode() + b"200 result=0\n")
    assert done.stdout.startswith(f'EXEC MSet "HL_GROUP={SNAPSHOT.default_group},HL_PROMPTS='.encode())
    assert done.returncode == 0


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe", b'{"format":1,"sha256":"","snapshot":{}}', b"[]"])
def test_without_a_whole_table_the_duty_seats_answer(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "snapshot.json"
    if content is not None:
        path.write_bytes(content)
    done = run(path, "12333", HEADER.encode() + b"200 result=1\n200 result=0\n")
    said, sent = done.stdout.splitlines(keepends=True)
    assert said.startswith(b'VERBOSE "last-resort: no routing table (Snapshot')
    assert sent == DEFAULT
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    "conversation",
    [
        b"",
        b"agi_request: x\n",
        b"\xff\xfe\n\n",
        HEADER.encode(),
        HEADER.encode() + b"HANGUP\n",
        HEADER.encode() + b"nonsense\n",
        HEADER.encode() + b"520-Usage\nno end\n",
        HEADER.encode() + b"510 Invalid\n",
        HEADER.encode() + b"200 result=-1\n",
        HEADER.encode() + b"200 result=0",
        b"x" * 1_000_000,
        b"a: b\n" * 10_000,
    ],
)
def test_whatever_the_peer_says_the_script_ends_quietly(published: Path, conversation: bytes) -> None:
    done = run(published, "12333", conversation)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_caller_is_never_written_to_standard_error(published: Path) -> None:
    done = run(published, CALLER, HEADER.encode() + b"200 result=0\n")
    assert done.stderr == b""
    assert CALLER.encode() not in done.stdout


def test_a_peer_that_says_nothing_is_left_at_the_deadline(published: Path) -> None:
    read, write = os.pipe()
    with subprocess.Popen([sys.executable, SCRIPT, published, "12333"], stdin=read, stdout=subprocess.PIPE) as script:
        assert script.wait(DEADLINE_SECONDS + 20) == -signal.SIGALRM
    os.close(read)
    os.close(write)


def test_starting_needs_little(published: Path) -> None:
    code = (
        "import sys; sys.argv = ['', sys.argv[1], '12333']\n"
        "import agi_scripts.last_resort as s; s.main(sys.argv[1:])\n"
        "heavy = {'asyncio', 'sqlalchemy', 'aiohttp', 'pydantic', 'structlog', 'panoramisk', 'socket', 'ssl'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, published],
        input=HEADER.encode() + b"200 result=0\n",
        capture_output=True,
        check=False,
        cwd=SCRIPT.parents[1],
    )
    assert done.stderr == b"[]\n"


# The faults of pyst2 0.5.1, by name: first that it has them, then that we do not.


class Replies(io.StringIO):
    """What a peer says after the header."""

    def __init__(self, replies: str) -> None:
        super().__init__(HEADER + replies)


def ours(replies: str) -> tuple[Agi, io.StringIO]:
    out = io.StringIO()
    return Agi(Replies(replies), out), out


def theirs(replies: str) -> AGI:
    return AGI(stdin=Replies(replies), stdout=io.StringIO(), stderr=io.StringIO())


@pytest.mark.parametrize("replies", ["HANGUP\n", ""])
def test_hanging_up_and_the_end_of_the_stream_are_a_value_error(replies: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        theirs(replies).execute("ANSWER")
    with pytest.raises(AGIHangup):
        ours(replies)[0].execute("ANSWER")


def test_a_520_without_end_is_read_for_ever() -> None:
    with pytest.raises(AGIHangup):
        ours("520-Usage\ntext\n")[0].execute("ANSWER")
    with pytest.raises(AGIHangup):
        ours("520-Usage\n" + "text\n" * MAX_LINES)[0].execute("ANSWER")


def test_quoting_escapes_nothing() -> None:
    assert theirs("")._quote('a"b\\') == '"a"b\\"'
    agi, _ = ours("")
    assert agi._quote('a"b\\') == '"a\\"b\\\\"'
    with pytest.raises(ValueError, match="one line"):
        agi._quote("a\nHANGUP")


@pytest.mark.parametrize("value", ["a,b", 'a"', "${X}", "a\nb", "张"])
def test_a_value_that_is_syntax_is_not_sent(value: str) -> None:
    agi, out = ours("200 result=0\n")
    with pytest.raises(ValueError, match="may not be written"):
        agi.set_many({"HL_GROUP": value})
    assert out.getvalue() == ""


def test_everything_is_written_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    loud = io.StringIO()
    AGI(stdin=Replies("200 result=0\n"), stdout=io.StringIO(), stderr=loud).execute("ANSWER")
    assert CALLER in loud.getvalue()
    agi, _ = ours("200 result=0\n")
    agi.execute("ANSWER")
    assert capsys.readouterr() == ("", "")


def test_a_closed_output_ends_the_conversation(published: Path) -> None:
    class Closed(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    converse(Replies(""), Closed(), published, "12333")
