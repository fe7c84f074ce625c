"""``hotline doctor``: what a newcomer needs to know about this machine and this instance.

One job: look at one thing after another and say what to do about it. It changes nothing and downloads nothing.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from config.settings import PREFIX, Settings

ENOUGH_BYTES: Final = 1_000_000_000
COMFORT_BYTES: Final = 5_000_000_000
"""A talk's recordings take about 1.9 MB a minute (8 kHz, 16 bit, the mix and both halves in half-duplex)."""

PROGRAMS: Final = {"espeak-ng": "espeak-ng", "sox": "sox", "sipp": "sip-tester", "ps": "procps"}
VOICES: Final = {"cmn-latn-pinyin": "普通话", "yue": "粤语"}
PROBE_SECONDS: Final = 10.0
OTHER_VARIABLES: Final = ("HOTLINE_CONFIG", "HOTLINE_PYTHON")
"""Variables of ours that are no settings; those of the tests start with ``HOTLINE_TEST_``."""


class Level(StrEnum):
    """How bad it is."""

    GOOD = "正常"
    NOTE = "注意"
    """Works, or will after what the line says."""
    FAULT = "故障"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the diagnosis."""

    subject: str
    level: Level
    message: str
    """What is the matter, and what to do about it."""


Check = Callable[[Settings], Iterator[tuple[Level, str]]]


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check, one after another; a check that fails itself is a finding, too."""
    for subject, check in CHECKS.items():
        try:
            for level, message in check(settings):
                yield Finding(subject, level, message)
        except Exception as error:  # one check must not hide the others
            yield Finding(subject, Level.FAULT, f"检查时出错：{type(error).__name__} {error}；请把这一行报告给开发者")


def _python(_settings: Settings) -> Iterator[tuple[Level, str]]:
    # Older ones cannot even import this file; the launcher refuses them.
    yield Level.GOOD, f"{'.'.join(map(str, sys.version_info[:3]))}（{sys.executable}）"


def _variables(_settings: Settings) -> Iterator[tuple[Level, str]]:
    known = {f"{PREFIX}{key.upper()}" for key in Settings.model_fields} | set(OTHER_VARIABLES)
    strange = sorted(
        name
        for name in os.environ
        if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_") and name not in known
    )
    for name in strange:
        yield Level.NOTE, f"不认识 {name}，它不起作用；请检查拼写"
    if not strange:
        yield Level.GOOD, "没有拼错的 HOTLINE_ 变量"


def _data_dir(settings: Settings) -> Iterator[tuple[Level, str]]:
    folder = settings.data_dir
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(existing, os.W_OK | os.X_OK):
        yield Level.FAULT, f"当前用户不能写 {existing}；请改正权限，或用 HOTLINE_DATA_DIR 换一个目录"
        return
    free = shutil.disk_usage(existing).free
    told = f"{folder} 所在磁盘剩余 {free / 1e9:.1f} GB"
    if free < ENOUGH_BYTES:
        yield Level.FAULT, f"{told}，不足以录音；请腾出空间，或用 HOTLINE_DATA_DIR 换一个目录"
    elif free < COMFORT_BYTES:
        yield Level.NOTE, f"{told}，录音很快会占满；请尽早扩容"
    else:
        yield Level.GOOD, told


def _files(settings: Settings) -> Iterator[tuple[Level, str]]:
    from asterisk_conf.capacity import capacity, files_needed
    from config.open_files import most_open_files

    ports = settings.rtp_end - settings.rtp_start + 1
    most, needed = most_open_files(), files_needed(ports)
    if most < needed:
        room = capacity(ports, most)
        told = (
            f"系统最多允许打开 {most} 个文件，同时只能接 {room.ordinary} 路普通来电（RTP 端口够 {ports // 4} 路）；"
            f"请把硬上限提高到 {needed} 以上后重新启动（ulimit -Hn，或服务的 LimitNOFILE={needed}）"
        )
        yield Level.FAULT, told
    else:
        yield Level.GOOD, f"最多可打开 {most} 个文件，启动时自动提高到这里"


def _ports(settings: Settings) -> Iterator[tuple[Level, str]]:
    from config.ports import ports_of, taken_ports

    taken = taken_ports(settings)
    for port in taken:
        yield Level.FAULT, port.reason
    if not taken:
        numbers = "、".join(str(port.number) for port in ports_of(settings))
        yield Level.GOOD, f"{numbers} 空闲，或由本系统使用"


