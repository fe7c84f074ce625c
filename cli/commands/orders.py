"""``hotline orders``: urgent orders (应急工单), on a running engine."""

from __future__ import annotations

import getpass
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.engine_client import ask
from cli.exit_codes import end
from config.credentials import credentials
from config.settings import load_settings
from ledger.push_rules import secret_of
from orders.labels_zh import HOW
from orders.serialisation import target_of
from routing.snapshot import SnapshotCorrupt, SnapshotMissing, load_snapshot

app = typer.Typer(help="应急工单：登记、查看、补充、签收、办结、打印。", no_args_is_help=True)

Number = Annotated[str, typer.Argument(help="工单编号，见 hotline orders list")]
Reason = Annotated[str, typer.Option("--reason", help="原因或处置结果")]
By = Annotated[str, typer.Option("--as", help="谁操作的，默认是系统用户名")]
AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.command("raise")
def raise_command(
    call: Annotated[str, typer.Argument(help="呼叫编号，见 hotline queues list 或 hotline calls list")],
    kind: Annotated[str, typer.Option("--type", help="类型编号，例如 water-outage")],
    place: Annotated[str, typer.Option("--place", help="地点")],
    summary: Annotated[str, typer.Option("--summary", help="情况")],
    key: Annotated[str, typer.Option("--key", help="防重号；不写则同一呼叫的同一类型只登记一次")] = "",
    by: By = "",
    as_data: AsData = False,
) -> None:
    """登记一张应急工单，立即派发；重复登记不会派发第二次。"""
    asked = {"type": kind, "place": place, "summary": summary, "by": by or getpass.getuser()}
    told = ask(f"/api/calls/{quote(call, safe='')}/orders", {**asked, "key": key} if key else asked)
    if as_data:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    typer.echo(
        f"{told['number']}  {told['type_name']}  {told['standing']}{'' if told['new'] else '（早已登记，未重复派发）'}"
    )
    if not told["durable"]:
        typer.echo("工单已派发，但磁盘还没有写下；请检查磁盘（hotline status）", err=True)
        end(complete=False)


@app.command("list")
def list_command(
    every: Annotated[bool, typer.Option("--all", help="也列出最近七天办结和撤销的")] = False, as_data: AsData = False
) -> None:
    """未办结的工单；有无人签收的、逾时未办结的时退出码为 1。"""
    told = ask("/api/orders")
    rows = [row for row in told["orders"] if every or row["over_at"] is None]
    if as_data:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        zone = load_settings().zone
        for row in rows:
            at = datetime.fromisoformat(row["raised_at"]).astimezone(zone)
            until = row["due_at"] or row["finish_by"]
            due = f"，限 {datetime.fromisoformat(until).astimezone(zone):%m-%d %H:%M:%S} 前" if until else ""
            typer.echo(f"{row['number']}  {at:%m-%d %H:%M}  {row['type_name']}  {row['place']}  {row['standing']}{due}")
        if not rows:
            typer.echo("没有未办结的工单")
        if not told["loaded"]:
            typer.echo("数据库还没有读到，启动以前的工单暂时不在这里", err=True)
    end(complete=told["loaded"], code=int(any(row["overdue"] for row in rows)))


@app.command("show")
def show_command(number: Number, as_data: AsData = False) -> None:
    """一张工单的全部内容；来电号码打星号，完整号码在打印页上。"""
    told = ask(_path(number))
    if as_data:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    _tell(told)


@app.command("update")
def update_command(
    number: Number,
    place: Annotated[str, typer.Option("--place", help="地点")] = "",
    summary: Annotated[str, typer.Option("--summary", help="情况")] = "",
    by: By = "",
) -> None:
    """补充地点或情况；已通知的部门收到更新。"""
    changes = {name: text for name, text in (("place", place), ("summary", summary)) if text}
    _tell(ask(_path(number, "update"), {**changes, "by": by or getpass.getuser()}))


