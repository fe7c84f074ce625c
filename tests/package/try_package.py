"""``make deb-try``: the package in a fresh Debian root, from installation to purge, with a call answered in between.

Needs root, debootstrap, and the package in var/deb (``make deb``). The archive is the one that this machine uses.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Final

from phones.citizen import Citizen
from phones.seat_phone import SeatPhone
from phones.tones import tone_share
from tests.package.unit_file import FILTER, STATE, Started
from tests.support.ports import free_ports, own_slice

ROOT: Final = Path(__file__).parents[2]
SUITE: Final = "bookworm"
CITIZEN_HZ, SEAT_HZ = 440, 880
BACKUPS: Final = "/srv/backup/hotline"


def main() -> None:
    """Try it, and say each step."""
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.exit("make deb-try: 需要 root 和 debootstrap（apt-get install debootstrap）")
    packages = sorted((ROOT / "var" / "deb").glob("hotline12345_*.deb"), key=lambda path: path.stat().st_mtime)
    if not packages:
        sys.exit("make deb-try: 还没有软件包；先运行 make deb")
    with fresh_root() as root:
        asyncio.run(tried(root, packages[-1]))
    say("everything as it should be")


async def tried(root: Path, package: Path) -> None:
    began = monotonic()
    ports = settings(root)
    install(root, package)
    say(f"installed in {monotonic() - began:.0f} s")
    looks_right(root)
    writable = (BACKUPS,)
    owner = (root / STATE.lstrip("/")).stat()
    place = root / BACKUPS.lstrip("/")
    place.mkdir(parents=True)
    os.chown(place, owner.st_uid, owner.st_gid)
    log = root / "var" / "log" / "units.log"
    try:
        began = monotonic()
        prepare = Started("hotline-prepare.service", root, log)
        assert prepare.process.wait(500) == 0, tail(log)
        say(f"prepared in {monotonic() - began:.0f} s")
        switch = Started("hotline-asterisk.service", root, log)
        try:
            await with_a_switch(root, log, ports, writable)
        finally:
            switch.stop()
    except BaseException:
        print(tail(log), file=sys.stderr)
        raise
    upgrade(root, package)
    remove(root)


async def with_a_switch(root: Path, log: Path, ports: dict[str, int], writable: tuple[str, ...]) -> None:
    engine = Started("hotline-engine.service", root, log)
    try:
        began = monotonic()
        engine.hear("READY=1", 60)
        engine.hear("WATCHDOG=1", 10)
        say(f"engine ready after {monotonic() - began:.1f} s, and gives signs of life")
        none_is_root(root)
        watch = Started("hotline-watch.service", root, log)
        passwords = json.loads((root / STATE.lstrip("/") / "secrets.json").read_text())["seat_passwords"]
        seat = SeatPhone("127.0.0.1", ports["seat_sip_port"], "8001", passwords["8001"], tone_hz=SEAT_HZ)
        citizen = Citizen("127.0.0.1", ports["sip_port"])
        try:
            await seat.register()
            await asyncio.to_thread(hotline, root, "agents", "sign-in", "1001", "--seat", "8001")
            call = await citizen.call("12345", tone_hz=CITIZEN_HZ)
            talk = await seat.wait_talking()
            say("first call answered")
            assert engine.stop() == 0
            say("engine stopped in a talk")
            engine = Started("hotline-engine.service", root, log)
            await asyncio.to_thread(engine.hear, "READY=1", 60)
            await asyncio.sleep(1)
            heard = talk.heard.pcm(talk.answered_at, seat.now)
            assert not call.is_over
            assert tone_share(heard, CITIZEN_HZ) > 0.9, "the talk had a gap"
            say("engine started again: the talk went on without a gap")
            await talk.hang_up()
        finally:
            await seat.close()
            await citizen.close()
        assert watch.process.poll() is None, "the watch ended"
        watch.stop()
        backup = Started("hotline-backup.service", root, log, writable=writable)
        assert backup.process.wait(120) == 0
        await asyncio.to_thread(hotline, root, "backup", "drill", "--from", BACKUPS)
        say("backed up, restored in a drill")
    finally:
        engine.stop()


def install(root: Path, package: Path) -> None:
    shutil.copy(package, root / "tmp" / package.name)
    inside(root, "apt-get", "install", "-y", "--no-install-recommends", f"/tmp/{package.name}", "python3-seccomp")
    (root / "run" / "filter.py").write_text(FILTER)


def looks_right(root: Path) -> None:
    state = (root / STATE.lstrip("/")).stat()
    assert state.st_uid != 0
    assert state.st_mode & 0o777 == 0o700
    assert (root / "etc/hotline12345/hotline.toml").stat().st_mode & 0o777 == 0o640
    assert "hotline.toml" in inside(root, "dpkg-query", "-W", "-f=${Conffiles}", "hotline12345")
    assert "backup" in hotline(root, "--help")
    writable = [
        path
        for path in (root / "usr/lib/hotline12345").rglob("*")
        if not path.is_symlink() and path.lstat().st_mode & 0o022
    ]
    assert writable == [], writable[:3]
    say("files, modes and the command are right")


def none_is_root(root: Path) -> None:
    uid = (root / STATE.lstrip("/")).stat().st_uid
    for name in ("asterisk", "serve"):
        found = subprocess.run(
            ["pgrep", "-u", str(uid), "-f", f"hotline12345.*{name}"], capture_output=True, text=True, check=False
        ).stdout.split()
        assert found, f"{name} does not run as the service's user"
        for pid in found:
            told = Path(f"/proc/{pid}/status").read_text()
            caps = {line.split(":")[0]: line.split()[1] for line in told.splitlines() if line.startswith("Cap")}
            assert set(caps.values()) == {"0000000000000000"}, caps
            assert "NoNewPrivs:\t1" in told
    say("switch and engine run without root and without any capability")


def upgrade(root: Path, package: Path) -> None:
    """A newer version over it: the settings that were changed are kept."""
    before = (root / "etc/hotline12345/hotline.toml").read_text()
    with tempfile.TemporaryDirectory(dir=ROOT / "var") as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["dpkg-deb", "-R", str(package), str(tree)], check=True)
        control = tree / "DEBIAN" / "control"
        control.write_text(control.read_text().replace("\nArchitecture", "+newer\nArchitecture", 1))
        newer = root / "tmp" / "newer.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(tree), str(newer)], check=True, stdout=-3)
    inside(root, "apt-get", "install", "-y", "--no-install-recommends", "/tmp/newer.deb")
    assert "+newer" in inside(root, "dpkg-query", "-W", "-f=${Version}", "hotline12345")
    assert (root / "etc/hotline12345/hotline.toml").read_text() == before
    assert "12345" in hotline(root, "calls", "list")
    say("upgraded: settings and ledger are there")


def remove(root: Path) -> None:
    inside(root, "apt-get", "remove", "-y", "hotline12345")
    assert not (root / "usr/bin/hotline").exists()
    assert not (root / "usr/lib/hotline12345").exists()
    assert (root / STATE.lstrip("/") / "hotline.db").exists()
    inside(root, "apt-get", "purge", "-y", "hotline12345")
    left = [path for name in ("etc", "usr", "var/lib", "lib") for path in (root / name).glob("**/*hotline*")]
    left = [path for path in left if "/var/lib/apt/" not in str(path)]
    assert left == [], left
    assert "hotline12345" not in (root / "etc/passwd").read_text()
    say("removed, the data stayed; purged, nothing is left")


def settings(root: Path) -> dict[str, int]:
    """The administrator's own settings, there before the package: ports that are free on this machine."""
    tcp, udp = free_ports(6, socket.SOCK_STREAM), free_ports(2, socket.SOCK_DGRAM)
    names = ("control_port", "asterisk_http_port", "ami_port", "fastagi_port", "http_port")
    rtp = own_slice().rtp
    ports = dict(zip(names, tcp, strict=False)) | {"sip_port": udp[0], "seat_sip_port": udp[1]}
    ports |= {"rtp_start": rtp.start, "rtp_end": rtp.stop - 1}
    told = "".join(f"{name} = {port}\n" for name, port in ports.items())
    place = root / "etc" / "hotline12345" / "hotline.toml"
    place.parent.mkdir(parents=True)
    place.write_text(f'data_dir = "{STATE}"\ncaller_silence_seconds = 0\nbackup_dir = "{BACKUPS}"\n{told}')
    return ports


