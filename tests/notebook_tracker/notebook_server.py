"""What answers for a notebook at an address, and what goes wrong there when it is told to.

Rules:

1. A request is answered with a status and JSON, whatever it asks.
2. What goes wrong is told beforehand (``troubles``), and goes wrong where the request arrives.
"""

from __future__ import annotations

import json
import weakref
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from tests.notebook_tracker.notebook_store import LISTS, WORDS, Json, NotebookStore, Refusal, load, word

PAGE = 20

_SERVED: weakref.WeakValueDictionary[str, NotebookServer] = weakref.WeakValueDictionary()


def at_address(url: str) -> NotebookServer:
    """What answers there. Raises ConnectionRefusedError where nothing does."""
    server = _SERVED.get(url)
    if server is None:
        raise ConnectionRefusedError(url)
    return server


@dataclass(frozen=True, slots=True)
class Answer:
    """Attributes: text: JSON, if all is well. retry_after: seconds to wait before asking again."""

    status: int
    text: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong with the next request that has this text in its body.

    Attributes:
        instead: the answer that is given, with nothing done. Without it all is done, and the answer is lost.
        cut: half of the answer arrives.
        lasting: with every such request, from now on.
    """

    text: str = ""
    instead: Answer | None = None
    cut: bool = False
    lasting: bool = False


class NotebookServer:
    """Attributes.

    store: the notebook, which people write in without asking here.
    troubles: what goes wrong, in order.
    keeps: how many entries of a log are shown, the latest ones; None for all.
    garbled: keys of issues that make no sense when they are shown.
    received: requests so far.
    """

    def __init__(self, store: NotebookStore, url: str) -> None:
        self.store = store
        self.troubles: list[Trouble] = []
        self.keeps: int | None = None
        self.garbled: set[str] = set()
        self.received: list[str] = []
        _SERVED[url] = self

    # ------------------------------------------------------------------------------------------------------ requests

    def answer(self, token: str, method: str, path: str, body: Json) -> Answer:
        """The answer to one request. Raises ConnectionResetError where it is lost."""
        self.received.append(f"{method} {path}")
        asked = json.dumps(body, ensure_ascii=False)
        trouble = next((one for one in self.troubles if one.text in asked), None)
        if trouble and not trouble.lasting:
            self.troubles.remove(trouble)
        if trouble and trouble.instead:
            return trouble.instead
        try:
            answer = Answer(HTTPStatus.OK, json.dumps(self._carried_out(token, method, path.split("/"), body)))
        except Refusal as refusal:
            answer = Answer(refusal.status, json.dumps({"error": str(refusal)}))
        if trouble and trouble.cut:
            return replace(answer, text=answer.text[: len(answer.text) // 2])
        if trouble:
            raise ConnectionResetError
        return answer

    def _carried_out(self, token: str, method: str, path: list[str], body: Json) -> Any:
        access = load(self.store.root / "tokens.json").get(token)
        if access is None:
            raise Refusal(HTTPStatus.UNAUTHORIZED)
        by = access["account"]
        if method != "GET" and not access["writes"]:
            raise Refusal(HTTPStatus.FORBIDDEN)
        match method, *path:
            case "GET", "me":
                return {**self.store.person(by), "writes": access["writes"]}
            case "GET", "projects":
                return {"projects": [load(file) for file in sorted(self.store.root.glob("*/project.json"))]}
            case "GET", "projects", project:
                return {**load(self.store.folder(project) / "project.json"), "words": WORDS}
            case "GET", "projects", project, ("ids" | "issues") as what:
                return self._page(project, body, whole=what == "issues")
            case "GET", "projects", project, "versions":
                return self._versions(project)
            case "POST", "projects", project, "issues":
                return self._done(self.store.open(project, body["title"], body["text"], by=by, labels=body["labels"]))
            case "GET", "issues", key:
                return self.record(key)
            case "PATCH", "issues", key:
                self.store.change(key, body, by=by)
                return self._done(key)
            case "POST", "issues", key, "comments":
                return self._done(key, self.store.comment(key, body["text"], by=by, internal=body["internal"]))
            case "PUT", "issues", key, "comments", number:
                return self._done(key, self.store.edit(key, number, body, by))
            case "PUT", "issues", key, "links":
                return self._done(key, self.store.link(key, body, by))
        raise Refusal(HTTPStatus.NOT_FOUND)

    def _done(self, key: str, made: str = "") -> Json:
        return {"made": made or key, "issue": self.record(key)}

    # ------------------------------------------------------------------------------------------------------- reading

    def record(self, key: str) -> Json:
        """The issue as it is shown."""
        log, stands = self.store.log(key), self.store.stands(key)
        history = [entry for entry in log if entry["what"] not in {"comment", "edit"}]
        opened = {"at": log[0]["at"], "by": self.store.person(log[0]["by"])}
        shown = {
            **stands,
            **{field: sorted(stands[field]) for field in LISTS},
            **{field: word(field, stands[field]) for field in ("status", "priority")},
            "id": f"{self.store.file(key).parent.parent.name.lower()}{key.rpartition('-')[2]}",
            "key": key,
            "type": WORDS["type"][0],
            "assignee": self.store.person(stands["assignee"]) if stands["assignee"] else None,
            "opened": opened,
            "updated_at": max(entry["at"] for entry in log),
            "links": list(stands["links"].values()),
            "comments": [{**one, "by": self.store.person(one["by"])} for one in stands["comments"].values()],
            "entries": len(history),
            "log": [self._shown(entry) for entry in history[-(self.keeps or len(history)) :]],
        }
        return {**shown, "opened": "the day before yesterday", "log": None} if key in self.garbled else shown

    def _shown(self, entry: Json) -> Json:
        shown: Json = {name: entry[name] for name in ("n", "at", "what", "field", "added", "removed") if name in entry}
        for side in ("before", "after"):
            if side in entry:
                shown[side] = word(entry["field"], entry[side])
        return {**shown, "by": self.store.person(entry["by"])}

    def _page(self, project: str, asked: Json, *, whole: bool) -> Json:
        """Issues in the order of their numbers, from the one after ``after`` on."""
        keys = [key for key in self.store.keys(project) if int(key.rpartition("-")[2]) > asked.get("after", 0)]
        records = map(self.record, keys)
        found = [
            one for one in records if one["updated_at"] >= asked.get("since", "") and _has(one, asked.get("label"))
        ]
        last = int(found[PAGE - 1]["key"].rpartition("-")[2]) if len(found) > PAGE else None
        return {"issues": [one if whole else {"id": one["id"]} for one in found[:PAGE]], "next": last}

    def _versions(self, project: str) -> Json:
        versions = load(self.store.folder(project) / "versions.json")
        return {"versions": [{"name": name, "published_at": at} for name, at in versions.items()]}


def _has(record: Json, label: str | None) -> bool:
    return label is None or label in record["labels"]
