"""The browsers' listener with one user of every role, two talks, and things that are somebody else's."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, cast

from aiohttp import DummyCookieJar
from aiohttp.test_utils import TestClient, TestServer

from audit.model import Actor, Entry
from audit.query import AuditQuery
from audit.store import search
from callbacks.model import Callback
from callbacks.voicemail_rules import Voicemail
from console.access.guard import CSRF_HEADER, Site
from console.access.personal_data_limit import Brake, Limits
from console.api.calls import Archive
from console.api.instance import Diagnosis, InstancePort, Line, Verified
from console.listener import Listener
from console.screens.topics import Screens
from console.web import web_application
from console.web_phone_proxy import Phones
from database.connection import Database
from feeds.service import Feeds
from ivr.model import Script
from ivr.prompts.service import Prompts
from ledger.measures import Aims
from ledger.model import Fact, Kind
from ledger.records import CallRecord, fold
from ledger.reports.service import Reports
from ledger.store import CallFilter
from queues.events import SeatReachable
from recordings.layout import half_file, recording_file
from recordings.model import Recording, Status
from routing.calendar import CITY
from routing.tables import Refused, Tables
from telephony.model import CallId, SeatId
from tests.support.engine_harness import House, call_id
from tests.unit.console.test_control_api import Control
from tests.unit.users.people import PASSWORD, ROOT, People
from users import store
from users.model import Right, Role, Session
from users.passwords import csrf_token, digest

NUMBER = "13800138000"
NASTY = "<script>alert(1)</script>\"'&"
PLACES = {Role.AGENT: ("1001", "8001"), Role.SUPERVISOR: ("1010", "8010")}
ORDERS: dict[int, str] = {}
"""Numbers of urgent orders by the serial of their call: the agent's, the supervisor's, a stranger's."""

SOUND = b"RIFF" + bytes(range(256)) * 20


class NoTables:
    """A routing table that refuses whatever is asked: what it answers has tests of its own."""

    def __getattr__(self, name: str) -> Any:
        async def no(*_: object, **__: object) -> Any:
            raise Refused("路由表不在")

        return no


