"""Departments' feeds (数据推送) over the API: a program fetches the records of its own subscription.

One job: translate. Whose a subscription is, and what stands in it, is feeds/service's.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from aiohttp import web

from console.http_json import WHO, error_response, json_response, whole_of
from feeds.rules import NotUsable, OtherChain
from users.model import Identity

PAGE: Final = 200
MOST: Final = 1000


class Feed(Protocol):
    """Subscriptions and their chains."""

    async def read_after(self, client: Identity, id_: str, after: str, limit: int) -> dict[str, Any]:
        """What the program may read after this cursor. Raises NotUsable, OtherChain, PermissionError, LookupError."""


def feed_routes(feed: Feed) -> list[web.RouteDef]:
    """The route, to be added to the browsers' application."""

    async def read_after(request: web.Request) -> web.Response:
        limit = whole_of(request.query.get("limit"), "limit", PAGE, 1, MOST)
        subscription, after = request.query.get("subscription", "")[:40], request.query.get("after", "0")[:40]
        try:
            return json_response(await feed.read_after(request[WHO], subscription, after, limit))
        except NotUsable as error:
            raise error_response(400, str(error)) from None
        except PermissionError as error:
            raise error_response(403, str(error)) from None
        except LookupError as error:
            raise error_response(404, str(error.args[0])) from None
        except OtherChain as error:
            raise error_response(409, str(error)) from None

    return [web.get("/api/feed", read_after)]
