"""A counter that answers as it is told, and remembers what it was asked: ivr.ports.CallBackend for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from callbacks.model import RequestOutcome
from ivr.model import Question, Script
from ivr.ports import CallerPriority, Place, Queued, ResortTarget, SeatAction, SupervisorAction, SupervisorJoin
from ledger.model import Kind
from routing.model import Decision, Target, TargetKind, WaitingAction
from routing.numbers import citizen
from telephony.model import AgentId, CallId, GroupId, SeatId

CALL = CallId("hl1-1700000000.1")


def question(script: Script, **more: Any) -> Question:
    return Question(script, "PJSIP/pstn-00000001", CALL, **more)


def decision(**more: Any) -> Decision:
    told: dict[str, Any] = {
        "target": Target(TargetKind.GROUP, "general"),
        "rule": "hotline",
        "reason": "拨打 12345",
        "prompts": ("greeting-12345",),
        "group": GroupId("general"),
        "overflow": (),
        "version": 7,
        "trace": (),
    }
    return Decision(**(told | more))


@dataclass
class Counter:
    """A desk without a house behind it."""

    decision: Decision = field(default_factory=decision)
    where: Place = field(default_factory=lambda: Queued(1, first_time=True))
    human: bool = True
    stands: CallerPriority = field(default_factory=CallerPriority)
    cut: bool = False
    open: bool = True
    levels: dict[str, int] = field(default_factory=lambda: {"5": 5})
    keys: dict[str, WaitingAction] = field(default_factory=lambda: {"9": WaitingAction.URGENT})
    informs: dict[str, str] = field(default_factory=dict)
    promised: RequestOutcome = RequestOutcome.PROMISED
    disk: bool = True
    way: ResortTarget | None = None
    leaves: bool = True
    spoken: bool = True
    outcome: str = "seat-signed-in"
    refusal: str = ""
    line: str = ""
    joined: SupervisorJoin = field(default_factory=lambda: SupervisorJoin(prompt="supervise-refused"))
    wait_seconds: int = 10
    lacking: frozenset[str] = frozenset()
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    async def call_out(self, seat: SeatId, channel: CallId, number: str) -> Mapping[str, str] | str:
        self.asked.append(("call_out", number))
        return self.refusal or {"HL_CALL_OUT": "hl1-1700000000.7000000000"}

    def partner_open(self, key: str) -> bool:
        self.asked.append(("partner_open", key))
        return self.open

    def route(self, question: Question) -> Decision:
        self.asked.append(("route", question.number))
        return self.decision

    def standing(self, question: Question) -> CallerPriority:
        return self.stands

    def on_short_talk(self, question: Question) -> bool:
        return self.cut

    def whisper(self, decision: Decision) -> str:
        return self.line

    def place(self, question: Question) -> Place:
        self.asked.append(("place", question.group))
        return self.where

    def waiting_key(self, question: Question) -> WaitingAction | None:
        return self.keys.get(question.key)

    def information(self, question: Question) -> str:
        return self.informs.get(question.key, "")

    def way_out(self, question: Question) -> ResortTarget | None:
        return self.way

    def promise(self, question: Question, number: str) -> RequestOutcome:
        self.asked.append(("promise", number))
        return self.promised

    def leave_line(self, question: Question) -> bool:
        self.asked.append(("leave-line",))
        return self.leaves

    def message(self, question: Question) -> bool:
        self.asked.append(("message", question.action))
        return self.spoken

    async def durable(self, question: Question) -> bool:
        return self.disk

    def on_no_answer(self, question: Question, seat: SeatId, dial_status: str) -> None:
        self.asked.append(("missed", seat, dial_status))

    def on_talk_ended(self, question: Question) -> bool:
        self.asked.append(("talked",))
        return self.human

    def rating_level(self, question: Question) -> int:
        return self.levels.get(question.key, 0)

    async def sign_in_refusal(self, seat: SeatId, agent: AgentId, pin: str) -> str:
        self.asked.append(("refused", seat, agent, pin))
        return self.refusal

    def seat_key(self, seat: SeatId, action: SeatAction, key: str) -> str:
        self.asked.append(("seat-key", seat, action, key))
        return self.outcome

    def supervise(self, seat: SeatId, action: SupervisorAction, agent: AgentId) -> SupervisorJoin:
        self.asked.append(("supervise", seat, action, agent))
        return self.joined

    def citizen(self, number: str) -> str:
        return citizen(number, "0663")

    def can_play(self, prompt: str) -> bool:
        return prompt not in self.lacking

    def unheard(self, question: Question, prompts: Sequence[str]) -> None:
        self.asked.append(("unheard", *prompts))

    def on_answer_lost(self, question: Question) -> None:
        self.asked.append(("undelivered", question.call))

    def note(self, kind: Kind, question: Question, **data: Any) -> None:
        self.asked.append((kind, data))

    def noted(self, kind: Kind) -> list[dict[str, Any]]:
        return [told[1] for told in self.asked if told[0] is kind]
