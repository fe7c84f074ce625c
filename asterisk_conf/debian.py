"""Fetching Asterisk from the Debian archive into a folder, without touching the system.

One job: an isolated apt that downloads and checks the packages, and their unpacking. The archive's
address is learnt from the machine's own apt. It works as root and as an ordinary user; it installs
nothing and knows nothing about our configuration.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

Report = Callable[[str], None]

PACKAGES: Final = ("asterisk", "asterisk-modules")
SUITES: Final = ("testing", "unstable")
"""Debian stable carries no asterisk; the first of these that carries a new enough one is used."""

KEYRINGS: Final = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
)
SPACE_BYTES: Final = 700_000_000
"""82 MB of packages, 70 MB of indexes and 268 MB unpacked, with room to spare."""

NEWS_SECONDS: Final = 2.0
"""How often a download that takes longer says how far it is."""

APT_SECONDS: Final = 900.0
UPGRADE_ADVICE: Final = "请安装 Debian 12 或更新的系统，或自行安装 Asterisk 22.10.1 以上版本并放进 PATH"

_NETWORK: Final = re.compile(
    r"Temporary failure resolving|Could not resolve|Could not connect|Connection (timed out|refused|failed)"
    r"|Unable to connect|Network is unreachable|Cannot initiate the connection"
)
_DISK: Final = re.compile(r"No space left on device|enough free space")


class BundleError(Exception):
    """No usable Asterisk. The text is one Chinese sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """The asterisk that one suite offers."""

    suite: str
    debian_version: str

    @property
    def release(self) -> tuple[int, ...]:
        """The upstream version as numbers, ``1:22.10.1+dfsg-1`` -> ``(22, 10, 1)``."""
        return release_of(self.debian_version.partition(":")[2] or self.debian_version)


def release_of(text: str) -> tuple[int, ...]:
    """The first dotted version number in ``text``; empty when there is none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def fetch(work: Path, minimum: tuple[int, ...], report: Report) -> tuple[Path, str]:
    """Download and unpack Asterisk under ``work``; the root folder and the Debian version. Raises BundleError."""
    _require_tools()
    _require_space(work)
    keyring = next((path for path in KEYRINGS if Path(path).exists()), None)
    if keyring is None:
        raise BundleError(f"找不到 Debian 的软件源密钥（debian-archive-keyring），无法核对下载内容；{UPGRADE_ADVICE}")
    addresses = archive_addresses()
    if not addresses:
        raise BundleError("本机的 apt 没有配置 Debian 软件源；请在 /etc/apt/sources.list 中配置后重试")
    refusals: list[str] = []
    for address in addresses:
        for suite in SUITES:
            try:
                apt = IsolatedApt.prepare(work / f"apt-{suite}", f"deb [signed-by={keyring}] {address} {suite} main")
                report(f"读取 Debian {suite} 的软件目录……")
                apt.run(["update"])
            except BundleError as error:
                refusals.append(str(error))
                break
            candidate = apt.candidate(suite)
            if candidate is None or candidate.release < minimum:
                offered = candidate.debian_version if candidate else "没有 Asterisk"
                refusals.append(f"Debian {suite} 目前提供的是 {offered}，低于所需的 22.10.1；{UPGRADE_ADVICE}")
                continue
            return _unpack(apt, candidate, work, report), candidate.debian_version
    raise BundleError(refusals[0])


def archive_addresses() -> list[str]:
    """Where this machine's apt gets Debian from, the likeliest first."""
    lines = _output(["apt-get", "indextargets", "--format", "$(LABEL)|$(REPO_URI)", "Created-By: Packages"])
    known = [line.partition("|")[2] for line in lines if line.startswith("Debian|")]
    # A machine that never ran `apt-get update` has no index yet, but can still name what it would fetch.
    listed = [match[1] for line in _output(["apt-get", "--print-uris", "update"]) if (match := _release_uri(line))]
    plain = sorted(listed, key=lambda uri: not uri.rstrip("/").endswith("/debian"))
    return list(dict.fromkeys(uri.rstrip("/") for uri in known or plain))


def _release_uri(line: str) -> re.Match[str] | None:
    return re.match(r"'(\S+?)/dists/(?![^/]*(?:security|updates|backports))[^/]+/InRelease'", line)


