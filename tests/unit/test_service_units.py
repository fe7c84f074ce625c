"""The units of systemd: that systemd understands them, that they stay closed, that they start what there is."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import MODULES
from tests.package.unit_file import STATE, UNITS, settings_of

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
DEBIAN = ROOT / "deploy" / "debian"
MAX_EXPOSURE = 2.0
"""Of systemd's own scale from 0 (closed) to 10; what is left open is named in ADR 0037."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_closed(name: str) -> None:
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / name)],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    found = re.search(r"exposure level for \S+: ([0-9.]+)", told)
    assert found, told
    assert float(found[1]) <= MAX_EXPOSURE, told


@needs_systemd
def test_systemd_understands_every_line() -> None:
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, UNITS.iterdir())],
        capture_output=True, text=True, check=False,
    ).stderr  # fmt: skip
    assert [line for line in told.splitlines() if "is not executable" not in line] == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_as_nobody_special_and_starts_a_command_that_there_is(name: str) -> None:
    unit = settings_of(name)
    program, command = unit["ExecStart"][0].split()
    assert program == "/usr/lib/hotline12345/run"
    assert command in MODULES
    assert unit["User"] == ["hotline12345"]
    assert unit["NoNewPrivileges"] == ["yes"]
    assert unit["CapabilityBoundingSet"] == [""]
    assert unit["ProtectSystem"] == ["strict"]
    assert STATE.endswith(unit["StateDirectory"][0])
    assert unit["StateDirectoryMode"] == ["0700"]


def test_nothing_that_is_restarted_takes_the_switch_along() -> None:
    """Requires= and BindsTo= hand a restart on: it would end every call."""
    switch = settings_of("hotline-asterisk.service")
    assert not {"Requires", "BindsTo", "PartOf", "Requisite"} & switch.keys()
    for name in SERVICES:
        assert "hotline-asterisk.service" not in " ".join(settings_of(name).get("Conflicts", []))
    installed = (DEBIAN / "postinst").read_text(encoding="utf-8")
    assert [line for line in installed.splitlines() if "restart" in line and "asterisk" in line] == []


def test_the_package_names_every_unit() -> None:
    wanted = {path.name for path in UNITS.iterdir() if "\n[Install]\n" in path.read_text(encoding="utf-8")}
    for script in ("postinst", "postrm"):
        told = re.search(r'^UNITS="(.*)"$', (DEBIAN / script).read_text(encoding="utf-8"), re.MULTILINE)
        assert told
        assert set(told[1].split()) == wanted, script


@pytest.mark.parametrize("name", ["build.sh", "hotline", "postinst", "postrm", "prerm", "run"])
def test_the_scripts_are_shell_and_may_be_run(name: str) -> None:
    script = DEBIAN / name
    assert script.stat().st_mode & 0o111
    shell = "bash" if "bash" in script.read_text(encoding="utf-8").splitlines()[0] else "sh"
    assert subprocess.run([shell, "-n", str(script)], check=False).returncode == 0


def test_the_modules_that_the_package_starts_are_there() -> None:
    module = re.search(r"-m (\S+)", (DEBIAN / "run").read_text(encoding="utf-8"))
    assert module
    assert (ROOT / f"{module[1].replace('.', '/')}.py").is_file()
    assert sys.version_info[:2] == (3, 11) or "3.11" in (DEBIAN / "control").read_text(encoding="utf-8")


def test_every_log_of_ours_is_rotated() -> None:
    told = (DEBIAN / "logrotate").read_text(encoding="utf-8")
    for place in ("log/*.log", "asterisk/log/messages", "asterisk/log/security"):
        assert f"{STATE}/{place}" in told
    assert "copytruncate" in told  # Asterisk keeps its files open
