"""``hotline users``: people and programs that may use the hotline. Works on the database, engine running or not."""

from __future__ import annotations

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar

import typer

from audit.model import Actor
from cli.routing_backend import actor as whoever
from config.settings import SettingsError, load_settings
from database.connection import Database, open_database
from database.errors import DatabaseError
from database.schema import upgrade
from routing.calendar import city_time
from users.accounts import Accounts
from users.approvals import Approval, Approvals, Asker, Kind, Outcome, State, Wish
from users.model import Right, Role
from users.passwords import Hashing
from users.rules import FOR_CLIENTS, ROLE_WORDS, NotUsable
from users.serializers import approval_as_json, client_as_json, session_as_json, user_as_json
from users.sessions import Sessions, SignInRefused

app = typer.Typer(help="用户与权限：新建、改角色、重置密码、停用、查看和强制下线；程序的令牌。", no_args_is_help=True)

T = TypeVar("T")

UNUSABLE = 2
STATES = {
    State.ASKED: "待核准", State.APPROVED: "已核准，待执行", State.REJECTED: "已驳回", State.DONE: "已执行",
    State.ALONE: "已执行，没有第二人",
}  # fmt: skip

Name = Annotated[str, typer.Argument(help="用户名，例如 zhangsan")]
Reason = Annotated[str, typer.Option("--reason", help="原因，写入审计")]
Roles = Annotated[list[Role], typer.Option("--role", help="角色，可写多次：agent supervisor admin auditor")]
AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Alone = Annotated[bool, typer.Option("--alone", help="不等第二人：由本机的负责人承担，写入审计并告警")]
Number = Annotated[int, typer.Argument(help="申请号，见 hotline users approvals")]
As = Annotated[str, typer.Option("--as", help="以谁的名义写入审计；缺省为系统用户名")]


@app.command("list")
def list_users(as_data: AsData = False) -> None:
    """全部用户。"""
    people = _do(lambda accounts, _: accounts.users())
    if as_data:
        typer.echo(json.dumps([user_as_json(user) for user in people], ensure_ascii=False, indent=2))
        return
    for user in people:
        notes = [
            *([f"工号 {user.agent}"] if user.agent else []),
            *(["已停用"] if user.disabled else []),
            *(["须改密码"] if user.must_change else []),
            *(["动态口令"] if user.totp else []),
            f"上次登录 {_when(user.signed_in_at)}" if user.signed_in_at else "未登录过",
        ]
        words = "、".join(ROLE_WORDS[role] for role in sorted(user.roles))
        typer.echo(f"{user.name}  {user.display}  {words}  {'  '.join(notes)}")
    if not people:
        typer.echo("还没有用户；先建管理员：hotline users add 用户名 --name 姓名 --role admin")


@app.command("add")
def add(
    user: Name,
    name: Annotated[str, typer.Option("--name", help="姓名，例如 张三")],
    role: Roles,
    agent: Annotated[str, typer.Option("--agent", help="工号；座席必须写")] = "",
    reason: Reason = "",
    by: As = "",
    alone: Alone = False,
    as_data: AsData = False,
) -> None:
    """新建用户；一次性密码只显示这一次，首次登录必须改。"""
    done = _want(Wish(Kind.ADD, user, name, tuple(sorted(set(role))), agent), by, reason, alone=alone)
    if not _waits(done, as_data):
        _show_password(user, done.secret or "", as_data)


@app.command("role")
def change_role(
    user: Name,
    role: Roles,
    agent: Annotated[str | None, typer.Option("--agent", help="工号；不写则不变")] = None,
    reason: Reason = "",
    by: As = "",
    alone: Alone = False,
) -> None:
    """改角色（写出全部角色）；该用户立即下线。"""
    wish = Wish(Kind.ROLE, user, roles=tuple(sorted(set(role))), agent=agent)
    if _waits(_want(wish, by, reason, alone=alone)):
        return
    typer.echo(f"用户 {user} 的角色已改为 {'、'.join(ROLE_WORDS[one] for one in sorted(set(role)))}，需重新登录")


@app.command("reset")
def reset(user: Name, reason: Reason = "", by: As = "", alone: Alone = False, as_data: AsData = False) -> None:
    """重置密码，同时解除锁定、停用动态口令、强制下线。"""
    done = _want(Wish(Kind.RESET, user), by, reason, alone=alone)
    if not _waits(done, as_data):
        _show_password(user, done.secret or "", as_data)


