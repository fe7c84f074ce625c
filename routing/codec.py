"""Values of the routing table as plain data (JSON, database, diff) and back, by their own declarations.

One job: a dataclass's annotations decide how it is written and read, so that a new field of the table is told in one
place only. A field that is missing in the data takes its default: a version published before the field was invented
can still be read.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, time
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from routing.calendar import CITY, city_time

T = TypeVar("T")

Encode = Callable[[Any], Any]
Decode = Callable[[Any], Any]


class Misfit(ValueError):
    """Plain data that is no value of the wanted type. ``path`` leads to it, its text says in Chinese what is wanted."""

    def __init__(self, path: str, value: object, wanted: str) -> None:
        super().__init__(f"{path or '数据'} = {value!r}：应为{wanted}")
        self.path = path
        self.value = value
        self.wanted = wanted


def plain(value: Any, kind: Any = None) -> Any:
    """The value as plain data. ``kind`` is its declared type when that says more than the value's own class."""
    return _codec(type(value) if kind is None else kind)[0](value)


def build(kind: type[T], data: Any, path: str = "") -> T:
    """The value of this type that the plain data describes. Raises Misfit."""
    try:
        made: T = _codec(kind)[1](data)
    except Misfit as misfit:
        raise Misfit(".".join(filter(None, (path, misfit.path))), misfit.value, misfit.wanted) from None
    return made


def field_types(kind: Any) -> Mapping[str, Any]:
    """Field name to declared type of a dataclass, in the order of the declaration."""
    known = _FIELDS.get(kind)
    if known is None:
        hints = get_type_hints(kind)
        known = _FIELDS[kind] = {each.name: hints[each.name] for each in fields(kind)}
    return known


def is_text(kind: Any) -> bool:
    """Whether values of this declared type are text in their plain form."""
    while hasattr(kind, "__supertype__"):
        kind = kind.__supertype__
    return isinstance(kind, type) and issubclass(kind, (str, date, time))


def _codec(kind: Any) -> tuple[Encode, Decode]:
    known = _KNOWN.get(kind)
    if known is None:
        known = _KNOWN[kind] = _made(kind)
    return known


def _made(kind: Any) -> tuple[Encode, Decode]:
    while hasattr(kind, "__supertype__"):  # a NewType
        kind = kind.__supertype__
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, Union):
        (some,) = (each for each in arguments if each is not type(None))
        return _optional(some)
    if origin in (tuple, frozenset):
        return _several(origin, arguments[0])
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(*arguments)
    if is_dataclass(kind) and isinstance(kind, type):
        return _record(kind)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return str, _choice(kind)
    if kind in _PLAIN:
        return _PLAIN[kind]
    raise TypeError(f"no plain form for {kind!r}")


def _exactly(kind: type, wanted: str) -> tuple[Encode, Decode]:
    def decode(data: Any) -> Any:
        if type(data) is not kind:
            raise Misfit("", data, wanted)
        return data

    _EXACT[decode] = kind
    return _same, decode


def _same(value: Any) -> Any:
    return value


def _iso(kind: type[date] | type[time], wanted: str) -> tuple[Encode, Decode]:
    def decode(data: Any) -> Any:
        try:
            return kind.fromisoformat(data)
        except (TypeError, ValueError):
            raise Misfit("", data, wanted) from None

    return kind.isoformat, decode


def _moment(data: Any) -> datetime:
    """Without a zone it is the city's time."""
    try:
        read = datetime.fromisoformat(data)
    except (TypeError, ValueError):
        raise Misfit("", data, "日期和时刻，例如 2026-12-01T18:00（北京时间）") from None
    return read if read.tzinfo else read.replace(tzinfo=CITY)


def _choice(kind: type[StrEnum]) -> Decode:
    members: dict[Any, StrEnum] = {str(member): member for member in kind}

    def decode(data: Any) -> Any:
        try:
            return members[data]
        except (KeyError, TypeError):
            raise Misfit("", data, f" {'、'.join(members)} 之一") from None

    return decode


