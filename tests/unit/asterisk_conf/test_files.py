"""The configuration on disk: written whole, private, and every drift found and mended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asterisk_conf.files import Difference, Drift, check, prepare
from asterisk_conf.model import SwitchPlan
from asterisk_conf.render import render
from tests.unit.asterisk_conf.plans import plan

pytestmark = pytest.mark.unit


@pytest.fixture
def prepared(tmp_path: Path) -> SwitchPlan:
    wanted = plan(tmp_path)
    assert prepare(wanted)
    return wanted


def test_a_first_start_writes_everything_and_a_second_nothing(prepared: SwitchPlan) -> None:
    assert check(prepared) == []
    before = {path: path.stat().st_mtime_ns for path in prepared.home.rglob("*.conf")}
    assert not prepare(prepared)
    assert {path: path.stat().st_mtime_ns for path in prepared.home.rglob("*.conf")} == before
    assert {str(path.relative_to(prepared.home)) for path in before} | {"agi-bin/last-resort"} == set(render(prepared))


def test_what_holds_secrets_is_the_owner_s_alone(prepared: SwitchPlan) -> None:
    for name in render(prepared):
        path = prepared.home / name
        assert path.stat().st_mode & 0o777 == (0o700 if name.startswith("agi-bin/") else 0o600), name
    assert prepared.recordings.stat().st_mode & 0o777 == 0o700


def missing(path: Path) -> None:
    path.unlink()


def changed(path: Path) -> None:
    path.write_text("[general]\n")


def longer(path: Path) -> None:
    path.write_text(path.read_text() + "\n")


def readable(path: Path) -> None:
    path.chmod(0o644)


def not_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize(
    ("spoil", "drift"),
    [
        (missing, Drift.MISSING),
        (changed, Drift.CHANGED),
        (longer, Drift.CHANGED),
        (readable, Drift.READABLE),
        (not_text, Drift.CHANGED),
    ],
)
@pytest.mark.parametrize("name", ["etc/manager.conf", "agi-bin/last-resort"])
def test_a_drift_is_found_and_mended(prepared: SwitchPlan, name: str, spoil: object, drift: Drift) -> None:
    path = prepared.home / name
    assert callable(spoil)
    spoil(path)
    assert check(prepared) == [Difference(path, drift)]
    assert prepare(prepared)
    assert check(prepared) == []
    assert not path.stat().st_mode & 0o077


@pytest.mark.parametrize("name", ["etc/sip.conf", "agi-bin/other", "etc/manager.conf.new"])
def test_a_file_that_is_not_ours_is_found_and_removed(prepared: SwitchPlan, name: str) -> None:
    path = prepared.home / name
    path.write_text("[evil]\n")
    assert check(prepared) == [Difference(path, Drift.FOREIGN)]
    assert prepare(prepared)
    assert not path.exists()


def test_several_drifts_are_told_in_the_order_of_their_paths(prepared: SwitchPlan) -> None:
    for name in ("etc/sip.conf", "agi-bin/x"):
        (prepared.home / name).touch()
    (prepared.home / "etc/rtp.conf").unlink()
    found = check(prepared)
    assert [difference.path for difference in found] == sorted(difference.path for difference in found)
    assert len(found) == 3


def test_a_file_is_never_seen_half_written(prepared: SwitchPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    path = prepared.home / "etc/manager.conf"
    changed(path)

    def power_fails(handle: int) -> None:
        raise OSError("power")

    monkeypatch.setattr(os, "fsync", power_fails)
    with pytest.raises(OSError, match="power"):
        prepare(prepared)
    assert path.read_text() == "[general]\n"
    monkeypatch.undo()
    assert prepare(prepared)
    assert check(prepared) == []


def test_the_links_follow_where_prompts_and_documentation_are(tmp_path: Path) -> None:
    prepare(plan(tmp_path))
    moved = plan(tmp_path, sounds=tmp_path / "elsewhere")
    prepare(moved)
    assert (moved.home / "share/sounds").readlink() == tmp_path / "elsewhere"
    assert (moved.home / "share/documentation").readlink() == moved.documentation


def test_an_open_umask_changes_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        prepare(plan(tmp_path))
    finally:
        os.umask(before)
    assert check(plan(tmp_path)) == []
