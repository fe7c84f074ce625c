"""What came of a test call (试打), turning point by turning point, in words.

One job: facts to verdicts, pure. Why nobody answered is asked of who knows the agents; it is told here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ledger.model import Fact, Kind
from ledger.records import fold, ordered, word


class Came(StrEnum):
    """How far a turning point has come."""

    DONE = "done"
    FAULT = "fault"
    """It should have come, and did not."""
    OPEN = "open"
    """Not yet."""


@dataclass(frozen=True, slots=True)
class Point:
    """One turning point."""

    name: str
    """Stable, for programs."""
    came: Came
    text: str
    """What happened, or what to do about it."""


def points(facts: Iterable[Fact], staff: str, texts: Mapping[str, str]) -> list[Point]:
    """The turning points of one test call in their order.

    ``staff`` says in Chinese who could have answered, ``texts`` what each prompt says.
    """
    line = ordered(facts)
    record = fold(line)
    if record is None:
        return []
    over = record.ended_at is not None
    missing = Came.FAULT if over else Came.OPEN
    found = {fact.kind: fact for fact in reversed(line)}
    entered, prompted, recording = (found.get(kind) for kind in (Kind.ENTERED, Kind.PROMPTED, Kind.RECORDING))
    told = [
        Point("arrived", Came.DONE, f"电话到了 Asterisk，引擎按路由表第 {record.version} 版应答：{_reason(entered)}")
        if entered is not None
        else Point("arrived", missing, "引擎没有应答，Asterisk 走了应急的路；请看 ./hotline status 和引擎日志"),
        Point("greeted", Came.DONE, f"播放了{'、'.join(f'“{texts.get(name, name)}”' for name in _names(prompted))}")
        if prompted is not None
        else Point("greeted", missing, "路由表没有给 12345 安排欢迎语；请在路由表的总体设置中检查"),
    ]
    if record.answered_at is not None:
        who = f"工号 {record.agent}" if record.agent else record.answered_by
        seconds = (record.waited_ms or 0) / 1000
        told.append(Point("answered", Came.DONE, f"{who} 接听，从来电起 {seconds:.1f} 秒"))
        told.append(
            Point("recorded", Came.DONE, "通话已录音")
            if recording is not None
            else Point("recorded", missing, "没有录音；请运行 ./hotline recordings check")
        )
    else:
        wait = "已排队，等人接听" if Kind.WAITING in found else "还没有人接听"
        told.append(Point("answered", missing, f"{'没有人接听' if over else wait}：{staff}"))
    told += _missed(line)
    told.append(
        Point("ended", Came.DONE, "通话结束") if over else Point("ended", Came.OPEN, "通话还在进行，挂断后看结果")
    )
    return told


def _missed(line: Sequence[Fact]) -> list[Point]:
    """Phones that rang in vain."""
    seats = dict.fromkeys(word(fact.data, "seat") for fact in line if fact.kind is Kind.NOT_ANSWERED)
    return [Point("missed", Came.FAULT, f"话机 {seat} 振铃没有接；请看它是否在线、有没有人") for seat in seats if seat]


def _reason(entered: Fact) -> str:
    return word(entered.data, "reason") or word(entered.data, "rule")


def _names(prompted: Fact) -> list[str]:
    names = prompted.data.get("prompts")
    return [str(name) for name in names] if isinstance(names, list | tuple) else [word(prompted.data, "prompts")]
