"""A unit of deploy/systemd as data, and its command run about as systemd would run it where no systemd can run.

Kept: the user, no capabilities and none to be had (setpriv), the file system read-only but for the state directory
(a mount namespace), a /tmp of its own, the limit of open files, the environment file, the notify socket, and the system
call filter (by python3-seccomp in the root). Not kept: memory limits, address families, namespaces.
"""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

UNITS: Final = Path(__file__).parents[2] / "deploy" / "systemd"
STATE: Final = "/var/lib/hotline12345"
NOTIFY: Final = "run/hotline-notify"

FILTER: Final = """
import os, sys, seccomp
allowed, command = sys.argv[1].split(","), sys.argv[2:]
told = seccomp.SyscallFilter(seccomp.ERRNO(1))
for name in allowed:
    try:
        told.add_rule(seccomp.ALLOW, name)
    except (RuntimeError, ValueError):
        pass  # one that this machine does not have
told.load()
os.execv(command[0], command)
"""


def settings_of(name: str) -> dict[str, list[str]]:
    """Every setting of a unit, each with all its values, whatever the section."""
    found: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def command_of(name: str, root: Path, *, writable: tuple[str, ...] = ()) -> list[str]:
    """What to start so that the unit's ExecStart runs in ``root`` under the unit's own terms."""
    unit = settings_of(name)
    assert unit["ProtectSystem"] == ["strict"]
    user = unit["User"][0]
    state = [STATE, *writable]
    environment = [
        line
        for line in (root / unit["EnvironmentFile"][0].lstrip("/")).read_text(encoding="utf-8").splitlines()
        if "=" in line
    ]
    told = ["NOTIFY_SOCKET=/" + NOTIFY] if unit["Type"] == ["notify"] else []
    if "WatchdogSec" in unit:
        told.append(f"WATCHDOG_USEC={int(unit['WatchdogSec'][0]) * 1_000_000}")
    filtered = ["/usr/bin/python3", "/run/filter.py", ",".join(allowed(unit["SystemCallFilter"]))]
    privileges = [
        "setpriv", f"--reuid={user}", f"--regid={unit['Group'][0]}", "--clear-groups", "--no-new-privs",
        "--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all",
    ]  # fmt: skip
    inside = [
        "chroot", str(root), "env", "-i", "-C", unit["WorkingDirectory"][0], "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        *environment, *told, *privileges, *filtered, *shlex.split(unit["ExecStart"][0]),
    ]  # fmt: skip
    mounts = [
        f"mount --rbind {root} {root}",
        *(f"mount --bind {root}{path} {root}{path}" for path in state),
        f"mount -o remount,bind,ro {root}",
        f"mount -t tmpfs -o mode=1777 tmpfs {root}/tmp",
        f"mount -t tmpfs -o mode=1777 tmpfs {root}/var/tmp",
        f"{{ ulimit -n {unit['LimitNOFILE'][0]} 2>/dev/null || ulimit -n $(ulimit -Hn); }}",
        f"umask {unit['UMask'][0]}",
    ]
    script = " && ".join([*mounts, f"exec {shlex.join(inside)}"])
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]


def allowed(filters: list[str]) -> list[str]:
    """System calls that a unit's SystemCallFilter leaves, by systemd's own groups."""
    names: set[str] = set()
    for told in filters:
        groups = told.removeprefix("~").split()
        calls = {call for group in groups for call in _calls(group)}
        names = names - calls if told.startswith("~") else names | calls
    return sorted(names)


def _calls(group: str) -> set[str]:
    if not group.startswith("@"):
        return {group}
    told = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager", group], capture_output=True, text=True, check=True
    )
    found: set[str] = set()
    for line in told.stdout.splitlines()[1:]:
        name = line.strip()
        if name and not name.startswith("#"):
            found |= _calls(name)
    return found


class Started:
    """A unit's process. Its children end with it, as in a control group."""

    def __init__(self, name: str, root: Path, log: Path, *, writable: tuple[str, ...] = ()) -> None:
        self.name = name
        self._listener: socket.socket | None = None
        if settings_of(name)["Type"] == ["notify"]:
            place = root / NOTIFY
            place.unlink(missing_ok=True)
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._listener.bind(str(place))
            place.chmod(0o666)
        self._log: IO[bytes] = log.open("ab")
        self.process = subprocess.Popen(
            command_of(name, root, writable=writable), stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            start_new_session=True,
        )  # fmt: skip

    def hear(self, told: str, seconds: float) -> None:
        """Wait until it has said so to its service manager. Raises TimeoutError."""
        assert self._listener is not None
        self._listener.settimeout(seconds)
        while told not in self._listener.recv(4096).decode():
            pass

    def stop(self, seconds: float = 20.0) -> int:
        """SIGTERM, and SIGKILL for what is left. Its exit status."""
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        if self._listener is not None:
            self._listener.close()
        self._log.close()
        return self.process.returncode
