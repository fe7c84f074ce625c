import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.test_runner import (
    INTERRUPTED,
    MAX_SECOND_TRIES,
    NO_TESTS,
    Outcome,
    Runner,
    Stage,
    checks,
    closing_line,
    counts,
    judge,
    pytest_runs,
    second_tries,
)
from tests.support import groups
from tests.support.groups import FOLDERS, TESTS, Group, Misplaced, group_of

pytestmark = pytest.mark.unit

PASSED = Counter(passed=10)


def outcome(status: int = 0, found: Counter[str] = PASSED) -> Outcome:
    return Outcome(Stage("tests", (), counted=True), status, 1, found)


def says(*words: str) -> Stage:
    """A check that prints, and ends with an exit status if the last word is a number."""
    *text, last = words
    status = int(last) if last.isdigit() else 0
    return Stage(words[0], (sys.executable, "-S", "-c", f"print({' '.join(text)!r}); raise SystemExit({status})"))


def test_without_arguments_every_group_runs_and_the_exclusive_one_alone_and_last() -> None:
    *before, last = pytest_runs([])
    assert [f"--group={Group.EXCLUSIVE}" in stage.argv for stage in last] == [True]
    together = [word for stages in before for stage in stages for word in stage.argv if word.startswith("--group")]
    assert together == [f"--group={Group.REAL_TIME}", f"--group={Group.COMPUTING}"]


@pytest.mark.parametrize(
    "arguments", [["-m", "unit"], ["-m", "unit", "-k", "routing and not up"], ["--durations=5", "-q"]]
)
def test_a_choice_by_mark_or_name_is_made_in_every_group(arguments: Sequence[str]) -> None:
    argvs = [stage.argv for stages in pytest_runs(arguments) for stage in stages]
    assert len(argvs) == len(Group)
    assert all(argv[-len(arguments) :] == tuple(arguments) for argv in argvs)


@pytest.mark.parametrize("arguments", [["tests/unit"], ["-m", "unit", "tests/unit"], ["-x"], ["-k", "a", "--pdb"]])
def test_with_any_other_argument_pytest_runs_once(arguments: Sequence[str]) -> None:
    (((stage,)),) = pytest_runs(arguments)
    assert stage.argv[-len(arguments) - 2 :] == ("-m", "pytest", *arguments)


def test_every_folder_of_tests_belongs_to_a_group() -> None:
    folders = {path.relative_to(TESTS).parts[0] for path in TESTS.rglob("test_*.py")}
    assert folders == frozenset().union(*FOLDERS.values())


@pytest.mark.parametrize(
    ("folder", "marks", "group"),
    [
        ("unit", ["unit"], Group.COMPUTING),
        ("flow", ["flow", "asyncio"], Group.COMPUTING),
        ("asterisk", ["asterisk", "timeout"], Group.REAL_TIME),
        ("browser", ["browser"], Group.REAL_TIME),
        ("browser", ["browser", "exclusive"], Group.EXCLUSIVE),
        ("load", ["load"], Group.EXCLUSIVE),
    ],
)
def test_the_group_of_a_test(folder: str, marks: list[str], group: Group) -> None:
    assert group_of("test", folder, marks) is group


@pytest.mark.parametrize(("folder", "marks"), [("unit", ["asterisk"]), ("unit", []), ("unit", ["unit", "exclusive"])])
def test_a_test_that_no_group_would_find_is_refused(folder: str, marks: list[str]) -> None:
    with pytest.raises(Misplaced, match=f"tests/{folder}"):
        group_of("test", folder, marks)


def test_seconds_are_noted_longest_first_beside_those_that_were_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, other = "tests/unit/cli/test_test_runner.py", "tests/unit/test_ports.py"
    monkeypatch.setattr(groups, "SECONDS", tmp_path / "seconds.json")
    groups.note_seconds({here: 2.04, "tests/unit/test_gone.py": 9})
    groups.note_seconds({other: 30})
    assert list(groups.known_seconds().items()) == [(other, 30), (here, 2.0)]


def test_the_closing_line_of_a_run_is_read_whatever_its_colour() -> None:
    coloured = "\x1b[32m== \x1b[1m5 passed\x1b[0m, 1 rerun\x1b[0m in 3.21s ==\n"
    assert counts(f"12 passed in 1.0s, says a test\n{coloured}") == Counter(passed=5, rerun=1)
    assert counts("... [100%]\n1 failed, 2 passed in 0.12s\n") == Counter(failed=1, passed=2)
    assert counts("no tests ran in 0.01s") == Counter()


