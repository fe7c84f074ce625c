"""``hotline prompts``: build, list and check what callers hear."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from audit.model import Actor
from cli.progress import progress
from config.settings import Settings, SettingsError, load_settings
from console.access.permissions import BY_ROUTE
from ivr.prompts.catalogue import MANDARIN, CatalogueFault, Kind, Prompt, Source, catalogue
from ivr.prompts.model import PromptChange, PromptRefused
from ivr.prompts.staging import current_wordings, exclusive_lock
from routing.model import Snapshot

if TYPE_CHECKING:
    from ivr.prompts.service import Prompts

app = typer.Typer(help="提示音：查看、试听、改文字、换录音、退回、生成、检查。", no_args_is_help=True)

_KINDS: Final[Mapping[Kind, str]] = {
    Kind.GREETING: "欢迎",
    Kind.TRANSITION: "过渡期提示",
    Kind.ANNOUNCEMENT: "公告",
    Kind.WAITING: "排队等候",
    Kind.TROUBLE: "系统异常",
    Kind.TRANSFER: "转接",
    Kind.ORDER: "应急工单",
    Kind.RATING: "好差评",
    Kind.ENDING: "结束",
    Kind.SEAT: "座席按键",
}
_SOURCES: Final[Mapping[Source, str]] = {Source.TTS: "合成", Source.HUMAN: "真人"}

MOST_BYTES: Final = BY_ROUTE["POST", "/api/prompts/{language}/{prompt}/recording"].upload

PromptId = Annotated[str, typer.Argument(help="提示音编号，见 hotline prompts list")]
Language = Annotated[str, typer.Option("--language", help="语言，例如 zh-CN、yue")]
Reason = Annotated[str, typer.Option("--reason", help="原因，写入审计记录；--keep 时必须写")]
Keep = Annotated[bool, typer.Option("--keep", help="生效；不写只试")]
Listen = Annotated[Path | None, typer.Option("--listen", help="把市民会听到的声音写到这个 wav 文件")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.command()
def build(as_json: Json = False) -> None:
    """生成新增或有变更的提示音和等候音乐；真人录音放在 DATA_DIR/recorded/<语言>/<编号>.wav 即优先使用。"""
    from ivr.prompts.audio import ToolMissing
    from ivr.prompts.build import build as build_sounds

    settings, prompts = _prompts()
    started = time.monotonic()
    with progress("生成提示音") as show, _explained(ToolMissing), exclusive_lock(settings.data_dir):
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
    from ivr.prompts.manifest import load

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
    from ivr.prompts.audio import ToolFailed, ToolMissing
    from ivr.prompts.build import check as check_sounds

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


@app.command()
def show(prompt: PromptId, language: Language = MANDARIN, as_json: Json = False) -> None:
    """一段提示音：文字、来源、用在哪里，和它的各版。"""
    told = _ask(lambda prompts: prompts.history((language, prompt)))
    if as_json:
        _print_json(told)
        return
    source = _SOURCES[Source(told["source"])] if told["source"] else "未生成"
    typer.echo(f"{told['id']}（{told['language']}）{source}：{told['text']}")
    for use in told["uses"]:
        typer.echo(f"  用在：{use['what']}")
    for one in told["versions"]:
        mark = "→" if one["number"] == told["version"] else " "
        who = f"{one['at']} {one['by']}：" if one["at"] else ""
        source = _SOURCES[Source(one["source"])]
        typer.echo(
            f"{mark} 第 {one['number']} 版 {source} {one['seconds']:.1f} 秒 {who}{one['reason']} “{one['text']}”"
        )


@app.command()
def say(
    prompt: PromptId,
    text: Annotated[str, typer.Argument(help="要说的文字")],
    language: Language = MANDARIN,
    reason: Reason = "",
    keep: Keep = False,
    listen: Listen = None,
) -> None:
    """改提示音的文字，由合成语音说；不写 --keep 只试。"""
    _change(prompt, language, PromptChange(text), reason, listen, keep=keep)


@app.command()
def record(
    prompt: PromptId,
    file: Annotated[Path, typer.Argument(help="wav 文件", exists=True, dir_okay=False)],
    text: Annotated[str | None, typer.Option("--text", help="录音说的文字，不写则不变")] = None,
    language: Language = MANDARIN,
    reason: Reason = "",
    keep: Keep = False,
    listen: Listen = None,
) -> None:
    """把提示音换成录音；不写 --keep 只试。"""
    if file.stat().st_size > MOST_BYTES:
        typer.echo(f"文件最大 {MOST_BYTES // 1_000_000} MB；请剪短后再试", err=True)
        raise typer.Exit(1)
    _change(prompt, language, PromptChange(text, recording=file.read_bytes()), reason, listen, keep=keep)


@app.command()
def back(
    prompt: PromptId,
    version: Annotated[int, typer.Argument(help="第几版，见 hotline prompts show")],
    language: Language = MANDARIN,
    reason: Reason = "",
    keep: Keep = False,
    listen: Listen = None,
) -> None:
    """退回提示音以前的某一版；不写 --keep 只试。"""
    _change(prompt, language, PromptChange(back_to=version), reason, listen, keep=keep)


def _change(prompt: str, language: str, wish: PromptChange, reason: str, listen: Path | None, *, keep: bool) -> None:
    from cli.routing_backend import actor

    who: Actor = actor()
    told = _ask(lambda prompts: prompts.change((language, prompt), wish, who, reason, keep=keep))
    if listen is not None:
        listen.write_bytes(base64.b64decode(told["sound"]))
    typer.echo(f"{told['seconds']:.1f} 秒，响度 {told['rms_dbfs']:.1f} dBFS：“{told['text']}”")
    if told["remark"]:
        typer.echo(f"注意：{told['remark']}")
    done = (
        f"已生效，为第 {told['version']} 版；放到一半的来电听完原来的"
        if keep
        else "只是试，没有改；加 --keep 和 --reason 才生效"
    )
    typer.echo(done)


def _ask(work: Callable[[Prompts], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """With the database and the files themselves: the engine, running or not, keeps nothing of them in memory."""
    from database.connection import open_database
    from database.errors import DatabaseError
    from database.schema import upgrade
    from ivr.prompts.service import Prompts

    settings, _ = _prompts()
    table = _snapshot(settings)

    async def run() -> dict[str, Any]:
        await upgrade(settings.database_url, may_create=False)
        database = open_database(settings.database_url, must_exist=True)
        try:
            return await work(Prompts(settings.data_dir, settings.city, lambda: table, database))
        finally:
            await database.close()

    with _explained(PromptRefused, DatabaseError, OSError):
        return asyncio.run(run())


def _prompts() -> tuple[Settings, Mapping[str, Prompt]]:
    from routing.snapshot import SnapshotCorrupt

    with _explained(SettingsError, SnapshotCorrupt, CatalogueFault):
        settings = load_settings()
        return settings, current_wordings(settings.data_dir, catalogue(_snapshot(settings), settings.city))


def _snapshot(settings: Settings) -> Snapshot:
    """The published table, or the sample where nothing was published yet."""
    from routing.sample_table import sample_snapshot
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
