"""``warranty sandbox``: trackers of one's own on loopback, with a scenario or with exported issues in them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.text import Text

from connectors.sandbox.load import Loaded, LoadFailed, load_file
from connectors.sandbox.scenario import Scenario, ScenarioFault, read
from connectors.sandbox.server import DIALECTS, Sandbox
from connectors.sandbox.store import Store
from flows import instant, json_text, likely, render
from flows.exit_codes import Exit
from flows.grid import line
from flows.refusal import Refusal
from policies.issue import Word

OWN_ACCOUNT = "warranty-flows"
OWN_MAIL = "warranty-flows@sandbox.example"
OWN_TOKEN = "sandbox-token"  # noqa: S105 - opens nothing but a sandbox on loopback; the shipped scenarios know it too
LATER = timedelta(minutes=10)
_KEPT_KEYS = 5


@dataclass(frozen=True, slots=True)
class Stage:
    """How to use what is served. Attributes: dialects: served names. variables: to export. options: of the commands."""

    dialects: tuple[str, ...]
    variables: dict[str, str]
    options: str
    notes: tuple[str, ...] = ()


def serve(port: int, scenario: str, load: Path | None, *, site_file: Path | None, as_json: bool) -> Exit:
    """Serve until interrupted (Ctrl-C or SIGTERM).

    Raises:
        Refusal: the scenario or file cannot be loaded, or the port is taken.
    """
    store, loaded, scene = Store(), None, None
    if load:
        loaded = _loaded(store, load)
    else:
        scene = _scene(scenario)
        store = scene.store()
    sandbox = Sandbox(store, port)
    try:
        sandbox.start()
    except OSError as failure:
        raise Refusal(
            f"port {port} cannot be used: {failure.strerror}",
            Exit.BAD_INPUT,
            "choose another with --port; 0 takes a free one",
        ) from None
    try:
        stage = _stage_of_load(sandbox, loaded, site_file) if loaded else _stage_of_scene(sandbox, scene)
        _announce(sandbox, stage, as_json=as_json)
        _until_stopped()
    finally:
        sandbox.stop()
    return Exit.FINE


def _until_stopped() -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()


def _announce(sandbox: Sandbox, stage: Stage, *, as_json: bool) -> None:
    urls = {name: sandbox.url(name) for name in stage.dialects}
    if as_json:
        told = {"urls": urls, "variables": stage.variables, "options": stage.options, "notes": stage.notes}
        sys.stdout.write(json_text.document(told) + "\n")
        sys.stdout.flush()
        return
    out = render.Paper(soft_wrap=True)
    out.print(Text("sandbox, on this machine only", style="bold"))
    for name, url in urls.items():
        out.print(Text(f"  {name:<12} {url}"))
    for note in stage.notes:
        out.print(Text(f"  {line(note)}", style="dim"))
    out.print(Text("\nin another terminal:", style="bold"))
    for name, value in stage.variables.items():
        out.print(Text(f"  export {name}={value}"))
    out.print(Text(f"  warranty plan {stage.options}\n\nCtrl-C ends it"))
    sys.stdout.flush()


# ------------------------------------------------------------------------------------------------------------ scenarios


def _scene(name: str) -> Scenario:
    try:
        return read(name)
    except ScenarioFault as failure:
        raise Refusal(str(failure), Exit.BAD_INPUT) from None


def _new_ledger() -> str:
    """A ledger of this sandbox's own: what was read from an earlier one is not true of this one."""
    return f"sqlite:///{Path('.warranty').resolve() / f'sandbox-{instant.now():%Y%m%dT%H%M%S}-{os.getpid()}.db'}"


def _stage_of_scene(sandbox: Sandbox, scene: Scenario | None) -> Stage:
    assert scene is not None
    # What `apply` writes lies after the scenario's now; judged a little later, the next plan sees it.
    now = (scene.at(scene.now) + LATER).astimezone(ZoneInfo(scene.zone)).isoformat()
    kinds = {project.kind for project in scene.projects}
    return Stage(
        dialects=tuple(name for name in DIALECTS if any(name.startswith(kind) for kind in kinds)),
        variables={
            "WARRANTY_SANDBOX_URL": f"http://127.0.0.1:{sandbox.port}",
            "WARRANTY_SANDBOX_TOKEN": scene.tokens[0].token,
            "WARRANTY_SANDBOX_LEDGER": _new_ledger(),
        },
        options=f"--site sandbox --now {now}",
        notes=tuple(filter(None, (scene.about, f"its clock stands at {scene.now} ({scene.zone})"))),
    )


