"""Reports (话务报表) over the API: any period, told apart by number, group, agent or time; as data and as a workbook.

One job: translate. What is counted is ledger/reports'.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from console.api.call_search import names
from console.http_json import WHO, error_response, json_response
from ledger.reports.columns import KEYS, TITLES, columns
from ledger.reports.errors import FontMissing
from ledger.reports.model import By, Line, Period, Report, as_json
from ledger.reports.periods import NoPeriod, days, month
from ledger.reports.schedule import file_name
from ledger.reports.service import Reports
from ledger.reports.workbook import XLSX, period_name, workbook
from routing.model import Snapshot

NAMED: Final = {By.NUMBER: "lines", By.GROUP: "groups", By.AGENT: "agents"}
"""Whose names are which of :func:`console.api.call_search.names`."""


def report_routes(reports: Reports, snapshot: Callable[[], Snapshot]) -> list[web.RouteDef]:
    """The routes, to be added to the browsers' application."""

    async def shown(request: web.Request) -> web.Response:
        report = await _asked(request, reports, snapshot())
        return json_response(shown_of(report, reports))

    async def export(request: web.Request) -> web.Response:
        table = snapshot()
        form, kind = request.query.get("form", "xlsx"), XLSX
        if form not in ("xlsx", "pdf"):
            raise error_response(400, "form 应为 xlsx 或 pdf")
        report = await _asked(request, reports, table)
        names_ = other_names(table)
        if form == "pdf":
            from ledger.reports.pdf import PDF, pdf  # heavy: not before somebody wants one

            at, by = datetime.now(reports.zone), request[WHO].name
            try:
                data, kind = await asyncio.to_thread(pdf, report, reports.aims, names_, at, by), PDF
            except FontMissing as error:
                raise error_response(503, str(error)) from None
        else:
            data = await asyncio.to_thread(workbook, report, reports.aims, names_)
        title = f"{file_name(report.period, report.by)}.{form}"
        given = f"attachment; filename=\"report.{form}\"; filename*=UTF-8''{quote(title)}"
        return web.Response(body=data, content_type=kind, headers={"Content-Disposition": given})

    return [web.get("/api/reports", shown), web.get("/api/reports/export", export)]


def namer(table: Snapshot) -> Callable[[By, str], str]:
    """What numbers, groups and agents are called in this table."""
    known = names(table)
    return lambda by, key: known[NAMED[by]].get(key, "") if by in NAMED else ""


def other_names(table: Snapshot) -> dict[str, str]:
    """What targets of transfers and wrap-up codes are called."""
    known = names(table)
    return known["targets"] | known["wrap_up_codes"]


def shown_of(report: Report, reports: Reports) -> dict[str, Any]:
    """The report with its columns: heads, how values are written, what they mean; each line with its values."""
    shown = columns(report.by, reports.aims)

    def values(line: Line) -> list[float | None]:
        return [column.value(line) for column in shown]

    told = as_json(report)
    for line, row in zip((*report.lines, report.whole, report.whole_before), _rows(told), strict=True):
        row["values"] = values(line)
    return {
        **told,
        "title": f"{period_name(report.period)} 话务报表（{TITLES[report.by]}）",
        "compared_with": period_name(report.before),
        "head": KEYS[report.by],
        "columns": [
            {"id": column.id, "head": column.head, "form": column.form.value, "means": column.means} for column in shown
        ],
    }


def _rows(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [*told["lines"], told["whole"], told["whole_before"]]


async def _asked(request: web.Request, reports: Reports, table: Snapshot) -> Report:
    try:
        by = By(request.query.get("by", By.NUMBER))
    except ValueError:
        raise error_response(400, f"by 应为 {'、'.join(By)} 之一") from None
    return await reports.report(_period(request, reports), by, namer(table))


def _period(request: web.Request, reports: Reports) -> Period:
    wanted, first, last = (request.query.get(name, "") for name in ("month", "since", "until"))
    try:
        if wanted and not first and not last:
            return month(wanted[:20], reports.zone)
        if first and last and not wanted:
            return days(first[:20], last[:20], reports.zone)
    except NoPeriod as no:
        raise error_response(400, str(no)) from None
    raise error_response(400, "请给 month（例如 2026-11），或 since 和 until（例如 2026-11-01 和 2026-11-07，含当天）")
