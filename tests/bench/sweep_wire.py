"""The wire between a contestant and the tracker of a sweep: whatever is asked arrives that much later.

It is in a process of its own: the tracker, which is one thread, would note a request only when it is done with the one
before, and the wire would begin to be long only then.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection

_HOST = "127.0.0.1"
_MOST = 1 << 18


@contextmanager
def wire(url: str, seconds: float, *inherited: Connection) -> Iterator[str]:
    """The address of the wire's near end.

    Args:
        url: of its far end.
        seconds: that a request takes to get there.
        inherited: connections of the bench, whose other ends are to notice when the bench is no more.
    """
    if not seconds:
        yield url
        return
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    far = urlsplit(url)
    assert far.port is not None
    process = context.Process(target=_wire, args=(far.port, seconds, theirs, [ours, *inherited]), daemon=True)
    process.start()
    theirs.close()  # else this side would wait for ever for a process that has died
    try:
        yield far._replace(netloc=f"{_HOST}:{ours.recv()}").geturl()
    finally:
        ours.close()
        process.join()


def _wire(port: int, seconds: float, bench: Connection, inherited: Sequence[Connection]) -> None:
    for connection in inherited:
        connection.close()  # else nobody's end would ever be the last one
    # What was built before the fork lives to the end, and is not looked through.
    gc.freeze()
    asyncio.run(_carry(port, seconds, bench))


async def _carry(port: int, seconds: float, bench: Connection) -> None:
    async def connected(near: StreamReader, back: StreamWriter) -> None:
        far, there = await asyncio.open_connection(_HOST, port, limit=_MOST)
        await asyncio.gather(_carried(near, there, seconds), _carried(far, back, 0.0))

    server = await asyncio.start_server(connected, _HOST, 0, limit=_MOST)
    bench.send(server.sockets[0].getsockname()[1])
    # The bench says no more, so what is heard is its end.
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(bench.fileno(), over.set)
    await over.wait()


async def _carried(source: StreamReader, target: StreamWriter, seconds: float) -> None:
    """All that comes from the source, in its order, each part so much later; then the target is closed."""
    clock = asyncio.get_running_loop().time
    on_its_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def sent_off() -> None:
        going_on = True
        while going_on:
            part = b""
            with suppress(ConnectionError):
                part = await source.read(_MOST)
            on_its_way.put_nowait((clock() + seconds, part))
            going_on = bool(part)

    async def arrived() -> None:
        while True:
            due, part = await on_its_way.get()
            await asyncio.sleep(due - clock())
            if not part:
                break
            target.write(part)
            await target.drain()
        target.close()

    with suppress(ConnectionError):
        await asyncio.gather(sent_off(), arrived())
