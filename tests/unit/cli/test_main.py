import sys
from types import ModuleType

import pytest
import typer

from asterisk_conf.bundle import BundleError
from cli import main as cli
from cli.main import MODULES, main
from config.settings import Fault, SettingsError

pytestmark = pytest.mark.unit


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A sub-command of its own, ``hotline example``."""
    module = ModuleType("cli.commands.example")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(cli, "MODULES", {"example": "example"})
    return module


@pytest.mark.smoke
def test_every_sub_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(name in text for name in MODULES)


@pytest.mark.parametrize(
    ("error", "status"),
    [(SettingsError((Fault("sip_port", "x", "应为整数"),)), 2), (BundleError("连不上软件源；请检查网络"), 1)],
)
def test_a_known_error_is_a_sentence(
    example: ModuleType, capsys: pytest.CaptureFixture[str], error: Exception, status: int
) -> None:
    def command() -> None:
        raise error

    example.command = command  # type: ignore[attr-defined]
    with pytest.raises(SystemExit) as ended:
        main(["example"])
    assert ended.value.code == status
    assert capsys.readouterr().err == f"hotline: {error}\n"


def test_a_fault_of_ours_is_not_hidden(example: ModuleType) -> None:
    def command() -> None:
        raise ZeroDivisionError

    example.command = command  # type: ignore[attr-defined]
    with pytest.raises(ZeroDivisionError):
        main(["example"])


def test_a_group_keeps_its_commands(example: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    app = typer.Typer()

    @app.callback()
    def group() -> None:
        pass

    @app.command()
    def hello() -> None:
        typer.echo("你好")

    example.app = app  # type: ignore[attr-defined]
    with pytest.raises(SystemExit) as ended:
        main(["example", "hello"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "你好\n"