# ------------------------------------------------------------------------------------------------------ exported issues


def _loaded(store: Store, file: Path) -> Loaded:
    try:
        loaded = load_file(store, file)
    except (LoadFailed, OSError) as failure:
        raise Refusal(
            f"{file}: {failure}", Exit.BAD_INPUT, "give raw Jira REST issues, one a line, plain or gzipped"
        ) from None
    store.create_user(OWN_ACCOUNT, "Warranty flows", email=OWN_MAIL)
    store.create_token(OWN_TOKEN, OWN_ACCOUNT)
    return loaded


def _stage_of_load(sandbox: Sandbox, loaded: Loaded, site_file: Path | None) -> Stage:
    url = sandbox.url("jira-cloud")
    text = site_over(sandbox.store, loaded, url)
    path = site_file or Path(".warranty") / "sandbox-load.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    notes = [f"{len(loaded.keys)} issues in {len(loaded.projects)} projects"]
    if loaded.histories_missing:
        notes.append(_missing("history", loaded.histories_missing))
    if loaded.comments_missing:
        notes.append(_missing("comments", loaded.comments_missing))
    notes.append(f"a site file with a first guess at the words was written: {path}")
    return Stage(
        dialects=("jira-cloud", "jira-dc"),
        variables={"WARRANTY_SANDBOX_USER": OWN_MAIL, "WARRANTY_SANDBOX_TOKEN": OWN_TOKEN},
        options=f"--site {path}",
        notes=tuple(notes),
    )


def _missing(what: str, keys: tuple[str, ...]) -> str:
    more = f" and {len(keys) - _KEPT_KEYS} more" if len(keys) > _KEPT_KEYS else ""
    return f"part of the {what} is missing in the file of {', '.join(keys[:_KEPT_KEYS])}{more}"


def site_over(store: Store, loaded: Loaded, url: str) -> str:
    """A site file over loaded issues: every status of theirs with the state it most likely means."""
    states: dict[str, str] = {}
    severities: dict[str, str] = {}
    with store.lock:
        for key in loaded.projects:
            for status in (*store.projects[key].statuses, *_past_statuses(store, key)):
                states.setdefault(status.name or status.id, likely.state_of(status).value)
            for priority in store.projects[key].priorities:
                severities.setdefault(priority.name or priority.id, _severity(priority.name))
    return "\n".join(
        [
            "# Written by `warranty sandbox --load`: a first guess at what the words mean. Check it.",
            "name: sandbox-load",
            "pack: standard-warranty",
            f"ledger: {_quoted(_new_ledger())}",
            "zone: Asia/Shanghai",
            "limits: {changes_per_run: 100000}",
            "trackers:",
            "  - name: jira",
            "    kind: jira",
            f"    url: {url}",
            "    user: {env: WARRANTY_SANDBOX_USER}",
            "    token: {env: WARRANTY_SANDBOX_TOKEN}",
            f"    projects: [{', '.join(_quoted(key) for key in loaded.projects)}]",
            *_mapping("states", states),
            *_mapping("severities", severities),
            '    responders: ["*"]',
            "",
        ]
    )


def _past_statuses(store: Store, project: str) -> Iterator[Word]:
    """Statuses that only the histories name: renamed or deleted since."""
    for issue in store.issues.values():
        if issue.project != project:
            continue
        for item in (item for entry in issue.history for item in entry.items if item.field == "status"):
            for end in ("from", "to"):
                if name := str((item.given or {}).get(f"{end}String") or ""):
                    yield Word(str((item.given or {}).get(end) or ""), name)


def _mapping(name: str, words: dict[str, str]) -> list[str]:
    if not words:
        return [f"    {name}: {{}}"]
    return [f"    {name}:", *(f"      {_quoted(word)}: {meaning}" for word, meaning in words.items())]


def _quoted(word: str) -> str:
    """A word as a quoted YAML key or value."""
    return json_text.document(word)


def _severity(priority: str) -> str:
    grave = {"highest": "urgent", "blocker": "urgent", "critical": "high", "high": "high"}
    return grave.get(priority.casefold(), "normal")
