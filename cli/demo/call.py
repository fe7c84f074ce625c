"""The demo's call: a citizen rings a running instance with SIPp, somebody answers, and what was heard is measured.

One job: play the people. Whoever answers is brought and taken away again: an agent who is signed out at a seat nobody
uses, or the centre behind a trunk of this machine. Who is signed in already is left alone, and no real centre is rung.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from asterisk_conf.plan import recordings_home
from cli.demo.checks import Check, Heard, Prompts, checks, load_prompts, load_wave
from config.credentials import credentials
from config.settings import Settings
from console.client import EngineUnreachable, Refused
from console.client import call as ask_engine
from database.connection import Database, open_database
from database.errors import DatabaseError
from engine.engine import journal_folder
from ivr.prompts.catalogue import MANDARIN, RATING_NAMES, catalogue, whisper
from ivr.prompts.staging import current_wordings
from ledger.model import Fact
from ledger.reader import calls_now, facts_now
from ledger.records import CallRecord
from ledger.store import CallFilter
from phones.centre import Centre
from phones.errors import PhoneDeadline, PhoneError, RegistrationRefused
from phones.phone import PhoneCall
from phones.seat_phone import SeatPhone
from phones.sipp_citizen import SippCall, SippCitizen
from recordings.layout import HALVES, half_file, recording_file
from routing.model import CallFacts, Decision, Snapshot, TargetKind, Trunk
from routing.rules import decide
from routing.snapshot import SnapshotMissing, load_snapshot
from setup.demo_access import DEMO_FILE
from telephony.model import DIALLED, CallId

CITIZEN_HZ: Final = 440
ANSWERER_HZ: Final = 880
TALK_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 60.0
"""From the INVITE to the answer: a prompt, and two seats that let it ring; widening comes on top."""
READY_SECONDS: Final = 10.0
END_SECONDS: Final = 30.0
TOLD_SECONDS: Final = 10.0
"""How long after its end a call may take to be in the ledger and its recording to be whole."""
BEST_LEVEL: Final = 5

Say = Callable[[str], None]


class DemoRefused(Exception):
    """The call cannot be placed; the text says what to do, in Chinese."""


@dataclass(frozen=True, slots=True)
class Answerer:
    """Who will answer, and how the ledger names the place."""

    phone: SeatPhone | Centre
    name: str
    seat: str
    """Seat or trunk."""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One call, as it was decided, told and measured."""

    number: str
    caller: str
    decision: Decision
    checks: tuple[Check, ...]
    record: CallRecord | None
    facts: tuple[Fact, ...]
    trouble: str
    """What broke off the call, in Chinese; empty when nothing did."""

    @property
    def ok(self) -> bool:
        return not self.trouble and all(check.ok for check in self.checks)


async def demo_call(settings: Settings, number: str, *, caller: str, agent: str, say: Say) -> Outcome:
    """Place one call and measure it. Raises DemoRefused, EngineUnreachable or Refused when it cannot be placed."""
    demo = await _Demo.open(settings, say)
    decision = demo.decide(number, caller)
    say(f"路由表：{decision.reason}")
    prompts = await asyncio.to_thread(load_prompts, settings.data_dir / "sounds" / MANDARIN)
    began = datetime.now(UTC)
    async with demo.answerer(decision, agent) as answerer, SippCitizen(demo.host, settings.sip_port) as citizen:
        say(f"市民 {caller} 拨打 {number}（SIPp，{demo.host}:{settings.sip_port}）")
        call = await citizen.call(number, caller=caller, tone_hz=CITIZEN_HZ)
        talk, rated, trouble = await demo.converse(call, answerer, decision, prompts)
        say("读取流水和录音…")
        record, facts = await demo.told(began, caller)
        recording = await demo.recording(record.call if record else None)
        whispered = demo.whisper_seconds(decision, prompts)
        spoken = talk.answered_at + whispered if talk and talk.answered_at else None
        heard = Heard(
            before=call.heard.pcm(until=talk.answered_at if talk else None),
            talking=call.heard.pcm(spoken, talk.ended_at) if talk else call.heard.pcm(0, 0),
            after=call.heard.pcm(talk.ended_at, call.ended_at) if talk else call.heard.pcm(0, 0),
            by_answerer=talk.heard.pcm(spoken) if talk else call.heard.pcm(0, 0),
            recorded=recording,
        )
    say("辨认听到的声音…")
    found = await asyncio.to_thread(
        checks, decision, heard, prompts, demo.texts, record, facts, answerer.name, answerer.seat, rated,
        citizen_hz=CITIZEN_HZ, answerer_hz=ANSWERER_HZ,
    )  # fmt: skip
    return Outcome(number, caller, decision, tuple(found), record, tuple(facts), trouble)


