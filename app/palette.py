"""The command palette: everything that the keys do, by words, and what can be done to each user."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from operator import attrgetter
from typing import NamedTuple

from textual.theme import Theme

from ..widgets.choice_list import Choice
from ..widgets.palette_screen import PaletteScreen, Wording
from ..widgets.user_row import User

MOST = 50
"""How many choices are shown at most."""

_USERS_PER_TURN = 250  # a few milliseconds; then the event loop runs the chat
_FIRST, _WHOLE, _BEGINNING, _WITHIN = 4, 3, 2, 1  # what a word that is found counts

_COMMANDS = Wording("Commands", "What to do, and to whom?", "Nothing like that")
_THEMES = Wording("Theme", "Which colours?", "No theme is called that")


@dataclass(frozen=True, slots=True)
class Offer:
    """An action in the palette: one row of the table, or one for each user.

    What is to be done to a user has `{name}` in its title, and `{id}` in its action.
    """

    action: str
    """The action, as in a binding."""
    title: str
    key: str = ""
    """The key that does it, as in a binding; to a user, if that is the selected one."""
    aliases: str = ""
    """Other words to find it by; the beginning of one will do."""
    muted: bool | None = None
    """For whom it is: for users who are muted, for those who are not, or None for all."""

    @property
    def is_for_users(self) -> bool:
        """Whether it is offered for each user."""
        return "{name}" in self.title

    def about(self, user: User, *, selected: bool) -> Choice:
        """Return the choice to do it to `user`."""
        address = "" if user.address == user.name else user.address
        note = f"{address} @{user.node}".lstrip() if user.node else address
        key = key_text(self.key) if selected else ""
        title = self.title.replace("{name}", user.name)
        return Choice(title, note, key, self.action.replace("{id}", str(user.id)))


def key_text(key: str) -> str:
    """Return the name of a key as it is printed: `F3`, `Ctrl+F`, `Esc`."""
    return "+".join("Esc" if part == "escape" else part.capitalize() for part in key.split("+"))


def palette(
    offers: Sequence[Offer],
    users: Callable[[], tuple[Collection[User], int | None]],
) -> PaletteScreen:
    """Return a palette of `offers`, which returns the action that was chosen.

    Args:
        offers: The table.
        users: Returns who is here, and the id of the selected user.
    """

    async def search(text: str) -> Sequence[Choice]:
        here, selected = users()
        return await found(text, offers, list(here), selected)

    return PaletteScreen(search, _COMMANDS)


def theme_palette(themes: Iterable[Theme], current: str) -> PaletteScreen:
    """Return a palette of themes, which returns the name of the one that was chosen."""
    choices: list[Choice] = []
    for theme in sorted(themes, key=lambda theme: (theme.name != current, theme.name)):
        looks = "dark" if theme.dark else "light"
        note = f"{looks}, in use" if theme.name == current else looks
        choices.append(Choice(theme.name, note, value=theme.name))

    async def search(text: str) -> Sequence[Choice]:
        words = text.lower().split()
        return [choice for choice in choices if all(_ranks(words, f"{choice.title} {choice.note}"))]

    return PaletteScreen(search, _THEMES)


async def found(
    text: str, offers: Sequence[Offer], users: Sequence[User], selected: int | None
) -> list[Choice]:
    """Return what is offered for `text`: all that has each of its words, in any order; the best comes first.

    The first word counts most, any other more than the beginning of one, and that more than the middle.
    Among equals, what is done to the selected user comes first, and what is done to no user second. Without
    words, these are all.
    """
    search = _Search(text, offers)
    ranked = [one for user in users if user.id == selected for one in search.on(user)]
    best = nlargest(MOST, [*ranked, *search.on_nobody()], key=_rank)
    others = users if search.words else ()
    for start in range(0, len(others), _USERS_PER_TURN):
        await asyncio.sleep(0)
        # Of equals the first stay, so once there are enough, only what is better counts.
        floor = best[-1].rank if len(best) == MOST else 0
        if floor == _FIRST * len(search.words):
            break
        ranked = [
            one
            for user in others[start : start + _USERS_PER_TURN]
            if user.id != selected
            for one in search.on(user, floor)
        ]
        best = nlargest(MOST, [*best, *ranked], key=_rank)
    return [one.choice(selected) for one in best]


class _Ranked(NamedTuple):
    """What fits a search, and how well. Of thousands few are shown, so it is no choice yet."""

    rank: int
    offer: Offer
    user: User | None

    def choice(self, selected: int | None) -> Choice:
        if self.user is None:
            return Choice(self.offer.title, "", key_text(self.offer.key), self.offer.action)
        return self.offer.about(self.user, selected=self.user.id == selected)


_rank = attrgetter("rank")


class _Search:
    """A search for one text."""

    def __init__(self, text: str, offers: Iterable[Offer]) -> None:
        self.words = text.lower().split()
        self._own: list[Offer] = []
        self._on_users: list[tuple[Offer, list[int]]] = []
        for offer in offers:
            if offer.is_for_users:
                title = offer.title.replace("{name}", "")
                self._on_users.append((offer, _ranks(self.words, title, offer.aliases)))
            else:
                self._own.append(offer)
        # What is said of no action must be said of the user, which most are not.
        self._names = [
            word
            for number, word in enumerate(self.words)
            if not any(ranks[number] for _, ranks in self._on_users)
        ]

    def on_nobody(self) -> Iterator[_Ranked]:
        """Yield what fits of all that is done to no user."""
        for offer in self._own:
            ranks = _ranks(self.words, offer.title, f"{offer.aliases} {key_text(offer.key)}")
            if all(ranks):
                yield _Ranked(sum(ranks), offer, None)

    def on(self, user: User, floor: int = -1) -> Iterator[_Ranked]:
        """Yield what fits, better than `floor`, of all that can be done to `user`."""
        node = f" {user.node} @{user.node}" if user.node else ""
        said = f"{user.name} {user.address}{node}".lower()
        if not all(word in said for word in self._names):
            return
        of_user = _ranks(self.words, said)
        for offer, of_offer in self._on_users:
            if offer.muted is None or offer.muted == user.muted:
                ranks = list(map(max, of_user, of_offer))
                if all(ranks) and (rank := sum(ranks)) > floor:
                    yield _Ranked(rank, offer, user)


def _ranks(words: Iterable[str], said: str, aliases: str = "") -> list[int]:
    """Return how well each of `words` fits what is said; 0 for one that is not in it, nor begins an alias."""
    padded = f" {said.lower()} "
    either = f"{padded}{aliases.lower()} "
    return [
        _FIRST
        if padded.startswith(f" {word} ")
        else _WHOLE
        if f" {word} " in either
        else _BEGINNING
        if f" {word}" in either
        else _WITHIN
        if word in padded
        else 0
        for word in words
    ]
