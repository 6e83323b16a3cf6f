"""Records of the sandbox as Jira's JSON. Reads, never writes.

Rules:

1. What a real tracker said (``given``) is passed on as it was said, with the addresses turned to this server; what it
   did not say (``absent``) is left out.
2. What the server fills in itself, such as a service desk's SLAs, stands in fields as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from connectors.jira.stand_in.history import changelog
from connectors.jira.stand_in.service_desk import PARTICIPANTS
from connectors.jira.stand_in.session import Session
from connectors.jira.stand_in.text import as_document, as_wiki
from connectors.jira.stand_in.words import here, stamp, status, user, word
from connectors.sandbox.nouns import Body, Comment, Issue, IssueLink, Project, Version, WebLink

Json = dict[str, Any]

EMBEDDED_COMMENTS = 20
"""How many comments Cloud shows in a search result; the rest is read at ``/issue/{key}/comment``."""

_STANDARD = (
    "summary", "status", "priority", "labels", "created", "updated", "duedate", "assignee", "reporter", "creator",
    "resolution", "resolutiondate", "issuetype", "fixVersions", "issuelinks", "comment", "description", "project",
    "components",
)  # fmt: skip


def body(session: Session, text: Body | None) -> Body | None:
    """A text in the form of the API's version."""
    return as_document(text) if session.api == "3" else as_wiki(text)


def version(session: Session, held: Version) -> Json:
    project = session.store.projects[held.project]
    shape: Json = {
        "self": f"{session.rest}/version/{held.id}", "id": held.id, "name": held.name, "archived": held.archived,
        "released": held.released, "projectId": project.id,
    }  # fmt: skip
    for name in ("released", "archived"):
        if shape[name] is None:
            del shape[name]
    if held.description:
        shape["description"] = held.description
    if held.release_date:
        shape["releaseDate"] = held.release_date.isoformat()
    return {**shape, **here(session, held.given)}


def project(session: Session, held: Project, *, full: bool = False) -> Json:
    shape: Json = {
        "self": f"{session.rest}/project/{held.id}", "id": str(held.id), "key": held.key, "name": held.name,
        "projectTypeKey": "service_desk" if held.service_desk else "software", "simplified": False,
    }  # fmt: skip
    shape |= here(session, held.given)
    if full:
        shape["issueTypes"] = [word(session, "issuetype", one) for one in held.types]
        shape["versions"] = [version(session, one) for one in held.versions.values()]
        shape["components"] = [word(session, "component", one) for one in held.components]
    return shape


# -------------------------------------------------------------------------------------------------------------- issue


def issue(session: Session, held: Issue, fields: Iterable[str], *, expand: str = "", search: bool = False) -> Json:
    """An issue with the asked fields (names, ``*all``, ``*navigable``, ``-name``).

    ``search``: as one of many: on Cloud its comments are capped.
    """
    shape: Json = {
        "expand": "operations,versionedRepresentations,editmeta,changelog,renderedFields",
        "id": held.id, "self": f"{session.rest}/issue/{held.id}", "key": held.key,
    }  # fmt: skip
    asked = list(fields)
    shape["fields"] = {
        name: value for name in _names(held, asked) if (value := _field(session, held, name, search=search)) is not _NO
    }
    if not shape["fields"] and asked == ["id"]:
        del shape["fields"]
    if "changelog" in expand.split(","):
        shape["changelog"] = changelog(session, held)
    return shape


_NO = object()


def _names(held: Issue, asked: list[str]) -> list[str]:
    every = list(dict.fromkeys([*_STANDARD, *held.given, *held.extra]))
    names: dict[str, None] = {}
    for name in asked or ["*all"]:
        if name == "*all":
            names |= dict.fromkeys(every)
        elif name == "*navigable":
            names |= dict.fromkeys(one for one in every if one not in {"comment", "description"})
        elif not name.startswith("-"):
            names[name] = None
    if all(name.startswith("-") for name in asked):
        names |= dict.fromkeys(every)
    return [name for name in names if f"-{name}" not in asked]


def _field(session: Session, held: Issue, name: str, *, search: bool) -> Any:
    if name in held.absent:
        return _NO
    if name == "comment":
        return comments(session, held, capped=search and session.cloud)
    if name == "issuelinks":
        own = [link(session, one, held) for one in held.links]
        return [*here(session, held.given.get(name) or []), *own]
    if name in {"description", "environment"} and name in held.given:
        return body(session, held.given[name])
    if name in held.given:
        return here(session, held.given[name])
    if name in _READ:
        return _READ[name](session, held)
    if name not in held.extra:
        return _NO
    value = held.extra[name]
    if name == "environment":
        return body(session, value)
    if value and session.store.world.fields.get(name, ("",))[1:] == PARTICIPANTS:
        return [shape for one in value if (shape := user(session, one)) is not None]
    return value