class Past:
    """Two calls, of two agents."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.messages = folder.parent / "messages"
        self.asked: list[CallFilter] = []

    async def calls(self, wanted: CallFilter) -> Sequence[CallRecord]:
        self.asked.append(wanted)
        records = [found[0] for serial in (1, 2) if (found := await self.story(call_id(serial))) is not None]
        return [record for record in records if wanted.agent in ("", record.agent)]

    async def story(self, call: CallId) -> tuple[CallRecord, Sequence[Fact]] | None:
        agent = {call_id(1): "1001", call_id(2): "1010"}.get(call)
        if agent is None:
            return None
        at = datetime(2026, 11, 22, 16, 2, 2, tzinfo=UTC)
        facts = [
            Fact(f"{call}-1", Kind.ENTERED, call, at, {"number": NASTY, "caller": NUMBER}),
            Fact(f"{call}-2", Kind.ANSWERED, call, at + timedelta(seconds=5), {"agent": agent, "seat": "8001"}),
            Fact(f"{call}-3", Kind.NOTED, call, at + timedelta(seconds=9), {"address": "东山路", "summary": ""}),
        ]
        record = fold(facts)
        assert record is not None
        return record, facts

    async def recordings(self, since: datetime | None, until: datetime | None, limit: int) -> Sequence[Recording]:
        return [Recording(call_id(1), recording_file(call_id(1)), Status.KEPT, datetime(2026, 11, 22, tzinfo=UTC))]


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any
    raw: bytes


class _Listened(TestServer):
    """On the listener that the engine opens."""

    async def _make_runner(self, **kwargs: Any) -> Listener:
        return Listener(self.app)


class Hall:
    """What the tests ask through."""

    def __init__(
        self, client: TestClient[Any, Any], house: House, control: Control, people: People, pages: Path, past: Past
    ) -> None:
        self.client, self.house, self.control, self.people = client, house, control, people
        self.pages, self.past = pages, past
        self.set_up = Unpacked()
        self.brake = Brake()
        self.home = f"http://127.0.0.1:{client.port}"

    async def session(self, user: str, *, must_change: bool = False) -> str:
        """A session, without the work of a password."""
        token = token_urlsafe(32)
        made = Session(digest(token), user, self.people.now, self.people.now, "网页 127.0.0.1")
        async with self.people.database.transaction() as session:
            await store.begin_session(session, made)
        return token

    async def ask(
        self, method: str, path: str, body: Any = None, *, token: str = "", program: str = "", **headers: str | None
    ) -> Answer:
        """As a page of ours asks; ``headers`` by their names with ``_`` for ``-``, None leaves one out."""
        given: dict[str, str | None] = {"Origin": self.home, "Sec-Fetch-Site": "same-origin"}
        if token:
            given |= {"Cookie": f"hotline={token}", CSRF_HEADER: csrf_token(token)}
        if program:
            given |= {"Authorization": f"Bearer {program}", "Origin": None, "Sec-Fetch-Site": None}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in given.items() if value is not None}
        data = None if method == "GET" else json.dumps(body if body is not None else {})
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.client.request(method, path, data=data, headers=sent) as answer:
            stream = answer.content_type == "text/event-stream"
            raw = b"" if stream else await answer.read()
            kind = answer.content_type
            return Answer(answer.status, json.loads(raw) if kind == "application/json" else None, answer.headers, raw)

    async def sign_in(self, user: str, password: str = PASSWORD, **more: Any) -> Answer:
        return await self.ask("POST", "/api/session", {"user": user, "password": password}, **more)


class Day:
    """A day without calls."""

    async def last_day(self) -> dict[str, Any]:
        return {"aims": {}, "rows": []}


class Healthy:
    """An instance that is well."""

    async def verified(self) -> Verified:
        return Verified(2, 2, [], "2:ab")

    async def diagnosed(self) -> Sequence[Diagnosis]:
        return [Diagnosis("设置", "正常", "没有拼错的变量")]

    async def line(self, seat: SeatId) -> Line | None:
        return Line("10.0.0.5", 5062, "geheim") if seat == "8001" else None


class Unpacked:
    """A city on its first day."""

    def __init__(self) -> None:
        self.samples = self
        self.removed: list[tuple[str, str, int | None, str]] = []

    async def steps(self, user: str = "") -> dict[str, Any]:
        return {"done": False, "steps": []}

    async def trial(self) -> dict[str, Any]:
        return {"call": None, "points": [], "staff": "没有人签入"}

    async def shown(self, user: str = "") -> dict[str, Any]:
        return {"version": 1, "rows": [], "kept": [], "marked": [], "users": [], "faults": [], "hindrances": []}

    async def remove(self, actor: Actor, reason: str, *, seen: int | None, user: str = "") -> dict[str, Any]:
        self.removed.append((actor.name, reason, seen, user))
        return {"rows": 1, "users": [], "before": 1, "version": 2, "release": None}


class Behind:
    """Users, archive and screens."""

    def __init__(self, people: People, past: Past, screens: Screens, phones: Phones, prompts: Prompts) -> None:
        self._people = people
        self.accounts = people.accounts
        self.sessions = people.sessions
        self.approvals = people.approvals
        self.brake = Brake(Limits(10_000, 10_000), Limits(10_000, 10_000))
        self.archive: Archive = past
        self.screens = screens
        self.phones = phones
        self.measured = Day()
        self.reports = Reports(people.database, past.folder.parent / "journal", "hl1", Aims(), CITY)
        self.feed = Feeds(people.database, Aims(), CITY)
        self.care: InstancePort = Healthy()
        self.prompts = prompts
        self.set_up = Unpacked()

    async def audit(self, query: AuditQuery) -> Sequence[Entry]:
        async with self._people.database.reading() as session:
            return await search(session, query)


@asynccontextmanager
async def opened(database: Database, folder: Path, site: Site | None = None) -> AsyncIterator[Hall]:
    """The listener, on a port of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    house = House(folder=folder)
    house.link.up = False
    house.orders.learn([])
    for seat in house.table.seats:
        house.queues.apply(SeatReachable(SeatId(seat)))
    control, people, past = Control(house), People(database, folder), Past(folder / "recordings")
    control.tables = cast("Tables", NoTables())
    for role in Role:
        await _user(people, role)
    promise = datetime(2026, 11, 22, tzinfo=UTC)
    for serial, group in ((1, "general"), (2, "general"), (12, "market")):
        house.callbacks.book.learn([Callback(call_id(serial), NUMBER, "12345", group, "", 0, house.now, promise)])
        house.mailbox.load([Voicemail(call_id(serial), NUMBER, "12345", group, 3.0, promise, promise)])
    raisers = {1: "张三（agent）", 2: "张三（supervisor）", 12: "李四（lisi）"}
    for serial, raiser in raisers.items():
        order, _ = await control.raise_order(call_id(serial), "water-outage", NASTY, "水管爆裂", f"k{serial}", raiser)
        ORDERS[serial] = order.number
    recorded = (*map(recording_file, (call_id(1), call_id(2))), half_file(recording_file(call_id(1)), "caller"))
    left = [past.messages / recording_file(call_id(serial)) for serial in (1, 2, 12)]
    for path in (*(past.folder / name for name in recorded), *left):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(SOUND)
    pages = built(past.folder.parent / "pages")
    prompts = Prompts(folder, "揭阳", lambda: house.table, database)
    behind = Behind(people, past, house.screens, house.page_phones, prompts)
    app = web_application(control, behind, site or Site(), pages)
    async with TestClient(_Listened(app), cookie_jar=DummyCookieJar()) as client:
        made = Hall(client, house, control, people, pages, past)
        made.set_up = behind.set_up
        made.brake = behind.brake
        yield made
    people.hashing.stop()
    await house.orders.stop()
    await house.queues.stop()


