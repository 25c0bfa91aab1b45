"""The log's writer: rules before what they are of, private lines where they are found, and nothing lost."""

from __future__ import annotations

from textual.app import App, ComposeResult

from chat_console.app.away import Away
from chat_console.app.log_writer import LogWriter
from chat_console.app.readable import READABLE_BURST
from chat_console.server.room.events import Event, Messaged, Said
from chat_console.widgets.activity import Activity
from chat_console.widgets.message_log import Kind, MessageLog

AT = 1_700_000_000.0
DAY = 86_400.0


class Desk(App[None]):
    """A log, and a writer in front of it."""

    def __init__(self) -> None:
        super().__init__()
        self.shown_log = MessageLog()
        self.away = Away(AT)
        self.writer = LogWriter(self.shown_log, Activity().rate, self.away)

    def compose(self) -> ComposeResult:
        yield self.shown_log

    def write(self, *events: Event, at: float = AT) -> int:
        return self.writer.write(events, 1.0, at - AT, at).skipped

    @property
    def kinds(self) -> list[Kind]:
        return [entry.kind for entry in self.shown_log.entries]

    @property
    def last(self) -> int:
        """The serial of the newest entry."""
        return self.shown_log.write_entries(()) - 1


def said(at: float = AT, count: int = 1, who: int = 1) -> Said:
    return Said(at, who, "Ann", ("hello",) * count)


async def test_of_an_absence_over_midnight_both_rules_stand_in_front() -> None:
    desk = Desk()
    async with desk.run_test():
        desk.write(said())
        desk.away.focus(False, AT)
        desk.write(said(AT + DAY), said(AT + DAY), at=AT + DAY)
        assert desk.kinds == [Kind.RULE, Kind.CHAT, Kind.RULE, Kind.RULE, Kind.CHAT, Kind.CHAT]
        serial, rule = desk.away.key(AT + DAY + 60) or (0, None)
        assert rule is not None
        assert desk.shown_log.replace(serial, rule)
        assert desk.shown_log.entries[2].text.endswith("2 lines")


async def test_a_private_line_is_told_with_the_entry_that_shows_it() -> None:
    desk = Desk()
    async with desk.run_test():
        written = desk.writer.write([said(), Messaged(AT, 7, "Bob", "help")], 1.0, 0.0, AT)
        assert (written.skipped, [*written.private]) == (0, [(7, desk.last)])


async def test_a_flood_grows_in_the_row_that_it_began_while_others_are_dropped() -> None:
    desk = Desk()
    async with desk.run_test():
        desk.write(said(count=10))
        serial = desk.last
        desk.write(said(count=3))
        assert (desk.last, desk.shown_log.entries[-1].text) == (serial, "7 more like it in 1 s")


async def test_it_tells_how_many_lines_it_left_out() -> None:
    desk = Desk()
    async with desk.run_test():
        assert desk.write(said(count=READABLE_BURST + 3)) == 3


async def test_nothing_to_show_changes_nothing() -> None:
    desk = Desk()
    async with desk.run_test():
        desk.away.focus(False, AT)
        desk.write(at=AT + 60)
        assert desk.kinds == []
