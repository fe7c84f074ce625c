"""Nobody alone: who sees numbers and hears calls is made by two, and nobody makes himself anything."""

from __future__ import annotations

import pyotp
import pytest

from audit.model import Actor
from tests.unit.users.people import PASSWORD, ROOT, People
from users import store
from users.approvals import Asker, Kind, State, Wish
from users.model import Policy, Right, Role
from users.rules import FOR_CLIENTS, RIGHTS, NotUsable

pytestmark = pytest.mark.unit

BOSS = Wish(Kind.ADD, "boss", "班长", ("supervisor",))


def asker(name: str) -> Asker:
    return Asker(name, Actor(f"张三（{name}）", "网页"))


async def staffed(people: People) -> None:
    """Two admins and an auditor."""
    await people.add("anna", Role.ADMIN)
    await people.add("bert", Role.ADMIN)
    await people.add("cora", Role.AUDITOR)


async def test_an_agent_is_made_by_one_and_a_supervisor_by_two(people: People) -> None:
    await staffed(people)
    assert (await people.approvals.want(Wish(Kind.ADD, "lisi", "李四", ("agent",), "1001"), asker("anna"), "x")).secret
    waits = (await people.approvals.want(BOSS, asker("anna"), "新班长")).waits
    assert waits is not None
    assert "boss" not in [user.name for user in await people.accounts.users()]
    with pytest.raises(NotUsable, match="没有核准"):
        await people.approvals.carry_out(waits.id, asker("anna"))
    with pytest.raises(NotUsable, match="不能核准自己的申请"):
        await people.approvals.decide(waits.id, asker("anna"), "x", agree=True)
    await people.approvals.decide(waits.id, asker("cora"), "核对过任命", agree=True)
    with pytest.raises(NotUsable, match="由申请人"):  # the password is not for who agreed
        await people.approvals.carry_out(waits.id, asker("cora"))
    made, password = await people.approvals.carry_out(waits.id, asker("anna"))
    assert made.state is State.DONE
    assert password is not None
    assert (await people.sign_in("boss", password)).identity.user is not None
    with pytest.raises(NotUsable, match="已执行"):
        await people.approvals.carry_out(waits.id, asker("anna"))
    _, granted, _ = await people.approvals.to_tell()
    assert "boss" in granted[0]


@pytest.mark.parametrize(
    ("wish", "second"),
    [
        (Wish(Kind.ADD, "dora", "丁", ("admin",)), True),
        (Wish(Kind.ADD, "dora", "丁", ("auditor",)), True),
        (Wish(Kind.ADD, "dora", "丁", ("agent",), "1007"), False),
        (Wish(Kind.ROLE, "zoe", roles=("supervisor",)), True),
        (Wish(Kind.ROLE, "zoe", roles=("agent",), agent="1009"), False),
        (Wish(Kind.ROLE, "cora", roles=("agent",), agent="1010"), False),
        (Wish(Kind.RESET, "zoe"), False),
        (Wish(Kind.RESET, "cora"), True),
        (Wish(Kind.CLIENT, "大屏", rights=("live.read",), days=1), False),
        (Wish(Kind.CLIENT, "抄号", rights=("numbers.reveal",), days=1), True),
        (Wish(Kind.CLIENT, "抄音", rights=("calls.read", "recordings.play"), days=1), True),
    ],
)
async def test_what_opens_others_calls_waits_for_a_second_person(people: People, wish: Wish, second: bool) -> None:
    await staffed(people)
    await people.add("zoe", Role.AGENT, agent="1008")
    done = await people.approvals.want(wish, asker("anna"), "x")
    assert (done.waits is not None) is second


@pytest.mark.parametrize("kind", [Kind.ROLE, Kind.RESET])
async def test_nobody_changes_himself(people: People, kind: Kind) -> None:
    await staffed(people)
    wish = Wish(kind, "anna", roles=("supervisor",) if kind is Kind.ROLE else ())
    with pytest.raises(NotUsable, match="自己"):
        await people.approvals.want(wish, asker("anna"), "x")


async def test_nobody_agrees_to_what_is_about_himself(people: People) -> None:
    await staffed(people)
    waits = (await people.approvals.want(Wish(Kind.RESET, "cora"), asker("anna"), "x")).waits
    assert waits is not None
    with pytest.raises(NotUsable, match="关于您自己"):
        await people.approvals.decide(waits.id, asker("cora"), "x", agree=True)
    assert (await people.approvals.decide(waits.id, asker("bert"), "不认识", agree=False)).state is State.REJECTED
    with pytest.raises(NotUsable, match="没有核准"):
        await people.approvals.carry_out(waits.id, asker("anna"))


async def test_the_first_two_are_made_alone_and_it_is_told_and_shutting_out_makes_nobody_alone(people: People) -> None:
    first = await people.approvals.want(Wish(Kind.ADD, "anna", "甲", ("admin",)), Asker("命令行 root", ROOT), "第一个")
    assert first.secret
    second = await people.approvals.want(Wish(Kind.ADD, "bert", "乙", ("admin",)), asker("anna"), "第二个")
    assert second.secret
    assert "无第二人核准" in (await people.approvals.to_tell())[1][0]
    await people.accounts.disable("bert", ROOT, "离职")
    assert (await people.approvals.want(BOSS, asker("anna"), "x")).waits
    alone = await people.approvals.want(BOSS, Asker("命令行 root", ROOT), "只剩一人", alone=True)
    assert alone.secret


