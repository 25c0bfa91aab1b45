"""The server on a meter, a process of its own: how long its loop is held, and how much memory it takes.

It is started with one argument, a JSON object: `settings` for the server, and `speed`, how many seconds pass
on the loop's clock in one. It prints its port. Then it takes one JSON list a line from stdin, a command of
`Meter.COMMANDS` with its arguments, and answers each with a line of JSON. It ends at the end of stdin.
"""

from __future__ import annotations

import asyncio
import gc
import json
import re
import selectors
import sys
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

from chat_console.server.chat_server import ChatServer
from chat_console.server.settings import Settings

NOTED = 0.001
"""Slices shorter than this are not noted, in seconds of CPU time."""

REFERENCE = 20_000
"""How much work `reference` does."""


class Slices(selectors.DefaultSelector):
    """Watches the turns of the event loop that selects with it.

    A slice is what the loop's thread works from one turn to the next, in seconds of CPU time: a process that
    has to wait for a core is not slower by that.

    Args:
        speed: how many seconds pass on the loop's clock in one.
    """

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed
        self.forget()

    def forget(self) -> None:
        """Begin anew; the running turn counts from now on."""
        self.noted: list[float] = []
        self.turns = 0
        self._since = time.thread_time()

    def leave_out(self, since: float) -> None:
        """Leave out of the running turn what the thread has done since this time of its CPU."""
        self._since += time.thread_time() - since

    def select(self, timeout: float | None = None) -> Any:
        now = time.thread_time()
        self.turns += 1
        if now - self._since > NOTED:
            self.noted.append(now - self._since)
        self._since = now
        return super().select(timeout if timeout is None else timeout / self._speed)


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose clock runs faster than the wall's."""

    def __init__(self, slices: Slices, speed: float) -> None:
        self._speed = speed
        super().__init__(slices)

    def time(self) -> float:
        return super().time() * self._speed


def reference() -> float:
    """The CPU time of a fixed piece of work, in seconds, the least of three: how fast the machine is now."""
    times: list[float] = []
    for _ in range(3):
        start = time.thread_time()
        counts: dict[str, int] = {}
        for number in range(REFERENCE):
            key = f"{number % 97}|{number}"
            counts[key] = counts.get(key, 0) + len(key.encode())
        times.append(time.thread_time() - start)
    return min(times)


def memory(field: str) -> float:
    """This process' `VmRSS` or `VmHWM`, in MiB."""
    found = re.search(rf"{field}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


class Meter:
    """What has happened at the server since the last `begin`."""

    def __init__(self, server: ChatServer, slices: Slices) -> None:
        self._server = server
        self._slices = slices
        self._events: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._told: deque[str] = deque(maxlen=200)
        self._operator = server.operator(self._note)
        self.begin()

    def _note(self, event: Any) -> None:
        kind = type(event).__name__
        self._events[kind] += 1
        if kind == "Left":
            self._reasons[event.reason.name] += 1
        if kind not in ("Said", "Joined", "Renamed", "OperatorSaid"):
            self._told.append(repr(event)[:500])

    def begin(self) -> dict[str, Any]:
        """Forget everything, and look at what there is now."""
        gc.collect()
        self._events.clear()
        self._reasons.clear()
        self._told.clear()
        Path("/proc/self/clear_refs").write_text("5")  # proc(5): the peak begins anew
        self._cpu = time.process_time()
        return self.read()

    def read(self) -> dict[str, Any]:
        """What there is, and what has happened."""
        return {
            "cpu": time.process_time() - self._cpu,
            "turns": self._slices.turns,
            "slices": sorted(self._slices.noted, reverse=True),
            "memory": memory("VmRSS"),
            "peak": memory("VmHWM"),
            "members": len(self._server.members),
            "events": self._events,
            "reasons": self._reasons,
            "told": list(self._told),
            "reference": reference(),
        }

    def glance(self) -> dict[str, Any]:
        """How many are here, and what has happened, which is quickly told."""
        return {
            "members": len(self._server.members),
            "events": self._events,
            "dropped": self._reasons["SLOW"] + self._reasons["STALLED"],
        }

    def settle(self) -> dict[str, Any]:
        """The same once the garbage is collected."""
        gc.collect()
        return self.read()

    def say(self, text: str, count: int) -> int:
        """Say `text` so often as the operator; that much is left out of the turn."""
        for _ in range(count):
            self._operator.say(text)
        return count

    def operate(self, line: str) -> int:
        """Do what the operator's `line` asks for, in a turn that is measured."""
        self._operator.operate(line)
        return 0

    def waste(self, seconds: float, mebibytes: int) -> int:
        """Hold the loop, and keep memory: what a meter must see."""
        start = time.thread_time()
        self._wasted = bytes(range(256)) * (mebibytes << 12)
        while time.thread_time() - start < seconds:
            pass
        return len(self._wasted)

    COMMANDS = ("begin", "read", "glance", "settle", "say", "operate", "waste")

    def answer(self, line: str) -> None:
        """Do one command and print its answer."""
        command, *arguments = json.loads(line)
        assert command in self.COMMANDS
        start = time.thread_time()
        print(json.dumps(getattr(self, command)(*arguments)), flush=True)
        if command == "begin":
            self._slices.forget()
        elif command not in ("operate", "waste"):
            self._slices.leave_out(start)


async def serve(settings: dict[str, Any], slices: Slices) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for name in ("tls_cert", "tls_key", "bans_file"):
        if settings.get(name):
            settings[name] = Path(settings[name])
    if "hosts" in settings:
        settings["hosts"] = tuple(settings["hosts"])
    server = ChatServer(Settings(port=0, **settings))
    await server.start()
    meter = Meter(server, slices)

    def answer() -> None:
        if line := sys.stdin.readline():
            meter.answer(line)
        else:
            loop.remove_reader(sys.stdin)
            ended.set()

    loop.add_reader(sys.stdin, answer)
    gc.collect()
    gc.freeze()  # as the program does
    print(server.port, flush=True)
    await ended.wait()
    await server.stop()


def main() -> None:
    options = json.loads(sys.argv[1])
    slices = Slices(options["speed"])
    with asyncio.Runner(loop_factory=lambda: Loop(slices, options["speed"])) as runner:
        runner.run(serve(options["settings"], slices))


if __name__ == "__main__":
    main()
