"""What may go wrong with a request, as a client tells it."""

from __future__ import annotations

from connectors.tracker import (
    CredentialsRefused,
    NotFound,
    PermissionRefused,
    RateLimited,
    ServerFailed,
    TrackerError,
    Unreachable,
)


def refused() -> TrackerError:
    return PermissionRefused("403 from the server")


def turned_away() -> TrackerError:
    return CredentialsRefused("401 from the server")


def server_error() -> TrackerError:
    return ServerFailed("500 from the server")


def missing() -> TrackerError:
    return NotFound("no such person")


def over_the_rate() -> TrackerError:
    return RateLimited("429 from the server", retry_after=600)


def unreachable() -> TrackerError:
    return Unreachable("connection refused")
