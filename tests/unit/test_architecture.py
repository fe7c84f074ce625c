"""What the import contracts of pyproject.toml cannot say: the order inside and between the feature rooms."""

import ast
import tomllib
from fnmatch import fnmatch
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = PROJECT["tool"]["importlinter"]["contracts"]
LAYERS = [layer.split(" | ") for layer in next(one["layers"] for one in CONTRACTS if one["type"] == "layers")]
"""The one list of layers, top to bottom."""

PACKAGES = tuple(room for layer in LAYERS for room in layer)
FEATURES = tuple(
    room
    for layer in LAYERS[LAYERS.index(["ivr"]) + 1 :]
    for room in layer
    if room not in ("asterisk_conf", "config", "database", "feeds", "phones", "telephony")
)
IO_LIBRARIES = ("asyncio", "socket", "sqlalchemy", "aiohttp", "panoramisk", "time", "random", "os")
MOST_ROOMS = 24
MOST_LINES_OF_COMPOSITION = 2_500
SHELLS = ("service", "store")
"""Named for what they are for: they run decisions against the world, be it through ports that they are given."""

PURE_FILES = ("*.model", "*.rules", "*.errors", "*.events", "*.effects", "*.policy", "*_codec")


@cache
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        *PACKAGES, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )


def room(module: str) -> str:
    return module.partition(".")[0]


def modules(*rooms: str) -> list[str]:
    return sorted(name for name in graph().modules if room(name) in rooms)


@cache
def touches_the_world(module: str) -> bool:
    """Whether a module imports, itself or through our own modules, anything that does I/O or reads a clock."""
    ours = {module, *(name for name in graph().find_upstream_modules(module) if room(name) in PACKAGES)}
    return any(library in graph().find_modules_directly_imported_by(name) for name in ours for library in IO_LIBRARIES)


def is_pure(module: str) -> bool:
    return not touches_the_world(module) and module.rpartition(".")[2] not in SHELLS


def imports(module: str, *rooms: str) -> set[str]:
    return {name for name in graph().find_modules_directly_imported_by(module) if room(name) in rooms}


def test_every_folder_of_code_is_a_room_of_the_design() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert folders - {"tests"} == set(PACKAGES) == set(PROJECT["tool"]["importlinter"]["root_packages"])
    assert len(PACKAGES) == len(set(PACKAGES)) <= MOST_ROOMS


def test_the_engine_is_composition_only() -> None:
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in (ROOT / "engine").rglob("*.py"))
    assert lines <= MOST_LINES_OF_COMPOSITION


def test_no_import_runs_upward_or_in_a_circle() -> None:
    """Upward, imports for type checking alone count, too; in a circle, those that run."""
    whole = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=False, cache_dir=None)
    level = {room: number for number, layer in enumerate(LAYERS) for room in layer}
    upward = [
        (name, below)
        for name in whole.modules
        for below in whole.find_modules_directly_imported_by(name)
        if room(name) != room(below) and level[room(name)] >= level[room(below)]
    ]
    assert upward == []
    order = TopologicalSorter({name: graph().find_modules_directly_imported_by(name) for name in whole.modules})
    order.prepare()


@pytest.mark.parametrize("pattern", PURE_FILES)
def test_files_that_hold_decisions_are_pure(pattern: str) -> None:
    impure = [name for name in modules(*PACKAGES) if fnmatch(name, pattern) and touches_the_world(name)]
    assert impure == []


def test_no_collection_is_replaced_under_those_who_hold_it() -> None:
    """``self.shared |= keys()`` binds a new set, and whoever was given the old one never hears of it."""
    found = []
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.AugAssign) or not isinstance(node.target, ast.Attribute | ast.Subscript):
                    continue
                of_sets = isinstance(node.op, ast.BitOr | ast.BitAnd | ast.BitXor)
                less = isinstance(node.op, ast.Sub) and isinstance(node.value, ast.Set | ast.SetComp | ast.Call)
                if of_sets or (less and "keys" in ast.dump(node.value)):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: use a method such as update()")
    assert found == []


def test_pure_parts_of_sibling_rooms_do_not_know_each_other() -> None:
    for name in filter(is_pure, modules(*FEATURES)):
        siblings = imports(name, *(other for other in FEATURES if other != room(name)))
        assert siblings == set(), f"{name} imports {siblings}"


def test_rooms_below_the_conversations_do_not_import_them_in_pure_code() -> None:
    for name in filter(is_pure, modules(*FEATURES)):
        assert imports(name, "ivr") == set(), name


@pytest.mark.parametrize("option", ["SO_RCVLOWAT", "TCP_CORK", "TCP_NOPUSH"])
def test_no_socket_is_told_to_hold_anything_back(option: str) -> None:
    """Against a peer with Nagle's algorithm on, as Asterisk's AGI is, each such wait costs a delayed ACK of 40 ms."""
    use = f"socket.{option}"
    assert [path for room in PACKAGES for path in (ROOT / room).rglob("*.py") if use in path.read_text("utf-8")] == []
