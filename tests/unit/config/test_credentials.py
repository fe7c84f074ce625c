"""Secrets: generated once, kept private, and never a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cli import main
from config.credentials import FILE, CredentialsUnusable, credentials

pytestmark = pytest.mark.unit


def test_a_first_start_generates_and_a_second_keeps(tmp_path: Path) -> None:
    first = credentials(tmp_path, ("8001", "8002"))
    assert set(first.seat_passwords) == {"8001", "8002"}
    secrets = {first.ami_secret, first.api_token, *first.seat_passwords.values()}
    assert len(secrets) == 4
    assert all(len(secret) >= 12 for secret in secrets)
    written = (tmp_path / FILE).stat().st_mtime_ns
    assert credentials(tmp_path, ("8001", "8002")) == first
    assert credentials(tmp_path) == first
    assert (tmp_path / FILE).stat().st_mtime_ns == written


def test_a_new_seat_gets_a_password_and_the_others_keep_theirs(tmp_path: Path) -> None:
    first = credentials(tmp_path, ("8001",))
    second = credentials(tmp_path, ("8001", "8002"))
    assert second.seat_passwords["8001"] == first.seat_passwords["8001"]
    assert second.ami_secret == first.ami_secret


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        credentials(tmp_path)
    finally:
        os.umask(before)
    path = tmp_path / FILE
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    credentials(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_is_missing_in_a_kept_file_is_generated(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(json.dumps({"ami_secret": "kept"}))
    made = credentials(tmp_path, ("8001",))
    assert made.ami_secret == "kept"
    assert made.api_token
    assert made.seat_passwords["8001"]


SPOILT = (
    b"", b"{", b"[]", b"null", b"\xff\xfe", b'"text"', b'{"ami_secret": 5}', b'{"seat_passwords": ["8001"]}',
    b'{"seat_passwords": {"8001": null}}', b'{"ami_secret": "x\\n[evil]"}', b'{"seat_passwords": {"8001": "a;b"}}',
)  # fmt: skip


@pytest.mark.parametrize("content", SPOILT)
def test_a_spoilt_file_is_a_sentence_and_stays_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FILE
    path.write_bytes(content)
    with pytest.raises(CredentialsUnusable, match="移走"):
        credentials(tmp_path, ("8001",))
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(CredentialsUnusable, match="权限"):
        credentials(tmp_path)


def test_the_command_says_the_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOTLINE_DATA_DIR", str(tmp_path))
    (tmp_path / FILE).write_bytes(b"{")
    with pytest.raises(SystemExit) as ended:
        main.main(["status"])
    assert ended.value.code == 1
    assert "密钥文件" in capsys.readouterr().err
