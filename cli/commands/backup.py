"""``hotline backup``: copies of everything, made while calls go on; and the proof that they can be restored."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from config.settings import Settings, load_settings
from setup.backup.checks import Result
from setup.backup.drill import drill
from setup.backup.errors import BackupError
from setup.backup.instance import instance_of
from setup.backup.repository import Repository, new_key, read_key
from setup.backup.service import back_up

app = typer.Typer(help="备份：不停机备份全部数据，列出、核对备份，演练恢复。")

NOT_RIGHT: Final = 1
NICENESS: Final = 10
"""Calls come first on the processor, too."""

To = Annotated[str, typer.Option("--to", help="备份目录；缺省为设置 backup_dir")]
From = Annotated[str, typer.Option("--from", help="备份目录；缺省为设置 backup_dir")]
At = Annotated[str, typer.Option("--at", help="哪一次备份，见 hotline backup list；缺省为最近一次")]
Key = Annotated[Path | None, typer.Option("--key", help="解密用的密钥文件（备份加密时）")]
AsData = Annotated[bool, typer.Option("--json", help="输出 JSON")]


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    to: To = "",
    recordings: Annotated[
        bool | None, typer.Option("--recordings/--no-recordings", help="连同录音；缺省按设置 backup_recordings")
    ] = None,
    as_data: AsData = False,
) -> None:
    """备份全部数据，通话照常进行；录音只复制新的。"""
    if context.invoked_subcommand is not None:
        return
    settings = load_settings()
    os.nice(NICENESS)
    repository = Repository(folder(settings, to), recipient=settings.backup_recipient)
    wanted = settings.backup_recordings if recordings is None else recordings
    say = (lambda _line: None) if as_data else typer.echo
    made = asyncio.run(
        back_up(instance_of(settings), repository, recordings=wanted, keep=settings.backup_keep, say=say)
    )
    manifest = made.manifest
    if as_data:
        told = {
            "backup": manifest.backup, "folder": str(repository.folder), "seconds": manifest.seconds,
            "files": len(manifest.entries), "bytes": manifest.size, "new_files": made.new_files,
            "new_bytes": made.new_bytes, "recordings": manifest.recordings, "dropped": list(made.dropped),
        }  # fmt: skip
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    typer.echo(
        f"备份 {manifest.backup} 已存到 {repository.folder}：{len(manifest.entries)} 个文件，"
        f"{_megabytes(manifest.size)}，其中新写入 {made.new_files} 个 {_megabytes(made.new_bytes)}，"
        f"用时 {manifest.seconds:.1f} 秒"
    )
    if not manifest.recordings:
        typer.echo("不含录音（backup_recordings 或 --no-recordings）")
    if not settings.backup_recipient:
        typer.echo("注意：备份没有加密，里面有密钥、号码和录音；请设 backup_recipient，或把备份放在加密的磁盘上")
    for one in made.dropped:
        typer.echo(f"旧备份 {one} 已删除（只保留 {settings.backup_keep} 份）")


@app.command("list")
def list_backups(source: From = "", key: Key = None, as_data: AsData = False) -> None:
    """列出备份，最近的在后。"""
    repository = _repository(source, key)
    found: list[dict[str, Any]] = []
    for backup in repository.backups():
        try:
            manifest = repository.manifest(backup)
        except BackupError as error:
            found.append({"backup": backup, "fault": str(error)})
            continue
        found.append(
            {"backup": backup, "files": len(manifest.entries), "bytes": manifest.size, "seconds": manifest.seconds,
             "version": manifest.version, "node": manifest.node, "recordings": manifest.recordings, "fault": ""}
        )  # fmt: skip
    if as_data:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for row in found:
        if row["fault"]:
            typer.echo(f"{row['backup']}  {row['fault']}")
        else:
            more = "含录音" if row["recordings"] else "不含录音"
            typer.echo(f"{row['backup']}  {row['files']} 个文件  {_megabytes(row['bytes'])}  {more}  {row['node']}")
    if not found:
        typer.echo(f"{repository.folder} 里还没有备份")


@app.command("verify")
def verify(source: From = "", at: At = "", key: Key = None) -> None:
    """逐个读出一次备份的全部内容，核对校验值；不写任何东西。"""
    repository = _repository(source, key)
    backup = at or repository.newest()
    manifest = repository.manifest(backup)
    for entry in manifest.entries:
        repository.verify(entry)
    typer.echo(f"备份 {backup} 完好：{len(manifest.entries)} 个文件，{_megabytes(manifest.size)}，逐个核对过")


@app.command("drill")
def run_drill(
    source: From = "",
    at: At = "",
    key: Key = None,
    scratch: Annotated[
        Path | None, typer.Option("--scratch", help="在哪个目录里演练；缺省为数据目录下的 backup，要放得下整个备份")
    ] = None,
    as_data: AsData = False,
) -> None:
    """演练恢复：把备份恢复到临时目录，逐项核对，说明每项用了多久；不影响正在运行的热线。"""
    settings = load_settings()
    os.nice(NICENESS)
    repository = _repository(source, key)
    backup = at or repository.newest()
    results: list[Result] = []

    def tell(result: Result) -> None:
        results.append(result)
        if not as_data:
            typer.echo(f"{'✓' if result.right else '✗'} {result.name}  {result.seconds:.1f} 秒  {result.told}")

    place = scratch or settings.data_dir / "backup"
    right = asyncio.run(drill(instance_of(settings), repository, backup, place, tell))
    seconds = sum(result.seconds for result in results)
    if as_data:
        rows = [{"check": r.name, "right": r.right, "told": r.told, "seconds": round(r.seconds, 2)} for r in results]
        typer.echo(json.dumps({"backup": backup, "right": right, "checks": rows}, ensure_ascii=False, indent=2))
    elif right:
        typer.echo(f"备份 {backup} 可以恢复，共用 {seconds:.1f} 秒")
    else:
        typer.echo(f"备份 {backup} 恢复后有问题，见上面的 ✗；请检查并重新备份", err=True)
    if not right:
        raise typer.Exit(NOT_RIGHT)


@app.command("key")
def make_key(file: Annotated[Path, typer.Argument(help="密钥存到哪个文件；请随后移到本机之外保管")]) -> None:
    """生成一对密钥：私钥存进文件（恢复时要用），打印公钥（写进设置 backup_recipient）。"""
    recipient = new_key(file)
    typer.echo(f"私钥已存到 {file}：请移到这台机器之外妥善保管，丢了它备份就打不开")
    typer.echo("在 hotline.toml 里写上：")
    typer.echo(f'backup_recipient = "{recipient}"')


def folder(settings: Settings, told: str) -> Path:
    """The folder of backups. Raises BackupError when nobody has named one."""
    named = told or settings.backup_dir
    if not named:
        raise BackupError(
            "没有写备份目录；请用 --to 或 --from 写明，或在 hotline.toml 里设 backup_dir（最好在另一台机器的磁盘上）"
        )
    place = Path(named).expanduser().absolute()
    if place.is_relative_to(settings.data_dir):
        raise BackupError(
            f"{place} 在数据目录 {settings.data_dir} 里面，会随它一起丢失；请换一个目录，最好在另一块磁盘上"
        )
    return place


def _repository(source: str, key: Path | None) -> Repository:
    repository = Repository(folder(load_settings(), source), identity=read_key(key) if key else "")
    repository.require_ours()
    return repository


def _megabytes(size: object) -> str:
    return f"{int(str(size)) / 1e6:.1f} MB"
