"""What all tests of widgets have."""

from support.prompt_pilot import prompt_pilot

__all__ = ["prompt_pilot"]