def hotline(root: Path, *arguments: str) -> str:
    return inside(root, "hotline", *arguments)


def inside(root: Path, *command: str) -> str:
    """Run as root in the root; its output. Raises with what it said when it fails."""
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8",
        **{name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")},
    }  # fmt: skip
    options = ("-o", "Dpkg::Options::=--force-confold") if command[0] == "apt-get" else ()
    done = subprocess.run(
        ["chroot", str(root), command[0], *options, *command[1:]], env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
    return done.stdout


@contextmanager
def fresh_root() -> Iterator[Path]:
    """A minimal Debian 12, gone afterwards."""
    source = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", f"Codename: {SUITE}", "Created-By: Packages"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    root = Path(tempfile.mkdtemp(prefix="hl-root-", dir="/var/tmp"))
    root.chmod(0o755)
    mounted = []
    try:
        began = monotonic()
        subprocess.run(
            ["debootstrap", "--variant=minbase", SUITE, str(root), source[0]], check=True, stdout=subprocess.DEVNULL
        )
        for place in ("/etc/apt/sources.list", "/etc/apt/sources.list.d", "/etc/apt/apt.conf.d", "/etc/resolv.conf"):
            if Path(place).is_dir():
                shutil.copytree(place, f"{root}{place}", dirs_exist_ok=True)
            elif Path(place).exists():
                shutil.copy(place, f"{root}{place}")
        (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (root / "usr/sbin/policy-rc.d").chmod(0o755)
        for place in ("/dev", "/proc"):
            subprocess.run(["mount", "--rbind", "--make-rslave", place, f"{root}{place}"], check=True)
            mounted.append(place)
        inside(root, "apt-get", "update")
        say(f"a fresh Debian root in {monotonic() - began:.0f} s")
        yield root
    finally:
        for place in reversed(mounted):
            subprocess.run(["umount", "-R", "-l", f"{root}{place}"], check=False)
        # Never across a mount that would not go: this machine's own /dev lies there.
        if str(root) not in Path("/proc/self/mountinfo").read_text(encoding="utf-8"):
            subprocess.run(["rm", "-rf", "--one-file-system", str(root)], check=False)


def tail(log: Path) -> str:
    return log.read_text(errors="replace")[-4000:] if log.exists() else ""


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
