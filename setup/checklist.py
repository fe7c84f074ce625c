"""The first run: what is still to do before citizens can be let in, read from the instance each time.

One job: one step after the other into a sentence, with the page that mends it. Nothing is remembered here; what was
done is done when table, users, prompts and ledger say so. The doctor's lines are asked for apart: they take seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from config.settings import Settings
from ivr.prompts import manifest
from ivr.prompts.audio import ToolMissing
from ivr.prompts.build import check
from ivr.prompts.catalogue import CatalogueFault, Prompt, Source, catalogue
from ivr.prompts.staging import current_wordings
from ledger.model import TRIAL, Fact
from ledger.records import CallRecord
from ledger.store import CallFilter
from ledger.story import as_json
from ledger.trial import Came, points
from queues.acd import Acd
from queues.pins.service import Pins
from queues.states import AgentState
from routing.model import Snapshot
from routing.naming import names_of
from routing.sample_rows import LINES, MARK
from routing.tables import Refused
from setup.demo_access import is_demo
from setup.sample_data import SampleData
from telephony.model import AgentId, CallId
from users.accounts import Accounts
from users.model import Role

MOST_NAMED: Final = 8


class StepState(StrEnum):
    """How a step stands."""

    DONE = "done"
    TODO = "todo"
    """The city is not set up without it."""
    ADVICE = "advice"
    """Better seen to."""


@dataclass(frozen=True, slots=True)
class ChecklistStep:
    """One step of the set-up."""

    id: str
    title: str
    state: StepState
    told: str
    """How it stands, and what to do."""
    details: tuple[str, ...] = ()
    page: str = ""
    """Where it is done in the console; empty: on the set-up page itself, or outside of it."""


class Archive(Protocol):
    """Past calls."""

    async def calls(self, wanted: CallFilter) -> Sequence[CallRecord]: ...

    async def story(self, call: CallId) -> tuple[CallRecord, Sequence[Fact]] | None: ...


class SetupChecklist:
    """Of one instance."""

    def __init__(
        self,
        settings: Settings,
        table: Callable[[], Snapshot],
        acd: Callable[[], Acd],
        accounts: Accounts,
        pins: Pins,
        archive: Archive,
        samples: SampleData,
    ) -> None:
        self.samples = samples
        self._settings = settings
        self._table = table
        self._acd = acd
        self._accounts = accounts
        self._pins = pins
        self._archive = archive

    async def steps(self, user: str = "") -> dict[str, Any]:
        """Every step but the doctor's, and whether the city is set up. Raises DatabaseError."""
        found = await self._steps(user)
        return {"done": all(one.state is not StepState.TODO for one in found), "steps": [asdict(one) for one in found]}

    async def trial(self) -> dict[str, Any]:
        """The newest test call, its story so far, and what became of each turning point. Raises DatabaseError."""
        newest = await self._archive.calls(CallFilter(mode=TRIAL, limit=1))
        found = await self._archive.story(newest[0].call) if newest else None
        if found is None:
            return {"call": None, "points": [], "staff": self._staff()}
        record, facts = found
        wanted = await asyncio.to_thread(self._wanted)
        told = points(facts, self._staff(), {name: prompt.text for name, prompt in wanted.items()})
        return {
            "call": as_json(record, facts, called=names_of(self._table()).of),
            "points": [asdict(one) for one in told],
            "staff": self._staff(),
            "over": record.ended_at is not None,
        }

    async def _steps(self, user: str) -> list[ChecklistStep]:
        try:
            shown: dict[str, Any] = await self.samples.shown(user)
        except Refused as no:
            broken = ChecklistStep("samples", "示例数据", StepState.TODO, str(no), page="/routing")
            return [await self._people(), broken, await self._trial()]
        still = {(row["kind"], row["key"]) for part in ("rows", "kept", "marked") for row in shown[part]}
        return [
            await self._people(),
            self._lines(still),
            self._numbers(still),
            self._agents(still),
            await asyncio.to_thread(self._prompts),
            self._keeping(),
            _samples(shown),
            await self._trial(),
        ]

    async def _people(self) -> ChecklistStep:
        people = [one for one in await self._accounts.users() if not one.disabled]
        own = [one for one in people if Role.ADMIN in one.roles and not is_demo(one)]
        without = [f"{one.display}（{one.name}）没有启用动态口令" for one in own if not one.totp]
        fresh = [f"{one.display}（{one.name}）还在用一次性密码" for one in own if one.must_change]
        title, page = "自己的管理员", "/users"
        if not own:
            told = "还没有自己的管理员；请新建一个，用它登录并改密码，不要长期用演示用户"
            return ChecklistStep("people", title, StepState.TODO, told, page=page)
        if without or fresh:
            told = "已有自己的管理员；请每人用自己的密码，并在右上角“动态口令”中启用第二道验证"
            return ChecklistStep("people", title, StepState.ADVICE, told, (*fresh, *without), page)
        return ChecklistStep("people", title, StepState.DONE, f"{len(own)} 位管理员，都启用了动态口令", page=page)

    def _lines(self, still: set[tuple[str, str]]) -> ChecklistStep:
        title, page = "运营商和应急线路", "/routing"
        trunks = [one for one in self._table().trunks.values() if one.role in LINES]
        sample = [one for one in trunks if ("trunks", one.id) in still]
        details = tuple(f"{one.name}：{one.host}:{one.port} 还是{MARK}" for one in sample)
        if any(not one.role.startswith("drill") for one in sample):
            told = f"{len(sample)} 条线路还是{MARK}地址，打不到真正的对端；请在路由表的“线路”中改成真实地址，再核对"
            return ChecklistStep("lines", title, StepState.TODO, told, details, page)
        if sample:
            told = f"线路已改成真实地址；{len(sample)} 条演练线路还是{MARK}，每月演练前请改好"
            return ChecklistStep("lines", title, StepState.ADVICE, told, details, page)
        return ChecklistStep(
            "lines", title, StepState.DONE, f"{len(trunks)} 条线路都已改成真实地址；通不通见上面的诊断", page=page
        )

    def _numbers(self, still: set[tuple[str, str]]) -> ChecklistStep:
        title, page = "归并号码", "/routing"
        numbers = list(self._table().numbers.values())
        sample = [one for one in numbers if ("numbers", one.number) in still]
        if sample:
            told = f"{len(sample)} 个号码还是“{MARK}，待核”；请按批准的名单核实并改备注，其余在下面一步删除"
            return ChecklistStep(
                "numbers", title, StepState.TODO, told, tuple(f"{one.number} {one.name}" for one in sample), page
            )
        if not numbers:
            told = "没有归并号码，只有 12345；有并入的号码时请在路由表中添加"
            return ChecklistStep("numbers", title, StepState.ADVICE, told, page=page)
        return ChecklistStep("numbers", title, StepState.DONE, f"{len(numbers)} 个号码，都已核实", page=page)

    def _agents(self, still: set[tuple[str, str]]) -> ChecklistStep:
        table, title, page = self._table(), "座席和话机", "/phones"
        own = [agent for agent in table.agents if ("agents", agent) not in still]
        seats = [seat for seat in table.seats if ("seats", seat) not in still]
        if not own or not seats:
            what = "、".join(name for name, held in (("座席人员", own), ("话机", seats)) if not held)
            told = f"还没有自己的{what}，现在的都是{MARK}；请在路由表中添加并发布，再设密码、登记话机"
            return ChecklistStep("agents", title, StepState.TODO, told, page="/routing")
        bare = [agent for agent in own if not self._pins.has(AgentId(agent))]
        told = f"{len(own)} 位座席、{len(seats)} 部话机；{self._staff()}"
        if bare:
            details = (f"没有设话机密码、不能在话机上签入：{'、'.join(bare[:MOST_NAMED])}",)
            return ChecklistStep("agents", title, StepState.ADVICE, told, details, page)
        return ChecklistStep("agents", title, StepState.DONE, told, page=page)

    def _wanted(self) -> Mapping[str, Prompt]:
        """Every prompt, in the words that it has now. Raises CatalogueFault."""
        return current_wordings(self._settings.data_dir, catalogue(self._table(), self._settings.city))

    def _prompts(self) -> ChecklistStep:
        title, page = "提示音", "/prompts"
        try:
            wanted = self._wanted()
            faults = check(self._settings.data_dir, wanted)
        except (ToolMissing, CatalogueFault, OSError) as error:
            return ChecklistStep("prompts", title, StepState.TODO, str(error), page=page)
        if faults:
            told = f"{len(faults)} 段提示音有问题；请运行 ./hotline prompts build，再运行 ./hotline prompts check"
            return ChecklistStep("prompts", title, StepState.TODO, told, faults[:MOST_NAMED], page)
        built = manifest.load(self._settings.data_dir / "sounds")
        spoken = len({name for (_, name), one in built.items() if name in wanted and one.source is Source.TTS})
        if spoken:
            told = f"{len(wanted)} 段就绪，{spoken} 段是合成的声音；可以改用真人录音，在“提示音”页试听、上传或当场录"
            return ChecklistStep("prompts", title, StepState.ADVICE, told, page=page)
        return ChecklistStep("prompts", title, StepState.DONE, f"{len(wanted)} 段全部就绪，都是真人录音", page=page)

    def _keeping(self) -> ChecklistStep:
        kind = "SQLite" if self._settings.database_url.startswith("sqlite") else "PostgreSQL"
        told = (
            "系统不会自己删除录音和流水，保存年限按本市规定；"
            "请按运行手册“备份与恢复”设好每天的 hotline backup，并演练一次恢复"
        )
        where = (f"数据库：{kind}", f"数据目录：{self._settings.data_dir}")
        return ChecklistStep("keeping", "备份与保存", StepState.ADVICE, told, where)

    async def _trial(self) -> ChecklistStep:
        title, told = "试打电话", await self.trial()
        if told["call"] is None:
            return ChecklistStep("trial", title, StepState.TODO, "还没有试打过；请按下面的按钮，在浏览器里打一次 12345")
        bad = tuple(one["text"] for one in told["points"] if one["came"] is Came.FAULT)
        if bad:
            return ChecklistStep("trial", title, StepState.TODO, "最近一次试打有没做到的；请按说明处理后再打一次", bad)
        return ChecklistStep("trial", title, StepState.DONE, "最近一次试打一切正常" if told["over"] else "正在试打")

    def _staff(self) -> str:
        """Who could answer 12345 at this moment."""
        table, acd = self._table(), self._acd()
        group = table.groups.get(table.default_group)
        name = group.name if group is not None else table.default_group
        here = [seat for seat in acd.seats.values() if seat.agent is not None and table.default_group in seat.groups]
        ready = [seat for seat in here if seat.state is AgentState.READY]
        if ready:
            return f"技能组“{name}”现在有 {len(ready)} 位座席空闲"
        if here:
            return f"技能组“{name}”签入了 {len(here)} 位座席，都不空闲；请其中一位示闲后再打"
        return f"技能组“{name}”没有人签入，谁也接不了；请一位座席在“座席”页或话机上签入并示闲后再打"


def _samples(shown: dict[str, Any]) -> ChecklistStep:
    title, rows, users = "示例数据", len(shown["rows"]), len(shown["users"])
    if rows or users:
        people = f"，演示用户 {users} 个可以停用" if users else ""
        told = f"路由表里有 {rows} 行{MARK}可以删除{people}；核实过要用的请先改，其余一步删除"
        return ChecklistStep("samples", title, StepState.TODO, told, tuple(shown["hindrances"]))
    kept = tuple(f"{row['words']}：{row['why']}" for row in shown["kept"])
    left = tuple(f"{row['words']}：备注或名称里还写着{MARK}，请核实后改" for row in shown["marked"])
    if kept or left:
        return ChecklistStep(
            "samples", title, StepState.ADVICE, f"能删的{MARK}都删了，还留着 {len(kept) + len(left)} 行", (*kept, *left)
        )
    return ChecklistStep("samples", title, StepState.DONE, f"没有{MARK}数据")
