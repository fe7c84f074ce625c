"""Publishing: a table becomes the next version, whole, or the version in force stays, whole.

One job: the order of the steps, with the database, the file and the running switch as they are. What runs the calls is
given as a :class:`PublishTarget`; without an engine there is none, and the engine takes the newest version up at its
start.

    check ─► stage ─► apply ─► commit ─► swap
    lint     file     prompts   the       the one
             beside   and       database  reference,
             the old  Asterisk            the file

Up to ``commit`` nothing that a call reads has changed, and a failure undoes what was laid ready. ``commit`` is one
transaction: version and audit, or neither. From there on the new version is the truth: a crash before ``swap`` is
finished leaves the old file and the old reference, whole, until the start that finds the newer version in the database.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from audit.model import Act, Actor
from audit.service import anchor_new_entries
from audit.store import append
from database.connection import Database
from database.errors import DatabaseError
from routing import store
from routing.calendar import city_time
from routing.diff import Change, diff, summary
from routing.faults import Fault
from routing.lint import LintContext, require_publishable
from routing.model import Snapshot, Table
from routing.service import HERE, SYSTEM, latest, load_draft, load_sample
from routing.snapshot import (
    SNAPSHOT_FILE,
    SnapshotCorrupt,
    SnapshotMissing,
    Staged,
    Texts,
    checksum,
    clear_staged,
    freeze,
    from_json,
    load_snapshot,
    stage_snapshot,
    thaw,
    to_json,
    write_snapshot,
)

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

MAX_REASON: Final = 500
FIRST_REASON: Final = "首次启动，载入示例路由表（示例，待核）"


class PublishStep(StrEnum):
    CHECK = "check"
    STAGE = "stage"
    APPLY = "apply"
    COMMIT = "commit"
    SWAP = "swap"
    DONE = "done"


class PublishRefused(Exception):
    """Nothing was published, and the version in force stays; the text says why and what to do."""


class PublishTarget(Protocol):
    """Where calls run: the switch and the engine's memory."""

    @property
    def version(self) -> int:
        """The version in force there."""
        ...

    async def apply(self, new: Snapshot) -> None:
        """Lay ready all that the new version needs, beside what the old one needs, and verify it.

        Raises PublishRefused; then nothing that the old version needs has changed.
        """
        ...

    async def rollback(self) -> None:
        """Take back what was laid ready."""
        ...

    async def swap(self, new: Snapshot) -> None:
        """From now on new calls are decided by it; calls that are up keep theirs. Does not fail."""
        ...


class OfflineTarget:
    """No engine runs here: nothing to lay ready, nothing to swap."""

    version = sys.maxsize
    """There is nothing that could be behind."""

    async def apply(self, new: Snapshot) -> None:
        pass

    async def rollback(self) -> None:
        pass

    async def swap(self, new: Snapshot) -> None:
        pass


@dataclass(frozen=True, slots=True)
class PublishRequest:
    """Who wants which table published, and why."""

    table: Table
    actor: Actor
    reason: str
    action: str = "routing.publish"
    seen: int | None = None
    """Newest version that the person knew; another one since is refused. None: whatever it is."""


@dataclass(frozen=True, slots=True)
class Published:
    """What came of it."""

    snapshot: Snapshot
    changes: tuple[Change, ...]
    warnings: tuple[Fault, ...] = ()


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def _nobody(step: PublishStep) -> None:
    pass


