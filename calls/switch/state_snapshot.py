"""What the switch says, as the ACD's picture.

One job: from Asterisk's own lists (channels, queue members, device states) to the ACD's picture. Reading is pure
(:func:`picture`); asking is :func:`look`; when, and what follows from it, is calls.switch.recovery's. Waiting callers
keep their age, who talks is left in peace, callers whom the fallback holds in app_queue wait in the ACD's line again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from calls.policy_from_table import _ABLE_OF_NOTHING, skills_of
from calls.switch.channel_names import CHANNEL
from queues.events import SeatSeen, TicketJoined, TicketSeen
from queues.model import TicketPhase
from queues.roster import DUTY, Member, Roster, member, roster
from routing.model import Snapshot
from routing.overflow import overflow_steps
from telephony.ami_link import AmiLink
from telephony.events import Event
from telephony.model import (
    AGENT_ID,
    CALL_ID,
    DIALLED,
    GROUP_ID,
    SEAT_ID,
    AgentId,
    CallId,
    GroupId,
    Party,
    Priority,
    SeatId,
    Stage,
    Var,
)
from transfers.service import Transfer
from transfers.states import Form, Progress
from transfers.states import TransferState as S

STATUS_VARIABLES: Final = (
    *(Var.CALL, Var.PARTY, Var.STAGE, Var.SINCE, Var.GROUP, Var.OVERFLOW, Var.PRIORITY, Var.SEAT, Var.TRANSFER),
    *(Var.PREFERRED, Var.LANGUAGE, Var.CALLER, Var.NUMBER, Var.ORIGIN),
)
OFFLINE_STATES: Final = frozenset({"UNAVAILABLE", "INVALID"})
IDLE_STATES: Final = frozenset({"NOT_INUSE", "UNKNOWN"})


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller's channel as the switch shows it."""

    call: CallId
    channel: str
    stage: Stage
    bridged: bool
    in_app_queue: bool
    since_ms: int
    group: str
    overflow: str
    priority: int
    seat: SeatId | None
    """The seat that rings for it or talks with it."""
    preferred: AgentId | None = None
    language: str = ""
    number: str = ""
    """Who calls."""
    dialled: str = ""
    origin: str = ""
    """The number of the centre or partner whose trunk it came in by."""


@dataclass(frozen=True, slots=True)
class SwitchState:
    """All that matters of one switch at one moment."""

    callers: tuple[Caller, ...]
    members: tuple[Member, ...]
    roster: Roster
    device_states: dict[str, str]
    """Endpoint (a seat, a trunk) to Asterisk's device state."""
    transfers: Mapping[CallId, Transfer] = field(default_factory=dict)
    """Centres that are being called or talk, by call."""


async def read_switch(switch: AmiLink) -> SwitchState:
    """Ask the switch. Raises AmiError when it does not tell all of it."""
    channels = await switch.collect("Status", {"Variables": ",".join(STATUS_VARIABLES)}, until="StatusComplete")
    members = await switch.collect("QueueStatus", until="QueueStatusComplete")
    devices = await switch.collect("DeviceStateList", until="DeviceStateListComplete")
    return parse_switch_state(channels, members, devices)


def parse_switch_state(channels: Sequence[Event], members: Iterable[Event], devices: Iterable[Event]) -> SwitchState:
    """What the three lists say, together."""
    seat_of = _seats_by_call(channels)
    found = (member(event.headers) for event in members if event.name == "QueueMember")
    ours = tuple(one for one in found if one is not None)
    states = {
        (event.get("Device") or "").removeprefix("PJSIP/"): event.get("State") or ""
        for event in devices
        if (event.get("Device") or "").startswith("PJSIP/")
    }
    callers = (_caller(event, seat_of) for event in channels)
    shown = tuple(caller for caller in callers if caller is not None)
    return SwitchState(shown, ours, roster(ours), states, transfers_of(channels))


_FORMS: Final = {"3": Form.THREE_PARTY, "2": Form.BLIND, "1": Form.ATTENDED}
"""What stands before a target's three digits, as the dialplan's extensions have it."""


def transfers_of(channels: Sequence[Event]) -> dict[CallId, Transfer]:
    """Every centre's leg tells whose call it is; its own channel, once up, that the centre is there."""
    agents = {call for event in channels if (call := _party_of(event, Party.AGENT))}
    there = {call for event in channels if (call := _party_of(event, Party.CALLER)) and event.get("BridgeID")}
    found: dict[CallId, Transfer] = {}
    for event in channels:
        call = _party_of(event, Party.CENTRE)
        target = event.variables.get(Var.TRANSFER, "")
        if call is None or not target:
            continue
        form = _FORMS.get(target[:-3], Form.ONE_KEY)
        aside = form is Form.ATTENDED and call not in there
        rings = S.WAITING if call not in agents else S.CONSULT_DIALLING if aside else S.DIALLING
        held = found.setdefault(call, Transfer(target[-3:], rings, form))
        match = CHANNEL.match(event.get("Channel") or "")
        if match is not None:
            held.trunk = match[1]
            if event.get("ChannelStateDesc") == "Ringing":
                held.progress = Progress.RINGING
            if event.get("ChannelStateDesc") == "Up":
                held.state = S.AGENT_LEFT if call not in agents else S.CONSULTING if aside else S.ANSWERED
    return found