@dataclass(frozen=True, slots=True)
class IsolatedApt:
    """An apt with its own lists, cache and empty package state, deaf to the system's hooks."""

    folder: Path
    environment: dict[str, str]

    @classmethod
    def prepare(cls, folder: Path, source: str) -> IsolatedApt:
        """Lay out the folders and the configuration. Only the machine's ``Acquire`` (proxy, certificates) is kept."""
        for part in ("lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        (folder / "sources.list").write_text(source + "\n", encoding="utf-8")
        inherited = [
            line
            for line in _output(["apt-config", "dump"])
            if re.match(r"Acquire::(?!Languages|IndexTargets|Retries|Changelogs)", line)
        ]
        options = {
            "Dir::Etc::main": "/dev/null",
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::Etc::sourcelist": str(folder / "sources.list"),
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State": str(folder),
            "Dir::State::lists": str(folder / "lists"),
            "Dir::State::status": str(folder / "status"),
            "Dir::Cache": str(folder / "cache"),
            "Dir::Log": str(folder),
            "APT::Install-Recommends": "false",
            "APT::Update::Error-Mode": "any",
            # Whatever the machine allows itself: what we run as a telephone exchange is signed by Debian, or not taken.
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::AllowWeakRepositories": "false",
            "Acquire::AllowDowngradeToInsecureRepositories": "false",
            "APT::Get::AllowUnauthenticated": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        if os.geteuid() == 0:
            options["APT::Sandbox::User"] = "root"  # the cache may lie where user _apt cannot go
        lines = [*inherited, *(f'{key} "{value}";' for key, value in options.items())]
        config = folder / "apt.conf"
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return cls(
            folder, {**os.environ, "APT_CONFIG": str(config), "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
        )

    def run(self, arguments: Sequence[str], watch: Callable[[], None] = lambda: None) -> None:
        """``apt-get`` with these arguments; ``watch`` is called while it runs. Raises BundleError."""
        log = self.folder / "apt-get.log"
        deadline = monotonic() + APT_SECONDS
        with log.open("w+", encoding="utf-8", errors="replace") as output:
            command = ["apt-get", "-y", *arguments]
            with subprocess.Popen(
                command, env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            ) as process:
                try:
                    while _still_runs(process):
                        watch()
                        if monotonic() > deadline:
                            raise BundleError("下载 Asterisk 超过 15 分钟没有完成；请检查网络后重试")
                finally:
                    process.kill()
            if process.returncode:
                output.seek(0)
                raise BundleError(explain(output.read()))

    def candidate(self, suite: str) -> Candidate | None:
        """What the suite would install."""
        lines = _output(["apt-cache", "policy", PACKAGES[0]], self.environment)
        found = re.search(r"Candidate: (\S+)", "\n".join(lines))
        return Candidate(suite, found[1]) if found and found[1] != "(none)" else None

    @property
    def packages(self) -> list[Path]:
        """The downloaded packages."""
        return sorted((self.folder / "cache" / "archives").glob("*.deb"))

    @property
    def downloaded_bytes(self) -> int:
        """How much has arrived, the unfinished included."""
        return sum(_size(path) for path in (self.folder / "cache" / "archives").rglob("*.deb"))


def explain(output: str) -> str:
    """What apt's failure means and what to do."""
    if _DISK.search(output):
        return "磁盘空间不足，无法下载 Asterisk；请腾出至少 700 MB 后重试"
    if _NETWORK.search(output):
        return "连不上 Debian 软件源，无法下载 Asterisk；请检查网络（或 apt 的代理设置）后重试"
    errors = [line.removeprefix("E: ") for line in output.splitlines() if line.startswith("E: ")]
    detail = errors[0] if errors else (output.strip().splitlines() or ["无输出"])[-1]
    return f"apt 无法取得 Asterisk（{detail}）；请检查软件源设置后重试"


def _unpack(apt: IsolatedApt, candidate: Candidate, work: Path, report: Report) -> Path:
    started = monotonic()
    news = started

    def tell() -> None:
        nonlocal news
        if monotonic() - news >= NEWS_SECONDS:
            news = monotonic()
            report(f"  已下载 {apt.downloaded_bytes / 1e6:.0f} MB，用时 {news - started:.0f} 秒")

    report(f"下载 Asterisk {candidate.debian_version}（约 80 MB，来自 Debian {candidate.suite}）……")
    apt.run(["--download-only", "install", *PACKAGES], tell)
    root = work / "root"
    root.mkdir()
    report(f"解开 {len(apt.packages)} 个软件包……")
    with ThreadPoolExecutor(max_workers=2) as pool:
        for error in pool.map(lambda package: _extract(package, root), apt.packages):
            if error:
                raise BundleError(explain(error))
    return root


def _extract(package: Path, root: Path) -> str:
    done = subprocess.run(["dpkg-deb", "-x", str(package), str(root)], capture_output=True, text=True, check=False)
    return done.stderr or "dpkg-deb" if done.returncode else ""


def _still_runs(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(timeout=0.5)
    except subprocess.TimeoutExpired:
        return True
    return False


def _require_tools() -> None:
    missing = [tool for tool in ("apt-get", "apt-cache", "apt-config", "dpkg-deb") if shutil.which(tool) is None]
    if missing:
        raise BundleError(f"这台机器没有 {'、'.join(missing)}，无法自动取得 Asterisk；{UPGRADE_ADVICE}")


def _require_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < SPACE_BYTES:
        raise BundleError(
            f"{folder} 所在磁盘只剩 {free / 1e6:.0f} MB，取得 Asterisk 需要 {SPACE_BYTES / 1e6:.0f} MB；"
            "请腾出空间，或用环境变量 XDG_CACHE_HOME 换一个缓存目录"
        )


def _output(command: Sequence[str], environment: dict[str, str] | None = None) -> Iterator[str]:
    env = {**os.environ, "LC_ALL": "C"} if environment is None else environment
    done = subprocess.run(command, env=env, capture_output=True, text=True, errors="replace", check=False)
    return iter(done.stdout.splitlines())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        if error.errno == errno.ENOENT:
            return 0  # apt has just moved it from partial/
        raise
