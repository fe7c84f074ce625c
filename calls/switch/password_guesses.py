"""Who guesses phones' passwords, and which phone is at two addresses: read from Asterisk's security log.

One job: count, and raise the alarms. The file and not AMI is read, so that a flood of guesses costs the calls nothing;
it, and the switch's other log that strangers can fill, are kept short here. Nothing is blocked: an address may be a
whole office's, and the phones' passwords are long and made by chance (ADR 0029).
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final

import structlog

from config.log_files import trim_log
from ledger.alarms import Alarms
from telephony.security_events import Attempt, SecurityEvent, security_event

log: Final[structlog.stdlib.BoundLogger] = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 2.0
READ_BYTES: Final = 1_000_000
"""At most so much of the log in one look; what a flood writes beyond it is passed over."""

WINDOW_SECONDS: Final = 60.0
MOST_TRIES: Final = 10
"""So many wrong tries of one address, or at one account, in the window are an alarm. A phone with an old password
tries again once in a minute or half a minute."""

QUIET_SECONDS: Final = 600.0
"""An alarm ends after so long without another reason for it."""

REGISTERED_SECONDS: Final = 120.0
"""A registration lasts so long (default_expiration in pjsip.conf): who was heard before may have left since."""

GUESSING: Final = "sip-guessing"
TWO_PHONES: Final = "sip-two-phones-{account}"
SWITCH_LOGS: Final = ("messages", "security")


@dataclass
class Guesses:
    """The tries of the last minute. Pure but for the time, which is an argument in seconds."""

    wrong: deque[tuple[float, SecurityEvent]] = field(default_factory=lambda: deque(maxlen=10_000))
    seen: dict[str, tuple[str, float]] = field(default_factory=dict)
    """By account: where it was last let in, and when."""

    def take(self, event: SecurityEvent, now: float) -> str:
        """Note it. The address that this account was at just before, when it is another; else empty."""
        if event.attempt is not Attempt.RIGHT:
            self.wrong.append((now, event))
            return ""
        before, at = self.seen.get(event.account, (event.source, now))
        self.seen[event.account] = (event.source, now)
        return before if before != event.source and now - at <= REGISTERED_SECONDS else ""

    def suspects(self, now: float) -> str:
        """What was tried too often in the last minute, as a text for people; empty when nothing was."""
        while self.wrong and now - self.wrong[0][0] > WINDOW_SECONDS:
            self.wrong.popleft()
        if len(self.wrong) < MOST_TRIES:
            return ""
        sources = Counter(event.source or "未知地址" for _, event in self.wrong)
        accounts = Counter(event.account or "无法识别的帐号" for _, event in self.wrong)
        told = [f"来自 {name} {count} 次" for name, count in sources.most_common(3) if count >= MOST_TRIES]
        told += [f"针对 {name} {count} 次" for name, count in accounts.most_common(3) if count >= MOST_TRIES]
        return "，".join(told)


class GuessWatch:
    """Of one node's switch, whose logs are in ``folder``."""

    def __init__(self, folder: Path, alarms: Alarms, clock: Callable[[], float] = monotonic) -> None:
        self._folder = folder
        self._alarms = alarms
        self._clock = clock
        self._guesses = Guesses()
        self._read = -1
        """So far the log was read; -1: not yet."""
        self._reasons: dict[str, float] = {}
        """Each alarm of ours that stands, with the last time there was a reason for it."""

    async def run(self) -> None:
        """Look for ever. A log that cannot be read now is looked at again."""
        while True:
            try:
                self.look(await asyncio.to_thread(self._lines))
            except OSError as error:
                log.warning("security log not read", reason=str(error))
            await asyncio.sleep(LOOK_SECONDS)

    def look(self, lines: Iterable[str]) -> None:
        """Take these lines, and raise or clear the alarms."""
        now = self._clock()
        for line in lines:
            event = security_event(line)
            if event is None:
                continue
            before = self._guesses.take(event, now)
            if before:
                key = TWO_PHONES.format(account=event.account)
                self._raise(
                    key,
                    f"话机帐号 {event.account} 刚才还在 {before}，现在从 {event.source} 登记，原来的话机已收不到来电；"
                    f"若不是换机或换网，请立即更换该话机的密码",
                    now,
                )
        told = self._guesses.suspects(now)
        if told:
            self._raise(
                GUESSING,
                f"有人在猜话机密码（60 秒内{told}）；请查看 DATA_DIR/asterisk/log/security，并在防火墙上拦截来源",
                now,
            )
        for key, at in list(self._reasons.items()):
            if now - at > QUIET_SECONDS:
                del self._reasons[key]
                self._alarms.clear(key)

    def _raise(self, key: str, text: str, now: float) -> None:
        self._reasons[key] = now
        self._alarms.put(key, text, grave=False)

    def _lines(self) -> list[str]:
        """What was written since the last look; the switch's logs are kept short on the way."""
        path = self._folder / "security"
        lines: list[str] = []
        if path.exists():
            size = path.stat().st_size
            start = size if self._read < 0 else 0 if self._read > size else max(self._read, size - READ_BYTES)
            with path.open("rb") as file:
                file.seek(start)
                block = file.read(READ_BYTES)
            whole = block.rfind(b"\n") + 1
            self._read = start + whole
            lines = block[:whole].decode("utf-8", "replace").splitlines()
        elif self._read < 0:
            self._read = 0
        for name in SWITCH_LOGS:
            trim_log(self._folder / name)
        return lines
