"""The documentation says what the code says: the same words, existing files, existing commands, diagrams up to date."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import typer.main

from cli.main import MODULES, _application
from docs.generate import PAGES as GENERATED
from docs.generate import filled
from ivr import flows
from ivr.model import Question, Script, Step
from telephony.model import Var

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
STORY = (DOCS / "call-story.md").read_text(encoding="utf-8")
TEMPLATES = ROOT / "asterisk_conf/templates"
DIALPLAN = re.sub(
    r'\{% include "(.*?)" %\}\n',
    lambda part: (TEMPLATES / part[1]).read_text(encoding="utf-8"),
    (TEMPLATES / "extensions.conf.j2").read_text(encoding="utf-8"),
)


def page_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


NO_STEPS = {"i"}
"""Extensions of context call that are no step of a call but Asterisk's own: an extension that does not exist."""

named_by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))


# The story, the dialplan and the flows use the same words


def test_the_story_tells_every_step_in_the_dialplans_order() -> None:
    assert re.findall(r"^### `([\w-]+)`$", section("The steps"), re.MULTILINE) == steps()


def test_every_step_that_an_answer_may_name_is_in_the_dialplan() -> None:
    assert set(Step) <= set(steps())


def test_the_story_names_every_context_of_the_dialplan() -> None:
    assert {code(row[0]) for row in table("The contexts")} == contexts()


def test_questions_are_the_same_in_story_dialplan_and_flows() -> None:
    told = {code(row[0]) for row in table("Questions and answers")}
    files = {path.stem.replace("_", "-") for path in (ROOT / "ivr/flows").glob("[!_]*.py")}
    assert told == set(Script) == set(flows.FLOWS) == files == asked().keys()


def test_the_story_gives_each_question_the_answers_of_its_flow() -> None:
    told = {code(row[0]): set(re.findall(r"`([\w-]+)`", row[2])) for row in table("Questions and answers")}
    assert told == {script: answers(ROOT / f"ivr/flows/{script.replace('-', '_')}.py") for script in Script}


def test_the_story_says_what_happens_without_an_answer_as_the_dialplan_does() -> None:
    told = {code(row[0]): code(row[3]) for row in table("Questions and answers")}
    assert told == {script: {"${ARG2}": ""}.get(lost, lost) for script, lost in asked().items()}


def test_the_storys_picture_uses_only_words_of_the_dialplan() -> None:
    (picture,) = re.findall(r"```mermaid\n(.*?)```", STORY, re.DOTALL)
    words = set(re.findall(r"\b[a-z]+\b", re.sub(r'\|[^|]*\||"[^"]*"|-\. .*? \.->|\(\[.*?\]\)', " ", picture)))
    assert words - {"flowchart", "ring"} <= set(steps()) | contexts()


def test_a_question_is_put_in_the_order_in_which_it_is_read() -> None:
    (line,) = re.findall(r"AGI\(agi://.*?/\$\{ARG1\},(.*)\)$", DIALPLAN, re.MULTILINE)
    variables = re.findall(r"\$\{(\w+)\}", line)
    fields = [name for name in Question.__dataclass_fields__ if name not in ("script", "channel", "told", "withheld")]
    assert [name.removeprefix("HL_").lower() for name in variables[:-3]] == [
        {"since_ms": "since"}.get(name, name) for name in fields[:-3]
    ]
    assert variables[-3:] == ["DIALSTATUS", "ARG3", "ARG4"]
    assert {name for name in variables if name.startswith("HL_")} <= set(Var)


def test_the_guide_tells_every_key_of_an_idle_phone() -> None:
    _, _, rest = DIALPLAN.partition("\n[from-seats]\n")
    keys = set(re.findall(r"^exten = _?(\*\d\d)", rest.partition("\n[")[0], re.MULTILINE))
    guide = (DOCS / "agent-guide.md").read_text(encoding="utf-8")
    assert {key.replace("\\", "") for key in re.findall(r"^\| (\\\*\d\d)", guide, re.MULTILINE)} == keys
    assert len(keys) == 9


# What the pages point to is there


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_generated_parts_are_up_to_date(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert filled(page) == page, "run: make docs"


@named_by_page
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link.partition("#")[0]).exists()]
    assert missing == []


@named_by_page
def test_files_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"(?<![\w./-])(?:[\w-]+/)+[\w.-]+\.(?:py|j2|toml|svg)\b", page.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