def test_the_sum_of_all_runs_is_the_last_line() -> None:
    ended = [outcome(), outcome(1, Counter(passed=5, failed=1, rerun=2)), Outcome(checks()[0], 0, 3)]
    assert closing_line(ended, 3725.5) == "===== 1 failed, 15 passed, 2 rerun in 3725.50s (1:02:05) ====="


@pytest.mark.parametrize(
    ("ended", "some_only", "good"),
    [
        ([outcome(), outcome()], False, True),
        ([outcome(), outcome(1, Counter(passed=9, failed=1))], False, False),
        ([outcome(), outcome(INTERRUPTED)], False, False),
        ([outcome(), outcome(NO_TESTS, Counter())], False, False),
        ([outcome(), outcome(0, Counter(skipped=1))], False, False),
        ([outcome(), outcome(NO_TESTS, Counter())], True, True),
        ([outcome(NO_TESTS, Counter()), outcome(NO_TESTS, Counter())], True, False),
        (
            [outcome(0, Counter(passed=1, rerun=MAX_SECOND_TRIES - 1)), outcome(0, Counter(passed=1, rerun=1))],
            False,
            True,
        ),
        (
            [outcome(0, Counter(passed=1, rerun=MAX_SECOND_TRIES - 1)), outcome(0, Counter(passed=1, rerun=2))],
            False,
            False,
        ),
        ([outcome(), Outcome(checks()[0], 1, 1)], False, False),
    ],
)
def test_a_run_passes_only_when_all_of_it_ran_and_passed(ended: list[Outcome], some_only: bool, good: bool) -> None:
    assert judge(ended, some_only, lambda _line: None) is good


def test_a_second_try_is_told_of_in_full() -> None:
    text = """..R. [100%]
\x1b[31m===== second try: tests/asterisk/test_a.py::test_one =====\x1b[0m
>       assert False
E       AssertionError: 1 == 2
==== second try: tests/browser/test_b.py::test_two ====
E       TimeoutError
===== rerun test summary info ======
RERUN tests/asterisk/test_a.py::test_one
3 passed, 2 rerun in 1.0s
"""
    one, two = second_tries(text)
    assert one.endswith("test_one =====\n>       assert False\nE       AssertionError: 1 == 2")
    assert two.endswith("test_two ====\nE       TimeoutError")
    assert second_tries("3 passed in 1.0s") == ()


def test_make_check_runs_what_is_quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "_at_start", lambda: {"tests/unit/test_slow.py": groups.QUICK_SECONDS})
    assert not groups.is_quick("tests/unit/test_slow.py")
    assert groups.is_quick("tests/unit/test_unknown.py")


def test_second_tries_are_limited_alike_in_a_part_and_in_the_whole() -> None:
    assert groups.MAX_SECOND_TRIES == MAX_SECOND_TRIES


def test_a_quiet_check_is_heard_only_when_it_fails() -> None:
    said: list[str] = []
    runner = Runner(said.append)
    assert runner.run(says("fine", "0")).status == 0
    assert not any("fine\n" in line for line in said)
    assert runner.run(says("wrong", "3")).status == 3
    assert said[-1].endswith("wrong\n")


def test_lanes_run_side_by_side_and_all_outcomes_are_told() -> None:
    ended = Runner(lambda _line: None).side_by_side((says("a", "0"), says("b", "2")), (says("c", "0"),))
    assert [(one.stage.name, one.status) for one in ended] == [("a", 0), ("b", 2), ("c", 0)]


def test_a_terminated_run_lets_the_check_clean_up(tmp_path: Path) -> None:
    check = f"""
import pathlib, signal, sys
try:
    pathlib.Path({str(tmp_path / "ready")!r}).touch()
    print('ready', flush=True)
    signal.pause()
except KeyboardInterrupt:
    pathlib.Path({str(tmp_path / "cleaned")!r}).touch()
"""
    code = f"""
import sys
from cli import test_runner as testing
from cli.test_runner import Runner, Stage, _termination_as_interrupt
with _termination_as_interrupt():
    try:
        Runner(lambda line: None).side_by_side([Stage("x", (sys.executable, "-S", "-c", {check!r}), shown=True)])
    except KeyboardInterrupt:
        sys.exit(130)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        os.kill(run.pid, signal.SIGTERM)
        assert run.wait(20) == 130
    assert (tmp_path / "cleaned").exists()
