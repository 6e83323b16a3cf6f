"""A site over two trackers in memory: the file, the servers, and the kind ``memory`` in the registry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors import registry
from connectors.cache import Cache
from connectors.registry import Kind
from connectors.retry import Retry
from connectors.tracker import Connection
from policies.issue import Actor
from tests.memory_server import MemoryServer
from tests.memory_tracker import MemoryReader, MemoryWriter

NOW = datetime(2026, 3, 9, 4, 0, tzinfo=UTC)  # Monday noon in Shanghai
TOKEN = "memory-token-0123456789"

SITE = """\
name: workshop
pack: standard-warranty
zone: Asia/Shanghai
trackers:
  - name: north
    kind: memory
    url: http://127.0.0.1/north
    token: {env: WORKSHOP_TOKEN}
    projects: [CAR]
    states: {Open: open, Closed: closed}
    severities: {High: high, Medium: normal, Low: normal}
    responders: [lena]
    tiers: {L1: lena, L2: otto, L3: kim}
  - name: south
    kind: memory
    url: http://127.0.0.1/south
    token: {env: WORKSHOP_TOKEN}
    projects: [VAN]
    states: {group:new: open, group:done: closed}
    responders: [lena]
"""


def at(text: str) -> datetime:
    """An instant of March 2026 in Shanghai: "03 09:30" is the third at half past nine."""
    return datetime.fromisoformat(f"2026-03-{text[:2]}T{text[3:]}:00+08:00").astimezone(UTC)


@dataclass
class Workshop:
    """Two trackers in memory and the site file over them."""

    folder: Path
    file: Path
    north: MemoryServer
    south: MemoryServer

    def edit(self, before: str, after: str) -> None:
        text = self.file.read_text(encoding="utf-8")
        assert before in text
        self.file.write_text(text.replace(before, after), encoding="utf-8")

    def servers(self) -> tuple[MemoryServer, MemoryServer]:
        return self.north, self.south

    def register(self) -> None:
        """Make ``memory`` a kind of tracker. A tracker's name says which server it is."""

        def server_of(connection: Connection) -> MemoryServer:
            return self.north if connection.name == "north" else self.south

        def reader(connection: Connection, retry: Retry | None, _: Cache | None) -> MemoryReader:
            return MemoryReader(server_of(connection), connection, retry)

        def writer(connection: Connection, retry: Retry | None, _: Cache | None) -> MemoryWriter:
            return MemoryWriter(server_of(connection), connection, retry)

        registry.KINDS = {**registry.KINDS, "memory": Kind(reader, writer, {})}


def build(folder: Path) -> Workshop:
    """North has an issue that waits too long and one that was answered; south has one that is fresh."""
    north, south = _server("CAR"), _server("VAN")
    north.open("CAR", "Brakes squeal", by="carla", at=at("03 09:30"))
    answered = north.open("CAR", "Radio is silent", by="carla", at=at("06 10:00"))
    north.comment(answered, "We are looking into it", by="lena", at=at("06 11:00"))
    south.open("VAN", "Door sticks", by="carla", at=at("09 11:00"))
    file = folder / "workshop.yaml"
    file.write_text(SITE, encoding="utf-8")
    workshop = Workshop(folder, file, north, south)
    workshop.register()
    return workshop


def _server(project: str) -> MemoryServer:
    server = MemoryServer(NOW)
    server.tokens[TOKEN] = "warranty"
    for name in ("warranty", "lena", "otto", "kim", "carla"):
        server.people[name] = Actor(id=name, name=name.title())
    server.projects[project] = []
    return server
