"""The reading endpoints of the Jira stand-in. Each takes a session and gives the JSON of the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from connectors.jira.stand_in import history, screens, shapes, words
from connectors.jira.stand_in.session import Refusal, Session
from connectors.sandbox.nouns import Issue
from policies.issue import Word

Json = dict[str, Any]

SERVER_VERSION = {True: "1001.0.0-SNAPSHOT", False: "9.12.4"}
PERMISSIONS = {
    "BROWSE_PROJECTS": "browse", "EDIT_ISSUES": "edit", "SCHEDULE_ISSUES": "edit", "ADD_COMMENTS": "comment",
    "EDIT_OWN_COMMENTS": "comment", "EDIT_ALL_COMMENTS": "admin", "CREATE_ISSUES": "create", "LINK_ISSUES": "link",
    "ASSIGN_ISSUES": "assign", "ASSIGNABLE_USER": "browse", "TRANSITION_ISSUES": "transition",
    "RESOLVE_ISSUES": "transition", "CLOSE_ISSUES": "transition", "MODIFY_REPORTER": "edit",
    "ADMINISTER_PROJECTS": "admin", "ADMINISTER": "admin", "BULK_CHANGE": "bulk", "MANAGE_SPRINTS_PERMISSION": "admin",
}  # fmt: skip
"""Jira's permission keys -> the words of a sandbox token."""

# ------------------------------------------------------------------------------------------------------ site and words


def server_info(session: Session) -> Json:
    version = SERVER_VERSION[session.cloud]
    return {
        "baseUrl": session.site,
        "version": version,
        "versionNumbers": [int(part) for part in version.partition("-")[0].split(".")],
        "deploymentType": "Cloud" if session.cloud else "Server",
        "buildNumber": 100300 if session.cloud else 9120004,
        "serverTime": words.stamp(session.store.clock.now()),
        "serverTitle": "Jira",
    }


def myself(session: Session) -> Json | None:
    session.log_in()
    shape = words.user(session, session.actor)
    locale = session.user.locale or "en_US"
    return None if shape is None else {**shape, "locale": locale}


def my_permissions(session: Session) -> Json:
    # Data Center tells all of them and does not know the parameter.
    asked = session.many("permissions") if session.cloud else list(PERMISSIONS)
    if not asked:
        raise Refusal(400, "The 'permissions' query parameter is required.")
    if unknown := [one for one in asked if one not in PERMISSIONS]:
        raise Refusal(400, f"Unrecognized permission: {unknown[0]}")
    project = session.query.get("projectKey") or session.query.get("projectId")
    key = session.project(project).key if project else None
    return {
        "permissions": {
            one: {
                "id": str(number), "key": one, "name": one.replace("_", " ").capitalize(), "type": "PROJECT",
                "description": "", "havePermission": session.token.may(PERMISSIONS[one], key),
            }
            for number, one in enumerate(PERMISSIONS)
            if one in asked
        }
    }  # fmt: skip


def fields(session: Session) -> list[Json]:
    """All fields, custom ones as far as they were made or an issue holds them."""
    held = {
        name
        for project in session.projects()
        for issue in project.issues.values()
        for name in (*issue.given, *issue.extra)
    }
    custom = screens.custom_fields(session, held)
    return [
        *(screens.field(*one) for one in screens.FIELDS),
        *(screens.custom_field(id_, *custom[id_]) for id_ in sorted(custom)),
    ]


def _union(session: Session, pick: Callable[[Any], Iterable[Word]]) -> list[Word]:
    found: dict[tuple[str, str], Word] = {}
    for project in session.projects():
        for word in pick(project):
            found.setdefault((word.id, word.name), word)
    return list(found.values())


def statuses(session: Session) -> list[Json]:
    return [words.status(session, one) for one in _union(session, lambda project: project.statuses)]


def status_categories(session: Session) -> list[Json]:
    return [{"self": f"{session.rest}/statuscategory/{one['id']}", **one} for one in words.CATEGORIES.values()]


def priorities(session: Session) -> list[Json]:
    return [words.word(session, "priority", one) for one in _union(session, lambda project: project.priorities)]


def issue_types(session: Session) -> list[Json]:
    return [words.word(session, "issuetype", one) for one in _union(session, lambda project: project.types)]


def resolutions(session: Session) -> list[Json]:
    return [words.word(session, "resolution", one) for one in _union(session, lambda project: project.resolutions)]