def _optional(kind: Any) -> tuple[Encode, Decode]:
    encode, decode = _codec(kind)
    return (
        lambda value: None if value is None else encode(value),
        lambda data: None if data is None else decode(data),
    )


def _several(container: type, kind: Any) -> tuple[Encode, Decode]:
    encode, decode = _codec(kind)

    def write(values: Any) -> list[Any]:
        return [encode(each) for each in (values if container is tuple else sorted(values))]

    def read(data: Any) -> Any:
        if not isinstance(data, list):
            raise Misfit("", data, "列表")
        return container(map(decode, data))

    return write, read


def _mapping(key: Any, kind: Any) -> tuple[Encode, Decode]:
    if is_dataclass(kind) and isinstance(kind, type):
        return _records(kind)
    encode_key, decode_key = _codec(key)
    encode, decode = _codec(kind)

    def read(data: Any) -> Any:
        if not isinstance(data, dict):
            raise Misfit("", data, "名字到值的对照")
        return {decode_key(name): decode(value) for name, value in data.items()}

    return lambda values: {encode_key(name): encode(value) for name, value in values.items()}, read


def _records(kind: type) -> tuple[Encode, Decode]:
    """Records by their own first field are a list, which keeps their order whatever is done to the text."""
    encode, decode = _codec(kind)
    key = fields(kind)[0].name

    def read(data: Any) -> Any:
        if not isinstance(data, list):
            raise Misfit("", data, "列表")
        made = map(decode, data)
        return {getattr(each, key): each for each in made}

    return lambda values: [encode(each) for each in values.values()], read


def _record(kind: type) -> tuple[Encode, Decode]:
    declared = {name: _codec(each) for name, each in field_types(kind).items()}
    names = tuple(declared)
    values = attrgetter(*names) if len(names) > 1 else lambda value: (getattr(value, names[0]),)
    written = tuple((name, encode) for name, (encode, _) in declared.items() if encode is not _same)
    right = {name: _EXACT.get(decode) for name, (_, decode) in declared.items()}
    needed = {each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING}

    def write(value: Any) -> dict[str, Any]:
        row = dict(zip(names, values(value), strict=True))
        for name, encode in written:
            row[name] = encode(row[name])
        return row

    def read(data: Any) -> Any:
        if not isinstance(data, dict):
            raise Misfit("", data, f"含 {'、'.join(names)} 的一行")
        given = {}
        for name, part in data.items():
            if name not in declared:
                raise Misfit(name, part, f" {'、'.join(names)} 之一，没有这一项")
            if type(part) is right[name]:  # most of all values: no need to go through its codec
                given[name] = part
                continue
            try:
                given[name] = declared[name][1](part)
            except Misfit as misfit:
                raise Misfit(".".join(filter(None, (name, misfit.path))), misfit.value, misfit.wanted) from None
        if not needed <= given.keys():
            missing = sorted(needed - given.keys())
            raise Misfit(missing[0], None, "有值，不能缺")
        return kind(**given)

    return write, read


_EXACT: Final[dict[Decode, type]] = {}
"""Decoders that take values of one class as they are."""

_KNOWN: Final[dict[Any, tuple[Encode, Decode]]] = {}
_FIELDS: Final[dict[Any, dict[str, Any]]] = {}

_PLAIN: Final[Mapping[Any, tuple[Encode, Decode]]] = {
    str: _exactly(str, "文字"),
    int: _exactly(int, "整数"),
    bool: _exactly(bool, "是或否（true / false）"),
    float: (_same, _exactly(float, "数字")[1]),
    date: _iso(date, "日期，例如 2026-07-01"),
    datetime: (lambda value: city_time(value).isoformat(), _moment),
    time: _iso(time, "时刻，例如 08:30"),
}
