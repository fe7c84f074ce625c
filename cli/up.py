"""``hotline up``: everything on one machine, in the foreground, until Ctrl-C.

One job: the order of a start. Table, secrets, Asterisk, prompts and configuration are brought up to date, then two
processes are kept alive: Asterisk, and the engine beside it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from asterisk_conf.bundle import Asterisk, find_asterisk
from asterisk_conf.capacity import capacity, files_needed
from asterisk_conf.files import prepare
from asterisk_conf.model import SwitchPlan
from asterisk_conf.plan import switch_plan
from config.credentials import Credentials, credentials
from config.open_files import raise_open_files
from config.ports import require_free
from config.settings import ROOT, Settings
from console.client import EngineUnreachable, Refused, call
from database.connection import Database, open_database
from database.errors import DatabaseError
from engine.serve import published
from ivr.prompts.build import build
from ivr.prompts.catalogue import catalogue
from ivr.prompts.staging import current_wordings, exclusive_lock
from ledger.lease import LeaseTaken, lease_of
from routing.model import Snapshot
from setup.backup.restore import require_restored
from setup.demo_access import DEMO_FILE, demo_access, write_demo
from setup.process.supervisor import (
    Change,
    Child,
    ChildEvent,
    Orphan,
    Supervisor,
    SupervisorError,
    Watch,
    require_alone,
)
from setup.process.watchdog import watch_switch

READY_SECONDS: Final = 60.0

Say = Callable[[str], None]


async def up(settings: Settings, *, demo: bool, say: Say) -> None:
    """Bring all up and keep it up. Raises what a person has to mend: BundleError, DatabaseError, SupervisorError…"""
    require_restored(settings.data_dir)
    require_alone(settings.run_dir)
    require_free(settings)
    if os.geteuid() == 0:
        say("注意：正以 root 运行。试用可以；正式使用请装成服务（make deb），以专用用户运行，见运行手册“装成系统服务”")
    _open_files(settings, say)
    asterisk = await asyncio.to_thread(find_asterisk, say)
    plan, secrets = await prepared(settings, asterisk, say)
    supervisor = Supervisor(
        (_asterisk(asterisk, plan, settings, secrets), _engine(settings, secrets)),
        run_dir=settings.run_dir,
        log_dir=settings.log_dir,
        on_event=lambda event: _tell(event, say),
    )
    greeting = asyncio.create_task(_greet(settings, secrets, plan, demo=demo, say=say))
    try:
        await supervisor.run()
    finally:
        greeting.cancel()


async def _alone_on(settings: Settings, database: Database) -> None:
    """Raises SupervisorError when another instance of this name uses this database."""
    try:
        await lease_of(settings.node, settings.data_dir).require_free(database)
    except LeaseTaken as taken:
        raise SupervisorError(str(taken)) from None
    except (DatabaseError, SQLAlchemyError):
        return  # calls first: the engine looks again when the database is there


def _open_files(settings: Settings, say: Say) -> None:
    """Asterisk and the engine may open what as many calls need as the ports allow, or a person is told how many fit."""
    ports = settings.rtp_end - settings.rtp_start + 1
    needed = files_needed(ports)
    if (soft := raise_open_files(needed)) < needed:
        room = capacity(ports, soft)
        say(
            f"注意：系统只允许打开 {soft} 个文件，同时只能接 {room.ordinary} 路普通来电（RTP 端口够 {ports // 4} 路）；"
            f"请把硬上限提高到 {needed} 以上再启动（ulimit -Hn，或服务的 LimitNOFILE={needed}）"
        )


async def prepared(settings: Settings, asterisk: Asterisk, say: Say) -> tuple[SwitchPlan, Credentials]:
    """Table, secrets, prompts and configuration as they must be; what is right already costs next to nothing."""
    database = open_database(settings.database_url, must_exist=settings.snapshot_file.exists())
    try:
        snapshot = await published(settings, database)
        await _alone_on(settings, database)
    finally:
        await database.close()
    secrets = credentials(settings.data_dir, snapshot.seats)
    await asyncio.to_thread(_prompts, settings, snapshot, say)
    plan = switch_plan(settings, secrets, snapshot, asterisk)
    if prepare(plan):
        say("Asterisk 配置已按当前设置和路由表生成")
        _reload(asterisk, plan)
    return plan, secrets


def _prompts(settings: Settings, snapshot: Snapshot, say: Say) -> None:
    with exclusive_lock(settings.data_dir):
        report = build(settings.data_dir, current_wordings(settings.data_dir, catalogue(snapshot, settings.city)))
    if report.built:
        say(f"提示音已生成 {len(report.built)} 段")
    for fault in report.faults:
        say(f"注意：{fault}")


def _reload(asterisk: Asterisk, plan: SwitchPlan) -> None:
    """An Asterisk that outlived its former supervisor reads the new configuration; without one nothing happens."""
    subprocess.run(
        [*asterisk.argv, "-C", str(plan.home / "etc" / "asterisk.conf"), "-rx", "core reload"],
        check=False,
        capture_output=True,
        timeout=30,
    )


def _asterisk(asterisk: Asterisk, plan: SwitchPlan, settings: Settings, secrets: Credentials) -> Child:
    return Child(
        "asterisk",
        (*asterisk.argv, "-f", "-C", str(plan.home / "etc" / "asterisk.conf")),
        cwd=plan.home,  # where a core file is left
        orphan=Orphan.LIVES,
        stop_seconds=10.0,
        watch=watch_switch(settings, secrets),
    )


def _engine(settings: Settings, secrets: Credentials) -> Child:
    async def probe() -> None:
        await asyncio.to_thread(call, settings.control_port, secrets.api_token, "/api/status", seconds=2)

    return Child(
        "engine",
        (sys.executable, "-m", "cli.main", "serve"),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        orphan=Orphan.DIES,
        watch=Watch(probe, deadline_seconds=3.0),
    )


async def _greet(settings: Settings, secrets: Credentials, plan: SwitchPlan, *, demo: bool, say: Say) -> None:
    """Say what a person needs, once everything answers."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await asyncio.to_thread(_healthy, settings, secrets):  # noqa: ASYNC110  another process: no event
                await asyncio.sleep(0.2)
    except TimeoutError:
        say(f"{READY_SECONDS:.0f} 秒内没有就绪：请看 {settings.log_dir} 中的日志，或运行 ./hotline doctor")
        return
    table = plan.snapshot
    legacy = "、".join(sorted(table.numbers))
    say("就绪：12345 可以接听了")
    say(
        f"  公网线路  SIP {settings.bind}:{settings.sip_port}    座席话机  SIP {settings.bind}:{settings.seat_sip_port}"
    )
    say(f"  控制台    {_web_address(settings)}（用户：./hotline users list）")
    say(f"  控制接口  http://127.0.0.1:{settings.control_port}/api/status（命令行：./hotline status）")
    say(f"  归并号码  {legacy}（示例，待核）")
    if demo:
        path = settings.data_dir / DEMO_FILE
        access = await demo_access(path, settings, secrets, table)
        write_demo(path, settings, secrets, table, access)
        say(f"  演示座席  {'、'.join(table.seats)}，口令见下并存于 {path}")
        for seat in table.seats:
            say(f"    话机 {seat}  口令 {secrets.seat_passwords[seat]}")
        say("  演示工号  话机签入拨 *11工号*密码")
        for agent, pin in access.pins.items():
            say(f"    工号 {agent}  密码 {pin}")
        say("  控制台    在浏览器打开上面的地址，用户名和密码")
        for user, password in access.users.items():
            say(f"    {user}  {password}")
        say("  试一试    另开一个终端运行 ./hotline demo call 12333")
    say("按 Ctrl-C 停止")


def _web_address(settings: Settings) -> str:
    host = f"[{settings.web_bind}]" if ":" in settings.web_bind else settings.web_bind
    return settings.web_origin or f"http{'s' if settings.web_cert else ''}://{host}:{settings.http_port}"


def _healthy(settings: Settings, secrets: Credentials) -> bool:
    try:
        return bool(call(settings.control_port, secrets.api_token, "/api/status", seconds=2)["healthy"])
    except (EngineUnreachable, Refused):
        return False


def _tell(event: ChildEvent, say: Say) -> None:
    name = {"asterisk": "Asterisk", "engine": "引擎"}[event.name]
    match event.change:
        case Change.STARTED:
            say(f"{name} 已启动（进程 {event.pid}）")
        case Change.ADOPTED:
            say(f"{name} 一直在运行，继续使用（进程 {event.pid}）")
        case Change.ENDED:
            say(f"{name} 意外退出（{event.detail}），{event.pause_seconds:.1f} 秒后重新启动")
        case Change.HUNG:
            say(f"{name} 没有反应，正在重新启动")
        case Change.FAILED:
            say(f"{name} 启动失败：{event.detail}")
        case Change.STOPPED:
            say(f"{name} 已停止")
        case _:
            pass
