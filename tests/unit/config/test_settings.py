from pathlib import Path

import pytest

from config.settings import ROOT, Settings, SettingsError, config_file, load_settings

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for key in Settings.model_fields:
        monkeypatch.delenv(f"HOTLINE_{key.upper()}", raising=False)
    file = tmp_path / "hotline.toml"
    file.touch()
    monkeypatch.setenv("HOTLINE_CONFIG", str(file))


def write(text: str) -> None:
    config_file().write_text(text, encoding="utf-8")


def faults() -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


def test_defaults_are_those_of_the_design() -> None:
    settings = load_settings()
    assert settings.data_dir == ROOT / "var"
    assert settings.database_url == f"sqlite+aiosqlite:///{ROOT}/var/hotline.db"
    assert (settings.bind, settings.sip_port, settings.seat_sip_port) == ("127.0.0.1", 5060, 5062)
    assert (settings.http_port, settings.asterisk_http_port, settings.ami_port, settings.fastagi_port) == (
        8080,
        8088,
        5038,
        4573,
    )
    assert settings.rtp_start % 2 == 0
    assert settings.zone.key == "Asia/Shanghai"


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write('sip_port = 6000\nnode = "hl7"\n')
    monkeypatch.setenv("HOTLINE_SIP_PORT", "6100")
    settings = load_settings()
    assert (settings.sip_port, settings.node) == (6100, "hl7")


def test_the_embedded_database_lies_in_the_data_dir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", "/srv/hl")
    assert load_settings().database_url == "sqlite+aiosqlite:////srv/hl/hotline.db"


def test_a_relative_data_dir_counts_from_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", "var/second")
    assert load_settings().data_dir == ROOT / "var/second"


def test_every_fault_is_told_at_once_with_key_value_and_example(monkeypatch: pytest.MonkeyPatch) -> None:
    write('sip_prot = 1\nami_port = 99999\nnode = "HL 1"\ncontrol_port = 4573\ntimezone = "Asia/Jieyang"\n')
    monkeypatch.setenv("HOTLINE_SIP_PORT", "abc")
    text = faults()
    assert "设置有 6 处错误" in text
    assert "hotline.toml 的 sip_prot = 1：没有这个设置项" in text
    assert "环境变量 HOTLINE_SIP_PORT = 'abc'：应为整数；例如 5060" in text
    assert "hotline.toml 的 ami_port = 99999：不能大于 65535；例如 5038" in text
    assert "hotline.toml 的 node = 'HL 1'：" in text
    assert "Asia/Jieyang" in text
    assert "fastagi_port = 4573：与 control_port 用了同一个 TCP 端口" in text


@pytest.mark.parametrize(
    ("toml", "part"),
    [
        ("seat_sip_port = 5060", "seat_sip_port = 5060：与 sip_port 用了同一个 UDP 端口"),
        ("rtp_start = 26001", "rtp_start = 26001：应为偶数"),
        ("rtp_end = 26050", "rtp_end = 26050：与 rtp_start = 26000 之间不足 100 个端口"),
        ("sip_port = 26060", "sip_port = 26060：落在 RTP 端口 26000–31999 之内"),
        ('bind = "localhost"', "bind = 'localhost'：应为本机的 IP 地址；例如"),
        ('data_dir = "/srv/a b"', "data_dir = '/srv/a b'：路径里只能有"),
        (f'data_dir = "/srv/{"x" * 100}"', "路径太长"),
        ("ask_seconds = 0.1", "ask_seconds = 0.1：不能小于 0.5；例如 3.0"),
        ("sip_port = ", "不是正确的 TOML"),
    ],
)
def test_a_fault_says_what_to_do(toml: str, part: str) -> None:
    write(toml)
    assert part in faults()


def test_a_database_password_is_never_shown() -> None:
    write('database_url = "mysql://hotline:geheim@db/hotline"')
    text = faults()
    assert "geheim" not in text
    assert "mysql://hotline:***@db/hotline" in text


def test_a_named_file_must_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_CONFIG", "/nowhere/hotline.toml")
    assert "没有这个文件" in faults()


def test_other_variables_of_ours_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_TEST_POSTGRES_URL", "x")
    load_settings()


def test_browsers_come_from_elsewhere_only_by_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTLINE_WEB_BIND", "0.0.0.0")  # noqa: S104  it is refused
    with pytest.raises(SettingsError, match="必须用 TLS"):
        load_settings()
    monkeypatch.setenv("HOTLINE_WEB_CERT", "/etc/hotline/web.crt")
    with pytest.raises(SettingsError, match="写了 web_cert 就要写 web_key"):
        load_settings()
    monkeypatch.setenv("HOTLINE_WEB_KEY", "/etc/hotline/web.key")
    assert load_settings().web_secure
    for name in ("CERT", "KEY"):
        monkeypatch.delenv(f"HOTLINE_WEB_{name}")
    monkeypatch.setenv("HOTLINE_WEB_ORIGIN", "https://12345.example/")
    with pytest.raises(SettingsError, match="不带末尾的斜杠"):
        load_settings()
    monkeypatch.setenv("HOTLINE_WEB_ORIGIN", "https://12345.example")
    assert load_settings().web_secure
