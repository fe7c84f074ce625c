"""The API's description, OpenAPI 3.1, of the declarations in console/access/permissions.py."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from console.access.permissions import CALL, TEXT, Ownership, Route

_ERROR: Final = {
    "description": "为什么不行、怎么办",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_REFUSALS: Final = ("400", "401", "403", "404", "409", "413", "415", "429", "503")


def document(doors: Iterable[Route]) -> dict[str, Any]:
    """The whole document, as data."""
    paths: dict[str, dict[str, Any]] = {}
    for door in doors:
        paths.setdefault(door.path, {})[door.method.lower()] = _operation(door)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "12345 热线接口",
            "version": "1",
            "description": "浏览器用会话 Cookie 加 X-CSRF-Token；程序用 Authorization: Bearer 令牌。"
            "号码一律遮盖，看号码要写原因并留痕。",
        },
        "paths": paths,
        "components": {
            "schemas": {
                "Error": {
                    "type": "object",
                    "properties": {"error": {"type": "string", "description": "中文，说明怎么办"}},
                    "required": ["error"],
                }
            },
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "hotline"},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _operation(door: Route) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "-", f"{door.method.lower()} {door.path}").strip("-"),
        "summary": door.what,
        "security": _security(door),
        "responses": {
            "200": {"description": "做好了", "content": {door.answers: {"schema": {}}}},
            **dict.fromkeys(_REFUSALS, _ERROR),
        },
    }
    if door.right is not None:
        made["x-right"] = door.right.value
        made["x-own"] = door.own.value
    parameters = [*(_part(door, name) for name in re.findall(r"{(\w+)}", door.path)), *_query(door)]
    if parameters:
        made["parameters"] = parameters
    if door.upload:
        content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        made["requestBody"] = {"required": True, "content": content}
    if door.body is not None:
        schema: dict[str, Any] = {"type": "object", "properties": {name: dict(one) for name, one in door.body.items()}}
        if door.needs:
            schema["required"] = list(door.needs)
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return made


def _security(door: Route) -> list[dict[str, list[str]]]:
    if door.right is None:
        return []
    browser: dict[str, list[str]] = {"session": []} if door.method == "GET" else {"session": [], "csrf": []}
    return [browser] if door.own is Ownership.SELF else [browser, {"token": []}]


def _part(door: Route, name: str) -> dict[str, Any]:
    if name in door.choices:
        schema: dict[str, Any] = {"enum": list(door.choices[name])}
    elif name == "id":
        schema = {"type": "integer", "minimum": 1, "maximum": 999999999}
    else:
        schema = dict(CALL if name == "call" else TEXT) | {"minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query(door: Route) -> list[dict[str, Any]]:
    return [{"name": name, "in": "query", "schema": dict(schema)} for name, schema in door.query.items()]
