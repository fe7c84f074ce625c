"""What the switch tells, given to whom it concerns: the queue, the transfers, the ledger.

One job: read AMI events. Every handler is quick and none waits; what cannot be right is left to the next reconcile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

from callbacks.voicemail import Mailbox
from calls.playable_prompts import Repertoire
from calls.recent_callers import is_dropped_call
from calls.registry import Calls
from calls.switch.channel_names import CHANNEL
from ledger.model import Kind
from orders.service import Orders
from queues.effects import Connected, Effect, Offer, TalkOver
from queues.events import (
    Answered,
    CallHeld,
    CallResumed,
    Ringing,
    SeatBusyElsewhere,
    SeatFree,
    SeatReachable,
    SeatUnreachable,
    TalkEnded,
)
from queues.service import QueueService
from recordings.layout import recording_file
from routing.model import Snapshot
from routing.numbers import citizen
from telephony.events import Event
from telephony.model import CALL_ID, DIALLED, CallId, Party, SeatId, Stage, made_by_us
from telephony.ring import CALLED_BACK
from transfers.drills.service import Drills
from transfers.reference import readable
from transfers.service import TransferWatch
from transfers.states import Form
from transfers.trunk_health import TrunkMonitor

MAX_DIGITS: Final = 12
"""Of a count that the switch tells."""


class CallbackLegs(Protocol):
    """Who makes callbacks, and wants to know of every channel that is gone and of agents who were rung first."""

    def hung_up(self, call: CallId, cause: str, *, human: bool) -> bool | None: ...

    def on_connected(self, call: CallId, seat: SeatId, channel: str) -> None: ...

    def rings(self, leg: CallId, channel: CallId) -> None: ...

    def agent_gone(self, call: CallId, seat: SeatId) -> None: ...


class AmiEventHandler:
    """Listens to one Asterisk."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        queues: QueueService,
        calls: Calls,
        transfers: TransferWatch,
        sent_away: Callable[[CallId], None],
        routes: TrunkMonitor,
        callbacks: CallbackLegs,
        mailbox: Mailbox,
        orders: Orders,
        drills: Drills,
        repertoire: Repertoire,
        full: Callable[[], None] = lambda: None,
    ) -> None:
        """``sent_away`` hears of callers who wait in app_queue although we are here, ``callbacks`` of hang-ups,
        ``full`` of ordinary calls that were refused."""
        self._of_no_call: Mapping[str, Callable[[Event], None]] = {
            "Drill": lambda event: drills.hear(event.headers),
            "Full": lambda _: full(),  # the outline of the call comes from CEL
        }
        self._routes = routes
        self._snapshot = snapshot
        self._queues = queues
        self._calls = calls
        self._transfers = transfers
        self._sent_away = sent_away
        self._callbacks = callbacks
        self._mailbox = mailbox
        self._orders = orders
        self._repertoire = repertoire
        queues.listeners.append(self._on_effect)
        self._handlers: Mapping[str, Callable[[Event], None]] = {
            "DialBegin": self._dial_begin,
            "DialEnd": self._dial_end,
            "DialState": self._dial_state,
            "Hangup": self._hangup,
            "UserEvent": self._user_event,
            "DeviceStateChange": self._device_state,
            "Hold": self._hold,
            "Unhold": self._hold,
            "ConfbridgeJoin": self._joined,
            "ConfbridgeLeave": self._left,
            "QueueCallerJoin": self._in_app_queue,
        }

    def hear(self, event: Event) -> None:
        """One event, in the order of the wire."""
        handle = self._handlers.get(event.name)
        if handle is not None:
            handle(event)

    def _on_effect(self, effect: Effect) -> None:
        if isinstance(effect, Offer):
            self._calls.record(effect.call, recording_file(effect.call))
        elif isinstance(effect, TalkOver) and effect.call in self._calls.live:
            over = self._calls.live[effect.call]
            over.talked_ms = (over.talked_ms or 0) + effect.talk_ms
        elif isinstance(effect, Connected) and effect.call in self._calls.live:
            held = self._calls.live[effect.call]
            held.agent = effect.agent
            if effect.agent is not None:
                self._calls.last_call_of[effect.agent] = held

    def _dial_begin(self, event: Event) -> None:
        call = _call(event)
        seat = self._answerer(event.get("DestChannel"), call)
        if seat is not None and call in self._queues.acd.tickets:
            self._queues.apply(Ringing(call, seat))

    def _dial_state(self, event: Event) -> None:
        """A trunk of a centre or a partner rings or sends early media; of other dials none comes in."""
        self._transfers.progress(_call(event), event.get("DialStatus") or "")

    def _dial_end(self, event: Event) -> None:
        """Somebody answered. A seat that did not is told of by the dialplan's next question, in the right order."""
        if event.get("DialStatus") != "ANSWER":
            return
        call, endpoint = _call(event), _endpoint(event.get("DestChannel"))
        held = self._calls.live.get(call)
        if held is None or endpoint is None:
            return
        held.answered_by_human, held.stage, held.takeover_seat = True, Stage.TALK, None
        self._calls.record(call, recording_file(call))  # who was never offered to a seat is recorded, too
        seat = self._answerer(event.get("DestChannel"), call)
        if seat is not None and call in self._queues.acd.tickets:
            self._queues.apply(Answered(call, seat))
        elif seat is not None:
            known = self._queues.acd.seats.get(seat)
            agent = (known.agent if known is not None else None) or ""
            self._calls.record_fact(Kind.ANSWERED, call, seat=seat, agent=agent, by="fallback")
        else:
            self._queues.caller_left(call)  # who took a way out of our line is somebody else's now
            trunk = self._snapshot().trunks.get(endpoint)
            role = trunk.role if trunk is not None else ""
            by = "emergency" if role.startswith("emergency") else "duty-phone" if role == "pstn" else "subcentre"
            self._calls.record_fact(Kind.ANSWERED, call, seat=endpoint, agent="", by=by)

    def _hangup(self, event: Event) -> None:
        call = _call(event)
        talk = CallId(event.get("Linkedid") or "")
        seat = self._answerer(event.get("Channel"), talk) if call != talk else None
        if seat is not None:
            self._transfers.on_leave(talk, Party.AGENT)
            held = self._queues.acd.seats.get(seat)
            live = self._calls.live.get(talk)
            taken = live is not None and live.takeover_seat is not None
            ended = held is not None and held.call == talk and self._queues.is_talking(talk) and not taken
            if ended and not self._may_wait_on(talk):
                self._queues.apply(TalkEnded(talk, seat))
        self.gone(call, event.get("Cause") or "")

    def gone(self, call: CallId, cause: str) -> None:
        """A caller's channel, or any other, is no more: whoever hears of it, from an event or from looking."""
        live = self._calls.live.get(call)
        stage = live.stage if live is not None else None
        dropped = is_dropped_call(self._queues.is_talking(call), cause)
        if self._callbacks.hung_up(call, cause, human=live is not None and live.answered_by_human):
            return  # an agent's call, which goes on through another trunk
        self._orders.hung_up(call, cause)
        self._queues.caller_left(call)
        self._transfers.end(call)
        unanswered = made_by_us(call) and live is not None and not live.answered_by_human  # nobody there could hang up
        by = "system" if stage is Stage.AFTER or unanswered else "caller"
        self._calls.remove(call, cause, by, dropped=dropped)

    def _may_wait_on(self, call: CallId) -> bool:
        """A talk so short that it may count as none: the dialplan's question, or the caller's own end, will tell."""
        held = self._calls.live.get(call)
        return held is not None and held.stage is Stage.TALK and self._queues.is_short(call)

    def _user_event(self, event: Event) -> None:
        if (hear := self._of_no_call.get(event.get("UserEvent") or "")) is not None:
            hear(event)
            return
        call = CallId(event.get("Call") or "")
        if not CALL_ID.fullmatch(call):
            return
        match event.get("UserEvent"):
            case "OneKey":
                self._transfer(call, event)
            case "Returned":
                self._transfers.on_return(call)
            case "FromCentre":
                reference = readable(event.get("Reference") or "")
                self._from_centre(call, event.get("Centre") or "", reference, _digits(event.get("Number")))
            case "Unplayed":  # Asterisk could not play one of these at least
                self._repertoire.unheard(call, (event.get("Prompts") or "").split("&"), "switch")
            case "Fallback":
                self._entered_alone(event, call, Stage.FALLBACK)
                self._calls.record_fact(Kind.FALLBACK, call, why="engine-late")
                self._queues.caller_left(call)
            case "Message":  # the caller hung up while speaking
                self._message(call, event)
            case "RingPhone" | "AgentFirst":
                self._agent_first(call, event)
            case "Order":  # a duty phone has taken it
                self._orders.on_acknowledge_key(event.get("Order") or "", event.get("Department") or "", call)
            case "Emergency":
                self._entered_alone(event, call, Stage.EMERGENCY)
                self._calls.record(call, recording_file(call))

    def _message(self, call: CallId, event: Event) -> None:
        number, caller = _digits(event.get("Number")), self._citizen(event)
        size, group = event.get("Bytes") or "", event.get("Group") or ""
        if size.isascii() and size.isdigit() and len(size) < MAX_DIGITS:
            self._mailbox.take(call, caller=caller, line=number, group=group, size=int(size))

    def _from_centre(self, call: CallId, centre: str, reference: str, number: str) -> None:
        """A centre calls us, or hands a citizen of ours over to ``number``."""
        held = self._calls.live.get(call)
        if held is not None:
            held.origin, held.reference = centre or held.origin, reference
        handed = {"number": number} if number else {}
        self._calls.record_fact(Kind.FROM_CENTRE, call, centre=centre, reference=reference, **handed)

    def _transfer(self, call: CallId, event: Event) -> None:
        held = self._calls.live.get(call)
        if held is not None and event.get("Form") == Form.CALLER_KEY:
            # The caller goes to the centre without an agent: nobody of ours is to be rung for it any more.
            held.stage = Stage.EMERGENCY
            self._queues.caller_left(call)
        elif held is not None and held.stage is not Stage.EMERGENCY:
            held.stage = Stage.CONFERENCE
        self._transfers.on_event(call, event.headers)

    def _citizen(self, event: Event) -> str:
        """Who calls, in the form in which a citizen is known."""
        return citizen(_digits(event.get("Caller")), self._snapshot().area_code)

    def _agent_first(self, call: CallId, event: Event) -> None:
        """A callback whose agent was rung first: the phone rings, the citizen has come, or the agent has gone."""
        if event.get("UserEvent") == "RingPhone":
            self._callbacks.rings(call, _call(event))
            return
        seat = SeatId(event.get("Seat") or "")
        if not self._snapshot().is_phone(seat):
            return
        if event.get("State") == "gone":
            self._callbacks.agent_gone(call, seat)
            return
        held = self._calls.get_or_create(call, event.get("Channel") or "")
        held.answered_by_human, held.stage, held.takeover_seat = True, Stage.TALK, None
        self._calls.record(call, recording_file(call))
        self._callbacks.on_connected(call, seat, held.channel)

    def _entered_alone(self, event: Event, call: CallId, stage: Stage) -> None:
        """A call of which we hear first from the dialplan that goes on without us."""
        known = call in self._calls.live
        self._calls.get_or_create(call, event.get("Channel") or "").stage = stage
        if not known:
            number, caller = _digits(event.get("Number")), self._citizen(event)
            self._calls.record_fact(Kind.ENTERED, call, number=number, caller=caller, rule=str(stage))

    def _hold(self, event: Event) -> None:
        """The agent's phone has put the caller on hold, or is back; a caller's phone that does so changes nothing."""
        seat = self._seat(event.get("Channel"))
        if seat is None:
            return
        known = self._queues.acd.seats.get(seat)
        # A phone that was rung first, or has dialled itself, is older than the citizen's channel, and names the call.
        call = (known.call if known is not None else None) or CallId(event.get("Linkedid") or "")
        begins = event.name == "Hold"
        self._queues.apply(CallHeld(call, seat) if begins else CallResumed(call, seat))
        if call in self._calls.live:
            told = {"seat": seat, "agent": (known.agent if known is not None else None) or ""}
            if music := begins and event.get("MusicClass"):
                told["music"] = music
            self._calls.record_fact(Kind.HELD if begins else Kind.RESUMED, call, **told)

    def _device_state(self, event: Event) -> None:
        device = event.get("Device") or ""
        seat = SeatId(device.removeprefix("PJSIP/"))
        state = event.get("State")
        if not self._snapshot().is_phone(seat):
            self._routes.hear(seat, state or "")
            return
        if state in ("UNAVAILABLE", "INVALID"):
            self._queues.apply(SeatUnreachable(seat))
            return
        known = self._queues.acd.seats.get(seat)
        if known is None or not known.reachable:
            self._queues.apply(SeatReachable(seat))
        self._queues.apply(SeatFree(seat) if state in ("NOT_INUSE", "UNKNOWN") else SeatBusyElsewhere(seat))

    def _in_app_queue(self, event: Event) -> None:
        held = self._calls.live.get(_call(event))
        if held is not None:
            held.channel = event.get("Channel") or held.channel
            held.stage = Stage.FALLBACK
            self._sent_away(held.call)

    def _joined(self, event: Event) -> None:
        self._party(event, "joined")

    def _left(self, event: Event) -> None:
        self._party(event, "left")

    def _party(self, event: Event, action: str) -> None:
        call = CallId(event.get("Conference") or "")
        if call not in self._calls.live:
            return
        channel = event.get("Channel") or ""
        centre = channel.startswith("Local/") and not channel.startswith(CALLED_BACK)
        party = Party.CENTRE if centre else Party.CALLER
        if self._seat(channel) is not None:
            party = Party.AGENT
        if action == "left":
            self._transfers.on_leave(call, party)
        elif party is Party.CALLER:
            self._transfers.on_join(call)
        self._calls.record_fact(Kind.PARTY, call, party=party, action=action, channel=channel)

    def _answerer(self, channel: str | None, call: CallId) -> SeatId | None:
        """The seat of this channel: a phone of ours, or the place of a sub-centre that this call was offered to."""
        seat = self._queues.seat_of(call)
        if seat is not None and seat.site and seat.site == _endpoint(channel):
            return seat.id
        return self._seat(channel)

    def _seat(self, channel: str | None) -> SeatId | None:
        endpoint = _endpoint(channel)
        return SeatId(endpoint) if endpoint is not None and self._snapshot().is_phone(endpoint) else None


def _call(event: Event) -> CallId:
    return CallId(event.get("Uniqueid") or "")


def _endpoint(channel: str | None) -> str | None:
    match = CHANNEL.match(channel or "")
    return match[1] if match else None


def _digits(text: str | None) -> str:
    return text if text and DIALLED.fullmatch(text) else ""
