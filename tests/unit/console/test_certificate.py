"""The console behind TLS: renewed without a restart, kept when the new one is no good, told of before it ends."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console.certificate import Certificate
from database.connection import Database
from setup.doctor import Level, examine
from tests.support.engine_harness import House
from tests.unit.engine.test_website import website

pytestmark = pytest.mark.unit


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    yield made
    await made.queues.stop()


def issue(folder: Path, days: int = 90, key_of: Path | None = None) -> dict[str, str]:
    """A certificate of 127.0.0.1 that ends in so many days; with another's key when ``key_of`` says whose."""
    folder.mkdir(exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hotline under test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400)).not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    encoding, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "web.crt").write_bytes(made.public_bytes(encoding))
    (folder / "web.key").write_bytes(key.private_bytes(encoding, pkcs8, serialization.NoEncryption()))
    return {"web_cert": str(folder / "web.crt"), "web_key": str((key_of or folder) / "web.key")}


async def served(port: int) -> bytes:
    """The certificate that a browser is shown (DER)."""
    anything = ssl.create_default_context()
    anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=anything)
    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    head, _, _ = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert b"Strict-Transport-Security" in head
    return bytes(shown)


async def test_a_renewed_certificate_is_served_without_a_restart_and_a_bad_one_is_not(
    house: House, database: Database, tmp_path: Path
) -> None:
    files = issue(tmp_path)
    site = website(house, database, tmp_path, **files)
    await site.start()
    port = site._settings.http_port
    try:
        first = await served(port)
        own = site.served
        assert own is not None
        assert not own.renew()
        issue(tmp_path)
        site.look_at(own)
        second = await served(port)
        assert second != first

        Path(files["web_key"]).write_bytes(Path(issue(tmp_path / "other")["web_key"]).read_bytes())
        site.look_at(own)
        assert await served(port) == second
        assert "仍在用原来的" in house.alarms.standing["certificate"].text
        issue(tmp_path)
        site.look_at(own)
        assert await served(port) not in (first, second)
        assert house.alarms.standing == {}
    finally:
        await site.stop()


@pytest.mark.parametrize(("days", "told"), [(90, False), (15, False), (13, True), (-1, True)])
async def test_the_end_of_a_certificate_is_told_two_weeks_before(
    house: House, database: Database, tmp_path: Path, days: int, told: bool
) -> None:
    site = website(house, database, tmp_path, **issue(tmp_path, days))
    site.look_at(Certificate(site._settings.web_cert, site._settings.web_key))
    assert ("certificate-end" in house.alarms.standing) is told
    found = next(one for one in examine(site._settings) if one.subject == "控制台证书")
    assert (found.level is Level.FAULT) is told


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    issue(tmp_path / "other")
    files = issue(tmp_path / "own", key_of=tmp_path / "other")
    with pytest.raises(OSError, match="KEY_VALUES_MISMATCH"):
        Certificate(files["web_cert"], files["web_key"])


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n"])
def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path, text: str) -> None:
    files = issue(tmp_path)
    Path(files["web_cert"]).write_text(text)
    with pytest.raises((OSError, ValueError)):
        Certificate(files["web_cert"], files["web_key"])
