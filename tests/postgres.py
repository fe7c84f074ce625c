"""A PostgreSQL for the tests alone: own folder, own port, own password, gone with the test run."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

DEADLINE_SECONDS = 30
INSTALL = "apt-get install postgresql（Debian 12 自带 PostgreSQL 15）"


class PostgresMissing(RuntimeError):
    """No PostgreSQL can be started here; the text says what to do."""


@contextmanager
def temporary_postgres() -> Iterator[str]:
    """Start a cluster on 127.0.0.1 and give a superuser URL; stop and delete it at the end."""
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
        port = _free_port()
        with (folder / "log").open("w+") as log:
            command = [*as_owner, "setpriv", "--pdeathsig", "QUIT", str(binaries / "postgres"), "-D", str(data)]
            command += [f"-cport={port}", "-clisten_addresses=127.0.0.1", "-cunix_socket_directories="]
            command += ["-cfsync=off", "-cfull_page_writes=off", "-csynchronous_commit=off", "-cshared_buffers=32MB"]
            server = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                _await_ready(binaries, port, server, folder / "log")
                yield f"postgresql://postgres:{quote(password)}@127.0.0.1:{port}/postgres"
            finally:
                server.terminate()
                try:
                    server.wait(5)
                except subprocess.TimeoutExpired:
                    server.kill()
                    server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
