"""One cell: a value of the model as something a spreadsheet can hold, and back.

One job: value and cell, by the type that the model gives the field. It knows no sheet and no file.
"""

from __future__ import annotations

import re
import types
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NewType, Union, get_args, get_origin

from routing.calendar import CITY, city_time
from routing.codec import field_types
from routing.columns import Column
from routing.exchange.overflows import overflows_text, read_overflows
from routing.exchange.periods import periods_text, read_periods
from routing.labels_zh import PARTS, today
from routing.model import Overflow, Period

Cell = str | int | date
"""What is written; an empty text is an empty cell."""

YES, NO = "是", "否"
_YES: Final = frozenset({YES, "y", "yes", "true", "1", "√", "对"})
_NO: Final = frozenset({NO, "n", "no", "false", "0", "×", "x"})
_LISTED: Final = str.maketrans(",;\n", "、、、")
LONGEST_CELL: Final = 4000
"""Characters; no field of ours comes near it."""


@dataclass(frozen=True, slots=True)
class Unreadable(Exception):
    """What stands in the cell is nothing that may stand there."""

    reason: str
    example: str = ""


def shown(value: Any, column: Column) -> Cell:
    """The value as it is written into the cell."""
    if value is None:
        return ""
    if column.words:
        return column.words.get(str(value), str(value))
    kind = plain(column.declared)
    if kind is bool:
        return YES if value else NO
    if kind in (int, date):
        return value  # type: ignore[no-any-return]
    if kind is datetime:
        return _clocked(city_time(value))
    if _is_tuple_of(kind, Period):
        return periods_text(value)
    if _is_tuple_of(kind, Overflow):
        return overflows_text(value)
    if get_origin(kind) in (tuple, frozenset):
        return "、".join(str(one) for one in (value if isinstance(value, tuple) else sorted(value)))
    if is_dataclass(value):
        return "、".join(f"{PARTS.get(name, name)}:{getattr(value, name)}" for name in field_types(kind))
    if isinstance(value, Mapping):
        return "、".join(f"{key}:{one}" for key, one in value.items())
    return str(value)


def read(cell: object, column: Column) -> Any:
    """The value that the cell stands for. Raises Unreadable."""
    kind = plain(column.declared)
    if isinstance(cell, str) and len(cell) > LONGEST_CELL:
        raise Unreadable(f"太长，最多 {LONGEST_CELL} 个字符", column.advice.example)
    if column.words:
        return _word(cell, kind, column)
    for test, reader in _READERS:
        if test(kind):
            try:
                return reader(cell, kind)
            except (ValueError, OverflowError) as error:
                raise Unreadable(str(error), column.advice.example) from None
    raise TypeError(f"no way to read a {column.declared!r}; add one to routing/exchange/cells.py")


def text_of(cell: object) -> str:
    """The cell as text: whole numbers without a point, dates as ISO 8601."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return YES if cell else NO
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if not (cell.hour or cell.minute or cell.second) else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


def plain(hint: Any) -> Any:
    """The type without its None and its NewType name."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (one for one in get_args(hint) if one is not type(None))
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    return hint


def _word(cell: object, kind: Any, column: Column) -> Any:
    text = text_of(cell).strip()
    code = next((code for code, word in column.words.items() if text in (code, word)), None)
    if code is None:
        choices = "、".join(column.words.values())
        raise Unreadable(f"应为 {choices} 之一", next(iter(column.words.values())))
    return kind(code)


def _text(cell: object, _kind: Any) -> str:
    return text_of(cell)


def _whole(cell: object, _kind: Any) -> int:
    text = unicodedata.normalize("NFKC", text_of(cell)).strip()
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise ValueError("应为整数")
    return int(text)


def _bool(cell: object, _kind: Any) -> bool:
    text = text_of(cell).strip().lower()
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise ValueError(f"应为 {YES} 或 {NO}")


