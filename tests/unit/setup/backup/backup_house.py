"""A data folder with something of everything, without an Asterisk."""

from __future__ import annotations

import json
import sqlite3
import wave
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from audit.model import Act, Actor
from audit.service import anchor_new_entries
from audit.store import append
from database.connection import open_database
from ledger.journal import Journal
from ledger.model import Kind
from routing.publish import publish_draft
from routing.sample_table import sample_table
from routing.service import load_rows
from setup.backup.service import Instance
from telephony.model import CallId

CALL = CallId("hl1-1763812345.12")
SECRET = "seat-password-that-nobody-reads"


async def furnished(data_dir: Path, url: str) -> Instance:
    """An instance at ``url`` (its schema is there) with a table, an audit, a fact in the journal, and files."""
    data_dir.mkdir(parents=True, exist_ok=True)
    database = open_database(url)
    try:
        await load_rows(database, sample_table())
        await publish_draft(database, data_dir, "测试", "测试用路由表")
        async with database.transaction() as session:
            await append(session, Actor("测试", "这里"), Act("test.one", "一件事"), datetime.now(UTC))
        await anchor_new_entries(database, data_dir)
    finally:
        await database.close()
    journal = Journal(data_dir / "journal")
    journal.start()
    journal.note(Kind.ALARM, CALL, {"alarm": "x", "raised": True, "text": "还没有入库"})
    await journal.flush()
    await journal.stop()
    secrets = {"ami_secret": "a", "agi_token": "b", "api_token": "c", "seat_passwords": {"8001": SECRET}}
    _write(data_dir / "secrets.json", json.dumps(secrets))
    _write(data_dir / "announcements.json", json.dumps({"disaster": {"by": "班长", "reason": "台风"}}))
    _write(data_dir / "closed-groups.json", json.dumps({"market": "停电"}))
    _write(data_dir / "orders" / "numbers.json", "{}")
    _write(data_dir / "messages" / "2025" / "11" / "22" / f"{CALL}.wav", "a citizen's message")
    _write(data_dir / "something-of-a-later-version" / "file", "new")
    _write(data_dir / "log" / "engine.log", "made again")
    _write(data_dir / "asterisk" / "etc" / "pjsip.conf", "made again")
    _write(data_dir / "reserve", "room")
    sound(data_dir / "recordings" / "2025" / "11" / "22" / f"{CALL}.wav")
    sound(data_dir / "recorded" / "zh-CN" / "goodbye.wav")
    (data_dir / "asterisk" / "db").mkdir(parents=True)
    with closing(sqlite3.connect(data_dir / "asterisk" / "db" / "astdb.sqlite3")) as opened:
        opened.execute("CREATE TABLE astdb (key TEXT PRIMARY KEY, value TEXT)")
        opened.execute("INSERT INTO astdb VALUES ('/Queue/PersistentMembers/duty', 'PJSIP/8001;0;0')")
        opened.commit()
    toml = _write(data_dir.parent / "hotline.toml", 'city = "揭阳"')
    return Instance(data_dir, url, "hl1", "0.1.0", {"hotline.toml": toml, "web.key": data_dir.parent / "not-there"})


def sound(path: Path, seconds: float = 0.1, *, sample: bytes = b"\1\0") -> Path:
    """A WAV file as MixMonitor writes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(sample * int(8000 * seconds))
    return path


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