def _asterisk(_settings: Settings) -> Iterator[tuple[Level, str]]:
    from asterisk_conf.bundle import installed_asterisk

    found = installed_asterisk()
    if found is None:
        yield Level.NOTE, "还没有 22.10.1 以上的版本；运行 ./hotline up 时会自动下载（约 80 MB）"
    else:
        yield Level.GOOD, f"{found.version}（{'自动下载的' if found.bundled else '系统自带的'}）"


def _page_phones(settings: Settings) -> Iterator[tuple[Level, str]]:
    from asterisk_conf.bundle import installed_asterisk
    from asterisk_conf.modules import PAGE_MODULES

    if not settings.page_phones:
        yield Level.NOTE, "已关闭（page_phones = false），座席只能用话机"
        return
    found = installed_asterisk()
    missing = [name for name in PAGE_MODULES if found is not None and not (found.modules_dir / f"{name}.so").exists()]
    if missing:
        modules = "、".join(missing)
        yield Level.FAULT, f"Asterisk 缺少模块 {modules}，浏览器注册不上；请安装完整的 asterisk-modules"
        return
    if not settings.web_secure:
        yield (
            Level.NOTE,
            "没有 TLS：浏览器只在本机地址上开放麦克风；别的电脑要用网页电话，请设置 web_cert、web_key 或 https 代理",
        )
    with socket.socket() as line:
        line.settimeout(PROBE_SECONDS)
        listening = line.connect_ex(("127.0.0.1", settings.asterisk_http_port)) == 0
    port = settings.asterisk_http_port
    if listening:
        yield Level.GOOD, f"Asterisk 的 WebSocket 在 127.0.0.1:{port} 等待，浏览器经控制台连接"
    else:
        yield Level.NOTE, f"Asterisk 没有在 127.0.0.1:{port} 等待；热线没有在运行时是正常的，否则请看 Asterisk 的日志"


def _certificate(settings: Settings) -> Iterator[tuple[Level, str]]:
    from console.certificate import Certificate
    from routing.calendar import CITY

    if not settings.web_cert:
        yield Level.GOOD, "没有用（控制台只在本机，或由 https 代理管证书）"
        return
    try:
        served = Certificate(settings.web_cert, settings.web_key)
    except (OSError, ValueError) as error:
        yield (
            Level.FAULT,
            f"读不了（{error}）；请检查 web_cert、web_key 是不是一对、能不能读；控制台打不开，电话不受影响",
        )
        return
    end = served.end.astimezone(CITY).strftime("%Y-%m-%d %H:%M")
    if served.ending():
        yield (
            Level.FAULT,
            f"{end} 到期，到期后浏览器打不开控制台；请更换 {settings.web_cert}，不用重启",
        )
    else:
        yield Level.GOOD, f"{end} 到期；更换文件后一分钟内自动生效"


def _programs(_settings: Settings) -> Iterator[tuple[Level, str]]:
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        packages = " ".join(missing)
        yield Level.NOTE, f"缺少 {packages}；运行 ./hotline up 会安装，也可以运行 apt-get install {packages}"
    else:
        yield Level.GOOD, "、".join(PROGRAMS.values())


def _voices(_settings: Settings) -> Iterator[tuple[Level, str]]:
    if shutil.which("espeak-ng") is None:
        yield Level.NOTE, "没有 espeak-ng，无法合成提示音；见上一项"
        return
    listed = subprocess.run(
        ["espeak-ng", "--voices"], capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
    ).stdout.split()
    for voice, language in VOICES.items():
        if voice in listed:
            yield Level.GOOD, f"{language}（{voice}）"
        else:
            yield Level.FAULT, f"espeak-ng 没有{language}（{voice}）；请安装 espeak-ng 1.51 以上版本和 espeak-ng-data"


def _database(settings: Settings) -> Iterator[tuple[Level, str]]:
    from database.connection import async_url
    from database.errors import DatabaseError
    from database.schema import check

    url = async_url(settings.database_url) if settings.data_dir.exists() else None
    if url is None or (url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists()):
        yield Level.NOTE, "还没有建立；运行 ./hotline up 时会自动建立"
        return
    try:
        state = asyncio.run(check(url))
    except DatabaseError as error:
        yield Level.FAULT, str(error)
        return
    yield Level.GOOD if state.healthy else Level.NOTE, state.sentence