class _Demo:
    """One running instance, as the demo uses it."""

    def __init__(self, settings: Settings, table: Snapshot, passwords: Mapping[str, str], say: Say) -> None:
        self._settings = settings
        self._table = table
        self._passwords = passwords
        self._say = say
        self._token = credentials(settings.data_dir).api_token
        self.host = "127.0.0.1" if ip_address(settings.bind).is_unspecified else settings.bind
        prompts = current_wordings(settings.data_dir, catalogue(table, settings.city))
        self.texts = {name: prompt.text for name, prompt in prompts.items()}

    @classmethod
    async def open(cls, settings: Settings, say: Say) -> _Demo:
        """Find the instance. Raises DemoRefused when there is none to call."""
        if shutil.which("sipp") is None:
            raise DemoRefused("没有找到 sipp；请安装软件包 sip-tester（./hotline 会自动安装），然后重试")
        path = settings.data_dir / DEMO_FILE
        try:
            passwords = json.loads(path.read_text(encoding="utf-8"))["seats"]["passwords"]
            demo = cls(settings, load_snapshot(settings.snapshot_file), dict(passwords), say)
        except (FileNotFoundError, SnapshotMissing):
            raise DemoRefused(f"没有 {path}：请先在另一个终端运行 ./hotline up --demo，看到“就绪”后重试") from None
        except (ValueError, KeyError, TypeError):
            raise DemoRefused(f"{path} 读不懂；请重新运行 ./hotline up --demo，它会重写这个文件") from None
        if (await demo._ask("/api/status"))["ami"]["state"] != "up":
            raise DemoRefused("引擎还没有连上 Asterisk；请等 ./hotline status 显示“正常”后重试")
        return demo

    def decide(self, number: str, caller: str) -> Decision:
        """What should become of this call now. Raises DemoRefused for what is no telephone number."""
        for text, name in ((number, "被叫"), (caller, "主叫")):
            if not DIALLED.fullmatch(text):
                raise DemoRefused(f"{name}号码 {text[:40]!r} 应为 1 到 32 位数字，可以 + 开头；例如 12333")
        return decide(CallFacts(number, caller), self._table, datetime.now(UTC))

    def whisper_seconds(self, decision: Decision, prompts: Prompts) -> float:
        """How long the agent hears which old number was dialled, before the two can talk."""
        group = self._table.groups.get(decision.group)
        told = decision.target.kind is TargetKind.GROUP and decision.mode is not None and group and group.whisper
        return len(prompts.get(whisper(decision.number), ())) / 8000 if told else 0.0

    # Who answers

    @asynccontextmanager
    async def answerer(self, decision: Decision, agent: str) -> AsyncIterator[Answerer]:
        """Whoever the decision calls for, ready; gone afterwards."""
        if decision.target.kind is TargetKind.GROUP:
            async with self._agent(decision, agent) as found:
                yield found
            return
        trunk = self._trunk(decision)
        centre = Centre(trunk.port, host=trunk.host, tone_hz=ANSWERER_HZ)
        try:
            await centre.open()
        except OSError as error:
            raise DemoRefused(
                f"{trunk.name} 的端口 {trunk.host}:{trunk.port} 已被占用（{error.strerror}）；请停下占用它的程序后重试"
            ) from None
        try:
            self._say(f"{trunk.name} 由演示扮演，在 {trunk.host}:{trunk.port} 接听")
            yield Answerer(centre, trunk.name, trunk.id)
        finally:
            await centre.close()

    def _trunk(self, decision: Decision) -> Trunk:
        target = decision.target
        emergency = target.kind is TargetKind.EMERGENCY
        trunk = next(
            (
                trunk
                for trunk in self._table.trunks.values()
                if (trunk.role == "emergency" and trunk.number == target.id if emergency else trunk.id == target.id)
            ),
            None,
        )
        if trunk is None:
            raise DemoRefused(f"路由表里没有通往 {target.id} 的线路；请用 ./hotline route test 查看这个号码")
        if not trunk.host.startswith("127."):
            raise DemoRefused(f"{trunk.name} 的对端是 {trunk.host}，不在本机；演示不会呼叫真正的中心")
        return trunk

    @asynccontextmanager
    async def _agent(self, decision: Decision, wanted: str) -> AsyncIterator[Answerer]:
        rows = (await self._ask("/api/agents"))["agents"]
        agent = choose_agent(decision, rows, wanted)
        seat = choose_seat((await self._ask("/api/seats"))["seats"], self._passwords)
        phone = SeatPhone(self.host, self._settings.seat_sip_port, seat, self._passwords[seat], tone_hz=ANSWERER_HZ)
        try:
            await phone.register()
            await self._ask(f"/api/agents/{agent}/sign-in", {"seat": seat})
            try:
                await self._until_ready(agent)
                self._say(f"座席{agent} 在话机 {seat} 签入，等待来电")
                if others := _also_free(rows, decision):
                    self._say(f"注意：{'、'.join(others)} 也空闲，来电可能由他们的话机接听")
                yield Answerer(phone, f"座席{agent}", seat, agent)
            finally:
                with suppress(EngineUnreachable, Refused):
                    await self._ask(f"/api/agents/{agent}/sign-out", {})
        except RegistrationRefused:
            raise DemoRefused(
                f"话机 {seat} 注册被拒绝；{DEMO_FILE} 里的口令可能是旧的，请重新运行 ./hotline up --demo"
            ) from None
        finally:
            await phone.close()

    async def _until_ready(self, agent: str) -> None:
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not any(  # noqa: ASYNC110  another process: no event
                    row["agent"] == agent and row["state"] == "ready"
                    for row in (await self._ask("/api/agents"))["agents"]
                ):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise DemoRefused(
                f"座席{agent} 签入后 {READY_SECONDS:.0f} 秒仍未空闲；请用 ./hotline agents list 查看"
            ) from None

    # The conversation

    async def converse(
        self, call: SippCall, answerer: Answerer, decision: Decision, prompts: Prompts
    ) -> tuple[PhoneCall | None, str, str]:
        """The answerer's side of the talk, the key pressed for the rating, and what broke it off."""
        talk: PhoneCall | None = None
        key = ""
        try:
            talk = await self._answered(call, answerer, decision)
            if talk is None:
                return None, key, _unanswered(call)
            self._say(f"{answerer.name}接听，双方各发一个单音，通话 {TALK_SECONDS:.0f} 秒")
            await asyncio.sleep(self.whisper_seconds(decision, prompts) + TALK_SECONDS)
            self._say(f"{answerer.name}挂机")
            await talk.hang_up()
            if decision.target.kind is not TargetKind.EMERGENCY:
                key = await self._rate(call, prompts)
            await call.ended(END_SECONDS)
        except PhoneDeadline as error:
            await call.close()
            return talk, key, f"通话没有按时进行（{str(error).splitlines()[0]}）"
        except PhoneError as error:
            return talk, key, f"通话中断（{str(error).splitlines()[0]}）"
        return talk, key, ""

    async def _answered(self, call: SippCall, answerer: Answerer, decision: Decision) -> PhoneCall | None:
        longest = ANSWER_SECONDS + max((seconds for seconds, _ in decision.overflow), default=0)
        loop = asyncio.get_running_loop()
        talking = loop.create_task(answerer.phone.wait_talking(longest))
        over = loop.create_task(call.ended(longest + 1))
        try:
            await asyncio.wait({talking, over}, return_when=asyncio.FIRST_COMPLETED)
            return await talking if talking.done() else None
        finally:
            for task in (talking, over):
                task.cancel()
            await asyncio.gather(talking, over, return_exceptions=True)

    async def _rate(self, call: SippCall, prompts: Prompts) -> str:
        """Hear the question to its end, then press the best level's key."""
        key = next((key for key, level in self._table.rating_keys.items() if level == BEST_LEVEL), str(BEST_LEVEL))
        question = len(prompts.get("rating-ask", ())) / 8000
        self._say(f"市民听评价提示（{question:.0f} 秒），然后按 {key}（{RATING_NAMES[BEST_LEVEL]}）")
        with suppress(PhoneDeadline):
            await call.ended(question + 1)
        if call.ended_at is not None:
            return ""
        await call.send_digits(key)
        return key

    # What was kept

    async def told(self, began: datetime, caller: str) -> tuple[CallRecord | None, list[Fact]]:
        """The call in the ledger, waited for until it has ended there."""
        database = open_database(self._settings.database_url)
        folder, node = journal_folder(self._settings.data_dir), self._settings.node
        wanted = CallFilter(since=began - timedelta(seconds=1), caller=caller, limit=10)
        record: CallRecord | None = None

        async def read(source: Database | None) -> tuple[CallRecord | None, list[Fact]]:
            found = await calls_now(source, folder, node, wanted)
            return (found[-1], await facts_now(source, folder, node, found[-1].call)) if found else (None, [])

        facts: list[Fact] = []
        try:
            for _ in range(round(TOLD_SECONDS / 0.2)):
                try:
                    record, facts = await read(database)
                except (DatabaseError, SQLAlchemyError):
                    record, facts = await read(None)
                if record is not None and record.ended_at is not None:
                    break
                await asyncio.sleep(0.2)
        finally:
            await database.close()
        return record, facts

    async def recording(self, call: CallId | None) -> dict[str, Any]:
        """Both halves as samples; one that never came is missing."""
        halves: dict[str, Any] = {}
        if call is None:
            return halves
        home = recordings_home(self._settings.data_dir)
        paths: dict[str, Path] = {half: home / half_file(recording_file(call), half) for half in HALVES}
        for _ in range(round(TOLD_SECONDS / 0.2)):
            halves = {half: pcm for half, path in paths.items() if len(pcm := await asyncio.to_thread(load_wave, path))}
            if len(halves) == len(paths):
                break
            await asyncio.sleep(0.2)
        return halves

    async def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return await asyncio.to_thread(ask_engine, self._settings.control_port, self._token, path, body)


