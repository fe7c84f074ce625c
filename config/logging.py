"""Log lines as JSON on standard error, personal data masked.

One job: configure structlog, and the standard library's logging with it. A field named ``pii_…`` is masked; what it
held is masked wherever else it stands in the same line, and so is every telephone number in an exception.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Final, TextIO

import structlog

PII: Final = "pii_"

_PHONE: Final = re.compile(r"(?<![\w.-])(?:\+?\d{7,}|0\d{2,3}-\d{7,8})(?![\w.])")
"""A telephone number in free text. Call ids (``hl1-1763812345.12``) and addresses in memory do not look like this."""

_STATEMENT: Final = re.compile(r"\[parameters: .*?\]\n|\[parameters: .*\]", re.DOTALL)
"""What SQLAlchemy appends to an error: the values of the row."""

NOISY: Final = ("alembic", "asyncio", "aiosqlite", "sqlalchemy.engine", "panoramisk")
"""Libraries that tell every step, callers included, below WARNING."""


def configure_logging(*, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every log line of this process to ``stream`` (standard error) as one JSON object."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter(), _mask_foreign],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            mask_personal_data,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def mask_personal_data(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor. Runs after exceptions have become text."""
    secrets = sorted({text for text in _held(event) if len(text) > 1}, key=len, reverse=True)
    masked = {key: _masked(key, value, secrets) for key, value in event.items()}
    if isinstance(masked.get("exception"), str):
        masked["exception"] = mask_text(str(masked["exception"]))
    return masked


def mask_text(text: str) -> str:
    """Free text without telephone numbers and without the values of a failed statement."""
    return _PHONE.sub(lambda found: mask(found[0]), _STATEMENT.sub("[parameters: ***]\n", text))


def mask(value: str) -> str:
    """Enough to recognise, too little to call: ``138******00``, ``张*``."""
    if len(value) >= 7:
        return value[:3] + "*" * (len(value) - 5) + value[-2:]
    return value[:1] + "*" * (len(value) - 1)


def _mask_foreign(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's line is free text, like an exception."""
    event["event"] = mask_text(str(event.get("event", "")))
    return event


def _held(value: object, *, personal: bool = False) -> Iterator[str]:
    """Every text under a ``pii_`` key, at any depth."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _held(item, personal=personal or str(key).startswith(PII))
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from _held(item, personal=personal)
    elif personal and value is not None:
        yield str(value)


def _masked(key: object, value: object, secrets: list[str], *, personal: bool = False) -> object:
    personal = personal or str(key).startswith(PII)
    if isinstance(value, Mapping):
        return {name: _masked(name, item, secrets, personal=personal) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked("", item, secrets, personal=personal) for item in value]
    if personal:
        return None if value is None else mask(str(value))
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, mask(secret))
    return value
