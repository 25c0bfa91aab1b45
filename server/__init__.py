"""The chat itself: asyncio and the standard library, usable without the console."""