@dataclass(frozen=True)
class Publisher:
    """Publishes into one database and one data folder."""

    database: Database
    data_dir: Path
    lint_context: Callable[[Snapshot | None], LintContext]
    """What the lint judges a table against, given the version in force."""
    target: PublishTarget = field(default_factory=OfflineTarget)
    clock: Callable[[], datetime] = _utc_now
    on_step: Callable[[PublishStep], Awaitable[None]] = _nobody
    """Hears each step before it begins."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _known: dict[int, Snapshot] = field(default_factory=dict)
    """The newest version, when we have seen it."""
    _texts: Texts = field(default_factory=Texts)
    """Of its rows."""

    async def publish(self, wish: PublishRequest) -> Published:
        """Make the table the version in force.

        Raises TableInvalid with every error of the lint, PublishRefused when the field cannot take it or somebody else
        published meanwhile, DatabaseError or OSError when it cannot be kept. In each case the old version stays.
        """
        reason = checked_reason(wish.reason)
        async with self._turn:
            await self.on_step(PublishStep.CHECK)
            old = await self.in_force()
            warnings = await asyncio.to_thread(lambda: require_publishable(wish.table, self.lint_context(old)))
            number = old.version if old is not None else 0
            if wish.seen is not None and wish.seen != number:
                raise PublishRefused(
                    f"版本 {number} 已在此期间发布（您看到的是版本 {wish.seen}）；请重新核对改动后再发布"
                )
            changed = await asyncio.to_thread(lambda: diff(thaw(old), wish.table)) if old is not None else ()
            if old is not None and not changed:
                raise PublishRefused(f"与生效中的版本 {number} 没有不同，不必发布")
            snapshot = await asyncio.to_thread(freeze, wish.table, number + 1, self.clock())
            text = await asyncio.to_thread(to_json, snapshot, self._texts)
            digest = await asyncio.to_thread(checksum, text)
            await self.on_step(PublishStep.STAGE)
            staged = await asyncio.to_thread(stage_snapshot, self.data_dir / SNAPSHOT_FILE, text, digest)
            try:
                await self.on_step(PublishStep.APPLY)
                await self.target.apply(snapshot)
                await self.on_step(PublishStep.COMMIT)
                await self._commit(snapshot, text, digest, wish, reason, changed)
            except BaseException:
                await asyncio.to_thread(staged.discard)
                await self.target.rollback()
                raise
            await self.on_step(PublishStep.SWAP)
            await self._swap(snapshot, staged)
            await self.on_step(PublishStep.DONE)
            return Published(snapshot, changed, warnings)

    async def catch_up(self) -> None:
        """Put in force where calls run what was published elsewhere: by a command while no engine ran, or another node.

        Raises PublishRefused when the field cannot take it; DatabaseError or OSError.
        """
        async with self._turn:
            async with self.database.reading() as session:
                newest = await store.newest_version(session)
            if newest <= self.target.version:
                return
            snapshot = await version_snapshot(self.database, newest)
            text = await asyncio.to_thread(to_json, snapshot, self._texts)
            digest = await asyncio.to_thread(checksum, text)
            staged = await asyncio.to_thread(stage_snapshot, self.data_dir / SNAPSHOT_FILE, text, digest)
            try:
                await self.target.apply(snapshot)
            except BaseException:
                await asyncio.to_thread(staged.discard)
                await self.target.rollback()
                raise
            await self._swap(snapshot, staged)

    async def in_force(self) -> Snapshot | None:
        """The newest version, None before the first; parsed once: ten thousand numbers cost a fifth of a second."""
        async with self.database.reading() as session:
            newest = await store.newest_version(session)
        if newest not in self._known:
            found = await latest(self.database)
            if found is None:
                return None
            self.remember(found)
            return found
        return self._known[newest]

    async def prepare(self, table: Table) -> None:
        """What a publish of this table, or of one that differs in some rows, would otherwise have to do first."""
        await asyncio.to_thread(lambda: to_json(freeze(table, 0, self.clock()), self._texts))

    def remember(self, snapshot: Snapshot) -> None:
        """This is the newest version, as the database has it."""
        self._known.clear()
        self._known[snapshot.version] = snapshot

    async def rollback(self, version: int, actor: Actor, reason: str) -> Published:
        """Make an earlier version's table the version in force, as a new version. Raises as :meth:`publish` does."""
        table = await version_table(self.database, version)
        return await self.publish(PublishRequest(table, actor, reason, "routing.rollback"))

    async def _commit(
        self, snapshot: Snapshot, text: str, digest: str, wish: PublishRequest, reason: str, changed: tuple[Change, ...]
    ) -> None:
        detail: dict[str, Any] = {"version": snapshot.version, "sha256": digest, "changes": [*map(str, changed[:200])]}
        act = Act(wish.action, f"发布路由表版本 {snapshot.version}，{summary(changed)}", reason, detail)
        try:
            async with self.database.transaction() as session:
                await store.lock(session)
                newest = await store.newest_version(session)
                if newest != snapshot.version - 1:
                    raise PublishRefused(f"版本 {newest} 刚刚由他人发布；请重新核对改动后再发布")
                moment = datetime.fromisoformat(snapshot.published_at)
                version = store.Version(snapshot.version, moment, wish.actor.name, reason, digest)
                await store.add_version(session, version, text)
                await append(session, wish.actor, act, moment)
        except DatabaseError:
            # The answer to a commit can be lost: what counts is what the database has.
            if not await self._has(snapshot.version, digest):
                raise

    async def _has(self, version: int, digest: str) -> bool:
        try:
            async with self.database.reading() as session:
                found = await store.read_version(session, version)
        except DatabaseError:
            return False
        return found is not None and found[0].sha256 == digest

    async def _swap(self, snapshot: Snapshot, staged: Staged) -> None:
        try:
            await asyncio.to_thread(staged.put)
        except OSError as error:
            # Written again at the next start; the reference is what calls are decided by.
            log.error("snapshot file not replaced", version=snapshot.version, reason=str(error))
        self.remember(snapshot)
        await self.target.swap(snapshot)
        log.info("routing table published", version=snapshot.version)
        try:
            await anchor_new_entries(self.database, self.data_dir)
        except (DatabaseError, OSError) as error:
            log.error("audit not noted outside the database", reason=str(error))


