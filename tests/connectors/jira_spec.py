"""Holds what was sent to Jira against descriptions of its API: Cloud's own, and one derived for Data Center.

    spec = JiraSpec(shared_specs / "jira-cloud-v3.openapi.json")
    assert spec.faults(store.requests) == []
    assert DataCenterSpec(shared_specs / "jira-dc-endpoints.derived.json").faults(store.requests) == []

Only accepted requests count: what the stand-in refused may well be wrong. API 2 is held to the description of API 3,
which is the same but for the texts; what went through the gateway is held to the same description.

The description's own limits: it lists the removed ``/search``; it lets any member into an edit, a comment and a remote
link; it does not say that ``fields`` and ``update`` exclude each other, what a field's value looks like, how long a
text may be, or that JQL must be bounded. There the stand-in is stricter than the description. Of Data Center only paths, methods and query
parameters are described, not bodies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from openapi_schema_validator import OAS30Validator

from connectors.sandbox.store import Request

MOUNT = "jira-cloud"
MOUNT_DC = "jira-dc"


class JiraSpec:
    """The description, ready for asking."""

    def __init__(self, path: Path) -> None:
        self._spec = json.loads(path.read_text(encoding="utf-8"))
        # A literal path ("project/search") is tried before a template ("project/{key}").
        ordered = sorted(self._spec["paths"].items(), key=lambda one: one[0].count("{"))
        self._paths = [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), item) for path, item in ordered]
        self._validator = cache(self._made)

    def faults(self, requests: Iterable[Request]) -> list[str]:
        """What is wrong with the accepted requests, one text each."""
        accepted = (one for one in requests if one.mount == MOUNT and one.status is not None and one.status < 400)
        return [f"{one.method} {one.path}: {fault}" for one in accepted for fault in self.faults_in(one)]

    def faults_in(self, request: Request) -> list[str]:
        below_gateway = re.sub(r"^/ex/jira/[^/]+", "", request.path)
        path = re.sub(r"^/rest/api/(?:2|latest)/", "/rest/api/3/", below_gateway)
        if not path.startswith("/rest/api/3/"):
            return []
        found = next((item for pattern, item in self._paths if pattern.fullmatch(path)), None)
        operation = (found or {}).get(request.method.lower())
        if operation is None:
            return ["not in the description"]
        parameters = [
            self._resolved(one) for one in (*(found or {}).get("parameters", []), *operation.get("parameters", []))
        ]
        faults = self._query_faults(request, [one for one in parameters if one["in"] == "query"])
        body = self._resolved(operation["requestBody"]) if "requestBody" in operation else None
        if body is None:
            return faults + ([] if request.body is None else ["a body where none belongs"])
        if request.body is None:
            return faults + (["the body is missing"] if body.get("required") else [])
        schema = body["content"]["application/json"]["schema"]
        return faults + self._schema_faults("body", schema, request.body)

    def _query_faults(self, request: Request, parameters: list[dict[str, Any]]) -> list[str]:
        known = {one["name"]: one for one in parameters}
        said: dict[str, list[str]] = {}
        for name, value in parse_qsl(request.query, keep_blank_values=True):
            said.setdefault(name, []).append(value)
        faults = [f"unknown query parameter {name!r}" for name in said if name not in known]
        faults += [
            f"query parameter {name!r} is missing"
            for name, one in known.items()
            if one.get("required") and name not in said
        ]
        for name, values in said.items():
            if name in known and "schema" in known[name]:
                schema = known[name]["schema"]
                faults += self._schema_faults(f"query {name}", schema, _typed(self._resolved(schema), values))
        return faults

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            target: Any = self._spec
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node

    def _schema_faults(self, where: str, schema: dict[str, Any], value: Any) -> list[str]:
        errors = self._validator(json.dumps(schema)).iter_errors(value)
        return [f"{where}{''.join(f'[{part!r}]' for part in error.absolute_path)}: {error.message}" for error in errors]

    def _made(self, schema: str) -> OAS30Validator:
        # The references point at #/components, so the components stand beside the schema.
        return OAS30Validator({**json.loads(schema), "components": self._spec["components"]})


class DataCenterSpec:
    """The derived description of Data Center's API."""

    def __init__(self, path: Path) -> None:
        operations = json.loads(path.read_text(encoding="utf-8"))
        ordered = sorted(operations, key=lambda one: str(one["path"]).count("{"))
        self._operations = [
            (one["method"], re.compile(re.sub(r"\{[^}]+\}", "[^/]+", one["path"])), set(one["query"]))
            for one in ordered
        ]

    def faults(self, requests: Iterable[Request]) -> list[str]:
        """What is wrong with the accepted requests, one text each."""
        accepted = (one for one in requests if one.mount == MOUNT_DC and one.status is not None and one.status < 400)
        return [f"{one.method} {one.path}: {fault}" for one in accepted for fault in self.faults_in(one)]

    def faults_in(self, request: Request) -> list[str]:
        path = request.path.replace("/rest/api/latest/", "/rest/api/2/")
        if not path.startswith("/rest/api/2/"):
            return []
        known = (
            names for method, pattern, names in self._operations if method == request.method and pattern.fullmatch(path)
        )
        found = next(known, None)
        if found is None:
            return ["not in the description"]
        said = dict.fromkeys(name for name, _ in parse_qsl(request.query, keep_blank_values=True))
        return [f"unknown query parameter {name!r}" for name in said if name not in found]


def _typed(schema: dict[str, Any], values: list[str]) -> Any:
    """A query parameter as the value its schema speaks of."""
    kind = schema.get("type")
    if kind == "array":
        return [_typed(schema.get("items", {}), [one]) for value in values for one in value.split(",")]
    text = values[-1]
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    return text
