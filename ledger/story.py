"""The story of a call: its facts as lines that people read.

One job: facts to text, pure. The caller's number is masked unless the reader may see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Final

from ledger import labels_zh
from ledger.model import Fact, Kind
from ledger.naming import Called, by_name
from ledger.records import ENGINE, CallRecord, ordered, whole, without_ours, word
from ledger.timeline import Timeline, draw

Data = Mapping[str, Any]

ONCE: Final = frozenset({Kind.ENTERED, Kind.ENDED})
"""A call begins and ends once, whoever told us."""


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One line: when, and what happened."""

    seconds: float
    """Since the call came in."""
    at: datetime
    kind: Kind
    text: str

    def __str__(self) -> str:
        return f"{offset(self.seconds)} {self.text}"


def tell(facts: Iterable[Fact], *, reveal: bool = False, called: Called | None = None) -> list[StoryLine]:
    """The story of one call, in its order. ``reveal`` shows the caller's number in full; ``called`` gives names."""
    line = _unplayed(_once(without_ours(ordered(facts))))
    line = line if called is None else by_name(line, called)
    if not line:
        return []
    start = next((fact.at for fact in line if fact.kind is Kind.ENTERED), line[0].at)
    return [
        StoryLine(max(0.0, (fact.at - start).total_seconds()), fact.at, fact.kind, _text(fact, reveal)) for fact in line
    ]


def offset(seconds: float) -> str:
    """``03:05.2``: minutes, seconds and a tenth."""
    tenths = int(seconds * 10)
    return f"{tenths // 600:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def mask(number: str) -> str:
    """A caller's number for those who need not know it: 138****1234."""
    if not number:
        return labels_zh.WITHHELD
    if len(number) < 7:
        return "*" * len(number)
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 11 else f"{number[:2]}****{number[-2:]}"


def as_json(
    record: CallRecord, facts: Iterable[Fact], *, reveal: bool = False, called: Called | None = None
) -> dict[str, Any]:
    """One call for programs: outline, story and facts; names in the story alone. Times are ISO 8601, UTC."""
    kept = ordered(facts)
    return {
        **outline(record, reveal=reveal),
        "story": [
            {"seconds": round(line.seconds, 3), "at": line.at.isoformat(), "kind": line.kind.value, "text": line.text}
            for line in tell(kept, reveal=reveal, called=called)
        ],
        "timeline": _drawn(draw(kept if called is None else by_name(kept, called))),
        "facts": [
            {
                "id": fact.id,
                "kind": fact.kind.value,
                "at": fact.at.isoformat(),
                "source": fact.source,
                "data": _veiled(fact.data, reveal),
            }
            for fact in kept
        ],
    }


def _drawn(timeline: Timeline) -> dict[str, Any]:
    bars = [asdict(bar) | {"text": labels_zh.PHASES_OF_CALL[bar.phase]} for bar in timeline.bars]
    return {
        "seconds": timeline.seconds,
        "recorded_at": timeline.recorded_at,
        "bars": bars,
        "marks": [asdict(mark) for mark in timeline.marks],
    }


def outline(record: CallRecord, *, reveal: bool = False) -> dict[str, Any]:
    """One call's row for programs."""
    row = {name: getattr(record, name) for name in CallRecord.__dataclass_fields__}
    for name, value in row.items():
        if isinstance(value, datetime):
            row[name] = value.isoformat()
    row["caller"] = record.caller if reveal else mask(record.caller) if record.caller else ""
    row["transfers"] = [{"target": one.target, "state": one.state} for one in record.transfers]
    return row


def _once(line: list[Fact]) -> list[Fact]:
    """Leave out what was filled in although the engine had seen it, and what was told a second time."""
    kept: dict[Kind, Fact] = {}
    for fact in line:
        if fact.kind in ONCE and (fact.kind not in kept or (fact.source == ENGINE != kept[fact.kind].source)):
            kept[fact.kind] = fact
    return [fact for fact in line if fact.kind not in ONCE or fact is kept[fact.kind]]