def link_types(session: Session) -> Json:
    return {
        "issueLinkTypes": [
            {"id": id_, "name": name, "inward": inward, "outward": outward,
             "self": f"{session.rest}/issueLinkType/{id_}"}
            for id_, (name, inward, outward) in session.store.world.link_types.items()
        ]
    }  # fmt: skip


# -------------------------------------------------------------------------------------------------- projects and people


def projects(session: Session) -> list[Json]:
    return [shapes.project(session, one) for one in session.projects()]


def project_search(session: Session) -> Json:
    everything = projects(session)
    start, size = session.number("startAt", 0), session.number("maxResults", 50, most=100)
    shown = everything[start : start + size]
    return {
        "self": f"{session.rest}/project/search", "startAt": start, "maxResults": size, "total": len(everything),
        "isLast": start + len(shown) >= len(everything), "values": shown,
    }  # fmt: skip


def project(session: Session) -> Json:
    return shapes.project(session, session.project(session.path["key"]), full=True)


def project_statuses(session: Session) -> list[Json]:
    held = session.project(session.path["key"])
    shown = [words.status(session, one) for one in held.statuses]
    return [{**words.word(session, "issuetype", one), "statuses": shown} for one in held.types]


def project_versions(session: Session) -> list[Json]:
    return [shapes.version(session, one) for one in session.project(session.path["key"]).versions.values()]


def project_components(session: Session) -> list[Json]:
    return [words.word(session, "component", one) for one in session.project(session.path["key"]).components]


def version(session: Session) -> Json:
    for held in session.projects():
        if (found := held.versions.get(session.path["id"])) is not None:
            return shapes.version(session, found)
    raise Refusal(404, f"Could not find version for id '{session.path['id']}'")


def user(session: Session) -> Json | None:
    asked = (
        session.query.get("accountId") if session.cloud else session.query.get("username") or session.query.get("key")
    )
    if not asked:
        raise Refusal(400, "The query parameter 'accountId' is required." if session.cloud else "username is required")
    found = session.store.users.get(asked) if session.cloud else session.store.user(asked)
    if found is None or found.deleted:
        name = "accountId" if session.cloud else "username"
        raise Refusal(404, f"Specified user does not exist or you do not have required permissions ({name} {asked!r}).")
    return words.user(session, found.id)


def user_search(session: Session) -> list[Json]:
    """By a piece of name or mail address, or the whole account id; for assignable users as well."""
    text = (session.query.get("query") or session.query.get("username") or session.query.get("accountId") or "").lower()
    start, size = session.number("startAt", 0), session.number("maxResults", 50, most=1000)
    found = [
        one
        for one in session.store.users.values()
        if not one.deleted
        and (
            text in {".", "", one.id.lower(), one.username.lower()}
            or text in one.name.lower()
            or text in one.email.lower()
        )
    ]
    return [shape for one in found[start : start + size] if (shape := words.user(session, one.id)) is not None]


# ------------------------------------------------------------------------------------------------------------- issues


def issue(session: Session) -> Json:
    held = session.issue(session.path["key"])
    asked = session.many("fields") or ["*all"]
    shape = shapes.issue(session, held, asked, expand=",".join(session.many("expand")))
    return with_properties(shape, held, session.many("properties"))


def with_properties(shape: Json, held: Issue, asked: list[str]) -> Json:
    if asked:
        every = "*all" in asked
        shape["properties"] = {key: value for key, value in held.properties.items() if every or key in asked}
    return shape


def issue_changelog(session: Session) -> Json:
    """Cloud: oldest first, by pages."""
    held = session.issue(session.path["key"])
    shown = history.seen_history(session, held)
    start, size = session.number("startAt", 0), session.number("maxResults", 100, most=100)
    page = shown[start : start + size]
    return {
        "self": f"{session.rest}/issue/{held.key}/changelog?startAt={start}&maxResults={size}",
        "startAt": start, "maxResults": size, "total": history.history_total(held),
        "isLast": start + len(page) >= len(shown),
        "values": [history.history(session, one, held) for one in page],
    }  # fmt: skip


