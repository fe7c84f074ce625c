"""Every operation of the API's own description, asked with what schemathesis thinks of: nothing makes it fall down.

As who may, so that the rooms behind the doors are asked and not the doors alone; on a real routing table.
"""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Final

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.result import Ok

from console.access.guard import CSRF_HEADER
from console.access.permissions import API_ROUTES, BY_ROUTE
from console.openapi import document
from database.connection import open_database
from routing.publish import Publisher, ensure_published, plain_lint_context
from routing.tables import Tables
from tests.support.engine_harness import call_id
from tests.support.web_harness import Hall, opened, talks
from users.model import Role
from users.passwords import csrf_token
from users.rules import RIGHTS

pytestmark = pytest.mark.unit

EXAMPLES: Final = 15
KNOWN: Final = {
    "call": call_id(1),
    "agent": "1001",
    "user": "agent",
    "what": "1001",
    "client": "nobody",
    "language": "zh-CN",
    "prompt": "goodbye",
    "number": "hl1-20261122-0001",
}
"""Things that are there, so that what is made up is not always stopped at their names."""

ENDLESS: Final = "/api/live/stream"


class Served:
    """The listener in a thread with a loop of its own, because schemathesis asks and waits."""

    def __init__(self, source: Path, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._over = self.run(self._event())
        ready: Future[Hall] = Future()
        self._life = asyncio.run_coroutine_threadsafe(self._serve(source, folder, ready), self._loop)
        self.hall = ready.result(60)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._life.result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _event(self) -> asyncio.Event:
        return asyncio.Event()

    async def _serve(self, source: Path, folder: Path, ready: Future[Hall]) -> None:
        try:
            shutil.copy(source, folder / "hotline.db")
            database = open_database(f"sqlite:///{folder}/hotline.db")
            await ensure_published(database, folder)
            async with opened(database, folder) as hall:
                await talks(hall)
                hall.control.refuses = ""
                hall.control.tables = Tables(Publisher(database, folder, plain_lint_context))
                ready.set_result(hall)
                await self._over.wait()
            await database.close()
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise


@pytest.fixture(scope="module")
def served(upgraded_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(upgraded_sqlite, tmp_path_factory.mktemp("fuzzed"))
    yield made
    made.stop()


def operations() -> list[Any]:
    schema = schemathesis.openapi.from_dict(document(API_ROUTES))
    schema.config.generation.update(modes=[schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])
    found = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        if result.ok().path != ENDLESS:
            found.append(result.ok())
    return found


def who_may(method: str, path: str) -> Role:
    """The role with the widest right to it."""
    right = BY_ROUTE[method, path].right
    able = [role for role in (Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR, Role.AGENT) if right in RIGHTS[role]]
    return able[0] if able else Role.ADMIN


@pytest.mark.parametrize("operation", operations(), ids=lambda one: one.label)
def test_no_request_makes_the_api_fall_down(served: Served, operation: Any) -> None:
    role = who_may(operation.method.upper(), operation.path)
    reached: list[int] = []

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(), known=st.booleans())
    def ask(case: Any, known: bool) -> None:
        token = served.run(served.hall.session(role))
        if known:
            case.path_parameters = {
                name: KNOWN.get(name, value) for name, value in (case.path_parameters or {}).items()
            }
        headers = {"Origin": served.hall.home, "Cookie": f"hotline={token}", CSRF_HEADER: csrf_token(token)}
        case.headers.pop("Authorization", None)  # a made-up token gets no further than the door
        answer = case.call(base_url=served.hall.home, headers=headers)
        reached.append(answer.status_code)
        assert answer.status_code < 500 or answer.status_code == 503, (answer.status_code, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["error"], answer.text

    ask()
    assert set(reached) - {401} or BY_ROUTE[operation.method.upper(), operation.path].signed, "stopped at the door"