def _unplayed(line: list[Fact]) -> list[Fact]:
    """What was put before the caller and could not be played was not heard."""
    silent = {name for fact in line if fact.kind is Kind.UNPLAYED for name in _prompts(fact.data)}
    told = []
    for fact in line:
        if silent and fact.kind is Kind.PROMPTED:
            heard = [name for name in _prompts(fact.data) if name not in silent]
            if not heard:
                continue
            fact = replace(fact, data={**fact.data, "prompts": heard})  # noqa: PLW2901  the fact as it turned out
        told.append(fact)
    return told


def _prompts(data: Data) -> list[str]:
    prompts = data.get("prompts")
    return [str(name) for name in prompts] if isinstance(prompts, list | tuple) else [word(data, "prompts")]


def _veiled(data: Data, reveal: bool) -> dict[str, Any]:
    veiled = dict(data)
    if not reveal and veiled.get("caller"):
        veiled["caller"] = mask(str(veiled["caller"]))
    for name in ("ringing", "steps", "acknowledged_who"):  # telephones of people on duty
        if not reveal and veiled.get(name):
            veiled[name] = "…"
    veiled |= {name: "…" for name in ("address", "place", "summary", "remark") if not reveal and veiled.get(name)}
    return veiled


def _text(fact: Fact, reveal: bool) -> str:
    text = _entered(fact.data, reveal) if fact.kind is Kind.ENTERED else _TELLERS[fact.kind](fact.data)
    return text if fact.source == ENGINE else f"{text}{labels_zh.FILLED_IN}"


def _entered(data: Data, reveal: bool) -> str:
    caller = word(data, "caller")
    shown = caller if reveal and caller else mask(caller)
    mode = labels_zh.MODES.get(word(data, "mode"), "")
    phase = labels_zh.PHASES.get(word(data, "rule").rpartition(".")[2], "")
    notes = "，".join(note for note in (mode, phase if mode else "") if note)
    return f"来电 {shown} 拨打 {word(data, 'number') or '（号码不明）'}" + (f"（{notes}）" if notes else "")


def _prompted(data: Data) -> str:
    names = _prompts(data)
    if any(name.endswith(("提示音", "欢迎语")) for name in names):
        return f"播放{'、'.join(names)}"
    kind = "过渡期提示音" if any(name.startswith("legacy-") for name in names) else "提示音"
    return f"播放{kind} {'、'.join(names)}".rstrip()


def _not_played(data: Data) -> str:
    why = labels_zh.UNPLAYED.get(word(data, "why"), word(data, "why"))
    return f"提示音没有播出：{'、'.join(_prompts(data))}" + (f"（{why}）" if why else "")


def _waiting(data: Data) -> str:
    position = whole(data, "position")
    text = f"排队等候技能组 {word(data, 'group')}"
    text += f"，第 {position} 位" if position else ""
    return text + ("，优先" if whole(data, "priority") else "")


def _seat(data: Data) -> str:
    agent, seat = word(data, "agent"), word(data, "seat")
    if agent:
        name = word(data, "agent_name") or f"座席{agent}"
        return f"{name}（工号{agent}，话机{seat}）" if seat else f"{name}（工号{agent}）"
    return f"话机{seat}" if seat else "座席"


def _not_answered(data: Data) -> str:
    why = word(data, "why")
    reason = labels_zh.WHY.get(why.lower(), why)
    return f"{_seat(data)}未接听" + (f"：{reason}" if reason else "")


def _answered(data: Data) -> str:
    waited = whole(data, "waited_ms")
    after = f"，等候 {waited / 1000:.1f} 秒" if waited is not None else ""
    match word(data, "by"):
        case "subcentre":
            return f"分中心接听{after}"
        case "duty-phone":
            return f"值班电话接听{after}"
        case "emergency":
            return f"应急中心接听{after}"
        case "fallback":
            return f"{_seat(data)}接听（应急排队）{after}"
        case _:
            return f"{_seat(data)}接听{after}"


