"""What admins do with the routing table, a method each, in plain data: for control API and command line alike.

One job: bring draft, lint, diff, releases and publishing under one roof. With an engine it is that engine's; without
one the command line makes its own, and the engine takes up at its start what was published.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from audit.model import Act, Actor
from audit.service import anchor_new_entries
from audit.store import append
from database.errors import DatabaseError
from routing import release_store, store
from routing.calendar import CITY, city_time
from routing.codec import Misfit
from routing.diff import as_json, diff, summary
from routing.draft import Conflict, Draft, DraftConflict, Edit
from routing.faults import Fault, TableInvalid
from routing.labels_zh import KINDS
from routing.lint import examine, require_publishable
from routing.model import Snapshot, Table
from routing.naming import Names, names_of
from routing.new_keys import MADE, new_key
from routing.publish import Published, Publisher, PublishRefused, PublishRequest, checked_reason, version_table
from routing.releases import WORDS, Happening, Overtaken, Release, ReleaseRefused, State, after, rebased
from routing.row_forms import cells_of, fault_as_json, words_of
from routing.service import NoTable, discard_draft, edit_draft, load_draft, save_draft
from routing.snapshot import SnapshotCorrupt, checksum, freeze, from_json, thaw, to_json
from routing.table_rows import Key, Row, kinds, patched, rows_of

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

FOLLOW_SECONDS: Final = 5.0
"""How often releases whose hour has come, and versions published elsewhere, are looked for."""

MOST_ROWS: Final = 1000
YEARS: Final = range(1990, 2200)
"""Rows of the draft in one answer."""

Said = dict[str, Any]


class Refused(Exception):
    """What was asked cannot be; nothing changed. The text says why and what to do; ``more`` is plain data."""

    def __init__(self, reason: str, more: Mapping[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.more = dict(more or {})


@dataclass(frozen=True)
class Tables:
    """One database's routing table, as its admins have it."""

    publisher: Publisher
    approval: bool = False
    """A second person must approve what is published. A rollback never waits: what it restores was approved once."""
    _seen: list[Draft] = field(default_factory=list)
    """The draft as it was last read: with ten thousand rows it is not read anew for each question."""

    async def rows(self, kind: str = "", beyond: str = "", limit: int = MOST_ROWS) -> Said:
        """Rows of the draft with their revisions, by kind and key."""
        if kind and kind not in kinds():
            raise Refused(f"没有 {kind!r} 这一类；可用的有 {'、'.join(kinds())}")
        async with self.publisher.database.reading() as session:
            found = await store.read_page(session, kind, beyond, max(1, min(limit, MOST_ROWS)))
            revision = await store.draft_revision(session)
        names = names_of(await self._draft())
        return {"revision": revision, "rows": [_row(key, stored, names) for key, stored in found]}

    async def new_key(self, kind: str, name: str) -> Said:
        """A key for a new row that somebody has typed the name of."""
        if kind not in MADE:
            raise Refused(f"这一类的编号由您填写；自动编号的有 {'、'.join(sorted(MADE))}")
        async with self.publisher.database.reading() as session:
            taken = await store.keys_ever(session, kind)
        return {"key": await asyncio.to_thread(new_key, kind, name, taken)}

    async def edit(self, edits: list[Edit], actor: Actor, reason: str = "") -> Said:
        """Change rows of the draft, all or none. A conflict is told field by field, with both sides' values."""
        try:
            revisions = await edit_draft(
                self.publisher.database, edits, by=actor.name, origin=actor.origin, reason=reason
            )
        except DraftConflict as conflict:
            raise _overtaken(conflict.called(names_of(await self._draft()))) from None
        except TableInvalid as invalid:
            raise Refused(str(invalid)) from None
        return {"rows": [{"kind": k, "key": key, "revision": r} for (k, key), r in revisions.items()]}

    async def discard(self, actor: Actor, reason: str = "") -> Said:
        """Make the draft what is in force."""
        try:
            changed = await discard_draft(self.publisher.database, by=actor.name, origin=actor.origin, reason=reason)
        except NoTable as missing:
            raise Refused(str(missing)) from None
        return {"rows": len(changed)}

    async def lint(self, edits: Sequence[Edit] = (), unread: Sequence[Fault] = ()) -> Said:
        """What the lint says of the draft: errors block publishing, warnings explain.

        With edits: as it would be with them, which nobody has saved; ``unread`` is what of them could not be read.
        """
        old, table = await self.both()
        try:
            table, faults = patched(table, _tried(table, edits)), [*unread]
        except Misfit as misfit:
            faults = [*unread, Fault(misfit.path, repr(misfit.value), f"应为{misfit.wanted}")]
        found = await asyncio.to_thread(lambda: examine(table, self.publisher.lint_context(old)))
        names = names_of(table) if old is None else names_of(table).over(names_of(old))
        return {"faults": [fault_as_json(fault, names) for fault in (*faults, *found)]}

    async def diff(self, version: int | None = None) -> Said:
        """What the draft would change in what is in force, or in another version."""
        old, table = await self.both()
        if version is None:
            before, number = (thaw(old), old.version) if old is not None else (table, 0)
        else:
            before, number = await self._version(version), version
        changes = await asyncio.to_thread(diff, before, table)
        return {"version": number, "summary": summary(changes), "changes": [as_json(one) for one in changes]}

    async def publish(self, actor: Actor, reason: str, *, at: datetime | None = None, seen: int | None = None) -> Said:
        """Publish the draft now; or keep it as a release, for its hour or for a second person."""
        table = await self._draft()
        if self.approval or at is not None:
            return await self._ask(table, actor, reason, at)
        return _told(await self._do(self.publisher.publish(PublishRequest(table, actor, reason, seen=seen))))

    async def rollback(self, version: int, actor: Actor, reason: str) -> Said:
        """Put an earlier version in force again, as a new version. The draft keeps what was typed."""
        return _told(await self._do(self.publisher.rollback(version, actor, reason)))

    async def versions(self, limit: int = 50) -> Said:
        """Published versions, newest first."""
        async with self.publisher.database.reading() as session:
            found = await store.history(session, limit)
        return {
            "versions": [
                {
                    "version": one.version,
                    "published_at": one.published_at.isoformat(),
                    "author": one.author,
                    "reason": one.reason,
                    "sha256": one.sha256,
                }
                for one in found
            ]
        }

    async def releases(self, limit: int = 50) -> Said:
        """What waits for a second person or for its hour, and what became of earlier ones."""
        async with self.publisher.database.reading() as session:
            found = await release_store.newest(session, limit)
        return {"releases": [_release(one) for one in found]}

    async def decide(self, number: int, happening: Happening, actor: Actor, reason: str = "") -> Said:
        """Approve, reject or cancel a release; one that is approved and due is published at once."""
        async with self.publisher.database.transaction() as session:
            await store.lock(session)
            found = await release_store.read(session, number)
            if found is None:
                raise Refused(f"没有第 {number} 号发布申请；用 ./hotline routing releases 查看")
            try:
                release = replace(found[0], state=after(found[0], happening, actor.name), decided_by=actor.name)
            except ReleaseRefused as refused:
                raise Refused(str(refused)) from None
            await release_store.write(session, release)
            act = Act(f"routing.release.{happening}", f"第 {number} 号发布申请{WORDS[release.state]}", reason)
            await append(session, actor, act, self.publisher.clock())
        if release.state is State.READY and (release.due_at is None or release.due_at <= self.publisher.clock()):
            release = await self._carry_out(release)
        return _release(release)

    async def run(self) -> None:
        """For ever: publish releases whose hour has come, take up versions published elsewhere, note the audit."""
        while True:
            try:
                await self.follow()
            except (DatabaseError, OSError, SnapshotCorrupt, PublishRefused) as error:
                log.warning("routing table not followed", reason=str(error))
            await asyncio.sleep(FOLLOW_SECONDS)

    async def prepare(self) -> None:
        """Have the draft at hand, so that the first publish is as quick as the next."""
        try:
            await self.publisher.prepare(await self._draft())
        except (Refused, DatabaseError) as error:
            log.info("draft not read ahead", reason=str(error))

    async def follow(self) -> None:
        """One turn of :meth:`run`."""
        await self.publisher.catch_up()
        async with self.publisher.database.reading() as session:
            due = await release_store.newest(session, states=(State.READY,))
        for release in reversed(due):
            if release.due_at is None or release.due_at <= self.publisher.clock():
                await self._carry_out(release)
        await anchor_new_entries(self.publisher.database, self.publisher.data_dir)

    async def _ask(self, table: Table, actor: Actor, reason: str, at: datetime | None) -> Said:
        old = await self.publisher.in_force()
        now = self.publisher.clock()
        if at is not None and at <= now:
            raise Refused(f"发布时间 {city_time(at):%Y-%m-%d %H:%M} 已经过去；请写将来的时间，或不写 --at 立即发布")
        try:
            told = checked_reason(reason)
            await asyncio.to_thread(lambda: require_publishable(table, self.publisher.lint_context(old)))
        except (PublishRefused, TableInvalid) as refused:
            raise Refused(str(refused)) from None
        if old is not None and not await asyncio.to_thread(diff, thaw(old), table):
            raise Refused(f"与生效中的版本 {old.version} 没有不同，不必发布")
        state = State.ASKED if self.approval else State.READY
        base = old.version if old is not None else 0
        release = Release(0, now, actor.name, actor.origin, told, at, base, state)
        text = await asyncio.to_thread(lambda: to_json(freeze(table, base, now)))
        async with self.publisher.database.transaction() as session:
            await store.lock(session)
            release = await release_store.add(session, release, text)
            when = f"，定于 {city_time(at):%Y-%m-%d %H:%M}" if at is not None else ""
            act = Act(
                "routing.release.asked", f"提出第 {release.id} 号发布申请{when}", told, {"sha256": checksum(text)}
            )
            await append(session, actor, act, now)
        return {"release": _release(release)}

    async def _carry_out(self, release: Release) -> Release:
        """Publish a release that is ready; what hinders it is kept with it."""
        async with self.publisher.database.reading() as session:
            found = await release_store.read(session, release.id)
        assert found is not None, "releases are never deleted"
        try:
            table = await self._onto_current(release, thaw(await asyncio.to_thread(from_json, found[1])))
            actor = Actor(release.author, release.origin)
            published = await self._do(self.publisher.publish(PublishRequest(table, actor, release.reason)))
            done = replace(release, state=after(release, Happening.PUBLISHED, ""), version=published.snapshot.version)
        except (Refused, Overtaken, SnapshotCorrupt) as error:
            log.error("release not published", release=release.id, reason=str(error))
            done = replace(release, state=after(release, Happening.FAILED, ""), trouble=str(error))
        async with self.publisher.database.transaction() as session:
            await release_store.write(session, done)
        return done

    async def _onto_current(self, release: Release, wanted: Table) -> Table:
        current = await self.publisher.in_force()
        if current is None or current.version == release.base:
            return wanted
        return rebased(await self._version(release.base), wanted, thaw(current))

    async def both(self) -> tuple[Snapshot | None, Table]:
        """The version in force, None before the first, and the draft. Raises Refused."""
        return await self.publisher.in_force(), await self._draft()

    async def draft(self) -> Draft:
        """The draft with its revision. Raises Refused."""
        try:
            draft = await load_draft(self.publisher.database, self._seen[0] if self._seen else None)
        except (NoTable, TableInvalid) as error:
            raise Refused(str(error)) from None
        self._seen[:] = [draft]
        return draft

    async def save(self, table: Table, seen: int, actor: Actor, reason: str) -> None:
        """Make the table the draft, which somebody saw at this revision. Raises Refused with the conflicts."""
        try:
            await save_draft(
                self.publisher.database, table, seen=seen, by=actor.name, origin=actor.origin, reason=reason
            )
        except DraftConflict as conflict:
            raise _overtaken(conflict.called(names_of(await self._draft()))) from None
        except TableInvalid as invalid:
            raise Refused(str(invalid)) from None

    async def names(self) -> Said:
        """What the rows of the draft and of the version in force are called, by kind and key."""
        force, draft = await self.both()
        found = names_of(draft)
        return {"names": (found if force is None else found.over(names_of(force))).named}

    async def _draft(self) -> Table:
        return (await self.draft()).table

    async def _version(self, version: int) -> Table:
        try:
            return await version_table(self.publisher.database, version)
        except PublishRefused as refused:
            raise Refused(str(refused)) from None

    async def _do(self, work: Any) -> Published:
        """To its end, whoever asked hangs up meanwhile."""
        try:
            done: Published = await asyncio.shield(asyncio.ensure_future(work))
        except (PublishRefused, TableInvalid) as refused:
            raise Refused(str(refused)) from None
        return done


