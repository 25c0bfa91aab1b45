"""Numbers of things, in words."""

from __future__ import annotations


def count_text(count: int, what: str) -> str:
    """Format a number of things: `1 line`, `4,711 lines`."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
