"""The limits that a server holds its callers to.

Rules:

1. So many requests a minute for one account, told in the headers of every answer; beyond, 429 as plain text.
2. So many notes created a minute. REST refuses a further one with 429; GraphQL, as at the vendor, with HTTP 200 and a
   top-level error at the alias. Neither says in ``RateLimit-`` headers how many are left. A changed note is not counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response

if TYPE_CHECKING:
    from connectors.gitlab.stand_in.server import Server
    from connectors.sandbox.nouns import Token

NAME = "throttle_authenticated_api"
TOO_MANY = "This endpoint has been requested too many times. Try again later."


def throttle(server: Server, token: Token | None) -> Response | dict[str, str]:
    """Headers for the answer, or the answer itself where the account asks too often."""
    limit = server.terms.requests_a_minute
    if limit is None or token is None:
        return {}
    reading = server.meter.count(NAME, token.user, limit)
    if reading.exceeded:
        return PlainTextResponse("Retry later\n", 429, reading.headers())
    return reading.headers()


def may_note(server: Server, token: Token) -> bool:
    """Count a note to be created; whether it still may be."""
    limit = server.terms.notes_a_minute
    return limit is None or not server.meter.count("notes_create", token.user, limit).exceeded