def require_year(year: int) -> None:
    """Raises ValueError for a year in which no hotline works: at the ends of the calendar no clock can be put."""
    if year not in YEARS:
        raise ValueError(f"year {year}")


def moment(text: str) -> datetime:
    """A time as people write it, without a zone that of the city. Raises Refused."""
    try:
        read = datetime.fromisoformat(text)
        require_year(read.year)
    except ValueError:
        raise Refused(f"{text[:40]!r} 不是时间；例如 2026-12-01T00:00（北京时间）") from None
    return (read if read.tzinfo else read.replace(tzinfo=CITY)).astimezone(UTC)


def _told(published: Published) -> Said:
    return {
        "version": published.snapshot.version,
        "summary": summary(published.changes),
        "changes": [as_json(one) for one in published.changes],
        "warnings": [str(fault) for fault in published.warnings],
    }


def _row(key: tuple[str, str], stored: store.Stored, names: Names) -> Said:
    return {
        "kind": key[0],
        "name": KINDS.get(key[0], key[0]),
        "key": key[1],
        "fields": stored.row,
        "cells": cells_of(key, stored.row) if stored.row is not None else None,
        "words": words_of(key, stored.row, names) if stored.row is not None else None,
        "revision": stored.revision,
        "changed_at": stored.changed_at.isoformat(),
        "changed_by": stored.changed_by,
    }


