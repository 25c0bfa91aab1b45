"""The shared log on real NATS servers: all read the same, whatever happens to the engine and the network."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from support.nats_engine import Engine
from support.waiting import until

from .conftest import Node

Make = Callable[..., Node]


class TestLog:
    async def test_has_one_order_for_all_nodes(self, shared: Engine, node: Make, room: str) -> None:
        nodes = [node(urls=shared.url, room=room, node=name) for name in ("paris", "rome", "oslo")]
        await asyncio.gather(*(each.start() for each in nodes))
        for number in range(50):
            for each in nodes:
                each.log.append(b"%d of %d" % (number, each.process))
        await until(lambda: all(len(each.entries) == 150 for each in nodes))
        assert nodes[0].entries == nodes[1].entries == nodes[2].entries
        assert nodes[0].positions == nodes[1].positions == list(range(1, 151))
        for each in nodes:
            assert each.told == [("opened",)]
            name = each.log.settings.node
            assert [data for who, data in each.entries if who == name] == [
                b"%d of %d" % (number, each.process) for number in range(50)
            ]

    async def test_tells_since_when_an_entry_is_there(self, shared: Engine, node: Make, room: str) -> None:
        paris = node(urls=shared.url, room=room)
        await paris.start()
        before = time.time()
        await paris.say(b"hello")
        assert before - 1 < paris.times[0] < time.time() + 1