def _routing(settings: Settings) -> Iterator[tuple[Level, str]]:
    from routing.calendar import city_time
    from routing.lint.days import holiday_alarm
    from routing.snapshot import SnapshotCorrupt, SnapshotMissing, load_snapshot

    try:
        snapshot = load_snapshot(settings.snapshot_file)
    except SnapshotMissing:
        yield Level.NOTE, "还没有发布过；运行 ./hotline up 时会发布示例路由表"
    except SnapshotCorrupt as error:
        yield (
            Level.FAULT,
            f"{settings.snapshot_file} 已损坏（{error}）；引擎停止时来电会听不到过渡期提示，请重新发布路由表",
        )
    else:
        yield (
            Level.GOOD,
            f"第 {snapshot.version} 版，{len(snapshot.numbers)} 个归并号码，{len(snapshot.groups)} 个技能组",
        )
        if alarm := holiday_alarm(snapshot.known_years, city_time(datetime.now(UTC)).date()):
            yield Level.NOTE, alarm


def _prompts(settings: Settings) -> Iterator[tuple[Level, str]]:
    from ivr.prompts.audio import ToolMissing
    from ivr.prompts.build import check
    from ivr.prompts.catalogue import catalogue
    from ivr.prompts.staging import current_wordings
    from routing.snapshot import SnapshotCorrupt, SnapshotMissing, load_snapshot

    try:
        prompts = current_wordings(settings.data_dir, catalogue(load_snapshot(settings.snapshot_file), settings.city))
        faults = check(settings.data_dir, prompts)
    except (SnapshotMissing, SnapshotCorrupt):
        yield Level.NOTE, "路由表发布之后才会生成；见上一项"
        return
    except ToolMissing as error:
        yield Level.NOTE, str(error)
        return
    if faults:
        yield Level.FAULT, f"{len(faults)} 处问题，例如 {faults[0]}；全部请看 ./hotline prompts check"
    else:
        yield Level.GOOD, f"{len(prompts)} 个全部就绪"


def _centres(settings: Settings) -> Iterator[tuple[Level, str]]:
    from config.credentials import credentials
    from console.client import EngineUnreachable, Refused, call

    if not (settings.data_dir / "secrets.json").exists():
        yield Level.NOTE, "热线还没有启动过；启动后才会探测"
        return
    try:
        now = call(settings.control_port, credentials(settings.data_dir).api_token, "/api/status")
    except (EngineUnreachable, Refused):
        yield Level.NOTE, "热线没有在运行，线路的状况未知；运行 ./hotline up 后再看"
        return
    grave = {alarm["alarm"] for alarm in now["alarms"] if alarm["grave"]}
    down = [row for row in now["centres"] if row["up"] is False]
    reached = {row["centre"] for row in now["centres"] if row["up"] is not False}
    for row in down:
        cut_off = row["centre"] not in reached
        level = Level.FAULT if cut_off or f"trunk-{row['trunk']}" in grave else Level.NOTE
        then = f"{row['centre']} 一条线路都不通，一键转接到不了" if cut_off else "转接会先走其他线路"
        yield level, f"{row['centre']} 的线路 {row['name']} 探测不通；请联系对端，{then}"
    if not down:
        yield Level.GOOD, f"{len(now['centres'])} 条线路都通"


def _drills(settings: Settings) -> Iterator[tuple[Level, str]]:
    from config.credentials import credentials
    from console.client import EngineUnreachable, Refused, call

    if not (settings.data_dir / "secrets.json").exists():
        yield Level.NOTE, "热线还没有启动过；启动后才知道"
        return
    try:
        now = call(settings.control_port, credentials(settings.data_dir).api_token, "/api/status")
    except (EngineUnreachable, Refused):
        yield Level.NOTE, "热线没有在运行；哪些中心还没有演练，请看 ./hotline drill report"
        return
    late = [alarm["text"] for alarm in now["alarms"] if alarm["alarm"].startswith("drill-")]
    yield from ((Level.NOTE, text) for text in late)
    if not late:
        yield Level.GOOD, "没有整月未演练的应急中心"


CHECKS: Final[dict[str, Check]] = {
    "Python": _python,
    "环境变量": _variables,
    "数据目录": _data_dir,
    "文件数": _files,
    "端口": _ports,
    "Asterisk": _asterisk,
    "网页电话": _page_phones,
    "控制台证书": _certificate,
    "系统软件包": _programs,
    "语音合成": _voices,
    "数据库": _database,
    "路由表": _routing,
    "提示音": _prompts,
    "应急线路": _centres,
    "应急演练": _drills,
}