def _release(release: Release) -> Said:
    return {
        "id": release.id,
        "state": str(release.state),
        "state_name": WORDS[release.state],
        "author": release.author,
        "reason": release.reason,
        "asked_at": release.asked_at.isoformat(),
        "due_at": release.due_at.isoformat() if release.due_at is not None else None,
        "base": release.base,
        "decided_by": release.decided_by,
        "version": release.version,
        "trouble": release.trouble,
    }


def _tried(table: Table, edits: Sequence[Edit]) -> dict[Key, Row | None]:
    """The rows as the edits would leave them."""
    now = rows_of(table)
    return {
        edit.key: None if edit.fields is None else {**now.get(edit.key, {}), **edit.fields}
        for edit in edits
        if edit.fields is not None or edit.key in now
    }


def _overtaken(conflict: DraftConflict) -> Refused:
    return Refused(str(conflict), {"conflicts": [_conflict(one) for one in conflict.conflicts]})


def _conflict(one: Conflict) -> Said:
    return {
        "kind": one.key[0],
        "key": one.key[1],
        "by": one.by,
        "at": one.at.isoformat() if one.at is not None else None,
        "revision": one.revision,
        "deleted": one.deleted,
        "sentence": str(one),
        "fields": [
            {"field": each.field, "base": each.base, "theirs": each.theirs, "yours": each.yours} for each in one.fields
        ],
    }
