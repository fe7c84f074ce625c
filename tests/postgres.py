"""A PostgreSQL for the tests alone: own folder, own port, own password, gone with the test run."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psutil

from tests.support.ports import free_ports

DEADLINE_SECONDS = 30
INSTALL = "apt-get install postgresql（Debian 12 自带 PostgreSQL 15）"


class PostgresMissing(RuntimeError):
    """No PostgreSQL can be started here; the text says what to do."""


class Cluster:
    """A PostgreSQL of our own that can be stopped and started again."""

    def __init__(self, folder: Path, binaries: Path, as_owner: list[str], password: str) -> None:
        (self.port,) = free_ports(1, socket.SOCK_STREAM)
        self.url = f"postgresql://postgres:{quote(password)}@127.0.0.1:{self.port}/postgres"
        self._folder = folder
        self._binaries = binaries
        self._as_owner = as_owner
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running server."""
        assert self._server is not None
        return self._server.pid

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        command = [*self._as_owner, "setpriv", "--pdeathsig", "QUIT", str(self._binaries / "postgres")]
        command += ["-D", str(self._folder / "data")]
        command += [f"-cport={self.port}", "-clisten_addresses=127.0.0.1", "-cunix_socket_directories="]
        command += ["-cfsync=off", "-cfull_page_writes=off", "-csynchronous_commit=off", "-cshared_buffers=32MB"]
        with (self._folder / "log").open("a+") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log)
        _await_ready(self._binaries, self.port, self._server, self._folder / "log")

    def freeze(self) -> None:
        """It takes connections and answers nothing, as on a machine whose disk hangs."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._server is not None
        server = psutil.Process(self._server.pid)
        for process in (server, *server.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """SIGTERM waits for those who are connected, SIGINT sends them away."""
        if self._server is None:
            return
        self._server.send_signal(how)
        try:
            self._server.wait(5)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server = None


@contextmanager
def temporary_cluster() -> Iterator[Cluster]:
    """A started cluster on 127.0.0.1; stopped and deleted at the end."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="hotline-postgres-"))
    data, secret = folder / "data", folder / "secret"
    password = secrets.token_urlsafe(18)
    as_owner = _own(folder)
    try:
        secret.write_text(password)
        secret.chmod(0o600)
        if as_owner:
            shutil.chown(secret, "postgres", "postgres")
        initdb = [*as_owner, str(binaries / "initdb"), "-D", str(data), "-U", "postgres", f"--pwfile={secret}"]
        initdb += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run(initdb, capture_output=True, text=True, check=False)
        if made.returncode:
            raise PostgresMissing(f"initdb 失败：{made.stderr.strip()}")
        cluster = Cluster(folder, binaries, as_owner, password)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def temporary_postgres() -> Iterator[str]:
    """Start a cluster on 127.0.0.1 and give a superuser URL; stop and delete it at the end."""
    with temporary_cluster() as cluster:
        yield cluster.url


def create_database(superuser_url: str, name: str, template: str = "template0") -> None:
    _sql(superuser_url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


def drop_database(superuser_url: str, name: str) -> None:
    _sql(superuser_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _sql(url: str, statement: str) -> None:
    if shutil.which("psql") is None:
        raise PostgresMissing(f"没有 psql；请先 {INSTALL}")
    command = ["psql", "-qX", "-v", "ON_ERROR_STOP=1", "-c", statement, url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PostgresMissing(f"测试用 PostgreSQL 拒绝 {statement!r}：{done.stderr.strip()}")


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    if initdb is None:
        raise PostgresMissing(
            f"没有 PostgreSQL，存储测试无法在两种数据库上运行；请先 {INSTALL}，"
            "或设 HOTLINE_TEST_POSTGRES_URL=postgresql://超级用户:密码@127.0.0.1:端口/postgres"
        )
    return Path(initdb).resolve().parent


def _own(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: give the folder to user postgres and become that user."""
    if os.geteuid() != 0:
        return []
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        raise PostgresMissing(f"没有 postgres 用户；请先 {INSTALL}") from None
    shutil.chown(folder, "postgres", "postgres")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _await_ready(binaries: Path, port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    for _ in range(DEADLINE_SECONDS * 10):
        if subprocess.run(ready, check=False).returncode == 0:
            return
        try:
            server.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    raise PostgresMissing(f"临时 PostgreSQL 没有起来：{log.read_text()[-2000:]}")