async def publish_draft(
    database: Database, data_dir: Path, author: str, reason: str, *, clock: Callable[[], datetime] = _utc_now
) -> Snapshot:
    """Publish the draft where no engine runs. Raises as :meth:`Publisher.publish` does, and NoTable."""
    draft = await load_draft(database)
    wish = PublishRequest(draft.table, Actor(author, HERE), reason)
    return (await Publisher(database, data_dir, plain_lint_context, clock=clock).publish(wish)).snapshot


def plain_lint_context(published: Snapshot | None) -> LintContext:
    """What a table can be judged against where prompts and settings are not at hand."""
    return LintContext(city_time(_utc_now()).date(), published=published)


async def ensure_published(database: Database, data_dir: Path) -> Snapshot:
    """What a start needs: some published version, and its snapshot file in place. Safe to repeat."""
    snapshot = await latest(database)
    if snapshot is None:
        await load_sample(database)
        return await publish_draft(database, data_dir, SYSTEM, FIRST_REASON)
    path = data_dir / SNAPSHOT_FILE
    if await asyncio.to_thread(_on_disk, path) != snapshot:
        await asyncio.to_thread(write_snapshot, path, snapshot)
    await asyncio.to_thread(clear_staged, path)
    return snapshot


def _on_disk(path: Path) -> Snapshot | None:
    try:
        return load_snapshot(path)
    except (SnapshotMissing, SnapshotCorrupt):
        return None


async def version_table(database: Database, version: int) -> Table:
    """The table of a published version. Raises PublishRefused when there is none."""
    return thaw(await version_snapshot(database, version))


async def version_snapshot(database: Database, version: int) -> Snapshot:
    """A published version, checked against its hash. Raises PublishRefused or SnapshotCorrupt."""
    async with database.reading() as session:
        found = await store.read_version(session, version)
        newest = await store.newest_version(session)
    if found is None:
        raise PublishRefused(f"没有版本 {version}；已发布的有 1 至 {newest}，用 ./hotline routing history 查看")
    told, text = found
    if checksum(text) != told.sha256:
        raise SnapshotCorrupt(f"数据库中路由表版本 {version} 的校验和不符；请从备份恢复 routing_versions")
    return await asyncio.to_thread(from_json, text)


def checked_reason(reason: str) -> str:
    """Why, as one line. Raises PublishRefused when there is nothing."""
    told = " ".join(reason.split())
    if not told or len(told) > MAX_REASON or not told.isprintable():
        raise PublishRefused(f"请写明原因（1 到 {MAX_REASON} 个字），例如 --reason 12315 双号并行试运行")
    return told
