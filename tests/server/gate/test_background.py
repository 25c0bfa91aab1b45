"""Work aside: in order, on a thread of its own, its results on the loop."""

from __future__ import annotations

import asyncio
import threading

from support.waiting import BOUND

from chat_console.server.gate.background import Background


async def test_work_is_done_in_order_on_a_thread_and_told_on_the_loop() -> None:
    background = Background()
    loop_thread = threading.get_ident()
    told: list[tuple[int, bool, bool]] = []

    def work(number: int) -> tuple[int, bool]:
        return number, threading.get_ident() != loop_thread

    def done(result: tuple[int, bool]) -> None:
        told.append((*result, threading.get_ident() == loop_thread))
        if result[0] == 1:
            background.run(lambda: work(4), done)  # while others wait

    for number in (1, 2, 3):
        background.run(lambda number=number: work(number), done)
    assert told == []
    await asyncio.wait_for(background.finished(), BOUND)
    assert told == [(number, True, True) for number in (1, 2, 3, 4)]
    await asyncio.wait_for(background.finished(), BOUND)


async def test_the_loop_goes_on_meanwhile() -> None:
    background = Background()
    may_end = threading.Event()
    results: list[bool] = []
    background.run(lambda: may_end.wait(BOUND), results.append)
    await asyncio.sleep(0)
    may_end.set()  # which nobody could, if the work held the loop
    await asyncio.wait_for(background.finished(), BOUND)
    assert results == [True]


def test_a_loop_that_has_ended_is_told_nothing() -> None:
    may_end = threading.Event()
    results: list[bool] = []

    async def leave() -> None:
        Background().run(lambda: may_end.wait(BOUND), results.append)

    before = set(threading.enumerate())
    asyncio.run(leave())
    (thread,) = set(threading.enumerate()) - before
    assert thread.daemon  # a disk that never answers does not keep the program
    may_end.set()
    thread.join(BOUND)
    assert not thread.is_alive()
    assert results == []
