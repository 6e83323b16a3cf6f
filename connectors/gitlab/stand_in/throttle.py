"""The general limit: so many requests a minute for one account, told in the headers of every answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from connectors.gitlab.stand_in.server import Server
    from connectors.sandbox.nouns import Token

NAME = "throttle_authenticated_api"


def throttle(server: Server, token: Token | None) -> Response | dict[str, str]:
    """Headers for the answer, or the answer itself where the account asks too often."""
    limit = server.terms.requests_a_minute
    if limit is None or token is None:
        return {}
    reading = server.meter.count(NAME, token.user, limit)
    if reading.exceeded:
        return PlainTextResponse("Retry later\n", 429, reading.headers())
    return reading.headers()