def choose_agent(decision: Decision, rows: Iterable[Mapping[str, Any]], wanted: str) -> str:
    """An agent of the group who is signed out, or the one that is wanted. Raises DemoRefused, saying who is free."""
    table = {str(row["agent"]): row for row in rows}
    groups = {decision.group, *(group for _, group in decision.overflow)} if wanted else {decision.group}
    able = [agent for agent, row in table.items() if groups & set(row["groups"])]
    free = [agent for agent in able if table[agent]["state"] == "signed-out"]
    known = f"；可用的工号：{'、'.join(free)}" if free else ""
    if wanted and wanted not in table:
        raise DemoRefused(f"没有工号 {wanted}{known}")
    if wanted and wanted not in able:
        raise DemoRefused(f"工号 {wanted} 不在技能组 {decision.group} 里，接不到这个来电{known}")
    if wanted and wanted not in free:
        raise DemoRefused(f"工号 {wanted} 已在话机 {table[wanted]['seat']} 签入，演示不打扰{known}")
    if not free:
        raise DemoRefused(
            f"技能组 {decision.group} 的座席都已签入，演示没有可用的工号；请先签出一位：./hotline agents sign-out 工号"
        )
    return wanted or free[0]


def choose_seat(rows: Iterable[Mapping[str, Any]], passwords: Mapping[str, str]) -> str:
    """A seat that nobody is signed in at and no phone is registered for. Raises DemoRefused when there is none."""
    used = {row["seat"] for row in rows if row["agent"] is not None or row["reachable"]}
    seat = next((seat for seat in passwords if seat not in used), "")
    if not seat:
        raise DemoRefused("所有话机都有人使用，演示没有空闲的话机；请关掉一部话机后重试")
    return seat


def _also_free(rows: Iterable[Mapping[str, Any]], decision: Decision) -> list[str]:
    return [
        f"工号 {row['agent']}（话机 {row['seat']}）"
        for row in rows
        if row["state"] == "ready" and decision.group in row["groups"]
    ]


def _unanswered(call: SippCall) -> str:
    if call.status >= 300:
        return f"呼叫没有接通（SIP {call.status} {call.phrase}）"
    return "演示座席没有接到来电，来电已经结束"