def _date(cell: object, _kind: Any) -> date:
    if isinstance(cell, datetime):
        if cell.hour or cell.minute or cell.second or cell.microsecond:
            raise ValueError("应为日期，不带时刻")
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = unicodedata.normalize("NFKC", text_of(cell)).strip()
    parts = re.split("[-/年月]", text.removesuffix("日"))
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts) or len(parts[0]) != 4:
        raise ValueError("应为日期，年-月-日")
    try:
        return date(int(parts[0]), int(parts[1]), int(parts[2]))
    except ValueError:
        raise ValueError("没有这一天") from None


def _moment(cell: object, _kind: Any) -> datetime:
    """A day alone is its first moment; a moment without a zone is the city's."""
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime(cell.year, cell.month, cell.day, tzinfo=CITY)
    if not isinstance(cell, datetime):
        text = unicodedata.normalize("NFKC", text_of(cell)).strip().replace("/", "-")
        try:
            cell = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("应为日期和时刻，年-月-日 时:分") from None
    return cell if cell.tzinfo else cell.replace(tzinfo=CITY)


def _clocked(moment: datetime) -> str:
    whole = not (moment.second or moment.microsecond)
    return f"{moment:%Y-%m-%d %H:%M}" if whole else moment.replace(tzinfo=None).isoformat(" ")


def _enum(cell: object, kind: Any) -> Any:
    try:
        return kind(text_of(cell).strip())
    except ValueError:
        raise ValueError(f"应为 {'、'.join(kind)} 之一") from None


def _periods(cell: object, _kind: Any) -> tuple[Period, ...]:
    return read_periods(text_of(cell))


def _overflows(cell: object, _kind: Any) -> tuple[Overflow, ...]:
    return read_overflows(unicodedata.normalize("NFKC", text_of(cell)).translate(_LISTED))


def _many(cell: object, kind: Any) -> Any:
    of = plain(get_args(kind)[0])
    parts = [part.strip() for part in unicodedata.normalize("NFKC", text_of(cell)).translate(_LISTED).split("、")]
    reads = {int: _whole, date: _date}.get(of, lambda part, _kind: part)
    return get_origin(kind)(reads(part, of) for part in parts if part)


def _parts(cell: object, kind: Any) -> Any:
    """A record in one cell, its whole numbers and texts by name."""
    types_of = field_types(kind)
    names = {name: code for code in types_of for name in (code, unicodedata.normalize("NFKC", PARTS.get(code, code)))}
    written = _named(cell)
    if {names.get(name) for name in written} != set(types_of):
        raise ValueError(f"应写明 {'、'.join(f'{PARTS.get(code, code)}:值' for code in types_of)}")
    given = {names[name]: value for name, value in written.items()}
    return kind(**{code: _whole(given[code], int) if of is int else given[code] for code, of in types_of.items()})


def _pairs(cell: object, kind: Any) -> dict[Any, Any]:
    of = plain(get_args(kind)[1])
    return {key: _whole(value, int) if of is int else value for key, value in _named(cell).items()}


def _named(cell: object) -> dict[str, str]:
    found: dict[str, str] = {}
    parts = unicodedata.normalize("NFKC", text_of(cell)).translate(_LISTED).split("、")
    for part in filter(None, map(str.strip, parts)):
        key, colon, value = part.partition(":")
        key = today(key)
        if not colon or key.strip() in found:
            raise ValueError(f"看不懂“{part}”：应为 名:值，用顿号隔开，每个名一次")
        found[key.strip()] = value.strip()
    return found


def _is_tuple_of(kind: Any, of: type) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[0] is of


_READERS: Final[tuple[tuple[Callable[[Any], bool], Callable[[object, Any], Any]], ...]] = (
    (lambda kind: kind is bool, _bool),
    (lambda kind: kind is int, _whole),
    (lambda kind: kind is date, _date),
    (lambda kind: kind is datetime, _moment),
    (lambda kind: kind is str, _text),
    (lambda kind: isinstance(kind, type) and issubclass(kind, StrEnum), _enum),
    (lambda kind: _is_tuple_of(kind, Period), _periods),
    (lambda kind: _is_tuple_of(kind, Overflow), _overflows),
    (lambda kind: get_origin(kind) in (tuple, frozenset), _many),
    (is_dataclass, _parts),
    (lambda kind: get_origin(kind) is not None, _pairs),
)
