"""The command palette: the console's actions, and those for each user."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from heapq import nlargest
from operator import itemgetter
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from ..widgets.user_row import User

if TYPE_CHECKING:
    from .console import ConsoleApp

_MOST_HITS = 50
_USERS_PER_TURN = 200  # about 1 ms; then the event loop runs the chat

_Action = tuple[str, str, str]
"""A title, the action, and what is shown below the title."""


class ConsoleCommands(Provider):
    """Offers the actions of the function keys and buttons, and those for every user, by name or address."""

    async def discover(self) -> Hits:
        """Yield the console's own actions."""
        for title, action, help_text in self._actions():
            yield DiscoveryHit(title, partial(self.app.run_action, action), help=help_text)

    async def search(self, query: str) -> Hits:
        """Yield the actions whose title or user contains all words of `query`.

        If there are too many, yield those that contain the most of them as whole words.
        """
        words = query.lower().split()
        found = list(_matching(words, self._actions()))
        for number, user in enumerate(list(cast("ConsoleApp", self.app).user_list.users.values())):
            found += _matching(words, _actions_on(user))
            if number % _USERS_PER_TURN == 0:
                await asyncio.sleep(0)
        for score, title, action, help_text in nlargest(_MOST_HITS, found, key=itemgetter(0)):
            # Content, since a string would be parsed as markup.
            shown = Content.assemble(title, "\n", (help_text, "$text-muted"))
            yield Hit(score, shown, partial(self.app.run_action, action), title)

    def _actions(self) -> Iterator[_Action]:
        yield "Help", "help", "Show all keys and commands"
        yield "User list", "users", "Go to the user list"
        yield "Message log", "log", "Go to the log"


def _actions_on(user: User) -> Iterator[_Action]:
    yield f"Message {user.name}", f"message({user.id})", user.address
    yield f"Kick {user.name}", f"kick({user.id})", user.address
    title, muted = ("Unmute", False) if user.muted else ("Mute", True)
    yield f"{title} {user.name}", f"mute({user.id}, {muted})", user.address
    yield f"Ban {user.name}", f"ban({user.id})", user.address


def _matching(words: Sequence[str], actions: Iterable[_Action]) -> Iterator[tuple[float, str, str, str]]:
    """Yield those of `actions` that contain all `words`, each preceded by its score."""
    for title, action, help_text in actions:
        text = f"{title} {help_text}".lower()
        if all(word in text for word in words):
            whole = len(set(words).intersection(text.split()))
            yield 0.5 + whole / len(words) / 2, title, action, help_text
