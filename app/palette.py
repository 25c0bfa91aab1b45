"""The command palette: the console's actions, and those on each user."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from heapq import nlargest
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

if TYPE_CHECKING:
    from .console import ConsoleApp

_MOST_HITS = 50


class ConsoleCommands(Provider):
    """Offers what F-keys and buttons do, and what can be done to every user, by name or address."""

    async def discover(self) -> Hits:
        """Yield the actions on the console."""
        for title, action, help_text in self._actions():
            yield DiscoveryHit(title, partial(self.app.run_action, action), help=help_text)

    async def search(self, query: str) -> Hits:
        """Yield the actions, on the console and on users, whose title or user holds the words of `query`.

        Where there are too many, those that hold most of them as whole words.
        """
        words = query.lower().split()
        found: list[tuple[float, str, str, str]] = []
        for title, action, help_text in (*self._actions(), *self._user_actions()):
            text = f"{title} {help_text}".lower()
            if all(word in text for word in words):
                whole = len(set(words).intersection(text.split()))
                found.append((0.5 + whole / len(words) / 2, title, action, help_text))
        for score, title, action, help_text in nlargest(_MOST_HITS, found, key=itemgetter(0)):
            # Content, since a string would be read as markup.
            shown = Content.assemble(title, "\n", (help_text, "$text-muted"))
            yield Hit(score, shown, partial(self.app.run_action, action), title)

    def _actions(self) -> Iterator[tuple[str, str, str]]:
        yield "Help", "help", "All keys and commands"
        yield "User list", "users", "Go to the user list"
        yield "Message log", "log", "Go to the log"

    def _user_actions(self) -> Iterator[tuple[str, str, str]]:
        for user in cast("ConsoleApp", self.app).user_list.users.values():
            yield f"Message {user.name}", f"message({user.id})", user.address
            yield f"Kick {user.name}", f"kick({user.id})", user.address
            title, muted = ("Unmute", False) if user.muted else ("Mute", True)
            yield f"{title} {user.name}", f"mute({user.id}, {muted})", user.address
            yield f"Ban {user.name}", f"ban({user.id})", user.address
