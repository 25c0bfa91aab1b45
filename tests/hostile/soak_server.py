"""The server under soak, a process of its own, in asyncio's debug mode and with warnings as errors.

It prints its port, and for each line of stdin, and once more at its end, one line of JSON: what there is of
it, and all that has gone wrong so far. It ends at the end of stdin.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
from typing import Any

from chat_console.server.chat_server import ChatServer
from chat_console.server.room import notices
from chat_console.server.room.events import Event, Failed, LeaveReason, Left
from chat_console.server.room.member import Member
from chat_console.server.settings import Settings
from chat_console.server.wire.connection import Connection

SLOW_CALLBACK = 1.0
"""How long one callback may hold the loop, in seconds; less than that is the noise of a busy machine."""

_DROPPED = (LeaveReason.FAILED, LeaveReason.SLOW, LeaveReason.STALLED, LeaveReason.FOREIGN)


class Troubles(logging.Handler):
    """All that asyncio, Python and the server complain of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(f"{record.name}: {self.format(record)}")

    def unraisable(self, problem: Any) -> None:
        self.told.append(
            f"{problem.err_msg or 'Exception ignored in'} {problem.object!r}: {problem.exc_value!r}"
        )

    def note(self, event: Event) -> None:
        match event:
            case Failed():
                self.told.append(notices.failed(event.where, event.error))
            case Left(reason=reason) if reason in _DROPPED:
                self.told.append(notices.was_dropped(event.name, reason.value))
            case _:
                pass


def reading(troubles: Troubles) -> str:
    """What there is, once the garbage is collected."""
    gc.collect()
    objects = sum(isinstance(thing, Connection | Member) for thing in gc.get_objects())
    tasks = sorted(repr(task.get_coro()) for task in asyncio.all_tasks())
    return json.dumps({"tasks": tasks, "objects": objects, "troubles": troubles.told})


async def serve(troubles: Troubles) -> None:
    loop = asyncio.get_running_loop()
    loop.slow_callback_duration = SLOW_CALLBACK
    ended = asyncio.Event()

    def answer() -> None:
        if sys.stdin.readline():
            print(reading(troubles), flush=True)
        else:
            loop.remove_reader(sys.stdin)
            ended.set()

    async with ChatServer(Settings(port=0)) as server:
        server.subscribe(troubles.note)
        loop.add_reader(sys.stdin, answer)
        gc.collect()
        gc.freeze()  # as the program does: it decides how much garbage waits for the collector
        print(server.port, flush=True)
        await ended.wait()
    print(reading(troubles), flush=True)


def main() -> None:
    troubles = Troubles()
    logging.getLogger().addHandler(troubles)
    sys.unraisablehook = troubles.unraisable
    asyncio.run(serve(troubles), debug=True)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
