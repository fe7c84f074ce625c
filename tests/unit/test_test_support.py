"""What the tests themselves rest on: where they write, and what a product starts from."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from database.schema import upgrade
from tests.support import product
from tests.support.memory import keep_in_memory

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(("least", "kept"), [(1, True), (1 << 62, False)])
def test_tests_write_into_memory_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, least: int, kept: bool
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/before")
    assert keep_in_memory(tmp_path, least) is kept
    assert tempfile.tempdir == (str(tmp_path) if kept else "/before")


def test_a_machine_without_such_a_folder_has_its_disk(tmp_path: Path) -> None:
    assert not keep_in_memory(tmp_path / "nowhere")


async def test_a_product_s_database_is_a_copy_of_one_that_was_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    async def counted(url: str) -> object:
        made.append(url)
        return await upgrade(url)

    monkeypatch.setattr(product, "upgrade", counted)
    monkeypatch.setattr(product, "_TEMPLATE", None)
    for name in ("one", "two"):
        await product.upgrade_empty(f"sqlite+aiosqlite:///{tmp_path / name}")
    assert len(made) == 1
    assert (tmp_path / "two").stat().st_size > 0
