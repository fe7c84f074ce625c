"""Finding an Asterisk to run: the system's, else the shared bundle in the user's cache, else a fresh download.

One job: a ready command line and the folders that belong to it. It starts no switch and writes no configuration.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Final

from asterisk_conf.debian import BundleError, Report, fetch, release_of

__all__ = ["MINIMUM", "Asterisk", "BundleError", "find_asterisk", "installed_asterisk"]

MINIMUM: Final = (22, 10, 1)
"""The release that closed twenty advisories."""

LOCK_SECONDS: Final = 1200.0
"""Longer than a whole download by another process."""

PROBE_SECONDS: Final = 10.0
_MANIFEST: Final = "bundle.json"


@dataclass(frozen=True, slots=True)
class Asterisk:
    """An Asterisk that can be run."""

    version: str
    """As it tells itself, e.g. ``22.10.1+dfsg+~cs6.17.60671434-1``."""
    argv: tuple[str, ...]
    """What to put before the daemon's arguments, e.g. ``(*argv, "-f", "-C", file)``; the same for ``-rx``."""
    modules_dir: Path
    """``astmoddir``."""
    data_dir: Path
    """``astdatadir``: ``sounds/``, ``documentation/`` (XML, needed at start), ``rest-api/``, ``static-http/``."""
    bundled: bool
    """True when it comes from our cache, False when it is the system's."""


def find_asterisk(report: Report) -> Asterisk:
    """An Asterisk of at least 22.10.1, downloaded if need be. Raises BundleError."""
    found = installed_asterisk()
    if found is not None:
        return found
    cache = cache_dir()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / "lock", report):
            # Whoever held the lock before us may have done the work.
            return installed_asterisk() or _download(cache, report)
    except OSError as error:
        raise BundleError(_explain_os(error, cache)) from error


def installed_asterisk() -> Asterisk | None:
    """An Asterisk that is here already, or None. Fetches nothing."""
    return _system_asterisk() or _cached_asterisk(cache_dir())


def cache_dir() -> Path:
    """Where bundles lie, shared by all clones of this user."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".cache") / "hotline12345"


def _system_asterisk() -> Asterisk | None:
    program = shutil.which("asterisk", path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin")))
    if program is None:
        return None
    version = _version((program,))
    modules = next(iter(_existing("/usr/lib", "*/asterisk/modules", "asterisk/modules")), None)
    data = next(iter(_existing("/", "usr/share/asterisk", "var/lib/asterisk")), None)
    if release_of(version) < MINIMUM or modules is None or data is None:
        return None
    return Asterisk(version, (program,), modules, data, bundled=False)


def _existing(folder: str, *patterns: str) -> Iterator[Path]:
    for pattern in patterns:
        yield from Path(folder).glob(pattern)


def _cached_asterisk(cache: Path) -> Asterisk | None:
    found = [bundle for folder in cache.glob("asterisk-*") if (bundle := _bundle(folder)) is not None]
    return max(found, key=lambda bundle: release_of(bundle.version), default=None)


def _bundle(folder: Path) -> Asterisk | None:
    """The Asterisk in one finished bundle; None when it is not one, or does not run."""
    if not (folder / _MANIFEST).is_file():
        return None
    try:
        found = _layout(folder / "root")
    except BundleError:
        return None
    return found if release_of(found.version) >= MINIMUM else None


def _layout(root: Path) -> Asterisk:
    """Where things lie in an unpacked tree, whatever the machine's architecture. Raises BundleError."""
    loader = next(iter(_existing(str(root / "usr"), "lib64/ld-linux-*.so.*", "lib/ld-linux-*.so.*")), None)
    libraries = next(iter(_existing(str(root / "usr/lib"), "*-linux-gnu*/asterisk")), None)
    program = root / "usr/sbin/asterisk"
    if loader is None or libraries is None or not program.is_file():
        raise BundleError(f"{root.parent} 里的 Asterisk 不完整；请删除这个目录后重试")
    argv = (str(loader), "--library-path", f"{libraries.parent}:{libraries}", str(program))
    version = _version(argv)
    if not version:
        raise BundleError(f"{root.parent} 里的 Asterisk 无法运行；请删除这个目录后重试，或自行安装 22.10.1 以上版本")
    return Asterisk(version, argv, libraries / "modules", root / "usr/share/asterisk", bundled=True)


def _version(argv: tuple[str, ...]) -> str:
    """What ``-V`` says after the name; empty when it does not run."""
    try:
        done = subprocess.run(
            [*argv, "-V"], capture_output=True, text=True, timeout=PROBE_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = done.stdout.split()
    return words[1] if done.returncode == 0 and len(words) > 1 and words[0] == "Asterisk" else ""


def _download(cache: Path, report: Report) -> Asterisk:
    started = monotonic()
    for leftover in cache.glob("unfinished-*"):  # of a process that was killed; we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    with TemporaryDirectory(prefix="unfinished-", dir=cache, ignore_cleanup_errors=True) as work:
        root, debian_version = fetch(Path(work), MINIMUM, report)
        version = _layout(root).version
        finished = Path(work) / "finished"
        finished.mkdir()
        root.rename(finished / "root")
        manifest = {"asterisk": version, "debian": debian_version}
        (finished / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        target = cache / f"asterisk-{version}"
        shutil.rmtree(target, ignore_errors=True)  # what is there does not run, else we would not be here
        finished.rename(target)
    report(f"Asterisk {version} 已就绪，用时 {monotonic() - started:.0f} 秒，放在 {target}")
    return _layout(target / "root")


@contextmanager
def _locked(path: Path, report: Report) -> Iterator[None]:
    """One download at a time per user; the lock ends with its process. Raises BundleError after LOCK_SECONDS."""
    deadline = monotonic() + LOCK_SECONDS
    told = False
    with path.open("w") as file:
        while not _try_lock(file.fileno()):
            if not told:
                report("另一个进程正在下载 Asterisk，等它完成……")
                told = True
            if monotonic() > deadline:
                raise BundleError(f"等待另一个下载 Asterisk 的进程超过 20 分钟；请结束它（锁文件 {path}）后重试")
            sleep(0.2)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _explain_os(error: OSError, cache: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "磁盘空间不足，放不下 Asterisk；请腾出至少 700 MB 后重试"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"没有权限写 {cache}；请改正它的权限，或用环境变量 XDG_CACHE_HOME 换一个缓存目录"
    return f"准备 Asterisk 时出错（{error}）；请检查 {cache} 后重试"