@named_by_page
def test_commands_that_are_shown_exist(page: Path) -> None:
    # A word of lower-case letters after a group is a sub-command; what follows it are arguments.
    shown = re.findall(r"(?:\./)?\bhotline ([a-z-]+)(?: ([a-z-]+))?", code_of(page.read_text(encoding="utf-8")))
    assert [(name, sub) for name, sub in shown if not exists(name, sub)] == []


@named_by_page
def test_make_targets_that_are_shown_exist(page: Path) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z]+)", code_of(page.read_text(encoding="utf-8")))) <= set(targets)


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("*.md")), ids=lambda page: page.stem)
def test_a_decision_says_why_and_what_follows(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {page.stem[:4]}: ")
    assert re.findall(r"^## (\w+)", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert "\nStatus: " in text


def test_every_decision_is_listed() -> None:
    listed = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in sorted((DOCS / "decisions").glob("*.md")) if page.name not in listed] == []


COMPLAINTS = re.findall(
    r"^\| (.+?) \| .+? \| `(tests/[\w/]+\.py)::(test_\w+)` \|$", page_of("complaints.md"), re.MULTILINE
)


def test_every_complaint_has_a_row_of_its_own() -> None:
    rows = [line for line in page_of("complaints.md").splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(COMPLAINTS) == len({complaint for complaint, _, _ in COMPLAINTS}) == 21


@pytest.mark.parametrize(("complaint", "file", "name"), COMPLAINTS)
def test_a_complaint_has_the_test_that_it_names(complaint: str, file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert name in tests, complaint


# Reading the story


def section(title: str) -> str:
    _, _, rest = STORY.partition(f"\n## {title}\n")
    return rest.partition("\n## ")[0]


def table(title: str) -> list[list[str]]:
    """The body rows of the one table of a section, cell by cell."""
    rows = [line for line in section(title).splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def code(cell: str) -> str:
    found = re.fullmatch(r"`([\w-]+)`", cell)
    return found[1] if found else ""


def code_of(text: str) -> str:
    """Blocks and spans of code, one below the other: elsewhere `hotline` is a word like any other."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))


# Reading the dialplan


def contexts() -> set[str]:
    return set(re.findall(r"^\[([\w-]+)\]$", DIALPLAN, re.MULTILINE)) - {"general"}


def steps() -> list[str]:
    """Extensions of context call, in their order."""
    _, _, rest = DIALPLAN.partition("\n[call]\n")
    body = re.split(r"^\[", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return [name for name in re.findall(r"^exten = ([\w-]+),1,", body, re.MULTILINE) if name not in NO_STEPS]


def asked() -> dict[str, str]:
    """Every question that the dialplan puts, with the step it takes when there is no answer."""
    return dict(re.findall(r"Gosub\(ask,s,1\(([\w-]+),([\w-]+|\$\{ARG2\})", DIALPLAN))


# Reading the flows and the commands


def answers(flow: Path) -> set[str]:
    """Steps that a flow's answer may name, in its own file or in the flows that it uses."""
    tree = ast.parse(flow.read_text(encoding="utf-8"))
    found = {
        Step[node.attr].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Step"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ivr.flows."):
            found |= answers(ROOT / f"{(node.module or '').replace('.', '/')}.py")
    return found


@cache
def exists(name: str, sub: str) -> bool:
    if name not in MODULES:
        return False
    command = typer.main.get_command(_application([name]))
    group = command.commands[name]  # type: ignore[attr-defined]
    return not sub or not hasattr(group, "commands") or sub in group.commands


# The manuals show the pages


MANUALS = ("agent-guide.md", "supervisor-guide.md", "admin-guide.md")
SHOWN = {name: re.findall(r"\]\(images/([\w-]+)\.png\)", page_of(name)) for name in MANUALS}
CONSOLE_PAGES = re.findall(r'path: "/(\w+)"', (ROOT / "console/app/src/pages.ts").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", CONSOLE_PAGES)
def test_every_page_of_the_console_is_shown_in_a_manual(path: str) -> None:
    pictures = [one for names in SHOWN.values() for one in names]
    assert [one for one in pictures if one == path or one.startswith(f"{path}-")]


def test_every_picture_is_shown_once_and_is_one_that_a_browser_test_takes() -> None:
    kept = sorted(path.stem for path in (DOCS / "images").glob("*.png"))
    assert kept == sorted(one for names in SHOWN.values() for one in names)
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/browser").glob("test_*.py"))
    assert [one for one in kept if f'"{one}"' not in tests and f'"/{one}"' not in tests] == []
