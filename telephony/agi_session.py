"""One AGI question as a flow sees it: who asks, a few commands with deadlines, and hanging up as an ending.

One job: pair commands with replies in time. It knows the codec and the loop's clock, neither the server nor a flow.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

from telephony.agi_codec import AgiCodec, Opened, Reply, State
from telephony.errors import AgiCommandError, AgiDeadline, AgiError, AgiProtocolError, HangUp
from telephony.model import VARIABLE_NAME, VARIABLE_VALUE

MAX_VARIABLES: Final = 64
"""In one MSet; Asterisk takes 99 pairs (pbx_builtin_setvar_multiple in pbx_variables.c)."""

_READABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,78}(?:\([A-Za-z0-9_,:-]{0,78}\))?")


class AgiSession:
    """One question from the dialplan. Commands raise HangUp once the caller has gone."""

    __slots__ = ("_codec", "_command_seconds", "_ended", "_loop", "_waiter", "_write", "args", "env", "script")

    def __init__(
        self,
        codec: AgiCodec,
        opened: Opened,
        write: Callable[[bytes], None],
        loop: asyncio.AbstractEventLoop,
        command_seconds: float,
    ) -> None:
        self.script: str = opened.script
        """Path of the AGI URL, without the leading slash."""
        self.env: Mapping[str, str] = opened.env
        """The ``agi_*`` lines. A caller may forge those after ``agi_callerid``: read channel variables instead."""
        self.args: tuple[str, ...] = opened.args
        self._codec = codec
        self._write = write
        self._loop = loop
        self._command_seconds = command_seconds
        self._waiter: asyncio.Future[Reply] | None = None
        self._ended: AgiError | None = None

    @property
    def hung_up(self) -> bool:
        """The caller has gone, as far as we were told."""
        return isinstance(self._ended, HangUp)

    def require_peer(self) -> None:
        """Raises what ended the session when nobody is there any more to hear an answer."""
        if self._ended is not None and self._codec.state is State.CLOSED:
            raise self._ended

    async def command(self, verb: str, *args: str) -> Reply:
        """Sends one command and returns its reply.

        Raises HangUp when the caller has gone, AgiCommandError for a status other than 200, AgiDeadline when no reply
        comes in time (the session is then over), AgiProtocolError for what must not go on the wire or when the peer
        breaks the grammar.
        """
        if self._ended is not None:
            raise self._ended
        line = self._codec.command(verb, *args)
        waiter = self._waiter = self._loop.create_future()
        timer = self._loop.call_later(self._command_seconds, self.end, AgiDeadline(f"no reply to {verb}"))
        self._write(line)
        try:
            reply: Reply = await waiter
        finally:
            timer.cancel()
            self._waiter = None
        if reply.code == 511 or reply.result == "-1":
            self.end(HangUp("the channel is gone"))
            raise HangUp("the channel is gone")
        if reply.code != 200:
            raise AgiCommandError(reply.code, reply.text)
        return reply

    async def set_many(self, variables: Mapping[str, str]) -> None:
        """Sets channel variables in one round trip, in the given order: put the sentinel last.

        Values may hold ASCII letters, digits, spaces and ``-_.:/&+=@``; nothing that a dialplan could read as syntax.
        Raises AgiProtocolError for anything else, and what :meth:`command` raises.
        """
        if not 0 < len(variables) <= MAX_VARIABLES:
            raise AgiProtocolError(f"between 1 and {MAX_VARIABLES} variables at once")
        for name, value in variables.items():
            if not VARIABLE_NAME.fullmatch(name):
                raise AgiProtocolError(f"not the name of a channel variable: {name!r:.80}")
            if not VARIABLE_VALUE.fullmatch(value):
                raise AgiProtocolError(f"a character that has no place in a channel variable: {name}")
        reply = await self.command("EXEC", "MSet", ",".join(f"{name}={value}" for name, value in variables.items()))
        if reply.result != "0":
            raise AgiCommandError(reply.code, reply.text)

    async def get(self, name: str) -> str:
        """Value of a channel variable or of a function without outside text, e.g. ``CALLERID(num)``; unset is empty."""
        (value,) = await self.get_many(name)
        return value

    async def get_many(self, *names: str) -> tuple[str, ...]:
        """Several values in one round trip, carried URI-encoded so that no value can break the grammar.

        Raises AgiProtocolError for a name that is none, and what :meth:`command` raises.
        """
        for name in names:
            if not _READABLE.fullmatch(name):
                raise AgiProtocolError(f"not the name of a channel variable: {name!r:.80}")
        asked = "|".join(f"${{URIENCODE(${{{name}}})}}" for name in names)
        reply = await self.command("GET FULL VARIABLE", asked)
        values = (reply.value or "").split("|")
        if len(values) != len(names):
            raise AgiProtocolError("not as many values as names")
        return tuple(map(unquote, values))

    def take(self, reply: Reply) -> None:
        """The server hands in the reply to the open command."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(reply)

    def end(self, why: AgiError) -> None:
        """From now on every command raises ``why``; the open one too, unless its reply is still sure to come."""
        if self._ended is None or not isinstance(why, HangUp):
            self._ended = why
        reply_comes = isinstance(why, HangUp) and self._codec.state is not State.CLOSED
        if self._waiter is not None and not self._waiter.done() and not reply_comes:
            self._waiter.set_exception(why)