def _word_of(kind: str, attribute: str, session: Session, held: Issue) -> Json | None:
    wanted = getattr(held, attribute)
    home = session.home(held)
    words = {"priority": home.priorities, "issuetype": home.types, "resolution": home.resolutions}[kind]
    found = next((one for one in words if one.id == wanted), None)
    return word(session, kind, found) if found else None


def _status_of(session: Session, held: Issue) -> Json | None:
    found = session.home(held).status(held.status)
    return status(session, found) if found else None


def _versions_of(session: Session, held: Issue) -> list[Json]:
    known = session.home(held).versions
    return [version(session, known[one]) for one in held.fix_versions]


def _components_of(session: Session, held: Issue) -> list[Json]:
    known = {one.id: one for one in session.home(held).components}
    return [word(session, "component", known[one]) for one in held.components if one in known]


_READ: dict[str, Callable[[Session, Issue], Any]] = {
    "summary": lambda _, held: held.title,
    "description": lambda session, held: body(session, held.description),
    "status": _status_of,
    "priority": partial(_word_of, "priority", "priority"),
    "issuetype": partial(_word_of, "issuetype", "type"),
    "resolution": partial(_word_of, "resolution", "resolution"),
    "resolutiondate": lambda _, held: stamp(held.resolved_at) if held.resolved_at else None,
    "labels": lambda _, held: list(held.labels),
    "created": lambda _, held: stamp(held.created),
    "updated": lambda _, held: stamp(held.updated),
    "duedate": lambda _, held: held.due.isoformat() if held.due else None,
    "assignee": lambda session, held: user(session, held.assignees[0]) if held.assignees else None,
    "reporter": lambda session, held: user(session, held.reporter),
    "creator": lambda session, held: user(session, held.creator),
    "fixVersions": _versions_of,
    "components": _components_of,
    "project": lambda session, held: project(session, session.home(held)),
}


def link(session: Session, held: IssueLink, seen_from: Issue) -> Json:
    """A link as one end sees it: the source sees its target as ``outwardIssue``."""
    name, inward, outward = session.store.world.link_types[held.type]
    at_source = held.source == seen_from.id
    other = session.store.issues[held.target if at_source else held.source]
    about = {
        "id": other.id, "key": other.key, "self": f"{session.rest}/issue/{other.id}",
        "fields": {"summary": other.title, "status": _status_of(session, other)},
    }  # fmt: skip
    return {
        "id": held.id,
        "self": f"{session.rest}/issueLink/{held.id}",
        "type": {"id": held.type, "name": name, "inward": inward, "outward": outward},
        "outwardIssue" if at_source else "inwardIssue": about,
    }


def web_link(session: Session, held: WebLink, on: Issue) -> Json:
    return {"id": held.id, "self": f"{session.rest}/issue/{on.key}/remotelink/{held.id}", **held.data}


# ----------------------------------------------------------------------------------------------------------- comments


def comments(session: Session, held: Issue, *, capped: bool) -> Json:
    """The comment field. ``total`` counts what this server can give, not what the source said it once had."""
    shown = held.comments[:EMBEDDED_COMMENTS] if capped else held.comments
    return {
        "comments": [comment(session, one, held) for one in shown],
        "self": f"{session.rest}/issue/{held.id}/comment",
        "maxResults": len(shown),
        "total": len(held.comments),
        "startAt": 0,
    }


def comment(session: Session, held: Comment, on: Issue, *, properties: bool = False) -> Json:
    shape: Json = {
        "self": f"{session.rest}/issue/{on.id}/comment/{held.id}", "id": held.id,
        "author": user(session, held.author), "body": body(session, held.body),
        "updateAuthor": user(session, held.editor or held.author),
        "created": stamp(held.created), "updated": stamp(held.updated),
    }  # fmt: skip
    if session.cloud or session.home(on).service_desk:
        shape["jsdPublic"] = not held.internal
    if held.visibility:
        shape["visibility"] = held.visibility
    for name in ("author", "updateAuthor"):
        if shape[name] is None:
            del shape[name]
    said = {name: value for name, value in held.given.items() if name not in {"self", "body"}}
    shape |= here(session, said)
    if properties and held.properties:
        shape["properties"] = [{"key": key, "value": value} for key, value in held.properties.items()]
    return shape
