"""The sandbox over real HTTP, on loopback, in a thread of its own.

    with Sandbox(store) as sandbox:
        url = sandbox.url("jira-cloud")        # http://127.0.0.1:PORT/jira-cloud

Faults (``store.faults``) are applied outside every dialect, and each request is noted in ``store.requests``.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from types import TracebackType
from typing import Any, Self

import uvicorn

from connectors.registry import KINDS, StandIn
from connectors.sandbox.faults import Fault
from connectors.sandbox.store import Request, Store

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

DIALECTS: Mapping[str, StandIn] = {name: one for kind in KINDS.values() for name, one in kind.stand_ins.items()}
"""Name of the mount -> how to make its application. A dialect is loaded when it is first asked for."""

TRUNCATED_HISTORY = "sandbox.truncated_history"
"""Key in the ASGI scope: dialects show only this many of the latest history entries of each issue."""

LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Log in</title></head><body><form action='/login'></form></body></html>"
_START_SECONDS = 10.0


class Sandbox:
    """Serves a store. A context manager; ``start`` and ``stop`` do the same by hand.

    Attributes:
        port: where it listens, once started.
    """

    def __init__(self, store: Store, port: int = 0, apps: Mapping[str, App] | None = None) -> None:
        """Port 0 takes a free one. ``apps`` adds to, or stands in place of, the dialects of the same name."""
        self.store = store
        self.port = port
        self._front = Front(store, apps or {})
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def url(self, name: str) -> str:
        """Base address of a dialect. Raises LookupError for an unknown name, ImportError if it does not load."""
        self._front.app(name)
        return f"http://127.0.0.1:{self.port}/{name}"

    def start(self) -> Self:
        """Listen and serve. Raises OSError where the port is taken, RuntimeError where it is already running."""
        if self._thread is not None:
            raise RuntimeError("the sandbox is already running")
        # The protocol is named because asyncio sends without delay (TCP_NODELAY) only where it is: 40 ms a request.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", self.port))
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._front,
            http="h11",
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=2,
            timeout_keep_alive=30,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name=f"sandbox-{self.port}", daemon=True
        )
        self._thread.start()
        limit = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > limit:
                self.stop()
                listener.close()
                raise RuntimeError("the sandbox's server did not start")
            time.sleep(0.005)
        return self

    def stop(self) -> None:
        """Finish what is being answered, close all connections, end the thread. Safe to call twice."""
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is not None and thread is not None:
            server.should_exit = True
            thread.join()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


class Front:
    """The outermost ASGI application: faults, the note of each request, and the way to the dialect."""

    def __init__(self, store: Store, apps: Mapping[str, App]) -> None:
        self._store = store
        self._apps: dict[str, App] = dict(apps)
        self._loading = threading.Lock()

    def app(self, name: str) -> App:
        """The dialect of a name, loaded once. Raises LookupError, ImportError."""
        with self._loading:
            if name not in self._apps:
                if name not in DIALECTS:
                    raise LookupError(f"no dialect {name!r}: there are {sorted({*DIALECTS, *self._apps})}")
                one = DIALECTS[name]
                self._apps[name] = getattr(importlib.import_module(one.module), one.factory)(self._store, **one.options)
            return self._apps[name]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _read(receive)
        mount, _, rest = scope["path"].lstrip("/").partition("/")
        query = scope["query_string"].decode("latin-1")
        target = f"{scope['path']}?{query}" if query else scope["path"]
        fault = self._store.faults.take(scope["method"], target, body.decode("utf-8", "replace"))
        note = _Note(mount=mount, method=scope["method"], path=f"/{rest}", query=query, body=body, fault=fault)
        try:
            await self._answer(scope, receive, send, body=body, note=note)
        finally:
            note.write(self._store.requests)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, *, body: bytes, note: _Note) -> None:
        fault = note.fault
        kind = fault.kind if fault else ""
        out = note.watch(send, self._store.requests)
        if fault is not None:
            if kind == "latency":
                await asyncio.sleep(fault.seconds)
            elif kind == "status":
                await _plain(out, fault.status, *_said(fault))
                return
            elif kind == "login_page":
                await _plain(out, 200, LOGIN_PAGE, [(b"content-type", b"text/html; charset=utf-8")])
                return
            elif kind == "drop_before":
                note.write(self._store.requests)
                await _drop(receive, send)
                return
        try:
            app = self.app(note.mount)
        except LookupError as error:
            await _plain(out, 404, str(error).encode(), [(b"content-type", b"text/plain; charset=utf-8")])
            return
        inner = {**scope, "root_path": f"{scope.get('root_path', '')}/{note.mount}"}
        if fault is not None and kind == "truncated_history":
            inner[TRUNCATED_HISTORY] = fault.keep
        if kind not in {"drop_after", "truncated_json"}:
            await app(inner, _replay(body, receive), out)
            return
        held: list[Message] = []
        await app(inner, _replay(body, receive), _into(held))
        if kind == "drop_after":
            note.write(self._store.requests)
            await _drop(receive, send)
            return
        whole = b"".join(message.get("body", b"") for message in held)
        head = held[0]
        kept = [(name, value) for name, value in head["headers"] if name.lower() != b"content-length"]
        await _plain(out, head["status"], whole[: len(whole) // 2], kept)


class _Note:
    """What will stand in ``store.requests``, before the client knows that it was answered."""

    def __init__(self, *, mount: str, method: str, path: str, query: str, body: bytes, fault: Fault | None) -> None:
        self.mount, self.method, self.path, self.query, self.body, self.fault = mount, method, path, query, body, fault
        self.status: int | None = None
        self._written = False

    def watch(self, send: Send, into: list[Request]) -> Send:
        async def watching(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.write(into)
            await send(message)

        return watching

    def write(self, into: list[Request]) -> None:
        """Once; later calls change nothing."""
        if self._written:
            return
        self._written = True
        text = self.body.decode("utf-8", "replace")
        try:
            body = json.loads(text) if text else None
        except ValueError:
            body = text
        fault = self.fault.kind if self.fault else ""
        into.append(Request(self.mount, self.method, self.path, self.query, body, self.status, fault))


async def _read(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body that was read, once more, and then what the connection says."""
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again


def _into(held: list[Message]) -> Send:
    async def hold(message: Message) -> None:
        held.append(message)

    return hold


async def _plain(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    size = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, size]})
    await send({"type": "http.response.body", "body": body})


def _said(fault: Fault) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Body and headers of a refused request, as both vendors would word it."""
    text = "Rate limit exceeded." if fault.status == 429 else f"HTTP {fault.status}"  # noqa: PLR2004 - its own name
    body = (fault.answer or json.dumps({"errorMessages": [text], "errors": {}, "message": text})).encode()
    headers = [(b"content-type", b"application/json")]
    if fault.retry_after is not None:
        headers.append((b"retry-after", str(fault.retry_after).encode()))
    if fault.reason:
        headers.append((b"ratelimit-reason", fault.reason.encode()))
    return body, headers


async def _drop(receive: Receive, send: Send) -> None:
    """Cut the connection without an answer: what the client sees is a reset, not a response.

    ASGI has no word for it; uvicorn's ``send`` is a method of the object that holds the transport.
    """
    transport: asyncio.Transport = send.__self__.transport  # type: ignore[attr-defined]  # see above
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
