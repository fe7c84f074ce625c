"""Signing in: lockout, one set of words for all refusals, fresh sessions, and what ends them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import pyotp
import pytest

from audit.anchors import FILE, anchors
from audit.store import entries
from database.connection import Database
from database.errors import DatabaseUnavailable
from tests.unit.users.people import PASSWORD, ROOT, People
from users import passwords, store
from users.model import Right, Role
from users.passwords import Hashing, digest
from users.rules import IDLE, LONGEST, TRIES, NotUsable
from users.sessions import MOST_FAILED, SignInRefused

pytestmark = pytest.mark.unit


async def test_the_first_sign_in_may_only_change_the_password(people: People) -> None:
    first = await people.accounts.add("zhangsan", "张三", frozenset({Role.ADMIN}), "", ROOT)
    let_in = await people.sign_in("zhangsan", first)
    assert set(let_in.identity.rights) == {Right.SELF}
    await people.accounts.change_password("zhangsan", first, PASSWORD, ROOT)
    assert await people.sessions.identify(let_in.token) is None
    assert Right.USERS in (await people.sign_in("zhangsan")).identity.rights
    assert (await people.refusal("zhangsan", first)).status == 401


async def test_unknown_wrong_and_disabled_get_the_same_words_after_the_same_work(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.add("zhangsan", Role.ADMIN)
    await people.add("lisi", Role.SUPERVISOR)
    await people.accounts.disable("lisi", ROOT)
    hashed: list[str] = []

    async def matches(self: Hashing, kept: str | None, password: str) -> bool:
        hashed.append("" if kept is None else kept[:9])
        return kept is not None and password == PASSWORD

    monkeypatch.setattr(passwords.Hashing, "matches", matches)
    refusals = [
        await people.refusal("nobody", "wrong wrong wrong"),
        await people.refusal("zhangsan", "wrong wrong wrong"),
        await people.refusal("lisi", PASSWORD),
        await people.refusal("' OR 1=1 --", "\ud800 wrong"),
    ]
    assert len({(str(one), one.status, one.seconds, one.code_wanted) for one in refusals}) == 1
    assert hashed == ["", "$argon2id", "$argon2id", ""]


@pytest.mark.parametrize("name", ["zhangsan", "nobody"])
async def test_wrong_tries_lock_a_name_known_or_not_and_a_restart_does_not_help(people: People, name: str) -> None:
    await people.add("zhangsan", Role.ADMIN)
    told = [str(await people.refusal(name, "wrong wrong wrong")) for _ in range(TRIES)]
    assert "还可以试 4 次" in told[0]
    assert "15 分钟后" in told[-1]
    people.sessions = people.engine()
    people.later(minutes=5)
    locked = await people.refusal(name, PASSWORD)
    assert (locked.status, locked.seconds) == (429, 600)
    assert "10 分钟后" in str(locked)
    people.later(minutes=10)
    if name == "zhangsan":
        assert (await people.sign_in(name)).identity.user is not None
    else:
        assert "还可以试 4 次" in str(await people.refusal(name, PASSWORD))


async def test_many_tries_at_once_are_counted_before_the_password_is_looked_at(people: People) -> None:
    await people.add("zhangsan", Role.ADMIN)
    refusals = await asyncio.gather(*(people.refusal("zhangsan", f"wrong wrong {n}") for n in range(12)))
    assert sum(one.status == 401 for one in refusals) == TRIES - 1
    assert (await people.refusal("zhangsan", PASSWORD)).status == 429
    await people.accounts.unlock("zhangsan", ROOT)
    await people.sign_in("zhangsan")


async def test_too_many_at_once_are_told_to_come_again_and_lose_no_try(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.add("zhangsan", Role.ADMIN)
    monkeypatch.setattr(passwords, "MOST_WAITING", 0)
    for _ in range(TRIES + 1):
        assert (await people.refusal("zhangsan", PASSWORD)).status == 503
    monkeypatch.undo()
    await people.sign_in("zhangsan")


async def test_a_session_is_new_at_every_sign_in_and_kept_as_a_hash(people: People, database: Database) -> None:
    await people.add("zhangsan", Role.ADMIN)
    planted = "x" * 43
    first = await people.sign_in("zhangsan", old=planted)
    second = await people.sign_in("zhangsan", old=first.token)
    assert len({planted, first.token, second.token}) == 3
    assert await people.sessions.identify(planted) is None
    assert await people.sessions.identify(first.token) is None
    assert await people.sessions.identify(second.token) is not None
    (kept,) = await people.accounts.sessions("zhangsan")
    assert kept.key == digest(second.token) != second.token


async def test_a_session_ends_when_idle_and_at_its_longest_in_use_too(people: People) -> None:
    await people.add("zhangsan", Role.ADMIN)
    idle = await people.sign_in("zhangsan")
    people.later(seconds=IDLE.total_seconds() - 1)
    assert await people.sessions.identify(idle.token) is not None
    people.later(seconds=IDLE.total_seconds())
    assert await people.sessions.identify(idle.token) is None
    used = await people.sign_in("zhangsan")
    for _ in range(int(LONGEST / IDLE) * 2 - 1):
        people.later(seconds=IDLE.total_seconds() / 2)
        assert await people.sessions.identify(used.token) is not None
    people.later(seconds=IDLE.total_seconds() / 2)
    assert await people.sessions.identify(used.token) is None


@pytest.mark.parametrize("ending", ["out", "role", "reset", "disable", "password", "end-sessions"])
async def test_what_changes_a_user_ends_its_sessions(people: People, ending: str) -> None:
    await people.add("boss", Role.ADMIN)
    await people.add("zhangsan", Role.ADMIN)
    let_in = await people.sign_in("zhangsan")
    other = await people.sign_in("boss")
    endings: dict[str, Callable[[], Awaitable[object]]] = {
        "out": lambda: people.sessions.end(let_in.identity),
        "role": lambda: people.accounts.change_roles("zhangsan", frozenset({Role.AUDITOR}), None, ROOT),
        "reset": lambda: people.accounts.reset("zhangsan", ROOT),
        "disable": lambda: people.accounts.disable("zhangsan", ROOT),
        "password": lambda: people.accounts.change_password("zhangsan", PASSWORD, PASSWORD + "！", ROOT),
        "end-sessions": lambda: people.accounts.end_sessions("zhangsan", ROOT),
    }
    await endings[ending]()
    assert await people.sessions.identify(let_in.token) is None
    assert await people.sessions.identify(other.token) is not None


async def test_a_code_is_asked_for_and_serves_once(people: People) -> None:
    await people.add("zhangsan", Role.ADMIN)
    begun = await people.accounts.begin_totp("zhangsan", PASSWORD, ROOT)
    await people.sign_in("zhangsan")  # not confirmed: not asked for
    totp = pyotp.TOTP(begun["secret"])
    with pytest.raises(NotUsable, match="验证码不对"):
        await people.accounts.confirm_totp("zhangsan", "000000x", ROOT)
    recovery = await people.accounts.confirm_totp("zhangsan", totp.at(people.now), ROOT)
    for _ in range(TRIES + 1):
        assert (await people.refusal("zhangsan", PASSWORD)).code_wanted  # costs no try
    people.later(minutes=1)
    code = totp.at(people.now)
    await people.sign_in("zhangsan", code=code)
    assert not (await people.refusal("zhangsan", PASSWORD, code)).code_wanted
    await people.sign_in("zhangsan", code=recovery[3].upper())
    assert (await people.refusal("zhangsan", PASSWORD, recovery[3])).status == 401
    await people.accounts.end_totp("zhangsan", PASSWORD, ROOT)
    await people.sign_in("zhangsan")


async def test_wrong_codes_lock_as_wrong_passwords_do(people: People) -> None:
    await people.add("zhangsan", Role.ADMIN)
    begun = await people.accounts.begin_totp("zhangsan", PASSWORD, ROOT)
    await people.accounts.confirm_totp("zhangsan", pyotp.TOTP(begun["secret"]).at(people.now), ROOT)
    for _ in range(TRIES):
        await people.refusal("zhangsan", PASSWORD, "12")
    assert (await people.refusal("zhangsan", PASSWORD)).status == 429


async def test_a_program_s_token_holds_until_it_is_over_or_revoked(people: People, database: Database) -> None:
    token = await people.accounts.add_client("大屏", frozenset({Right.LIVE_READ}), 30, ROOT)
    (client,) = await people.accounts.clients()
    known = await people.sessions.program(token, "127.0.0.1")
    assert known is not None
    assert set(known.rights) == {Right.LIVE_READ}
    for wrong in (token + "x", token[:-1], "hl_" + client.id + ".", "", "hl_nobody.x", token.upper()):
        assert await people.sessions.program(wrong, "") is None
    people.later(days=30)
    assert await people.sessions.program(token, "") is None
    people.later(days=-1)
    await people.accounts.revoke_client(client.id, ROOT)
    assert await people.sessions.program(token, "") is None
    with pytest.raises(NotUsable):
        await people.accounts.add_client("坏", frozenset({Right.USERS}), 30, ROOT)


async def test_without_the_database_who_was_known_goes_on_until_the_session_is_over(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    await people.add("zhangsan", Role.ADMIN)
    known, unknown = await people.sign_in("zhangsan"), await people.sign_in("zhangsan")
    assert await people.sessions.identify(known.token) is not None

    def away(self: Database) -> NoReturn:
        raise DatabaseUnavailable("连不上")

    monkeypatch.setattr(Database, "reading", away)
    monkeypatch.setattr(Database, "transaction", away)
    assert await people.sessions.identify(known.token) is not None
    with pytest.raises(DatabaseUnavailable):
        await people.sessions.identify(unknown.token)
    people.later(hours=12)
    assert await people.sessions.identify(known.token) is None


async def test_everything_is_in_the_sealed_audit_and_no_secret_is(people: People, database: Database) -> None:
    password = await people.accounts.add("zhangsan", "张三", frozenset({Role.ADMIN}), "", ROOT, "第一个管理员")
    token = (await people.sign_in("zhangsan", password)).token
    again = await people.accounts.reset("zhangsan", ROOT)
    async with database.reading() as session:
        written = await entries(session)
    assert [entry.act.action for entry in written] == ["users.add", "users.sign-in", "users.reset"]
    assert written[0].act.reason == "第一个管理员"
    assert not any(secret in str(written) for secret in (password, token, again))
    assert len(anchors(people.folder / FILE)) == len(written)


async def test_the_last_admin_stays_and_an_agent_s_id_is_one_person(people: People) -> None:
    await people.add("boss", Role.ADMIN)
    await people.add("zhangsan", Role.AGENT, agent="1001")
    with pytest.raises(NotUsable, match="最后一个管理员"):
        await people.accounts.disable("boss", ROOT)
    with pytest.raises(NotUsable, match="最后一个管理员"):
        await people.accounts.change_roles("boss", frozenset({Role.AUDITOR}), None, ROOT)
    with pytest.raises(NotUsable, match="已属于用户 zhangsan"):
        await people.accounts.add("lisi", "李四", frozenset({Role.AGENT}), "1001", ROOT)
    with pytest.raises(NotUsable, match="已有用户"):
        await people.accounts.add("boss", "李四", frozenset({Role.ADMIN}), "", ROOT)
    assert [user.name for user in await people.accounts.users()] == ["boss", "zhangsan"]


async def test_what_is_over_is_forgotten(people: People, database: Database) -> None:
    await people.add("zhangsan", Role.ADMIN)
    await people.sign_in("zhangsan")
    await people.refusal("nobody", "wrong wrong wrong")
    people.later(days=2)
    await people.accounts.forget_old()
    async with database.reading() as session:
        assert await store.sessions_of(session) == []
    async with database.transaction() as session:
        assert (await store.tries_of(session, digest("nobody"), people.now)).wrong == 0


async def test_refused_sign_ins_are_one_entry_a_minute_and_a_lock_and_a_sign_out_are_known(people: People) -> None:
    await people.add("zhangsan", Role.ADMIN)
    for number in range(60):
        for name in ("zhangsan", f"nobody{number}", "my secret password"):
            try:
                await people.sessions.sign_in(name, "wrong wrong wrong", "", f"网页 198.51.100.{number} Firefox")
            except SignInRefused:
                continue
    await people.sessions.note_failed()
    await people.sessions.note_failed()
    async with people.database.reading() as session:
        found = await entries(session)
    (failed,) = [one for one in found if one.act.action == "users.sign-in-failed"]
    told = failed.act.detail["tries"]
    assert sum(one["tries"] for one in told) == 180
    assert len(told) <= MOST_FAILED + 1
    assert {"zhangsan", "（没有的用户名）"} == {one["user"] for one in told}, "no word that may be a password"
    assert "198.51.100.0" in str(told)
    assert len([one for one in found if one.act.action == "users.lock"]) == 1
    people.later(minutes=16)
    await people.sessions.end((await people.sign_in("zhangsan")).identity)
    async with people.database.reading() as session:
        last = (await entries(session))[-1]
    assert (last.act.action, last.actor.name) == ("users.sign-out", "张三（zhangsan）")