def _transfer(data: Data) -> str:
    state = word(data, "state")
    notes = "，".join(
        f"{name} {value}"
        for name, value in (
            ("线路", word(data, "trunk")),
            ("原因", labels_zh.TRANSFER_WHY.get(word(data, "cause"), word(data, "cause"))),
        )
        if value
    )
    form = labels_zh.FORMS.get(word(data, "form"), "一键转接")
    return f"{form} {word(data, 'target')}：{labels_zh.TRANSFER_STATES.get(state, state)}" + (
        f"（{notes}）" if notes else ""
    )


def _from_centre(data: Data) -> str:
    reference = word(data, "reference")
    number = word(data, "number")
    how = f"转回（转至 {number}）" if number else "转来"
    return f"{word(data, 'centre')} {how}" + (f"，对方编号 {reference}" if reference else "")


def _alarm(data: Data) -> str:
    return f"{'告警' if data.get('raised') else '告警解除'}：{word(data, 'text')}"


def _party(data: Data) -> str:
    party, action = word(data, "party"), word(data, "action")
    return f"{labels_zh.PARTIES.get(party, party)}{labels_zh.ACTIONS.get(action, action)}"


def _talk_ended(data: Data) -> str:
    talk = whole(data, "talk_ms")
    return f"{_seat(data)}通话结束" + (f"，通话 {talk / 1000:.1f} 秒" if talk is not None else "")


def _rated(data: Data) -> str:
    level = whole(data, "level") or 0
    key = word(data, "key")
    if level in labels_zh.LEVELS:
        return f"评价：{labels_zh.LEVELS[level]}（按键 {key}）"
    return f"评价：按键 {key} 无效" if key else "评价：未按键"


def _message(data: Data) -> str:
    if word(data, "state") == "closed":
        note = word(data, "note")
        return f"留言已处理（{word(data, 'closed_by')}）" + (f"：{note}" if note else "")
    holder = word(data, "holder")
    return f"留言 {word(data, 'seconds')} 秒" + (f"，由工号 {holder} 处理" if holder else "")


def _callback(data: Data) -> str:
    state, why = word(data, "state"), word(data, "why")
    attempts = whole(data, "attempts") or 0
    text = labels_zh.CALLBACK_STATES.get(state, state)
    if state == "ringing":
        text = f"{text}：{_seat(data)}振铃"
    elif state == "waiting" and attempts and not why.startswith("agent-"):
        text = f"回拨未接通，稍后再拨（已拨 {attempts} 次）"
    elif state == "dialling":
        text = f"{text}，第 {attempts} 次"
    return text + (f"：{labels_zh.CALLBACK_WHY.get(why, why)}" if why else "")


def _outbound(data: Data) -> str:
    """An agent's call; the citizen's number is on the call's own line."""
    state, why = word(data, "state"), word(data, "why")
    text = f"外呼，{labels_zh.OUTBOUND_STATES.get(state, state)}"
    if state in ("refused", "ringing", "dialling"):
        text += f"：{_seat(data)}"
        text += f"，事由 {word(data, 'reason')}" if word(data, "reason") else ""
        text += f"，关于 {word(data, 'about')}" if word(data, "about") else ""
    return text + (f"（{labels_zh.OUTBOUND_WHY.get(why, why)}）" if why else "")


def _order(data: Data) -> str:
    """Place and summary are not told here: they are on the order itself."""
    number, kind, what = word(data, "number"), word(data, "type_name"), word(data, "what")
    names = {step["department"]: step["name"] for step in data.get("steps", ()) if isinstance(step, Mapping)}
    steps = list(names.values())
    level = whole(data, "step") or 0
    here = steps[level] if level < len(steps) else ""
    ringing = data.get("ringing")
    reason = word(data, "reason")
    detail = {
        "raised": f"（{kind}）派给{here}",
        "escalated": f"逾时未签收，再派给{here}",
        "dialling": f"呼叫{names.get(ringing['department'], '')}值班电话" if isinstance(ringing, Mapping) else "",
        "acknowledged": f"{names.get(word(data, 'acknowledged_by'), '')}已签收",
    }.get(what, labels_zh.ORDER_STEPS.get(what, what))
    return f"应急工单 {number}：{detail}" + (f"：{labels_zh.ORDER_WHY.get(reason, reason)}" if reason else "")