@app.command("acknowledge")
def acknowledge_command(
    number: Number,
    department: Annotated[str, typer.Option("--department", help="哪个部门签收的，部门编号")],
    who: Annotated[str, typer.Option("--who", help="对方是谁")],
    by: By = "",
) -> None:
    """替部门登记签收（例如对方打电话来说已接手）。"""
    asked = {"department": department, "who": who, "by": by or getpass.getuser()}
    _tell(ask(_path(number, "acknowledge"), asked))


@app.command("extend")
def extend_command(
    number: Number,
    minutes: Annotated[int, typer.Option("--minutes", help="从现在起多少分钟之内办结，1 到 43200")],
    reason: Reason,
    by: By = "",
) -> None:
    """给已签收的工单延期；逾时告警随之解除，已通知的部门收到更新。"""
    asked = {"minutes": minutes, "reason": reason, "by": by or getpass.getuser()}
    _tell(ask(_path(number, "extend"), asked))


@app.command("close")
def close_command(number: Number, reason: Reason, by: By = "") -> None:
    """办结。"""
    _tell(ask(_path(number, "close"), {"reason": reason, "by": by or getpass.getuser()}))


@app.command("cancel")
def cancel_command(number: Number, reason: Reason, by: By = "") -> None:
    """撤销；已通知的部门收到撤销。"""
    _tell(ask(_path(number, "cancel"), {"reason": reason, "by": by or getpass.getuser()}))


@app.command("print")
def print_command(
    number: Number,
    out: Annotated[Path | None, typer.Option("--out", help="写到这个文件；不写则输出到屏幕")] = None,
    by: By = "",
) -> None:
    """打印页（HTML，用浏览器打开后打印）；含来电号码，请妥善保管。"""
    page = ask(f"{_path(number, 'sheet')}?by={quote(by or getpass.getuser())}")["html"]
    if out is None:
        sys.stdout.write(page)
        return
    out.write_text(page, encoding="utf-8")
    typer.echo(f"已写到 {out}")


@app.command("key")
def key_command(department: Annotated[str, typer.Argument(help="部门编号，例如 water-supply")]) -> None:
    """与一个部门共用的签名密钥，请用安全的方式交给对方。"""
    settings = load_settings()
    try:
        known = load_snapshot(settings.snapshot_file).departments
    except (SnapshotMissing, SnapshotCorrupt) as error:
        typer.echo(f"读不到已发布的路由表（{error}）；请先运行 ./hotline up", err=True)
        raise typer.Exit(1) from None
    if department not in known:
        typer.echo(f"没有责任部门 {department!r}；已发布的有 {'、'.join(known) or '（无）'}", err=True)
        raise typer.Exit(2)
    typer.echo(secret_of(credentials(settings.data_dir).push_secret, target_of(department)))


def _path(number: str, what: str = "") -> str:
    return f"/api/orders/{quote(number, safe='')}" + (f"/{what}" if what else "")


def _tell(told: dict[str, Any]) -> None:
    names = {one["id"]: one["name"] for one in told["departments"]}
    lines = [
        ("编号", told["number"]),
        ("呼叫", told["call"]),
        ("类型", told["type_name"]),
        ("地点", told["place"]),
        ("情况", told["summary"]),
        ("来电", told["caller"] or "号码未显示"),
        ("状态", told["standing"]),
        ("已通知", "、".join(names[name] for name in told["told"])),
    ]
    if told["acknowledged_by"]:
        how = HOW.get(told["acknowledged_how"], told["acknowledged_how"])
        lines.append(("签收", f"{names[told['acknowledged_by']]}（{how}）{told['acknowledged_who']}"))
    if told["finish_by"]:
        lines.append(
            ("办结时限", f"{datetime.fromisoformat(told['finish_by']).astimezone(load_settings().zone):%m-%d %H:%M:%S}")
        )
    if told["over_at"]:
        lines.append(("结果", f"{told['over_by']}：{told['reason']}"))
    for name, value in lines:
        typer.echo(f"{name}\t{value}")