def issue_changelog_list(session: Session) -> Json:
    """Cloud: the entries of some ids."""
    held = session.issue(session.path["key"])
    wanted = {str(one) for one in session.members("changelogIds", required=("changelogIds",))["changelogIds"]}
    found = [
        history.history(session, one, held) for one in history.seen_history(session, held) if str(one.id) in wanted
    ]
    return {"startAt": 0, "maxResults": len(found), "total": len(found), "histories": found}


def issue_comments(session: Session) -> Json:
    held = session.issue(session.path["key"])
    start, size = session.number("startAt", 0), session.number("maxResults", 100 if session.cloud else 1048576)
    order = session.query.get("orderBy", "created")
    if order.lstrip("+-") != "created":
        raise Refusal(400, f"Ordering by '{order}' is not supported.")
    ordered = list(reversed(held.comments)) if order.startswith("-") else held.comments
    expand = "properties" in session.many("expand")
    shown = [shapes.comment(session, one, held, properties=expand) for one in ordered[start : start + size]]
    return {"startAt": start, "maxResults": size, "total": len(held.comments), "comments": shown}


def issue_comment(session: Session) -> Json:
    held = session.issue(session.path["key"])
    found = held.comment(session.path["id"])
    if found is None:
        raise Refusal(404, f"Can not find a comment for the id: {session.path['id']}.")
    expand = "properties" in session.many("expand")
    return shapes.comment(session, found, held, properties=expand)


def comment_list(session: Session) -> Json:
    """Cloud: comments of any issues, by id."""
    wanted = dict.fromkeys(str(one) for one in session.members("ids", required=("ids",))["ids"])
    if not 1 <= len(wanted) <= 1000:  # noqa: PLR2004 - the vendor's limit
        raise Refusal(400, "The number of comment ids must be between 1 and 1000.")
    expand = "properties" in session.many("expand")
    seen = {one.key for one in session.projects()}
    issues = dict.fromkeys(id_ for one in wanted if (id_ := session.store.world.comments.get(one)) is not None)
    found = [
        shapes.comment(session, one, held, properties=expand)
        for held in (session.store.issues[id_] for id_ in issues)
        if held.project in seen
        for one in held.comments
        if one.id in wanted
    ]
    return {"startAt": 0, "maxResults": len(found), "total": len(found), "isLast": True, "values": found}


def transitions(session: Session) -> Json:
    held = session.issue(session.path["key"])
    home, full = session.home(held), "transitions.fields" in session.many("expand")

    def fields(target: Word) -> Json:
        screen = screens.transition_screen(session, home, held, closing=target.group == "done")
        return {"fields": screens.shown(session, home, screen)} if full else {}

    return {
        "expand": "transitions",
        "transitions": [
            {"id": id_, "name": words.named(session, "status", target), "to": words.status(session, target), "isAvailable": True,
             "hasScreen": target.group == "done", "isGlobal": True, "isInitial": False, "isConditional": False,
             **fields(target)}
            for id_, target in transition_ids(session, held).items()
        ],
    }  # fmt: skip


def transition_ids(session: Session, held: Issue) -> dict[str, Word]:
    """Every status can be reached from every other; ids are the vendor's usual 11, 21, 31 ..."""
    reached = session.home(held).statuses
    return {str(10 * n + 11): one for n, one in enumerate(reached) if one.id != held.status}


def remote_links(session: Session) -> list[Json] | Json:
    held = session.issue(session.path["key"])
    wanted = session.query.get("globalId")
    if wanted is not None:
        if wanted not in held.web_links:
            raise Refusal(404, f"The remote issue link with the globalId '{wanted}' does not exist.")
        return shapes.web_link(session, held.web_links[wanted], held)
    return [shapes.web_link(session, one, held) for one in held.web_links.values()]


def remote_link(session: Session) -> Json:
    held = session.issue(session.path["key"])
    for one in held.web_links.values():
        if str(one.id) == session.path["id"]:
            return shapes.web_link(session, one, held)
    raise Refusal(404, f"Cannot find remote issue link with id '{session.path['id']}'.")


def properties(session: Session) -> Json:
    held = session.issue(session.path["key"])
    root = f"{session.rest}/issue/{held.id}/properties"
    return {"keys": [{"self": f"{root}/{key}", "key": key} for key in held.properties]}


def property_(session: Session) -> Json:
    held = session.issue(session.path["key"])
    key = session.path["property"]
    if key not in held.properties:
        raise Refusal(404, f"The property {key} does not exist.")
    return {"key": key, "value": held.properties[key]}
