"""What all tests of widgets have."""

from support.log_reader import max_lines, reader
from support.prompt_pilot import prompt_pilot

__all__ = ["max_lines", "prompt_pilot", "reader"]
