"""A small Jira with three issues, served in one dialect, and the package ``jira`` logged in to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from jira import JIRA

from connectors.sandbox.clock import Clock
from connectors.sandbox.server import Sandbox
from connectors.sandbox.store import Store
from policies.issue import Word

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
MAIL, TOKEN, READ_ONLY = "bot@acme.test", "sandbox-token", "sandbox-read-only"
DIALECTS = [("jira-cloud", "3"), ("jira-cloud", "2"), ("jira-dc", "2")]


def adf(*paragraphs: str) -> dict[str, Any]:
    blocks = [{"type": "paragraph", "content": [{"type": "text", "text": text}]} for text in paragraphs]
    return {"type": "doc", "version": 1, "content": blocks}


def ground() -> Store:
    store = Store(Clock.fixed(NOW))
    store.create_user("bot-1", "Bot", username="bot", email=MAIL, bot=True, zone="Asia/Shanghai")
    store.create_user("li-1", "李伟", username="li", email="li@acme.test")
    store.create_user("anna-1", "Anna", username="anna", customer=True)
    store.create_token(TOKEN, "bot-1")
    store.create_token(READ_ONLY, "bot-1", permissions=["browse"])
    store.create_token("other-project", "bot-1", projects=["OTHER"])
    store.create_link_type("10000", "Blocks", "is blocked by", "blocks")
    for key in ("CAR", "OTHER"):
        store.create_project(
            key,
            f"{key} project",
            kind="jira",
            statuses=[Word("1", "待办", "new"), Word("3", "处理中", "indeterminate"), Word("5", "已解决", "done")],
            priorities=[Word("1", "紧急"), Word("2", "高"), Word("3", "普通")],
            types=[Word("10", "缺陷")],
            resolutions=[Word("1", "完成"), Word("2", "重复")],
            components=[Word("7", "Radio")],
        )
    for number in range(3):
        at = NOW - timedelta(days=3 - number)
        store.create_issue("CAR", f"issue {number + 1}", actor="anna-1", priority="3", labels=["x"], at=at)
    store.create_version("CAR", "1.0")
    return store


@dataclass
class Rig:
    store: Store
    sandbox: Sandbox
    mount: str
    api: str
    jira: JIRA

    @property
    def root(self) -> str:
        return f"{self.sandbox.url(self.mount)}/rest/api/{self.api}"

    def text(self, words: str) -> Any:
        return adf(words) if self.api == "3" else words

    def call(self, method: str, path: str, token: str = TOKEN, **options: Any) -> requests.Response:
        name = MAIL if self.mount == "jira-cloud" else "bot"
        return requests.request(method, f"{self.root}/{path}", auth=(name, token), timeout=10, **options)


def opened(store: Store, mount: str, api: str) -> Iterator[Rig]:
    with Sandbox(store) as sandbox:
        auth: dict[str, Any] = {"basic_auth": (MAIL, TOKEN)} if mount == "jira-cloud" else {"token_auth": TOKEN}
        options: dict[str, Any] = {"rest_api_version": api}
        jira = JIRA(sandbox.url(mount), options=options, max_retries=0, timeout=(5.0, 10.0), **auth)
        yield Rig(store, sandbox, mount, api, jira)
        jira.close()  # type: ignore[no-untyped-call]  # the package leaves it untyped