@app.command("unlock")
def unlock(user: Name, reason: Reason = "", by: As = "") -> None:
    """密码错误次数过多被锁定后，马上解除。"""
    _do(lambda accounts, _: accounts.unlock(user, whoever(by), reason))
    typer.echo(f"用户 {user} 可以重新登录")


@app.command("disable")
def disable(user: Name, reason: Reason = "", by: As = "") -> None:
    """停用：立即下线，不能再登录。"""
    _do(lambda accounts, _: accounts.disable(user, whoever(by), reason))
    typer.echo(f"用户 {user} 已停用")


@app.command("enable")
def enable(user: Name, reason: Reason = "", by: As = "") -> None:
    """恢复停用的用户。"""
    _do(lambda accounts, _: accounts.disable(user, whoever(by), reason, disabled=False))
    typer.echo(f"用户 {user} 已恢复，用原来的密码登录")


@app.command("sessions")
def sessions(user: Annotated[str, typer.Argument(help="用户名；不写则全部")] = "", as_data: AsData = False) -> None:
    """谁登录着，从哪里登录。"""
    found = _do(lambda accounts, _: accounts.sessions(user))
    if as_data:
        typer.echo(json.dumps([session_as_json(one) for one in found], ensure_ascii=False, indent=2))
        return
    for one in found:
        typer.echo(f"{one.user}  {_when(one.started_at)} 登录，{_when(one.seen_at)} 还在用  {one.origin}")
    if not found:
        typer.echo("没有人登录着")


@app.command("end-sessions")
def end_sessions(user: Name, reason: Reason = "", by: As = "") -> None:
    """强制下线。"""
    ended = _do(lambda accounts, _: accounts.end_sessions(user, whoever(by), reason))
    typer.echo(f"用户 {user} 的 {ended} 个登录已结束")


@app.command("clients")
def clients(as_data: AsData = False) -> None:
    """程序的令牌：谁的、能做什么、到何时。"""
    found = _do(lambda accounts, _: accounts.clients())
    if as_data:
        typer.echo(json.dumps([client_as_json(one) for one in found], ensure_ascii=False, indent=2))
        return
    for one in found:
        state = f"已收回 {_when(one.revoked_at)}" if one.revoked_at else f"到期 {_when(one.expires_at)}"
        typer.echo(f"{one.id}  {one.name}  {' '.join(sorted(one.rights))}  {state}  {one.created_by} 发放")
    if not found:
        typer.echo("没有发放过令牌")


@app.command("client-add")
def client_add(
    name: Annotated[str, typer.Argument(help="程序名，例如 大厅大屏")],
    right: Annotated[list[Right], typer.Option("--right", help="权限，可写多次，例如 live.read")],
    days: Annotated[int, typer.Option("--days", help="有效期，天")] = 90,
    reason: Reason = "",
    by: As = "",
    alone: Alone = False,
    as_data: AsData = False,
) -> None:
    """给程序发令牌；只显示这一次。"""
    if refused := set(right) - FOR_CLIENTS:
        typer.echo(f"这些权限不能给程序：{'、'.join(sorted(refused))}", err=True)
        raise typer.Exit(UNUSABLE)
    done = _want(Wish(Kind.CLIENT, name, rights=tuple(sorted(set(right))), days=days), by, reason, alone=alone)
    if not _waits(done, as_data):
        _show_token(done.secret or "", as_data)


@app.command("client-revoke")
def client_revoke(
    client: Annotated[str, typer.Argument(help="令牌编号，见 hotline users clients")], reason: Reason = "", by: As = ""
) -> None:
    """收回程序的令牌，立即生效。"""
    _do(lambda accounts, _: accounts.revoke_client(client, whoever(by), reason))
    typer.echo(f"令牌 {client} 已收回")


@app.command("approvals")
def approvals(as_data: AsData = False) -> None:
    """等第二人核准的申请，和近来的。"""
    found = _do(lambda accounts, database: Approvals(accounts, database).newest())
    if as_data:
        typer.echo(json.dumps([approval_as_json(one) for one in found], ensure_ascii=False, indent=2))
        return
    for one in found:
        decided = f"，{one.decided_by} {_when(one.decided_at)}" if one.decided_at else ""
        typer.echo(
            f"{one.id}  {STATES[one.state]}{decided}  {one.subject}"
            f"  {one.asked_by} {_when(one.asked_at)} 申请：{one.reason}"
        )
    if not found:
        typer.echo("没有申请")


