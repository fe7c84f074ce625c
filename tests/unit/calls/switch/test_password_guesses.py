"""Counting wrong passwords, and one account at two addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from calls.switch.password_guesses import (
    GUESSING,
    MOST_TRIES,
    QUIET_SECONDS,
    REGISTERED_SECONDS,
    TWO_PHONES,
    WINDOW_SECONDS,
    GuessWatch,
)
from config.log_files import LOG_BYTES
from tests.unit.telephony.test_security_events import line

pytestmark = pytest.mark.unit


class Told:
    """Stands in for the alarms."""

    def __init__(self) -> None:
        self.standing: dict[str, str] = {}

    def put(self, key: str, text: str, *, grave: bool = True) -> None:
        assert not grave
        self.standing.setdefault(key, text)

    def clear(self, key: str) -> None:
        self.standing.pop(key, None)


class Watched:
    def __init__(self, folder: Path) -> None:
        self.now = 0.0
        self.alarms = Told()
        alarms: Any = self.alarms
        self.watch = GuessWatch(folder, alarms, clock=lambda: self.now)


@pytest.fixture
def here(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_wrong_tries_in_a_minute_are_an_alarm_and_it_ends_when_it_is_quiet(here: Watched) -> None:
    here.watch.look([line()] * (MOST_TRIES - 1))
    assert not here.alarms.standing
    here.now = WINDOW_SECONDS
    here.watch.look([line()])
    text = here.alarms.standing[GUESSING]
    assert f"来自 203.0.113.9 {MOST_TRIES} 次" in text
    assert f"针对 8003 {MOST_TRIES} 次" in text
    here.now += WINDOW_SECONDS + QUIET_SECONDS + 1
    here.watch.look([])
    assert not here.alarms.standing


def test_a_phone_with_an_old_password_is_no_alarm(here: Watched) -> None:
    for _ in range(100):
        here.now += 30
        here.watch.look([line()])
    assert not here.alarms.standing


def test_guesses_at_many_phones_from_many_addresses_are_seen_by_either(here: Watched) -> None:
    here.watch.look([line(account=f"80{n:02}") for n in range(MOST_TRIES)])
    assert "来自 203.0.113.9" in here.alarms.standing[GUESSING]
    other = Watched(Path())
    other.watch.look([line().replace("203.0.113.9", f"203.0.113.{n}") for n in range(MOST_TRIES)])
    assert "针对 8003" in other.alarms.standing[GUESSING]


def test_one_account_at_two_addresses(here: Watched) -> None:
    key = TWO_PHONES.format(account="8003")
    here.watch.look([line("SuccessfulAuth")])
    here.now = REGISTERED_SECONDS
    here.watch.look([line("SuccessfulAuth").replace("203.0.113.9", "198.51.100.7")])
    assert "203.0.113.9" in here.alarms.standing[key]
    assert "198.51.100.7" in here.alarms.standing[key]


def test_a_phone_that_moved_long_after_is_no_alarm(here: Watched) -> None:
    here.watch.look([line("SuccessfulAuth")])
    here.now = REGISTERED_SECONDS + 1
    here.watch.look([line("SuccessfulAuth").replace("203.0.113.9", "198.51.100.7")])
    assert not here.alarms.standing


def test_a_log_is_read_from_the_engine_s_start_on_and_each_line_once(here: Watched, tmp_path: Path) -> None:
    path = tmp_path / "security"
    path.write_text(line() + "\n")
    assert here.watch._lines() == []
    with path.open("a") as file:
        file.write("one\ntwo\nthr")
    assert here.watch._lines() == ["one", "two"]
    with path.open("a") as file:
        file.write("ee\n")
    assert here.watch._lines() == ["three"]
    path.write_text("anew\n")
    assert here.watch._lines() == ["anew"]


def test_a_log_that_is_not_there_yet_is_read_whole(here: Watched, tmp_path: Path) -> None:
    assert here.watch._lines() == []
    (tmp_path / "security").write_text("first\n")
    assert here.watch._lines() == ["first"]


@pytest.mark.parametrize("name", ["messages", "security"])
def test_strangers_cannot_fill_the_disk(here: Watched, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        file.truncate(LOG_BYTES + 1)
    here.watch._lines()
    assert path.stat().st_size == 0
    assert path.with_name(f"{name}.1").stat().st_size == LOG_BYTES + 1
