"""The manager link: one supervised AMI connection, its events in order, its actions with deadlines.

One job: be up, or know that it is not. It knows no call and no meaning of any event. The only file that imports
panoramisk, of which it keeps the connection, the action (its id, its bytes, its future) and the table of open actions;
the rest is replaced here because of the faults named in tests/protocol/test_ami_link_faults.py.

::

    state       while
    STOPPED     before start and after stop
    CONNECTING  connecting, logging in, and until Asterisk is fully booted
    UP          actions may be sent; on_up runs first thing, beside the events
    WAITING     the link was lost or not made; the next try comes after a back-off
    REFUSED     the secret is wrong: fatal, no further try

Each connection has its own panoramisk Manager and its own table of open actions, so nothing is carried over: an action
that was open when the link went down raises AmiDeadline, because its outcome is unknown, and is never sent again.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager

from telephony.ami_codec import AmiDecoder, HeadersToSend, checked
from telephony.errors import AmiDeadline, AmiDown, AmiError, AmiLoginRefused, AmiRefused, AmiUnsafeValue
from telephony.events import Event, OriginateOutcome, Response
from telephony.model import VARIABLE_NAME, VARIABLE_VALUE
from telephony.ring import ORIGINATED

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

FIRST_RETRY_SECONDS: Final = 0.1
LAST_RETRY_SECONDS: Final = 2.0
MAX_OPEN_ACTIONS: Final = 2000
MAX_UNSENT_BYTES: Final = 1024 * 1024
MAX_COLLECTED: Final = 50_000
"""Events of one list; past it the list is given up."""


class LinkState(Enum):
    STOPPED = "stopped"
    CONNECTING = "connecting"
    UP = "up"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(slots=True)
class LinkCounters:
    """What the link has seen since it was made."""

    connected: int = 0
    """Times it came up."""
    lost: int = 0
    """Times it went down from up."""
    events: int = 0
    handler_errors: int = 0
    """Exceptions of on_event, on_up and on_down."""
    late: int = 0
    """Actions without an answer in time, pings included."""
    strays: int = 0
    """Responses that nobody waits for any more."""


class AmiLink:
    """One supervised link to one Asterisk. Deadlines are in seconds.

    ``on_event`` gets every event that is not part of a list asked for here, in the order of the wire, from inside the
    loop: it must be quick and must not block. ``on_up`` runs after each login, before anything else may rely on the
    link; if it raises, the connection is dropped and made anew. ``on_down`` follows every UP once.
    """

    def __init__(
        self,
        host: str,
        port: int,
        username: str,
        secret: str,
        *,
        on_event: Callable[[Event], None],
        on_up: Callable[[], Awaitable[None]],
        on_down: Callable[[], None],
        ping_seconds: float = 2,
        deadline_seconds: float = 5,
    ) -> None:
        self.state = LinkState.STOPPED
        self.counters = LinkCounters()
        self._host = host
        self._port = port
        self._login: Final = {"Username": username, "Secret": secret}
        self._on_event = on_event
        self._on_up = on_up
        self._on_down = on_down
        self._ping_seconds = ping_seconds
        self._deadline_seconds = deadline_seconds
        self._wire: _Wire | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._first_try: asyncio.Future[None] | None = None
        self._announced = False

    @property
    def up(self) -> bool:
        """Actions may be sent."""
        return self.state is LinkState.UP

    async def start(self) -> None:
        """Begins to keep the link; returns when the first try came up or failed for now.

        Raises AmiLoginRefused when Asterisk refuses the secret; later on that shows as state REFUSED.
        """
        assert self._supervisor is None, "started already"
        self._first_try = asyncio.get_running_loop().create_future()
        self._supervisor = asyncio.create_task(self._supervise(), name="ami-link")
        await self._first_try

    async def stop(self) -> None:
        """Closes the link for good. Open actions raise AmiDeadline."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait([supervisor])
        if self._first_try is not None:
            _settle(self._first_try, AmiDown("the link was stopped"))
        self.state = LinkState.STOPPED

    async def send(self, action: str, /, headers: HeadersToSend = (), *, deadline: float | None = None) -> Response:
        """Sends one action and returns Asterisk's response.

        Raises AmiUnsafeValue or AmiDown when nothing was sent, AmiRefused for ``Response: Error``, AmiDeadline when the
        outcome is unknown: no answer in time, or the link lost meanwhile.
        """
        return await self._ask(self._open_wire(), _action(action, headers), deadline)

    async def collect(
        self, action: str, /, headers: HeadersToSend = (), *, until: str, deadline: float | None = None
    ) -> list[Event]:
        """Sends a list action and returns its events up to, and without, the one named ``until``.

        The events of the list do not go to ``on_event``. Raises what :meth:`send` raises.
        """
        wire = self._open_wire()
        asked = _action(action, headers)
        events: list[Event] = []
        whole: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def take(event: Event) -> bool:
            if event.name == until:
                _settle(whole, None)
            elif len(events) < MAX_COLLECTED:
                events.append(event)
            else:
                _settle(whole, AmiDeadline(f"{action} tells more than {MAX_COLLECTED} events"))
            return True

        async def listed() -> None:
            await self._ask(wire, asked, deadline)
            await whole

        with wire.following(asked.id, take, whole):
            await self._in_time(listed(), action, deadline)
        return events

    async def originate(
        self,
        channel: str,
        *,
        context: str = "",
        exten: str = "",
        priority: int = 1,
        application: str = "",
        data: str = "",
        ring_seconds: float = 30,
        caller_id: str = "",
        variables: Mapping[str, str] | None = None,
        channel_id: str = "",
        other_channel_id: str = "",
        deadline: float | None = None,
    ) -> OriginateOutcome:
        """Calls ``channel`` and, when it answers, sends it to the extension or the application; waits for the outcome.

        Always asynchronous on Asterisk's side. The deadline defaults to the ringing time plus the link's deadline.
        ``channel`` is what telephony.ring makes of it. Raises what :meth:`send` raises; AmiUnsafeValue for a variable
        past :data:`telephony.model.VARIABLE_VALUE`.
        """
        headers = [("Channel", channel), ("Async", "true"), ("Timeout", str(round(ring_seconds * 1000)))]
        if application:
            headers += [("Application", application), ("Data", data)]
        else:
            headers += [("Context", context), ("Exten", exten), ("Priority", str(priority))]
        optional = (
            ("CallerID", caller_id),
            ("ChannelId", channel_id),
            ("OtherChannelId", other_channel_id),
        )
        headers += [(name, value) for name, value in optional if value]
        headers += [("Variable", _assignment(name, value)) for name, value in (variables or {}).items()]
        wire = self._open_wire()
        asked = _action("Originate", headers)
        ended: asyncio.Future[OriginateOutcome] = asyncio.get_running_loop().create_future()

        def take(event: Event) -> bool:
            if event.name == "OriginateResponse":
                _settle(ended, None, _outcome(event))
            return False

        async def called() -> None:
            await self._ask(wire, asked, deadline)
            await ended

        if deadline is None:
            deadline = ring_seconds + self._deadline_seconds
        with wire.following(asked.id, take, ended):
            await self._in_time(called(), "Originate", deadline)
        return ended.result()

    # The connection and its supervision.

    async def _supervise(self) -> None:
        retry_seconds = FIRST_RETRY_SECONDS
        while True:
            self.state = LinkState.CONNECTING
            self._announced = False
            try:
                await self._keep_one_connection()
            except AmiLoginRefused as refused:
                log.critical("ami login refused", why=str(refused))
                self.state = LinkState.REFUSED
                if self._first_try is not None:
                    _settle(self._first_try, refused)
                return
            except (OSError, AmiError) as error:
                log.warning("ami link down", why=str(error), error=type(error).__name__)
            except Exception:
                self.counters.handler_errors += 1
                log.exception("ami link dropped")
            self.state = LinkState.WAITING
            if self._first_try is not None:
                _settle(self._first_try, None)
            if self._announced:
                retry_seconds = FIRST_RETRY_SECONDS
            await asyncio.sleep(retry_seconds * random.uniform(0.5, 1.0))
            retry_seconds = min(retry_seconds * 2, LAST_RETRY_SECONDS)

    async def _keep_one_connection(self) -> None:
        """From connect to loss. Never returns: raises what ended the connection."""
        manager = _Manager(self._host, self._port, lambda: _Wire(self._event, self.counters))
        try:
            wire = await self._in_time(manager.connected(), "connect", None)
            try:
                await self._ask(wire, _action("Login", self._login), None)
            except AmiRefused as refused:
                raise AmiLoginRefused(str(refused)) from None
            await self._in_time(wire.booted, "FullyBooted", None)
            self._wire = wire
            self._go_up()
            try:
                await self._watch(wire)
            finally:
                self._wire = None
                self._go_down()
        finally:
            manager.close()

    async def _watch(self, wire: _Wire) -> None:
        announcing = asyncio.create_task(self._announce(), name="ami-link-up")
        pinging = asyncio.create_task(self._ping_for_ever(wire), name="ami-link-ping")
        waiting: set[asyncio.Future[None]] = {wire.lost, announcing, pinging}
        try:
            while True:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for ended in done:
                    ended.result()
        finally:
            for task in (announcing, pinging):
                task.cancel()
            await asyncio.gather(announcing, pinging, return_exceptions=True)

    async def _announce(self) -> None:
        await self._on_up()
        self._announced = True

    async def _ping_for_ever(self, wire: _Wire) -> None:
        while True:
            await asyncio.sleep(self._ping_seconds)
            await self._ask(wire, _action("Ping", ()), None)

    def _go_up(self) -> None:
        self.state = LinkState.UP
        self.counters.connected += 1
        log.info("ami link up")
        if self._first_try is not None:
            _settle(self._first_try, None)

    def _go_down(self) -> None:
        self.state = LinkState.WAITING
        self.counters.lost += 1
        try:
            self._on_down()
        except Exception:
            self.counters.handler_errors += 1
            log.exception("ami down handler failed")

    # Actions and events.

    def _open_wire(self) -> _Wire:
        if self._wire is None or self._wire.lost.done():
            raise AmiDown(f"the link is {self.state.value}")
        return self._wire

    async def _ask(self, wire: _Wire, action: Any, deadline: float | None) -> Response:
        if wire.clogged:
            raise AmiDown("the link is clogged")
        wire.send(action)
        try:
            response: Response = await self._in_time(action.future, action["Action"], deadline)
        finally:
            wire.responses.pop(action.id, None)
        if response["Response"] == "Error":
            raise AmiRefused(response.message)
        return response

    async def _in_time(self, awaited: Awaitable[Any], what: str, deadline: float | None) -> Any:
        try:
            async with asyncio.timeout(self._deadline_seconds if deadline is None else deadline):
                return await awaited
        except TimeoutError:
            self.counters.late += 1
            raise AmiDeadline(f"no answer to {what} in time") from None

    def _event(self, event: Event) -> None:
        self.counters.events += 1
        try:
            self._on_event(event)
        except Exception:
            self.counters.handler_errors += 1
            log.exception("ami event handler failed", event_name=event.name)


