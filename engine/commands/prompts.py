"""``hotline prompts``: build, list and check what callers hear."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from engine.progress import progress
from engine.settings import Settings, SettingsError, load_settings
from ivr.catalogue import CatalogueFault, Kind, Prompt, Source, catalogue
from routing.model import Snapshot

app = typer.Typer(help="提示音：生成、查看、检查。", no_args_is_help=True)

_KINDS: Final[Mapping[Kind, str]] = {
    Kind.GREETING: "欢迎",
    Kind.TRANSITION: "过渡期提示",
    Kind.WAITING: "排队等候",
    Kind.TROUBLE: "系统异常",
    Kind.TRANSFER: "转接",
    Kind.ORDER: "应急工单",
    Kind.RATING: "好差评",
    Kind.ENDING: "结束",
    Kind.SEAT: "座席按键",
}
_SOURCES: Final[Mapping[Source, str]] = {Source.TTS: "合成", Source.HUMAN: "真人"}

Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.command()
def build(as_json: Json = False) -> None:
    """生成新增或有变更的提示音和等候音乐；真人录音放在 DATA_DIR/recorded/<语言>/<编号>.wav 即优先使用。"""
    from ivr.audio import ToolMissing
    from ivr.build import build as build_sounds

    settings, prompts = _prompts()
    started = time.monotonic()
    with progress("生成提示音") as show, _explained(ToolMissing):
        report = build_sounds(settings.data_dir, prompts, show)
    seconds = time.monotonic() - started
    if as_json:
        built = [f"{row.language}/{row.id}" for row in report.built]
        _print_json(
            {"built": built, "unchanged": report.unchanged, "faults": report.faults, "seconds": round(seconds, 2)}
        )
    else:
        typer.echo(f"提示音：新生成 {len(report.built)} 个，未变 {report.unchanged} 个，用时 {seconds:.1f} 秒")
        _print_faults(report.faults)
    raise typer.Exit(1 if report.faults else 0)


@app.command("list")
def list_prompts(as_json: Json = False) -> None:
    """列出全部提示音：编号、用处、内容、来源、时长。"""
    from ivr.manifest import load

    settings, prompts = _prompts()
    built = load(settings.data_dir / "sounds")
    rows = [
        (prompt, language, text, built.get((language, prompt.id)))
        for prompt in prompts.values()
        for language, text in prompt.texts.items()
    ]
    if as_json:
        _print_json(
            [
                {
                    "id": prompt.id,
                    "language": language,
                    "kind": prompt.kind,
                    "text": text,
                    "source": sound.source if sound else None,
                    "seconds": sound.seconds if sound else None,
                }
                for prompt, language, text, sound in rows
            ]
        )
        return
    table = Table()
    for heading in ("编号", "语言", "用处", "内容", "来源", "秒"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("编号", "语言", "用处"))
    for prompt, language, text, sound in rows:
        made = (_SOURCES[sound.source], f"{sound.seconds:.1f}") if sound else ("未生成", "")
        table.add_row(prompt.id, language, _KINDS[prompt.kind], text, *made)
    Console().print(table)


@app.command()
def check(as_json: Json = False) -> None:
    """检查每个提示音是否已生成、是否最新、响度和削波是否合格；有问题时退出码为 1。"""
    from ivr.audio import ToolFailed, ToolMissing
    from ivr.build import check as check_sounds

    settings, prompts = _prompts()
    with _explained(ToolMissing, ToolFailed):
        faults = check_sounds(settings.data_dir, prompts)
    if as_json:
        _print_json({"prompts": len(prompts), "faults": faults})
    elif not faults:
        typer.echo(f"提示音：{len(prompts)} 个全部合格")
    else:
        _print_faults(faults)
    raise typer.Exit(1 if faults else 0)


def _prompts() -> tuple[Settings, Mapping[str, Prompt]]:
    from routing.snapshot import SnapshotCorrupt

    with _explained(SettingsError, SnapshotCorrupt, CatalogueFault):
        settings = load_settings()
        return settings, catalogue(_snapshot(settings), settings.city)


def _snapshot(settings: Settings) -> Snapshot:
    """The published table, or the sample where nothing was published yet."""
    from routing.sample import sample_snapshot
    from routing.snapshot import SnapshotMissing, load_snapshot

    try:
        return load_snapshot(settings.snapshot_file)
    except SnapshotMissing:
        return sample_snapshot()


@contextmanager
def _explained(*expected: type[Exception]) -> Iterator[None]:
    """Turn an expected failure into its sentence and exit code 1."""
    try:
        yield
    except expected as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(1) from failure


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))


def _print_faults(faults: tuple[str, ...]) -> None:
    for fault in faults:
        typer.echo(f"  - {fault}", err=True)
