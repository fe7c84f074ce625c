"""Who is signed in where, as Asterisk's queue members: the durable memory of sign-ins.

One job: translate between sign-ins and app_queue membership, both ways, without talking to anybody. A signed-in agent
is a member of one queue per group plus ``duty``, paused in all of them or in none. Asterisk keeps the members over its
own restarts (``persistentmembers=yes``), and the same queues are the fallback net when the engine is away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from queues.model import SignIn
from telephony.model import AGENT_ID, GROUP_ID, SEAT_ID, AgentId, GroupId, SeatId

DUTY: Final = "duty"
"""The queue of everybody on duty (值班): the last line before the carrier's failover."""

PREFIX: Final = "group-"
"""Of a group's queue: its name may be ``general``, which queues.conf keeps for itself."""

Action = dict[str, str]
"""An AMI action, ``Action`` first."""

_INTERFACE: Final = re.compile(rf"PJSIP/({SEAT_ID.pattern})")


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """One interface in one queue."""

    queue: str
    interface: str
    name: str
    """The agent id."""
    paused: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """Sign-ins read from membership, and what did not fit."""

    sign_ins: tuple[SignIn, ...]
    """By seat, at most one per seat and per agent."""
    faults: tuple[str, ...]
    """In Chinese: members that are not ours, or contradict each other."""


def queue_of(group: GroupId) -> str:
    """Name of the app_queue behind a group."""
    return f"{PREFIX}{group}"


def members(sign_in: SignIn) -> tuple[Member, ...]:
    """The memberships that this sign-in should have."""
    queues = (DUTY, *(queue_of(group) for group in sorted(set(sign_in.groups))))
    paused, reason = sign_in.pause is not None, sign_in.pause or ""
    return tuple(Member(queue, f"PJSIP/{sign_in.seat}", sign_in.agent, paused, reason) for queue in queues)


def actions(old: SignIn | None, new: SignIn | None) -> tuple[Action, ...]:
    """What to tell Asterisk when one seat's sign-in changes (RosterChanged)."""
    return reconcile(() if old is None else members(old), () if new is None else (new,))


def reconcile(have: Iterable[Member], want: Iterable[SignIn]) -> tuple[Action, ...]:
    """What to tell Asterisk so that exactly these sign-ins are its members; nothing for what is right already.

    Adding comes before removing, so that a seat which changes its groups is never without a queue.
    """
    had = {(m.queue, m.interface): m for m in have}
    wanted = {(m.queue, m.interface): m for sign_in in want for m in members(sign_in)}
    adds: list[Action] = []
    pauses: list[Action] = []
    for key in sorted(wanted):
        old, new = had.get(key), wanted[key]
        if old is not None and old.name != new.name:
            adds += [_remove(old), _add(new)]
        elif old is None:
            adds.append(_add(new))
        elif (old.paused, old.reason if old.paused else "") != (new.paused, new.reason):
            pauses.append(_pause(new))
    removes = [_remove(had[key]) for key in sorted(had) if key not in wanted]
    return (*adds, *pauses, *removes)


def member(event: Mapping[str, str]) -> Member | None:
    """Read a QueueMember event (of QueueStatus) or QueueMemberAdded, …Pause; None without queue or interface."""
    interface = event.get("Location") or event.get("Interface") or ""
    queue = event.get("Queue", "")
    if not queue or not interface:
        return None
    name = event.get("MemberName") or event.get("Name") or ""
    paused = event.get("Paused", "0") not in ("", "0", "no", "false")
    return Member(queue, interface, name, paused, event.get("PausedReason", "") if paused else "")


def roster(found: Iterable[Member]) -> Roster:
    """Who is signed in, from all members of all queues, in any order.

    ``duty`` decides who sits where. A contradiction keeps the first by seat and is reported, never guessed away.
    """
    faults: list[str] = []
    ours: dict[SeatId, list[Member]] = {}
    for m in sorted(set(found)):
        match = _INTERFACE.fullmatch(m.interface)
        if match is None or AGENT_ID.fullmatch(m.name) is None or not _is_ours(m.queue):
            faults.append(f"队列{m.queue}的成员{m.interface}（{m.name}）不是座席签入，已忽略")
        else:
            ours.setdefault(SeatId(match[1]), []).append(m)
    sign_ins: dict[AgentId, SignIn] = {}
    for seat, here in sorted(ours.items()):
        lead = next((m for m in here if m.queue == DUTY), here[0])
        agent = AgentId(lead.name)
        others = sorted({m.name for m in here} - {agent})
        faults += [f"座席{seat}同时有工号{agent}和{name}，以{agent}为准" for name in others]
        if agent in sign_ins:
            faults.append(f"工号{agent}同时在座席{sign_ins[agent].seat}和{seat}，以{sign_ins[agent].seat}为准")
            continue
        groups = tuple(GroupId(m.queue.removeprefix(PREFIX)) for m in here if m.name == agent and m.queue != DUTY)
        sign_ins[agent] = SignIn(agent, seat, groups, lead.reason if lead.paused else None)
    return Roster(tuple(sorted(sign_ins.values(), key=lambda s: s.seat)), tuple(faults))


def _is_ours(queue: str) -> bool:
    return queue == DUTY or (queue.startswith(PREFIX) and GROUP_ID.fullmatch(queue.removeprefix(PREFIX)) is not None)


def _add(m: Member) -> Action:
    action = {
        "Action": "QueueAdd",
        "Queue": m.queue,
        "Interface": m.interface,
        "MemberName": m.name,
        "StateInterface": m.interface,
        "Penalty": "0",
        "Paused": "1" if m.paused else "0",
    }
    if m.reason:
        action["Reason"] = m.reason
    return action


def _pause(m: Member) -> Action:
    action = {"Action": "QueuePause", "Queue": m.queue, "Interface": m.interface, "Paused": "1" if m.paused else "0"}
    if m.reason:
        action["Reason"] = m.reason
    return action


def _remove(m: Member) -> Action:
    return {"Action": "QueueRemove", "Queue": m.queue, "Interface": m.interface}
