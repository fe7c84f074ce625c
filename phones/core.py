"""A SIP user agent without sockets: datagrams and the time go in, datagrams and events come out (sans-I/O).

Does what a phone on a PBX does over UDP: REGISTER with digest, INVITE both ways, CANCEL, BYE, re-INVITE both ways,
UPDATE answered, REFER sent, OPTIONS and NOTIFY answered, retransmissions of RFC 3261 section 17. Knows no asyncio, no
audio.

A leg's life (a leg is this phone's end of one call)::

    CALLING ──180──► RINGING ──200──► TALKING ──BYE──► ENDED
       └───────────────┴──── 4xx, 5xx, 6xx, CANCEL ──────┘
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from phones import sdp
from phones.digest import answer
from phones.errors import MalformedSip
from phones.leg import Address, Happened, Leg, LegState, Registration
from phones.sip_message import PHRASES, Message, parse, request, response, uri_of

_T1 = 0.5
_T2 = 4.0
_GIVE_UP = 64 * _T1
_REMEMBERED = 512
_TRACED = 40
_ALLOW = ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, INFO, NOTIFY, REFER")


@dataclass
class _Client:
    data: bytes
    peer: Address
    method: str
    on_response: Callable[[Message, float], None]
    on_timeout: Callable[[float], None]
    again_at: float
    give_up_at: float
    interval: float = _T1
    sent: Message | None = None


@dataclass
class _Resend:
    """A final response that is repeated until its ACK."""

    data: bytes
    peer: Address
    again_at: float
    give_up_at: float
    interval: float = _T1


@dataclass
class Core:
    """One phone, or one trunk end, at one UDP address."""

    me: Address
    token: Callable[[], str] = field(default=lambda: secrets.token_hex(8))
    outbox: deque[tuple[bytes, Address]] = field(default_factory=deque)
    events: deque[tuple[Happened, Leg | None]] = field(default_factory=deque)
    trace: deque[str] = field(default_factory=lambda: deque(maxlen=_TRACED))
    """The last SIP start lines in both directions, for error messages."""
    registration: Registration | None = None
    legs: dict[str, Leg] = field(default_factory=dict)
    credentials: tuple[str, str] | None = None
    deaf: bool = False
    """A phone that has died: it answers nothing."""
    describes: Callable[[bytes], bytes] = field(default=lambda body: body)
    """The last word on every description of ours: how this phone comes to want another codec, or no sound at all."""
    _clients: dict[tuple[str, str], _Client] = field(default_factory=dict)
    _served: OrderedDict[tuple[str, str], bytes] = field(default_factory=OrderedDict)
    _acks: OrderedDict[tuple[str, int], tuple[bytes, Address]] = field(default_factory=OrderedDict)
    _unacked: dict[tuple[str, int], _Resend] = field(default_factory=dict)

    # What the phone does ------------------------------------------------------------------------------------

    def invite(
        self, uri: str, peer: Address, *, from_header: str, to_header: str, media_port: int, now: float,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Leg:  # fmt: skip
        """Call somebody. Raises ValueError for text that cannot be sent in a header."""
        tag = self.token()
        local = f"{from_header};tag={tag}"
        session = secrets.randbits(31)
        sent = self._request(
            "INVITE", uri, call_id=f"{self.token()}@{self.me[0]}", local=local, remote=to_header, cseq=1,
            headers=(("Contact", self._contact()), _ALLOW, ("Content-Type", "application/sdp"), *headers),
            body=self.describes(sdp.describe(self.me[0], media_port, session=session, version=1)),
        )  # fmt: skip
        leg = Leg(sent.call_id, True, local, to_header, uri, peer, tag, sent, media_port=media_port, session=session)
        self.legs[leg.call_id] = leg
        self._send_invite(leg, sent, now)
        return leg

    def ring(self, leg: Leg, now: float) -> None:
        if leg.state is LegState.CALLING:
            self._respond(leg, 180, now)
            leg.state = LegState.RINGING

    def progress(self, leg: Leg, media_port: int, now: float) -> None:
        """Describe the audio of an incoming call before it is answered."""
        if leg.state is LegState.CALLING:
            leg.media_port, leg.session = media_port, secrets.randbits(31)
            self._respond(leg, 183, now, self._description(leg))
            leg.state = LegState.RINGING

    def accept(self, leg: Leg, media_port: int, now: float) -> None:
        """Answer an incoming call."""
        if leg.state in {LegState.CALLING, LegState.RINGING}:
            leg.media_port, leg.session = media_port, secrets.randbits(31)
            self._respond(leg, 200, now, self._description(leg))
            self._answered(leg, 200, "OK")

    def refuse(self, leg: Leg, status: int, now: float, contact: str = "") -> None:
        """``contact``: where a 3xx says that the call should go instead."""
        if leg.state in {LegState.CALLING, LegState.RINGING}:
            self._respond(leg, status, now, ((("Contact", contact),) if contact else (), b""))
            self._end(leg, status, PHRASES.get(status, "Refused"), by_us=True)

    def hang_up(self, leg: Leg, now: float) -> None:
        """End the call in whatever state it is: BYE, CANCEL, or a refusal of what rings here."""
        if not leg.outgoing and (leg.call_id, leg.invite.cseq) in self._unacked:
            leg.wants_bye = True
        elif leg.state is LegState.TALKING:
            bye = self._inside(leg, "BYE")
            self._start(bye, leg.peer, now, lambda _response, _now: None)
            self._end(leg, leg.status, leg.phrase, by_us=True)
        elif leg.state is not LegState.ENDED and not leg.outgoing:
            self.refuse(leg, 480, now)
        elif leg.state is not LegState.ENDED and not leg.wants_cancel:
            leg.wants_cancel = leg.ended_by_us = True
            if leg.status:  # a CANCEL is allowed only once something has come back
                self._cancel(leg, now)

    def change(self, leg: Leg, wanted: str, media_port: int, now: float) -> None:
        """Offer another description inside the talk: ``sendonly`` or ``inactive`` to hold, another port, and back."""
        leg.version, leg.media_port, leg.changed = leg.version + 1, media_port, 0
        body = self.describes(
            sdp.describe(self.me[0], media_port, session=leg.session, version=leg.version, wanted=wanted)
        )
        headers = (("Contact", self._contact()), _ALLOW, ("Content-Type", "application/sdp"))
        sent = self._inside(leg, "INVITE", headers, body)

        def on_response(got: Message, at: float) -> None:
            if got.status < 200:
                return
            if got.status < 300:
                routes = tuple(("Route", route) for route in leg.route)
                ack = self._request(
                    "ACK", leg.target, call_id=leg.call_id, local=leg.local, remote=leg.remote, cseq=sent.cseq,
                    headers=routes,
                )  # fmt: skip
                self._send_ack((leg.call_id, sent.cseq), ack, leg.peer)
                self._hear_where(leg, got.body)
            else:
                self._acknowledge_failure(leg, sent, got)
            leg.changed = got.status
            self.events.append((Happened.CHANGED, leg))

        self._start(sent, leg.peer, now, on_response)

    def refer(self, leg: Leg, target: str, now: float, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Ask the other side to call ``target`` (a Refer-To value) instead of us."""
        leg.referred, leg.became = 0, ""
        more = (("Contact", self._contact()), ("Refer-To", target), ("Referred-By", self._contact()))
        sent = self._inside(leg, "REFER", (*more, *headers))

        def on_response(got: Message, at: float) -> None:
            if got.status >= 200:
                leg.referred = got.status
                self.events.append((Happened.REFERRED, leg))

        self._start(sent, leg.peer, now, on_response)

    def ask(
        self, method: str, now: float, on_answer: Callable[[Message], None], *, leg: Leg | None = None, uri: str = "",
        peer: Address | None = None, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"",
    ) -> None:  # fmt: skip
        """Any other request, inside a talk (``leg``) or to ``uri`` at ``peer``; its final response is told."""
        contact = (("Contact", self._contact()),)
        if leg is not None:
            sent, peer = self._inside(leg, method, (*contact, *headers), body), leg.peer
        else:
            peer = peer or self.me
            sent = self._request(
                method, uri, call_id=f"{self.token()}@{self.me[0]}", local=f"{self._contact()};tag={self.token()}",
                remote=f"<{uri}>", cseq=1, headers=(*contact, *headers), body=body,
            )  # fmt: skip
        self._start(sent, peer, now, lambda got, _at: on_answer(got) if got.status >= 200 else None)

    def repeat(self, leg: Leg, now: float, on_answer: Callable[[Message], None]) -> None:
        """The same INVITE as it arrives when a proxy has sent it by two paths: another branch, nothing else."""
        first = leg.invite
        via = first.header("Via").replace(first.branch, "z9hG4bK" + self.token())
        again = Message(first.start, tuple(("Via", via) if h[0] == "Via" else h for h in first.headers), first.body)

        def on_response(got: Message, at: float) -> None:
            if got.status >= 300:
                self._acknowledge_failure(leg, again, got)
            elif got.status >= 200:  # this path was the quicker one; what is said there is not heard, so it ends
                self._acknowledge_answer(leg, again, got)
                self._start(self._inside(leg, "BYE"), leg.peer, at, lambda _response, _now: None)
            if got.status >= 200:
                on_answer(got)

        self._start(again, leg.peer, now, on_response)

    def register(self, expires: int, now: float) -> None:
        """Register ``self.registration``; 0 seconds unregisters."""
        self._register(expires, now, "", 0)

    def receive(self, data: bytes, source: Address, now: float) -> None:
        """One datagram from the network. What is not SIP is ignored."""
        if self.deaf or not data.strip(b"\r\n\0"):
            return
        try:
            message = parse(data)
        except MalformedSip:
            self.trace.append(f"<< {data[:80]!r}")
            return
        self.trace.append(f"<< {message.start[:120]} ({message.header('CSeq')})")
        if message.status:
            self._receive_response(message, now)
        elif message.method == "ACK":
            self._receive_ack(message, now)
        elif (repeat := self._served.get((message.branch, message.method))) is not None:
            self.outbox.append((repeat, source))
        else:
            self._receive_request(message, source, now)

    def tick(self, now: float) -> None:
        """Repeat what has not been answered, give up what never was."""
        for key, client in list(self._clients.items()):
            if now >= client.give_up_at:
                del self._clients[key]
                client.on_timeout(now)
            elif now >= client.again_at:
                self.outbox.append((client.data, client.peer))
                client.interval = min(client.interval * 2, _GIVE_UP if client.method == "INVITE" else _T2)
                client.again_at = now + client.interval
        for unacked, resend in list(self._unacked.items()):
            if now >= resend.give_up_at:
                del self._unacked[unacked]
                leg = self.legs.get(unacked[0])
                if leg is not None and leg.wants_bye:
                    self.hang_up(leg, now)
            elif now >= resend.again_at:
                self.outbox.append((resend.data, resend.peer))
                resend.interval = min(resend.interval * 2, _T2)
                resend.again_at = now + resend.interval

    @property
    def next_tick(self) -> float | None:
        """When ``tick`` has something to do; None when nothing is pending."""
        times = [min(c.again_at, c.give_up_at) for c in self._clients.values()]
        times += [min(r.again_at, r.give_up_at) for r in self._unacked.values()]
        return min(times, default=None)

    # Requests of ours ---------------------------------------------------------------------------------------

    def _request(
        self, method: str, uri: str, *, call_id: str, local: str, remote: str, cseq: int,
        headers: tuple[tuple[str, str], ...] = (), body: bytes = b"", branch: str = "",
    ) -> Message:  # fmt: skip
        via = f"SIP/2.0/UDP {self.me[0]}:{self.me[1]};branch={branch or 'z9hG4bK' + self.token()};rport"
        first = (("Via", via), ("Max-Forwards", "70"), ("From", local), ("To", remote), ("Call-ID", call_id))
        mine = (("CSeq", f"{cseq} {method}"), ("User-Agent", "hotline-phone"))
        return request(method, uri, (*first, *mine, *headers), body)

    def _contact(self, user: str = "") -> str:
        name = user or (self.credentials[0] if self.credentials else "phone")
        return f"<sip:{name}@{self.me[0]}:{self.me[1]}>"

    def _inside(self, leg: Leg, method: str, headers: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Message:
        leg.cseq += 1
        routes = tuple(("Route", route) for route in leg.route)
        return self._request(
            method, leg.target, call_id=leg.call_id, local=leg.local, remote=leg.remote, cseq=leg.cseq,
            headers=(*routes, *headers), body=body,
        )  # fmt: skip

    def _start(
        self, sent: Message, peer: Address, now: float, on_response: Callable[[Message, float], None],
        on_timeout: Callable[[float], None] = lambda _now: None,
    ) -> None:  # fmt: skip
        data = sent.encode()
        self.trace.append(f">> {sent.start[:120]}")
        self.outbox.append((data, peer))
        self._clients[sent.branch, sent.method] = _Client(
            data, peer, sent.method, on_response, on_timeout, now + _T1, now + _GIVE_UP, sent=sent
        )

    def _send_invite(self, leg: Leg, sent: Message, now: float) -> None:
        leg.invite = sent
        self._start(
            sent, leg.peer, now, lambda got, at: self._invite_response(leg, sent, got, at),
            lambda _now: self._end(leg, 408, "no answer to INVITE", by_us=False),
        )  # fmt: skip

    def _cancel(self, leg: Leg, now: float) -> None:
        sent = leg.invite
        cancel = self._request(
            "CANCEL", sent.uri, call_id=leg.call_id, local=leg.local, remote=sent.header("To"), cseq=sent.cseq,
            branch=sent.branch,
        )  # fmt: skip
        self._start(cancel, leg.peer, now, lambda _response, _now: None)
        # Should the 487 never come, the call is over all the same.
        client = self._clients.get((sent.branch, "INVITE"))
        if client is not None:
            client.give_up_at, client.again_at = now + _GIVE_UP, now + _GIVE_UP

    # Responses to us ----------------------------------------------------------------------------------------

    def _receive_response(self, message: Message, now: float) -> None:
        key = (message.branch, message.method)
        client = self._clients.get(key)
        if client is None:
            repeat = self._acks.get((message.branch, 0)) or self._acks.get((message.call_id, message.cseq))
            if message.method == "INVITE" and message.status >= 200 and repeat is not None:
                self.outbox.append(repeat)
            return
        if message.status < 200 and client.method == "INVITE":
            client.again_at = client.give_up_at = float("inf")
        elif message.status >= 200:
            del self._clients[key]
        client.on_response(message, now)

    def _invite_response(self, leg: Leg, sent: Message, got: Message, now: float) -> None:
        if leg.state is LegState.ENDED:
            return
        if got.status < 200:
            self._progress(leg, got, now)
        elif got.status < 300:
            self._acknowledge_answer(leg, sent, got)
            if leg.wants_cancel:  # it crossed our CANCEL
                leg.state = LegState.TALKING
                leg.status, leg.phrase = got.status, got.phrase
                self.hang_up(leg, now)
            else:
                self._answered(leg, got.status, got.phrase)
                self._hear_where(leg, got.body)
        else:
            self._acknowledge_failure(leg, sent, got)
            if got.status in {401, 407} and self.credentials and leg.tries < 2 and not leg.wants_cancel:
                leg.tries += 1
                again = self._authorised(leg, sent, got)
                if again is not None:
                    self._send_invite(leg, again, now)
                    return
            leg.reason = got.header("Reason")
            self._end(leg, got.status, got.phrase, by_us=leg.wants_cancel)

    def _progress(self, leg: Leg, got: Message, now: float) -> None:
        first = leg.status == 0
        leg.status = got.status
        if leg.wants_cancel and first:
            self._cancel(leg, now)
        if got.status >= 180 and leg.state is LegState.CALLING:
            leg.state = LegState.RINGING
            self.events.append((Happened.RINGING, leg))
        self._hear_where(leg, got.body)

    def _authorised(self, leg: Leg, sent: Message, got: Message) -> Message | None:
        header = self._authorization(got, sent)
        if header is None:
            return None
        leg.cseq = sent.cseq + 1
        keep = tuple(
            h for h in sent.headers
            if h[0] in {"Contact", "Allow", "Content-Type"} or h[0].startswith(("P-", "X-", "Privacy", "Diversion"))
        )  # fmt: skip
        return self._request(
            "INVITE", sent.uri, call_id=leg.call_id, local=leg.local, remote=leg.remote, cseq=leg.cseq,
            headers=(*keep, header), body=sent.body,
        )  # fmt: skip

    def _authorization(self, got: Message, sent: Message) -> tuple[str, str] | None:
        if self.credentials is None:
            return None
        user, password = self.credentials
        proxy = got.status == 407
        challenges = got.all("Proxy-Authenticate" if proxy else "WWW-Authenticate")
        value = answer(challenges, method=sent.method, uri=sent.uri, user=user, password=password, cnonce=self.token())
        return ("Proxy-Authorization" if proxy else "Authorization", value) if value else None

    def _acknowledge_failure(self, leg: Leg, sent: Message, got: Message) -> None:
        ack = self._request(
            "ACK", sent.uri, call_id=leg.call_id, local=leg.local, remote=got.header("To"), cseq=sent.cseq,
            branch=sent.branch,
        )  # fmt: skip
        self._send_ack((sent.branch, 0), ack, leg.peer)

    def _acknowledge_answer(self, leg: Leg, sent: Message, got: Message) -> None:
        leg.remote = got.header("To")
        leg.target = uri_of(got.header("Contact")) or leg.target
        leg.route = tuple(reversed(got.all("Record-Route")))
        routes = tuple(("Route", route) for route in leg.route)
        ack = self._request(
            "ACK", leg.target, call_id=leg.call_id, local=leg.local, remote=leg.remote, cseq=sent.cseq, headers=routes
        )
        self._send_ack((leg.call_id, sent.cseq), ack, leg.peer)

    def _send_ack(self, key: tuple[str, int], ack: Message, peer: Address) -> None:
        self._acks[key] = (ack.encode(), peer)
        while len(self._acks) > _REMEMBERED:
            self._acks.popitem(last=False)
        self.outbox.append(self._acks[key])

    # Registration -------------------------------------------------------------------------------------------

    def _register(self, expires: int, now: float, authorization: str, tries: int) -> None:
        it = self.registration
        if it is None:
            raise ValueError("a registration needs a user and a registrar")
        it.cseq += 1
        host = f"{it.registrar[0]}:{it.registrar[1]}"
        who = f"<sip:{it.user}@{host}>"
        credentials = (("Authorization", authorization),) if authorization else ()
        sent = self._request(
            "REGISTER", f"sip:{host}", call_id=it.call_id, local=f"{who};tag={it.from_tag}", remote=who, cseq=it.cseq,
            headers=(("Contact", self._contact(it.user)), ("Expires", str(expires)), *credentials),
        )  # fmt: skip

        def on_response(got: Message, at: float) -> None:
            if got.status < 200:
                return
            it.status, it.phrase = got.status, got.phrase
            header = self._authorization(got, sent) if got.status in {401, 407} and tries < 2 else None
            if header is not None:
                self._register(expires, at, header[1], tries + 1)
            else:
                happened = Happened.REGISTERED if got.status < 300 else Happened.REGISTER_REFUSED
                self.events.append((happened, None))

        def on_timeout(_now: float) -> None:
            it.status, it.phrase = 408, "no answer to REGISTER"
            self.events.append((Happened.REGISTER_REFUSED, None))

        self._start(sent, it.registrar, now, on_response, on_timeout)

    # Requests of theirs -------------------------------------------------------------------------------------

    def _receive_request(self, message: Message, source: Address, now: float) -> None:
        leg = self.legs.get(message.call_id)
        known = leg is not None and leg.state is not LegState.ENDED
        if message.method == "INVITE":
            if leg is None:
                self._incoming(message, source)
            elif known and leg.state is LegState.TALKING:
                self._changed(leg, message, source, now)
            else:
                self._reply(message, source, 481)
        elif message.method == "CANCEL":
            self._receive_cancel(message, source, leg, now)
        elif message.method == "BYE":
            self._reply(message, source, 200 if known else 481)
            if leg is not None and known:
                leg.reason = message.header("Reason")
                self._end(leg, leg.status, leg.phrase, by_us=False)
        elif message.method == "UPDATE" and leg is not None and known:
            self._changed(leg, message, source, now)
        elif message.method == "NOTIFY" and leg is not None and message.header("Event").startswith("refer"):
            self._reply(message, source, 200)
            leg.became = message.body.decode("utf-8", "replace").strip().partition("\r\n")[0]
            self.events.append((Happened.REFERRED, leg))
        elif message.method in {"OPTIONS", "NOTIFY", "INFO", "MESSAGE", "UPDATE"}:
            self._reply(message, source, 200)
        else:
            self._reply(message, source, 405)

    def _incoming(self, message: Message, source: Address) -> None:
        tag = self.token()
        leg = Leg(
            message.call_id, False, f"{message.header('To')};tag={tag}", message.header("From"),
            uri_of(message.header("Contact")) or uri_of(message.header("From")), source, tag, message,
            route=tuple(message.all("Record-Route")), cseq=0, media=sdp.understand(message.body),
            offered=bool(message.body),
        )  # fmt: skip
        self.legs[leg.call_id] = leg
        trying = response(message, 100, "Trying").encode()
        self._remember(message, trying)
        self.outbox.append((trying, source))
        if leg.offered and leg.media is None:
            self.refuse(leg, 488, 0.0)
        else:
            self.events.append((Happened.INCOMING, leg))

    def _receive_cancel(self, message: Message, source: Address, leg: Leg | None, now: float) -> None:
        rings = leg is not None and leg.state in {LegState.CALLING, LegState.RINGING} and not leg.outgoing
        self._reply(message, source, 200 if leg is not None else 481)
        if leg is not None and rings:
            leg.reason = message.header("Reason")
            self._respond(leg, 487, now)
            self._end(leg, 487, "cancelled by the caller", by_us=False)

    def _changed(self, leg: Leg, message: Message, source: Address, now: float) -> None:
        """A re-INVITE or UPDATE: new address, hold, or only a sign of life. Always agreed to."""
        new = sdp.understand(message.body) if message.body else leg.media
        leg.version += 1
        if new is not None:
            leg.media = new
            self.events.append((Happened.MEDIA, leg))
        wants_sdp = bool(message.body) or message.method == "INVITE"
        headers, body = self._description(leg) if wants_sdp else ((("Contact", self._contact()),), b"")
        data = response(message, 200, "OK", headers, body).encode()
        self._remember(message, data)
        self.outbox.append((data, source))
        if message.method == "INVITE":
            self._unacked[leg.call_id, message.cseq] = _Resend(data, source, now + _T1, now + _GIVE_UP)

    def _receive_ack(self, message: Message, now: float) -> None:
        self._unacked.pop((message.call_id, message.cseq), None)
        leg = self.legs.get(message.call_id)
        if leg is not None and leg.wants_bye:
            self.hang_up(leg, now)
            return
        if leg is not None and message.body and leg.state is LegState.TALKING:
            self._hear_where(leg, message.body)

    # Small parts --------------------------------------------------------------------------------------------

    def _description(self, leg: Leg) -> tuple[tuple[tuple[str, str], ...], bytes]:
        body = self.describes(
            sdp.describe(self.me[0], leg.media_port, session=leg.session, version=leg.version, answer_to=leg.media)
        )
        return (("Contact", self._contact()), _ALLOW, ("Content-Type", "application/sdp")), body

    def _respond(
        self, leg: Leg, status: int, now: float, more: tuple[tuple[tuple[str, str], ...], bytes] = ((), b"")
    ) -> None:
        headers, body = more if more[0] else ((("Contact", self._contact()),), b"")
        sent = response(leg.invite, status, PHRASES.get(status, "Refused"), headers, body, to_tag=leg.local_tag)
        data = sent.encode()
        self.trace.append(f">> {sent.start}")
        self._remember(leg.invite, data)
        self.outbox.append((data, leg.peer))
        if status >= 200:
            self._unacked[leg.call_id, leg.invite.cseq] = _Resend(data, leg.peer, now + _T1, now + _GIVE_UP)

    def _reply(self, message: Message, source: Address, status: int) -> None:
        headers = (_ALLOW,) if message.method == "OPTIONS" or status == 405 else ()
        data = response(message, status, PHRASES[status], headers, to_tag=self.token()).encode()
        self._remember(message, data)
        self.outbox.append((data, source))

    def _remember(self, message: Message, data: bytes) -> None:
        self._served[message.branch, message.method] = data
        while len(self._served) > _REMEMBERED:
            self._served.popitem(last=False)

    def _hear_where(self, leg: Leg, body: bytes) -> None:
        media = sdp.understand(body) if body else None
        if media is not None and media != leg.media:
            leg.media = media
            self.events.append((Happened.MEDIA, leg))

    def _answered(self, leg: Leg, status: int, phrase: str) -> None:
        leg.state, leg.status, leg.phrase = LegState.TALKING, status, phrase
        self.events.append((Happened.ANSWERED, leg))
        if not leg.outgoing and leg.media is not None:
            self.events.append((Happened.MEDIA, leg))

    def _end(self, leg: Leg, status: int, phrase: str, *, by_us: bool) -> None:
        if leg.state is not LegState.ENDED:
            leg.state, leg.status, leg.phrase, leg.ended_by_us = LegState.ENDED, status, phrase, by_us
            self.events.append((Happened.ENDED, leg))

    def forget(self, leg: Leg) -> None:
        """An ended leg is no longer needed; repeats of its last messages are still answered."""
        if leg.state is LegState.ENDED:
            self.legs.pop(leg.call_id, None)
