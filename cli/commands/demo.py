"""``hotline demo``: a call to try the instance with, told and measured."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import asdict
from typing import Annotated, Any

import typer

from cli.demo.call import DemoRefused, Outcome, demo_call
from config.settings import Settings, load_settings
from console.client import EngineUnreachable, Refused
from ledger.story import as_json, tell

app = typer.Typer(help="演示：用 SIPp 拨打一个真实的电话，讲述经过并测量声音。", no_args_is_help=True)

NOT_AS_IT_SHOULD_BE = 1
UNUSABLE = 2
UNREACHABLE = 3


@app.callback()
def _demo() -> None:
    """演示：用 SIPp 拨打一个真实的电话，讲述经过并测量声音。"""


@app.command("call")
def call_command(
    number: Annotated[str, typer.Argument(help="市民拨打的号码，例如 12345、12333、12366、110")],
    agent: Annotated[str, typer.Option("--agent", help="由哪个工号接听；默认由应接的技能组中未签入的一位")] = "",
    caller: Annotated[str, typer.Option("--from", help="主叫号码")] = "13800001234",
    as_data: Annotated[bool, typer.Option("--json", help="输出 JSON（进度写到标准错误）")] = False,
) -> None:
    """以市民身份拨打正在运行的热线（先运行 ./hotline up --demo），一切正常时退出码为 0。"""

    def say(line: str) -> None:
        typer.echo(line, err=as_data)

    settings = load_settings()
    try:
        outcome = asyncio.run(_interruptible(settings, number, caller=caller, agent=agent, say=say))
    except EngineUnreachable:
        typer.echo(
            f"热线没有在运行（127.0.0.1:{settings.control_port} 无应答）；"
            "请先在另一个终端运行 ./hotline up --demo，看到“就绪”后重试",
            err=True,
        )
        raise typer.Exit(UNREACHABLE) from None
    except (DemoRefused, Refused) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNUSABLE) from None
    if as_data:
        typer.echo(json.dumps(data(outcome), ensure_ascii=False, indent=2))
    else:
        for line in report(outcome, settings):
            typer.echo(line)
    raise typer.Exit(0 if outcome.ok else NOT_AS_IT_SHOULD_BE)


def report(outcome: Outcome, settings: Settings) -> list[str]:
    """The call for people: its story, what was measured, and the verdict."""
    lines = [""]
    if outcome.record is not None:
        began = outcome.record.entered_at.astimezone(settings.zone)
        lines += [f"经过（呼叫 {outcome.record.call}，{began:%Y-%m-%d %H:%M:%S}，时间从来电算起）"]
        lines += [f"  {line}" for line in tell(outcome.facts)]
    lines += ["", "测量"]
    lines += [f"  {'✓' if check.ok else '✗'} {check.text}" for check in outcome.checks]
    failed = [check for check in outcome.checks if not check.ok]
    if outcome.ok:
        return [*lines, "", "结果：一切正常"]
    lines += ["", f"结果：有 {len(failed)} 项不正常" + (f"；{outcome.trouble}" if outcome.trouble else "")]
    looks = dict.fromkeys(check.look for check in failed if check.look)
    return lines + [f"  请查看：{look.replace('DATA_DIR', str(settings.data_dir))}" for look in looks]


def data(outcome: Outcome) -> dict[str, Any]:
    """The same for programs."""
    decision = outcome.decision
    return {
        "ok": outcome.ok,
        "number": outcome.number,
        "trouble": outcome.trouble,
        "decision": {"rule": decision.rule, "reason": decision.reason, "group": decision.group,
                     "target": decision.target.id, "prompts": list(decision.prompts)},
        "checks": [asdict(check) for check in outcome.checks],
        "call": as_json(outcome.record, outcome.facts) if outcome.record is not None else None,
    }  # fmt: skip


async def _interruptible(settings: Settings, number: str, **how: Any) -> Outcome:
    """A terminated demo takes its people away, as an interrupted one does."""
    task = asyncio.current_task()
    assert task is not None, "run by asyncio.run"
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await demo_call(settings, number, **how)
