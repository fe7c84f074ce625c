"""What the switch and the engine use of what they may: calls, files, ports, memory, disk; an alarm before it is all.

One job: measure, compare, tell. What is refused at a limit is the dialplan's (``admit``) and the kernel's.
"""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog

from asterisk_conf.capacity import Capacity, files_needed
from calls.switch.hung_switch import last_hung
from config.disk_reserve import DiskReserve
from config.settings import Settings
from ledger.alarms import Alarms

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 2.0
RAISE_SHARE, CLEAR_SHARE = 0.8, 0.7
"""Of a limit: from here on an alarm, below there none any more."""
GRAVE_SHARE: Final = 0.95
FULL_SECONDS: Final = 60
"""The alarm of refused calls stands until none was refused for so long."""
HUNG_SHOWN: Final = timedelta(hours=24)
"""A restart of a hung switch is shown for so long."""

_TEXTS: Final = {
    "calls": "同时来电已用 {used}/{most} 路，到顶后普通来电会听到忙音（应急号码和一键转接另有预留）；"
    "请增加 RTP 端口（rtp_start、rtp_end）或分流",
    "switch_files": "Asterisk 打开的文件已用 {used}/{most}，用完后新来电没有声音；"
    "请把系统的文件数上限（LimitNOFILE）提高后重启",
    "engine_files": "引擎打开的文件已用 {used}/{most}；请检查是否有程序反复连接，或提高系统的文件数上限",
    "rtp_ports": "RTP 端口已用 {used}/{most}，用完后新来电没有声音；请扩大 rtp_start 到 rtp_end 的范围",
    "memory": "内存已用 {used}/{most} MB；请关掉别的程序或加内存",
    "disk": "磁盘 {where} 已用 {used}/{most} MB，写满后录音会丢失、话单会晚到；请马上腾出空间",
    "inodes": "磁盘 {where} 的文件个数（inode）已用 {used}/{most}，用完后建不了新录音；请删掉旧文件或换文件系统",
}


@dataclass(frozen=True, slots=True)
class Use:
    """How much of one limit is in use."""

    limit: str
    """``calls``, ``switch_files``, ``engine_files``, ``rtp_ports``, ``memory``, ``disk`` (both MB), ``inodes``."""
    used: int
    most: int

    @property
    def share(self) -> float:
        return self.used / self.most if self.most > 0 else 0.0


class Resources:
    """Of one node."""

    def __init__(self, settings: Settings, room: Capacity, calls: Callable[[], int], alarms: Alarms) -> None:
        """``calls`` counts those that are up."""
        self._settings = settings
        self._room = room
        self._calls = calls
        self._alarms = alarms
        self._reserve = DiskReserve(settings.data_dir)
        self._refused_at: float | None = None
        self.refused = 0
        """Ordinary calls that were refused since the start, because no more than the reserve was free."""
        self.uses: tuple[Use, ...] = ()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """One look at everything."""
        self.uses = await asyncio.to_thread(self._measure)
        for use in self.uses:
            self._judge(use)
        self._judge_files()
        if self._refused_at is not None and asyncio.get_running_loop().time() - self._refused_at > FULL_SECONDS:
            self._refused_at = None
            self._alarms.clear("calls-full")
        self._tell_of_hung()

    def full(self) -> None:
        """The dialplan has refused an ordinary call."""
        self.refused += 1
        self._refused_at = asyncio.get_running_loop().time()
        self._alarms.put(
            "calls-full",
            f"来电已满：{self._room.ordinary} 路普通来电都在用，新的普通来电被拒接（503，运营商可改走别处）；"
            f"应急号码、一键转接和应急中心的来电另有 {self._room.reserved} 路预留，不受影响",
        )

    def shown(self) -> list[dict[str, Any]]:
        """For the status."""
        return [asdict(use) for use in self.uses]

    def _measure(self) -> tuple[Use, ...]:
        """In a thread: /proc and the disk."""
        settings = self._settings
        first, last = settings.rtp_start, settings.rtp_end
        self._reserve.look()
        return tuple(
            use
            for use in (
                Use("calls", self._calls(), self._room.ordinary),
                *_files(settings.run_dir / "asterisk.pid"),
                Use("engine_files", _entries(Path("/proc/self/fd")), resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
                Use("rtp_ports", ports_in_use(first, last), last - first + 1),
                *_memory(),
                *_disk(settings.data_dir),
            )
            if use.most > 0
        )  # fmt: skip

    def _judge(self, use: Use) -> None:
        key = f"limit-{use.limit}"
        if use.share >= RAISE_SHARE:
            text = _TEXTS[use.limit].format(used=use.used, most=use.most, where=self._settings.data_dir)
            self._alarms.put(key, text, grave=use.share >= GRAVE_SHARE)
        elif use.share < CLEAR_SHARE:
            self._alarms.clear(key)

    def _judge_files(self) -> None:
        if self._room.by_files:
            needed = files_needed(self._settings.rtp_end - self._settings.rtp_start + 1)
            self._alarms.put(
                "files-low",
                f"系统允许的打开文件数只够 {self._room.calls} 路通话，比 RTP 端口够的少；请把硬上限提高到 {needed} 以上"
                f"（服务里写 LimitNOFILE={needed}）后重启",
                grave=False,
            )

    def _tell_of_hung(self) -> None:
        hung = last_hung(self._settings.run_dir)
        if hung is not None and datetime.now(UTC) - datetime.fromisoformat(hung.at) < HUNG_SHOWN:
            at = datetime.fromisoformat(hung.at).astimezone(self._settings.zone)
            self._alarms.put(
                f"switch-hung-{hung.at}",
                f"Asterisk 在 {at:%Y-%m-%d %H:%M:%S} 停止应答，已自动重启，当时的通话中断；"
                f"请把 {hung.evidence} 交给开发人员",
                grave=False,
            )
            return
        for key in [key for key in self._alarms.standing if key.startswith("switch-hung-")]:
            self._alarms.clear(key)


def ports_in_use(first: int, last: int) -> int:
    """UDP ports of this range that anybody on this machine has open."""
    found = set()
    for table in ("/proc/net/udp", "/proc/net/udp6"):
        with suppress(OSError), Path(table).open(encoding="ascii") as lines:
            next(lines, None)
            for line in lines:
                port = int(line.split(None, 2)[1].rpartition(":")[2], 16)
                if first <= port <= last:
                    found.add(port)
    return len(found)


def _entries(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def _files(pid_file: Path) -> Iterator[Use]:
    """Of the process whose pid stands there; nothing when it is gone, or not ours to look at."""
    with suppress(OSError, ValueError, StopIteration):
        process = Path("/proc") / str(int(pid_file.read_text()))
        line = next(line for line in (process / "limits").read_text().splitlines() if line.startswith("Max open files"))
        soft = line.split()[3]
        yield Use("switch_files", _entries(process / "fd"), int(soft) if soft.isdigit() else 0)


def _memory() -> Iterator[Use]:
    with suppress(OSError, KeyError, ValueError):
        rows = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        total, free = (int(rows[name].split()[0]) // 1024 for name in ("MemTotal", "MemAvailable"))
        yield Use("memory", total - free, total)


def _disk(folder: Path) -> Iterator[Use]:
    with suppress(OSError):
        seen = os.statvfs(folder)
        total, free = seen.f_blocks * seen.f_frsize, seen.f_bavail * seen.f_frsize
        yield Use("disk", (total - free) >> 20, total >> 20)
        yield Use("inodes", seen.f_files - seen.f_favail, seen.f_files)
