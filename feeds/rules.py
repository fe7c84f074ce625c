"""What is in a department's scope, how records are chained, and where somebody is who reads on. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from feeds.model import GENESIS, Record, Subscription, What

ID: Final = re.compile(r"[a-z][a-z0-9-]{1,31}", re.ASCII)
NUMBER: Final = re.compile(r"[0-9]{3,20}", re.ASCII)
GROUP: Final = re.compile(r"[a-z][a-z0-9-]{0,39}", re.ASCII)
_CURSOR: Final = re.compile(r"([0-9]{1,15})(?:\.([0-9a-f]{16}))?", re.ASCII)
_CURSOR_HASH: Final = 16
"""Signs of the hash in a cursor: enough to tell that a chain is not the one that was read before."""

MAX_NAME: Final = 40
TARGET: Final = "feed-"
"""What stands before a subscription's id in the outbox and in its key."""


class NotUsable(ValueError):
    """A subscription that cannot be; the text says why and what would do, in Chinese."""


class OtherChain(ValueError):
    """A cursor names a record that this chain does not have; the text says what to do, in Chinese."""


def require_usable(subscription: Subscription) -> None:
    """Raises NotUsable."""
    if not ID.fullmatch(subscription.id):
        raise NotUsable(
            f"编号 {subscription.id!r} 应以小写字母开头，只含小写字母、数字和连字符，2 到 32 个，例如 market"
        )
    if not 0 < len(subscription.name.strip()) <= MAX_NAME or not subscription.name.isprintable():
        raise NotUsable(f"部门名称应为 1 到 {MAX_NAME} 个可见字符，例如 市场监管局")
    if not subscription.what:
        raise NotUsable(f"至少要订阅一项；可选 {'、'.join(What)}")
    if not subscription.numbers and not subscription.groups:
        raise NotUsable('范围不能为空：写明号码或技能组，全部来电写号码 "*"')
    if subscription.everything and (len(subscription.numbers) > 1 or subscription.groups):
        raise NotUsable('"*" 已是全部来电，不要再写别的号码或技能组')
    for number in subscription.numbers:
        if not subscription.everything and not NUMBER.fullmatch(number):
            raise NotUsable(f"号码 {number!r} 应为市民拨打的号码，例如 12315")
    for group in subscription.groups:
        if not GROUP.fullmatch(group):
            raise NotUsable(f"技能组 {group!r} 应为路由表里的编号，例如 market")


def in_scope(subscription: Subscription, number: str, group: str) -> bool:
    """Whether a call to this number, answered or waited for in this group, is the department's to know."""
    return subscription.everything or number in subscription.numbers or group in subscription.groups


def digest(previous: str, seq: int, key: str, body: str) -> str:
    """The hash of a record: SHA-256 over the hash before it, its place, its key and its body, a line each."""
    return hashlib.sha256(f"{previous}\n{seq}\n{key}\n{body}".encode()).hexdigest()


def encoded(body: Mapping[str, Any]) -> str:
    """A body as the text that is hashed and sent: the same for the same content."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def shown(record: Record) -> dict[str, Any]:
    """A record as it is pushed and fetched: both ways are the same."""
    return {
        "subscription": record.subscription,
        "seq": record.seq,
        "key": record.key,
        "previous": record.previous,
        "hash": record.hash,
        "body": record.body,
    }


def cursor(seq: int, digest_: str) -> str:
    """Where somebody is who has read as far as this record."""
    return f"{seq}.{digest_[:_CURSOR_HASH]}" if seq else "0"


def cursor_of(text: str) -> tuple[int, str]:
    """Number and beginning of the hash of the last record read; empty when the cursor does not say it.

    Raises NotUsable.
    """
    match = _CURSOR.fullmatch(text or "0")
    if match is None:
        raise NotUsable("after 应为上一次答复里的 next；从头取写 0")
    return int(match[1]), match[2] or ""


def faults(records: Iterable[Record], seq: int = 0, previous: str = GENESIS) -> Iterator[str]:
    """What is wrong with a chain that goes on from this record, in Chinese; records in their order."""
    for record in records:
        if record.seq != seq + 1:
            lost = f"{seq + 1}" if record.seq == seq + 2 else f"{seq + 1} 至 {record.seq - 1}"
            yield f"第 {lost} 条不见了"
        elif record.previous != previous:
            yield f"第 {record.seq} 条接不上第 {seq} 条"
        if record.hash != digest(record.previous, record.seq, record.key, record.body):
            yield f"第 {record.seq} 条被改过"
        seq, previous = record.seq, record.hash
