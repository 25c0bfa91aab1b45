"""The protocol's reference transcripts, replayed with three real `nc` and compared byte for byte."""

from __future__ import annotations

from support.reference_session import hold_the_session

from .conftest import StartConsole, StartProgram


def test_a_session_of_three_nc_is_byte_for_byte_the_reference_transcripts(
    start_console: StartConsole, start: StartProgram
) -> None:
    console = start_console()
    hold_the_session(console, [console.port] * 3, start)