def _fallback(data: Data) -> str:
    why = word(data, "why")
    reason = labels_zh.WHY.get(why, why)
    return "转入应急排队" + (f"（{reason}）" if reason else "")


def _held(data: Data) -> str:
    music = word(data, "music")
    return f"{_seat(data)}保持通话，市民听等待音乐" + (f"（{music}）" if music else "")


def _wrap_up(data: Data) -> str:
    text = f"处理结果：{word(data, 'name') or word(data, 'code')}"
    text += f"，{word(data, 'by')}填写" if word(data, "by") else ""
    return text + ("（备注不在此显示）" if data.get("remark") else "")


def _deed(data: Data) -> str:
    what, by, reason = word(data, "what"), word(data, "by"), word(data, "reason")
    who = word(data, "agent")
    text = labels_zh.DEEDS.get(what, what) + (f" 工号 {who}" if who else "")
    text += "".join(f" {data[key]}" for key in ("group", "to", "seat") if word(data, key))
    return f"{by or '（不明）'}：{text}" + (f"（{reason}）" if reason else "")


def _ended(data: Data) -> str:
    cause, talk = word(data, "cause"), whole(data, "talk_ms")
    by = word(data, "by")
    text = labels_zh.ENDED_BY.get(by, f"{by}挂机")
    text += f"，通话 {talk / 1000:.1f} 秒" if talk else ""
    return text + (f"（原因 {cause} {labels_zh.CAUSES.get(cause, '')}".rstrip() + "）" if cause else "")


_TELLERS: Final[Mapping[Kind, Callable[[Data], str]]] = {
    Kind.PROMPTED: _prompted,
    Kind.UNPLAYED: _not_played,
    Kind.OURS: lambda data: "系统呼出，不是来电",
    Kind.WAITING: _waiting,
    Kind.LAST_RESORT: lambda data: f"无人可接，改走{labels_zh.WAYS_OUT.get(word(data, 'to'), word(data, 'to'))}",
    Kind.OFFERED: lambda data: f"{_seat(data)}振铃",
    Kind.NOT_ANSWERED: _not_answered,
    Kind.ANSWERED: _answered,
    Kind.RECORDING: lambda data: "开始录音",
    Kind.TRANSFER: _transfer,
    Kind.DRILL: lambda data: f"演练 {word(data, 'target')}：{labels_zh.DRILL_STATES.get(word(data, 'state'), '')}",
    Kind.FROM_CENTRE: _from_centre,
    Kind.NOTED: lambda data: "记下案情（内容不在此显示）",
    Kind.HELD: _held,
    Kind.RESUMED: lambda data: f"{_seat(data)}恢复通话",
    Kind.WRAP_UP: _wrap_up,
    Kind.ALARM: _alarm,
    Kind.PARTY: _party,
    Kind.TALK_ENDED: _talk_ended,
    Kind.RATING_ASKED: lambda data: "请来电人评价（好差评）",
    Kind.RATED: _rated,
    Kind.CALLBACK: _callback,
    Kind.OUTBOUND: _outbound,
    Kind.MESSAGE: _message,
    Kind.ORDER: _order,
    Kind.FALLBACK: _fallback,
    Kind.OPERATOR_ACTION: _deed,
    Kind.AGENT_STATE: lambda data: word(data, "text"),
    Kind.ENDED: _ended,
    Kind.AGENT_TIME: lambda data: f"工号 {word(data, 'agent') or '未知'} 的半小时工时",
}