@app.command("approve")
def approve(
    approval: Number,
    user: Annotated[str, typer.Option("--user", help="核准人的用户名；会问他的密码")],
    reason: Reason = "",
) -> None:
    """作为第二人核准申请；要核准人自己输密码。"""
    _decide(approval, user, reason, agree=True)


@app.command("reject")
def reject(
    approval: Number,
    user: Annotated[str, typer.Option("--user", help="驳回人的用户名；会问他的密码")],
    reason: Reason = "",
) -> None:
    """作为第二人驳回申请；要驳回人自己输密码。"""
    _decide(approval, user, reason, agree=False)


@app.command("carry-out")
def carry_out(approval: Number, as_data: AsData = False) -> None:
    """执行自己用命令行提出的、已核准的申请。"""
    made, secret = _do(lambda accounts, database: Approvals(accounts, database).carry_out(approval, _asker("")))
    if made.wish.kind is Kind.CLIENT:
        _show_token(secret or "", as_data)
    elif secret is not None:
        _show_password(made.wish.name, secret, as_data)
    else:
        typer.echo(f"已执行：{made.subject}")


def _asker(by: str) -> Asker:
    """The machine's user, whatever name is written down: nobody can agree with himself under another."""
    return Asker(f"命令行 {getpass.getuser()}"[:60], whoever(by))


def _want(wish: Wish, by: str, reason: str, *, alone: bool) -> Outcome:
    return _do(lambda accounts, database: Approvals(accounts, database).want(wish, _asker(by), reason, alone=alone))


def _waits(done: Outcome, as_data: bool = False) -> bool:
    if done.waits is None:
        return False
    if as_data:
        typer.echo(json.dumps({"waits": approval_as_json(done.waits)}, ensure_ascii=False))
    else:
        typer.echo(
            f"申请 {done.waits.id} 已提出：{done.waits.subject}。请另一位管理员或审计员在「审计」页的「核准」核准，"
            f"或运行 hotline users approve {done.waits.id} --user 用户名；"
            f"核准后运行 hotline users carry-out {done.waits.id}"
        )
    return True


def _decide(approval: int, user: str, reason: str, *, agree: bool) -> None:
    password = typer.prompt(f"{user} 的密码", hide_input=True)

    async def decided(accounts: Accounts, database: Database) -> Approval:
        hashing = Hashing()
        sessions = Sessions(database, hashing, accounts.anchor, seal=accounts.seal, policy=accounts.policy)
        origin = whoever(user).origin
        try:
            try:
                made = await sessions.sign_in(user, password, "", origin)
            except SignInRefused as no:
                if not no.code_wanted:
                    raise
                made = await sessions.sign_in(user, password, typer.prompt("动态口令", hide_input=True), origin)
            await sessions.end(made.identity)
        except SignInRefused as no:
            raise NotUsable(str(no)) from None
        finally:
            hashing.stop()
            await sessions.note_failed()
        if Right.USERS_APPROVE not in made.identity.rights:
            raise NotUsable(f"用户 {user} 没有核准的权限；请管理员或审计员来做")
        asker = Asker(user, Actor(made.identity.name, origin))
        return await Approvals(accounts, database).decide(approval, asker, reason, agree=agree)

    made = _do(decided)
    typer.echo(f"申请 {made.id} {STATES[made.state]}：{made.subject}")


def _show_token(token: str, as_data: bool) -> None:
    typer.echo(
        json.dumps({"token": token}) if as_data else f"令牌（只显示这一次，请求头 Authorization: Bearer）：{token}"
    )


def _show_password(user: str, password: str, as_data: bool) -> None:
    if as_data:
        typer.echo(json.dumps({"user": user, "password": password}))
    else:
        typer.echo(f"用户 {user} 的一次性密码：{password}\n只显示这一次；首次登录必须改成自己的密码")


def _do(work: Callable[[Accounts, Database], Awaitable[T]]) -> T:
    async def done() -> T:
        settings = load_settings()
        # Whoever has a table on disk has had a database: users of an empty new one would be lost with it.
        await upgrade(settings.database_url, may_create=not settings.snapshot_file.exists())
        database = open_database(settings.database_url, must_exist=True)
        hashing = Hashing()
        try:
            return await work(Accounts(database, settings.data_dir, hashing, policy=settings.policy), database)
        finally:
            hashing.stop()
            await database.close()

    try:
        return asyncio.run(done())
    except NotUsable as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except (DatabaseError, SettingsError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNUSABLE) from None


def _when(moment: datetime | None) -> str:
    return f"{city_time(moment):%Y-%m-%d %H:%M}" if moment else ""