class _Manager(Manager):  # type: ignore[misc]  # panoramisk ships no types
    """panoramisk's connection, without its own reconnecting, pinging and replaying."""

    def __init__(self, host: str, port: int, wire: Callable[[], _Wire]) -> None:
        super().__init__(host=host, port=port, loop=asyncio.get_running_loop(), protocol_factory=wire)

    async def connected(self) -> _Wire:
        _, wire = await self.connect()
        assert isinstance(wire, _Wire)
        return wire

    def connection_made(self, f: asyncio.Future[Any]) -> None:
        if not f.cancelled() and f.exception() is None:
            super().connection_made(f)

    def connection_lost(self, exc: object) -> None:
        """The supervisor watches ``_Wire.lost`` instead."""

    def ping(self) -> None:
        """The supervisor pings, with a deadline."""

    async def send_awaiting_actions(self, *_: object) -> None:
        """An action whose outcome is unknown is never sent again."""


class _Wire(AMIProtocol):  # type: ignore[misc]  # panoramisk ships no types
    """One connection: whole messages, each to the one who waits for it, the rest in order to ``on_event``."""

    responses: dict[str, Any]

    def __init__(self, on_event: Callable[[Event], None], counters: LinkCounters) -> None:
        loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.booted: asyncio.Future[None] = loop.create_future()
        self._decoder = AmiDecoder()
        self._followers: dict[str, tuple[Callable[[Event], bool], asyncio.Future[Any]]] = {}
        self._give = on_event
        self._counters = counters

    @property
    def clogged(self) -> bool:
        unsent = self.transport.get_write_buffer_size()
        return len(self.responses) >= MAX_OPEN_ACTIONS or bool(unsent >= MAX_UNSENT_BYTES)

    def following(self, action_id: str, take: Callable[[Event], bool], ended: asyncio.Future[Any]) -> _Following:
        """While it is entered, ``take`` sees the events of this action; True keeps one from ``on_event``."""
        return _Following(self._followers, action_id, take, ended)

    def data_received(self, data: bytes) -> None:
        try:
            messages = self._decoder.receive(data)
        except AmiError as error:
            self._lose(error)
            return
        for message in messages:
            if isinstance(message, Response):
                self._response(message)
            else:
                self._event(message)

    def _response(self, response: Response) -> None:
        action = self.responses.pop(response.get("ActionID") or "", None)
        if action is None:
            self._counters.strays += 1
        elif not action.future.done():
            action.future.set_result(response)

    def _event(self, event: Event) -> None:
        if event.name == "FullyBooted":
            _settle(self.booted, None)
        if self._followers and (action_id := event.get("ActionID")) is not None:
            follower = self._followers.get(action_id)
            if follower is not None and follower[0](event):
                return
        self._give(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(AmiDown("Asterisk closed the connection"))

    def close(self) -> None:
        """Ends the connection. What is open has an unknown outcome."""
        self._lose(AmiDown("the link was closed"))

    def _lose(self, why: AmiError) -> None:
        _settle(self.lost, why)
        unknown = AmiDeadline("the link was lost before the answer came")
        _settle(self.booted, unknown)
        for action in self.responses.values():
            _settle(action.future, unknown)
        for _, ended in self._followers.values():
            _settle(ended, unknown)
        self.responses.clear()
        self.transport.abort()


class _Following:
    """Context of one list or Originate."""

    def __init__(
        self,
        followers: dict[str, tuple[Callable[[Event], bool], asyncio.Future[Any]]],
        action_id: str,
        take: Callable[[Event], bool],
        ended: asyncio.Future[Any],
    ) -> None:
        self._followers = followers
        self._action_id = action_id
        self._entry = (take, ended)

    def __enter__(self) -> None:
        self._followers[self._action_id] = self._entry

    def __exit__(self, *_: object) -> None:
        del self._followers[self._action_id]
        self._entry[1].cancel()


def _settle(future: asyncio.Future[Any], error: Exception | None, result: Any = None) -> None:
    """Ends a future that may have ended already, and that nobody may be waiting for."""
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
        future.exception()


def _action(name: str, headers: HeadersToSend) -> Any:
    """panoramisk's action with its own id and future, from headers that are safe; equal names keep their order."""
    pairs = checked([("Action", name), *(headers.items() if isinstance(headers, Mapping) else headers)])
    values: dict[str, list[str]] = {}
    for header, value in pairs:
        values.setdefault(header, []).append(value)
    if any(name.lower() == "actionid" for name in values):
        raise AmiUnsafeValue("the link gives the ActionID")
    originated = [value for header, known in values.items() if header.lower() == "channel" for value in known]
    if name.lower() == "originate" and not (len(originated) == 1 and ORIGINATED.fullmatch(originated[0])):
        raise AmiUnsafeValue(f"a phone or a trunk is never originated, only telephony.ring's channels: {originated}")
    return Action({header: known if len(known) > 1 else known[0] for header, known in values.items()})


def _assignment(name: str, value: str) -> str:
    if not VARIABLE_NAME.fullmatch(name) or not VARIABLE_VALUE.fullmatch(value):
        raise AmiUnsafeValue(f"a character that has no place in a channel variable: {name!r:.80}")
    return f"{name}={value}"


def _outcome(event: Event) -> OriginateOutcome:
    unique_id = event.get("Uniqueid")
    reason = event.get("Reason") or ""
    return OriginateOutcome(
        answered=event.get("Response") == "Success",
        reason=int(reason) if reason.isdecimal() else 0,
        channel=event.get("Channel") or "",
        unique_id=None if unique_id in (None, "", "<unknown>") else unique_id,
    )
