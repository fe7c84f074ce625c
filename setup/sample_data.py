"""The sample data taken out in one step: table, demo users, and the PINs of agents who go.

One job: show exactly what would go and what would then be missing, and do exactly that. The table changes by one edit
of the draft and one publish, which a rollback takes back; rows are chosen by routing/sample_rows.py. Users are shut
out, not deleted: the audit speaks of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from audit.model import Act, Actor
from queues.acd import Acd
from queues.pins.service import Pins
from routing import store
from routing.diff import diff
from routing.faults import Severity, TableInvalid
from routing.labels_zh import KINDS, row_words
from routing.lint import examine
from routing.model import Table
from routing.naming import Names, names_of
from routing.publish import FIRST_REASON, version_table
from routing.row_forms import fault_as_json
from routing.sample_rows import Clearing, clear, marked
from routing.sample_table import sample_table
from routing.service import SYSTEM
from routing.snapshot import thaw
from routing.table_rows import Key, Row, rows_of
from routing.tables import Refused, Tables
from setup.demo_access import DEMO_FILE, is_demo
from telephony.model import AgentId
from users.accounts import Accounts
from users.model import Role, User
from users.rules import NotUsable

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

MOST_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class _Plan:
    """What would be done, and what hinders it."""

    before: Table
    revision: int
    version: int
    clearing: Clearing
    users: tuple[User, ...]
    faults: tuple[Mapping[str, Any], ...]
    """What the lint would say that it does not say now."""
    hindrances: tuple[str, ...]


class SampleData:
    """Of one instance."""

    def __init__(self, tables: Tables, accounts: Accounts, pins: Pins, acd: Callable[[], Acd], data_dir: Path) -> None:
        self._tables = tables
        self._accounts = accounts
        self._pins = pins
        self._acd = acd
        self._demo_file = data_dir / DEMO_FILE

    async def shown(self, user: str = "") -> dict[str, Any]:
        """What would go, what would stay and why, and what would then be missing; nothing changes.

        ``user`` is the name of who asks, when he is one of the console's. Raises Refused or DatabaseError.
        """
        return _told(await self._plan(user))

    async def remove(self, actor: Actor, reason: str, *, seen: int | None, user: str = "") -> dict[str, Any]:
        """Do it. ``seen`` is the version that was in force when it was shown. Raises Refused or DatabaseError."""
        plan = await self._plan(user)
        if plan.hindrances:
            raise Refused("没有删除：" + "；".join(plan.hindrances))
        if seen is not None and seen != plan.version:
            raise Refused(f"版本 {plan.version} 已在此期间发布（您看到的是版本 {seen}）；请重新看一遍再删")
        if not plan.clearing.gone and not plan.users:
            raise Refused("没有可以删除的示例数据")
        published = await self._publish(plan, actor, reason) if plan.clearing.gone else {}
        shut_out = await self._shut_out(plan.users, actor, reason)
        gone = [AgentId(name) for kind, name in plan.clearing.gone if kind == "agents"]
        if gone and "version" in published:
            await self._pins.forget(gone)
        self._demo_file.unlink(missing_ok=True)
        act = Act(
            "samples.remove",
            f"删除示例数据：路由表 {len(plan.clearing.gone)} 行，停用演示用户 {len(shut_out)} 个",
            reason,
            {"rows": [".".join(key) for key in plan.clearing.gone], "users": shut_out, "before": plan.version},
        )
        await self._accounts.write_down(actor, act)
        return {
            "rows": len(plan.clearing.gone),
            "users": shut_out,
            "before": plan.version,
            "version": published.get("version"),
            "release": published.get("release"),
        }

    async def _publish(self, plan: _Plan, actor: Actor, reason: str) -> dict[str, Any]:
        """One edit of the draft and one publish; a draft that cannot be published becomes again what it was."""
        await self._tables.save(plan.clearing.table, plan.revision, actor, reason)
        try:
            return await self._tables.publish(actor, reason, seen=plan.version or None)
        except BaseException:
            after = await self._tables.draft()
            await self._tables.save(plan.before, after.revision, actor, f"{reason}（没有发布成，恢复草稿）"[:200])
            raise

    async def _shut_out(self, users: Sequence[User], actor: Actor, reason: str) -> list[str]:
        done = []
        for one in users:
            try:
                await self._accounts.disable(one.name, actor, reason)
            except NotUsable as no:
                log.warning("demo user not shut out", user=one.name, reason=str(no))
            else:
                done.append(one.name)
        return done

    async def _plan(self, user: str) -> _Plan:
        in_force, draft = await self._tables.publisher.in_force(), await self._tables.draft()
        clearing = clear(draft.table, await self._shipped())
        people = [one for one in await self._accounts.users() if not one.disabled]
        demo = tuple(one for one in people if is_demo(one))
        hindrances = [*_users_hinder(people, demo, user), *self._calls_hinder(clearing)]
        if in_force is not None and (pending := diff(thaw(in_force), draft.table)):
            hindrances.insert(0, f"草稿里还有 {len(pending)} 处改动没有发布；请先发布或放弃")
        around = self._tables.publisher.lint_context(in_force)
        had = await asyncio.to_thread(examine, draft.table, around)
        found = await asyncio.to_thread(examine, clearing.table, around)
        if errors := [fault for fault in found if fault.severity is Severity.ERROR]:
            hindrances.append(f"删除后的路由表不能发布：{TableInvalid(errors)}")
        version = in_force.version if in_force is not None else 0
        known = {(fault.rule, fault.path) for fault in had}
        names = names_of(draft.table)
        faults = tuple(fault_as_json(fault, names) for fault in found if (fault.rule, fault.path) not in known)
        return _Plan(draft.table, draft.revision, version, clearing, demo, faults, tuple(hindrances))

    async def _shipped(self) -> Sequence[Mapping[Key, Row]]:
        """The sample as it is shipped now, and as this instance was given it at its first start."""
        database = self._tables.publisher.database
        async with database.reading() as session:
            first = await store.read_version(session, 1)
        shipped = [rows_of(sample_table())]
        if first is not None and (first[0].author, first[0].reason) == (SYSTEM, FIRST_REASON):
            shipped.append(rows_of(await version_table(database, 1)))
        return shipped

    def _calls_hinder(self, clearing: Clearing) -> list[str]:
        """Nobody is taken out of a call, or off a phone, by this."""
        acd, gone = self._acd(), set(clearing.gone)
        here = {str(agent) for agent in acd.seat_of if ("agents", agent) in gone}
        here |= {str(seat) for seat in acd.seat_of.values() if ("seats", seat) in gone}
        busy = sorted({str(one.group) for one in acd.tickets.values() if ("groups", one.group) in gone})
        told = []
        if here:
            told.append(f"示例座席或话机 {'、'.join(sorted(here)[:MOST_NAMED])} 还签入着；请先签出")
        if busy:
            told.append(f"示例技能组 {'、'.join(busy[:MOST_NAMED])} 里还有来电；请等它们结束")
        return told


def _users_hinder(people: Sequence[User], demo: Sequence[User], user: str) -> list[str]:
    if any(one.name == user for one in demo):
        return [f"您正用演示用户 {user} 登录，它也会停用；请先新建自己的管理员，用它登录后再删"]
    own = [one for one in people if Role.ADMIN in one.roles and one not in demo]
    return ["还没有自己的管理员，演示用户停用后没有人能管理；请先新建一个"] if demo and not own else []


def _told(plan: _Plan) -> dict[str, Any]:
    rows, names = rows_of(plan.before), names_of(plan.before)
    left = {key: row for key, row in rows.items() if key not in plan.clearing.gone and key not in plan.clearing.kept}
    return {
        "version": plan.version,
        "rows": [_row(key, rows[key], names) for key in plan.clearing.gone],
        "kept": [_row(key, rows[key], names) | {"why": why} for key, why in plan.clearing.kept.items()],
        "marked": [_row(key, rows[key], names) for key in marked(left)],
        "users": [{"user": one.name, "name": one.display} for one in plan.users],
        "faults": list(plan.faults),
        "hindrances": list(plan.hindrances),
    }


def _row(key: Key, row: Row, names: Names) -> dict[str, str]:
    name = str(row.get("name") or row.get("text", ""))  # an announcement has no name
    return {"kind": key[0], "kind_name": KINDS[key[0]], "key": key[1], "name": name, "words": row_words(key, names)}