def _party_of(event: Event, party: Party) -> CallId | None:
    told = event.variables
    call = told.get(Var.CALL, "")
    return CallId(call) if told.get(Var.PARTY) == party and CALL_ID.fullmatch(call) else None


def tickets(seen: SwitchState, default_group: GroupId) -> list[TicketSeen]:
    """The calls that concern the ACD."""
    return [ticket for caller in seen.callers if (ticket := _ticket(caller, default_group)) is not None]


def seats(seen: SwitchState, table: Snapshot) -> list[SeatSeen]:
    """Every seat of the table, with who is signed in there and how its phone is. An agent's groups are the table's:
    the switch only knows those of the sign-in, and none of one made while no engine was there."""
    sign_ins = {sign_in.seat: sign_in for sign_in in seen.roster.sign_ins if sign_in.agent in table.agents}
    return [
        SeatSeen(
            SeatId(seat),
            None if sign_in is None else replace(sign_in, groups=able.groups),
            reachable=seen.device_states.get(seat, "UNAVAILABLE") not in OFFLINE_STATES,
            in_use=seen.device_states.get(seat, "UNKNOWN") not in OFFLINE_STATES | IDLE_STATES,
            levels=able.levels,
            languages=able.languages,
        )
        for seat in (*table.seats, *table.page_phones)
        for sign_in in (sign_ins.get(SeatId(seat)),)
        for able in (_ABLE_OF_NOTHING if sign_in is None else skills_of(table, sign_in.agent),)
    ]


def to_adopt(seen: SwitchState) -> list[Caller]:
    """Callers who wait in the fallback's app_queue: the ACD takes them back into its line."""
    return [caller for caller in seen.callers if caller.in_app_queue and not caller.bridged]


def _ticket(caller: Caller, default_group: GroupId) -> TicketSeen | None:
    group = GroupId(caller.group) if caller.group and caller.group != DUTY else default_group
    joined = TicketJoined(
        caller.call,
        group,
        caller.since_ms,
        caller.priority,
        overflow_steps(caller.overflow),
        caller.channel,
        caller.preferred,
        caller.language,
    )
    if caller.stage is Stage.WAIT or (caller.in_app_queue and not caller.bridged):
        return TicketSeen(joined)
    if caller.seat is not None and (caller.bridged or caller.stage is Stage.CONFERENCE):
        return TicketSeen(joined, TicketPhase.TALKING, caller.seat)
    if caller.seat is not None and caller.stage is Stage.RING and not caller.bridged:
        # An agent who was rung first waits for this citizen, who must not be redirected before the answer.
        return TicketSeen(replace(joined, channel=""), TicketPhase.OFFERED, caller.seat)
    if caller.seat is not None and caller.stage is Stage.CONNECT:
        return TicketSeen(joined, TicketPhase.OFFERED, caller.seat)
    return None


def _caller(event: Event, seat_of: dict[str, SeatId]) -> Caller | None:
    told = event.variables
    call = told.get(Var.CALL, "")
    if told.get(Var.PARTY) != Party.CALLER or call != event.get("Uniqueid") or not CALL_ID.fullmatch(call):
        return None
    stage = told.get(Var.STAGE, "")
    group = told.get(Var.GROUP, "")
    return Caller(
        call=CallId(call),
        channel=event["Channel"],
        stage=Stage(stage) if stage in set(Stage) else Stage.RING,
        bridged=bool(event.get("BridgeID")),
        in_app_queue=event.get("Application") == "Queue",
        since_ms=_whole(told.get(Var.SINCE, "")),
        group=group if GROUP_ID.fullmatch(group) else "",
        overflow=told.get(Var.OVERFLOW, ""),
        priority=_priority(told.get(Var.PRIORITY, "")),
        seat=seat_of.get(call),
        preferred=AgentId(preferred) if AGENT_ID.fullmatch(preferred := told.get(Var.PREFERRED, "")) else None,
        language=language if GROUP_ID.fullmatch(language := told.get(Var.LANGUAGE, "")) else "",
        number=number if DIALLED.fullmatch(number := told.get(Var.CALLER, "")) else "",
        dialled=dialled if DIALLED.fullmatch(dialled := told.get(Var.NUMBER, "")) else "",
        origin=origin if DIALLED.fullmatch(origin := told.get(Var.ORIGIN, "")) else "",
    )


def _seats_by_call(channels: Iterable[Event]) -> dict[str, SeatId]:
    """The seat's own channel tells whose call it has; it is there while it rings and while it talks."""
    found: dict[str, SeatId] = {}
    for event in channels:
        match = CHANNEL.match(event.get("Channel") or "")
        told = event.variables
        if match is not None and told.get(Var.PARTY) == Party.AGENT and match[1].isdigit():
            found[told.get(Var.CALL, "")] = SeatId(match[1])
        elif told.get(Var.PARTY) == Party.AGENT and SEAT_ID.fullmatch(place := told.get(Var.SEAT, "")):
            found[told.get(Var.CALL, "")] = SeatId(place)  # at a sub-centre, behind its trunk
    return found


def _priority(text: str) -> int:
    return Priority.NUISANCE if text == str(int(Priority.NUISANCE)) else _whole(text)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0
