import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.main import main
from config import ports
from config.ports import PortsTaken, require_free, taken_ports
from config.process_identity import ProcessIdentity
from config.settings import Settings
from setup import doctor
from setup.doctor import Finding, Level, examine

pytestmark = pytest.mark.unit


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An instance on ports that are free now."""
    with FreePorts(7) as numbers:
        keys = (
            "sip_port",
            "seat_sip_port",
            "control_port",
            "http_port",
            "asterisk_http_port",
            "ami_port",
            "fastagi_port",
        )
        return Settings.model_validate({"data_dir": tmp_path / "var", **dict(zip(keys, numbers, strict=True))})


class FreePorts:
    def __init__(self, count: int) -> None:
        self._sockets = [socket.socket() for _ in range(count)]

    def __enter__(self) -> list[int]:
        for each in self._sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in self._sockets]

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            each.close()


@pytest.fixture
def taken(settings: Settings) -> Iterator[socket.socket]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", settings.ami_port))
        server.listen()
        yield server


def test_free_ports_are_no_fault(settings: Settings) -> None:
    assert taken_ports(settings) == []
    require_free(settings)


def test_a_taken_port_names_its_holder_and_the_way_out(settings: Settings, taken: socket.socket) -> None:
    with pytest.raises(PortsTaken) as caught:
        require_free(settings)
    text = str(caught.value)
    assert f"TCP 端口 {settings.ami_port}（ami_port）已被进程" in text
    assert f"（{os.getpid()}）占用；请停止它，或用 HOTLINE_AMI_PORT 换一个端口" in text


def test_a_taken_udp_port_is_seen(settings: Settings) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", settings.sip_port))
        assert [port.port.key for port in taken_ports(settings)] == ["sip_port"]


def test_a_port_held_by_this_instance_is_no_fault(settings: Settings) -> None:
    code = (
        "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', int(sys.argv[1]))); s.listen(); print(); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", code, str(settings.ami_port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert len(taken_ports(settings)) == 1
        identity = ProcessIdentity.of(child.pid)
        assert identity is not None
        settings.run_dir.mkdir(parents=True)
        identity.save(settings.run_dir / "asterisk.child.json")
        assert taken_ports(settings) == []
        child.kill()


def test_an_address_that_is_not_ours_is_told(settings: Settings) -> None:
    elsewhere = settings.model_copy(update={"bind": "192.0.2.1"})
    assert "HOTLINE_BIND" in taken_ports(elsewhere)[0].reason


def test_a_privileged_port_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_refusal", lambda _port: 13)
    assert "小于 1024" in taken_ports(settings)[0].reason


def found(settings: Settings, subject: str) -> list[Finding]:
    return [finding for finding in examine(settings) if finding.subject == subject]


def test_a_new_instance_has_notes_but_no_fault_of_its_own(settings: Settings) -> None:
    assert [finding.level for subject in ("数据库", "路由表", "提示音") for finding in found(settings, subject)] == [
        Level.NOTE
    ] * 3
    assert not settings.data_dir.exists()


def test_a_misspelt_variable_is_noted(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_SIP_PRT", "1")
    monkeypatch.setenv("HOTLINE_TEST_ANYTHING", "1")
    (finding,) = found(settings, "环境变量")
    assert finding.level is Level.NOTE
    assert "HOTLINE_SIP_PRT" in finding.message


def test_a_full_disk_is_a_fault(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ENOUGH_BYTES", 1 << 60)
    assert found(settings, "数据目录")[0].level is Level.FAULT


def test_missing_programs_name_their_packages(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (finding,) = found(settings, "系统软件包")
    assert "apt-get install espeak-ng sox sip-tester procps" in finding.message


def test_a_broken_snapshot_is_a_fault(settings: Settings) -> None:
    settings.data_dir.mkdir()
    settings.snapshot_file.write_text("{", encoding="utf-8")
    assert found(settings, "路由表")[0].level is Level.FAULT


def test_a_check_that_fails_does_not_hide_the_others(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_settings: Settings) -> Iterator[tuple[Level, str]]:
        raise RuntimeError("boom")

    monkeypatch.setattr(doctor, "CHECKS", {"坏": broken, "Python": doctor.CHECKS["Python"]})
    assert [(finding.subject, finding.level) for finding in examine(settings)] == [
        ("坏", Level.FAULT),
        ("Python", Level.GOOD),
    ]


def test_the_command_lists_faulty_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "hotline.toml"
    config.write_text("sip_port = 0\nnode = ''\n", encoding="utf-8")
    monkeypatch.setenv("HOTLINE_CONFIG", str(config))
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--json"])
    assert ended.value.code == 1
    findings = json.loads(capsys.readouterr().out)
    assert [finding["subject"] for finding in findings] == ["设置", "设置"]


def test_the_phone_in_the_page_is_looked_at(settings: Settings) -> None:
    assert found(settings, "网页电话")[-1].level is Level.NOTE
    with socket.socket() as asterisk:
        asterisk.bind(("127.0.0.1", settings.asterisk_http_port))
        asterisk.listen()
        assert found(settings, "网页电话")[-1].level is Level.GOOD
    (off,) = found(settings.model_copy(update={"page_phones": False}), "网页电话")
    assert "page_phones" in off.message


@pytest.mark.parametrize(
    ("main", "backup", "level"), [(False, False, "FAULT"), (False, True, "NOTE"), (True, True, "GOOD")]
)
def test_a_centre_of_which_no_line_answers_is_a_fault(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, main: bool, backup: bool, level: str
) -> None:
    settings.data_dir.mkdir(parents=True)
    (settings.data_dir / "secrets.json").touch()
    rows = [
        {"centre": "110", "trunk": "emergency-110", "name": "110 公安", "up": main},
        {"centre": "110", "trunk": "emergency-110-backup", "name": "110 公安（备用）", "up": backup},
        {"centre": "119", "trunk": "emergency-119", "name": "119 消防", "up": True},
    ]
    monkeypatch.setattr("console.client.call", lambda *_: {"alarms": [], "centres": rows})
    monkeypatch.setattr("config.credentials.credentials", lambda _: SimpleNamespace(api_token="token"))
    assert {found for found, _ in doctor._centres(settings)} == {Level[level]}