async def test_consents_end(people: People) -> None:
    await staffed(people)
    waits = (await people.approvals.want(BOSS, asker("anna"), "x")).waits
    assert waits is not None
    await people.approvals.decide(waits.id, asker("bert"), "好", agree=True)
    people.later(hours=25)
    with pytest.raises(NotUsable, match="超过 24 小时"):
        await people.approvals.carry_out(waits.id, asker("anna"))
    waits = (await people.approvals.want(BOSS, asker("anna"), "x")).waits
    assert waits is not None
    people.later(days=8)
    with pytest.raises(NotUsable, match="失效"):
        await people.approvals.decide(waits.id, asker("bert"), "好", agree=True)


async def test_the_city_may_say_otherwise(people: People) -> None:
    await staffed(people)
    people.accounts.policy = Policy(second_person=False, mixed_roles=True)
    assert (await people.approvals.want(BOSS, asker("anna"), "x")).secret
    await people.accounts.change_roles("boss", frozenset({Role.SUPERVISOR, Role.ADMIN}), None, ROOT)
    people.accounts.policy = Policy()
    assert (await people.approvals.to_tell())[2] == ["boss"]
    with pytest.raises(NotUsable, match="不能是同一个人"):
        await people.accounts.change_roles("boss", frozenset({Role.AUDITOR, Role.ADMIN}), None, ROOT)


def test_only_people_agree() -> None:
    assert Right.USERS_APPROVE not in FOR_CLIENTS
    assert {role for role in Role if Right.USERS_APPROVE in RIGHTS[role]} == {Role.ADMIN, Role.AUDITOR}


# One-time passwords, second factors, guessable passwords


async def test_a_one_time_password_ends(people: People) -> None:
    first = await people.accounts.add("zhangsan", "张三", frozenset({Role.ADMIN}), "", ROOT)
    people.later(hours=71)
    held = await people.sign_in("zhangsan", first)
    people.later(hours=1)
    assert "已经过期" in str(await people.refusal("zhangsan", first))
    with pytest.raises(NotUsable, match="已经过期"):
        await people.accounts.change_password("zhangsan", first, PASSWORD, Actor(held.identity.name, ""))
    again = await people.accounts.reset("zhangsan", ROOT)
    await people.accounts.change_password("zhangsan", again, PASSWORD, ROOT)
    people.later(hours=100)
    assert (await people.sign_in("zhangsan")).identity.rights[Right.USERS]


async def test_who_must_have_a_second_factor_can_only_set_it_up(people: People) -> None:
    people.accounts.policy = people.policy = Policy(second_factor=frozenset({Role.ADMIN}))
    people.sessions = people.engine()
    await people.add("zhangsan", Role.ADMIN)
    who = (await people.sign_in("zhangsan")).identity
    assert set(who.rights) == {Right.SELF}
    assert who.must_totp
    secret = (await people.accounts.begin_totp("zhangsan", PASSWORD, ROOT))["secret"]
    await people.accounts.confirm_totp("zhangsan", pyotp.TOTP(secret).at(people.now), ROOT)
    people.later(seconds=60)
    who = (await people.sign_in("zhangsan", code=pyotp.TOTP(secret).at(people.now))).identity
    assert Right.USERS in who.rights
    with pytest.raises(NotUsable, match="必须用动态口令"):
        await people.accounts.end_totp("zhangsan", PASSWORD, ROOT)


async def test_seeds_are_not_in_the_database_and_old_ones_are_encrypted(people: People) -> None:
    await people.add("zhangsan", Role.ADMIN)
    await people.add("lisi", Role.ADMIN)
    secret = (await people.accounts.begin_totp("zhangsan", PASSWORD, ROOT))["secret"]
    await people.accounts.confirm_totp("zhangsan", pyotp.TOTP(secret).at(people.now), ROOT)
    people.later(seconds=60)

    async def kept(name: str, new: str = "") -> str:
        async with people.database.transaction() as session:
            row = await store.row_of(session, name)
            assert row is not None
            row.totp_secret = new or row.totp_secret
            return row.totp_secret

    sealed = await kept("zhangsan")
    assert secret not in sealed
    assert await people.accounts.seal_old() == 0
    await kept("zhangsan", secret)  # as an older version has kept it
    await people.sign_in("zhangsan", code=pyotp.TOTP(secret).at(people.now))
    assert secret not in await kept("zhangsan")
    await kept("zhangsan", secret)
    assert await people.accounts.seal_old() == 1
    assert secret not in await kept("zhangsan")
    await kept("lisi", await kept("zhangsan"))  # copied to another row, it opens nothing
    people.later(seconds=60)
    assert (await people.refusal("lisi", PASSWORD, pyotp.TOTP(secret).at(people.now))).status == 401
    key = people.folder / "users.key"
    assert key.stat().st_mode & 0o077 == 0
    assert len(key.read_bytes()) == 32
