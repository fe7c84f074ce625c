"""``hotline doctor``: a diagnosis that a newcomer can act on."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from config.settings import SettingsError, load_settings
from setup.doctor import Finding, Level, examine

COLOURS = {Level.GOOD: typer.colors.GREEN, Level.NOTE: typer.colors.YELLOW, Level.FAULT: typer.colors.RED}


def command(as_data: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False) -> None:
    """诊断：逐项检查本机与本系统，每一行都说明该怎么办；没有故障时退出码为 0。"""
    findings: list[Finding] = []

    def tell(finding: Finding) -> None:
        findings.append(finding)
        if not as_data:
            level = typer.style(finding.level, fg=COLOURS[finding.level])
            typer.echo(f"{level}  {finding.subject}：{finding.message}")

    try:
        settings = load_settings()
    except SettingsError as error:
        for fault in error.faults:
            tell(Finding("设置", Level.FAULT, str(fault)))
    else:
        for finding in examine(settings):
            tell(finding)
    if as_data:
        typer.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=2))
    raise typer.Exit(int(any(finding.level is Level.FAULT for finding in findings)))