def built(folder: Path) -> Path:
    """As the build of console/app leaves it: a page, and a part of it in both dresses."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>12345 热线</title>", encoding="utf-8")
    (folder / "favicon.svg").write_text("<svg/>", encoding="utf-8")
    script = b"export const told = 12345;\n" * 100
    (folder / "assets" / "desk-Ab_1.js").write_bytes(script)
    (folder / "assets" / "desk-Ab_1.js.gz").write_bytes(gzip.compress(script))
    return folder


async def talks(hall: Hall) -> None:
    """The agent has call 1 and the supervisor call 2; what would change that is refused from now on."""
    boss = await hall.session("supervisor")
    for serial, (agent, seat) in enumerate(PLACES.values(), 1):
        assert (await hall.ask("POST", f"/api/agents/{agent}/sign-in", {"seat": seat}, token=boss)).status == 200
        hall.house.desk.place(hall.house.question(Script.OFFER, serial))
        assert hall.house.queues.acd.seats[SeatId(seat)].call == call_id(serial)
    hall.control.refuses = "现在不行"


async def program(hall: Hall, *rights: Right) -> str:
    """A token with these rights."""
    return await hall.people.accounts.add_client("大屏", frozenset(rights), 30, ROOT)


_HASHES: dict[str, str] = {}


async def _user(people: People, role: Role) -> None:
    """A user called as the role, with a password that was hashed once for all tests."""
    if PASSWORD not in _HASHES:
        _HASHES[PASSWORD] = await people.hashing.hashed(PASSWORD)
    async with people.database.transaction() as session:
        session.add(
            store.UserRow(
                name=role.value,
                display="张三",
                roles=role.value,
                agent=PLACES.get(role, ("", ""))[0],
                password=_HASHES[PASSWORD],
                must_change=False,
                disabled=False,
                totp_secret="",
                totp_step=0,
                recovery="[]",
                created_at=people.now,
            )
        )
