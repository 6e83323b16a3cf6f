"""GitLab's own ways of failing, as faults for the sandbox, in the vendor's words.

    store.faults.add(resource_lock(path="/issues/7", times=2))
    store.faults.add(too_complex(body="WorkItems"))

Each waits for a request that ``meets``, as every ``Fault`` does; nothing of that request is carried out. The real
limits need no fault: the cost of a query is always counted, and the rates are a server's ``Terms``.
"""

from __future__ import annotations

import json

from connectors.gitlab.stand_in.complexity import LIMIT
from connectors.sandbox.faults import Fault

_GRAPHQL = "/api/graphql"


def resource_lock(path: str = r"/issues/\d+", method: str = "PUT", times: int | None = 1) -> Fault:
    """Another request is changing the same issue: 409 ``Resource lock``."""
    return Fault(
        "status", method=method, path=path, times=times, status=409, answer=_message("409 Conflict: Resource lock")
    )


def too_complex(body: str = "", times: int | None = 1, score: int = LIMIT + 50) -> Fault:
    """The server reckons a query dearer than it is here: HTTP 200 with ``errors``, as always with GraphQL."""
    text = f"Query has complexity of {score}, which exceeds max complexity of {LIMIT}"
    answer = json.dumps({"errors": [{"message": text}]})
    return Fault("status", path=_GRAPHQL, body=body, times=times, status=200, answer=answer)


def timed_out(body: str = "", times: int | None = 1, field: str = "Project.workItems") -> Fault:
    """The query ran out of its 30 seconds: HTTP 200, the data is not there, the error says where it was cut off."""
    answer = json.dumps({"data": {"project": None}, "errors": [{"message": f"Timeout on {field}"}]})
    return Fault("status", path=_GRAPHQL, body=body, times=times, status=200, answer=answer)


def gateway_timeout(path: str = _GRAPHQL, body: str = "", times: int | None = 1) -> Fault:
    """The proxy before the server gave up waiting: 502, and no JSON."""
    page = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
    return Fault("status", path=path, body=body, times=times, status=502, answer=page)


def internal_error(body: str = "", times: int | None = 1) -> Fault:
    """A query broke the server: 500, in GraphQL's shape."""
    answer = json.dumps({"errors": [{"message": "Internal server error"}]})
    return Fault("status", path=_GRAPHQL, body=body, times=times, status=500, answer=answer)


def _message(text: str) -> str:
    return json.dumps({"message": text})
