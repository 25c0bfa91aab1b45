"""What the console remembers of each user: old names, last lines, mutes, and who shares an address. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..server.addresses import Address, Network
from ..server.chat import Present
from ..server.room.events import Event, Joined, Left, Messaged, Muted, Renamed, Said, Silenced
from ..widgets.entry import Entry, Kind

OLD_NAMES = 5
"""How many old names of a user are remembered; the oldest are forgotten first."""

LAST_LINES = 3
"""How many of a user's lines are remembered, and how many of one event are looked at."""

LONGEST_LINE = 200
"""How much of a line is remembered, in characters."""


@dataclass(slots=True)
class Dossier:
    """What is remembered of one user."""

    ip: Network
    old_names: deque[str] = field(default_factory=lambda: deque(maxlen=OLD_NAMES))
    """The names it had before, the latest last; not the address that it had for want of a name."""
    lines: deque[tuple[float, Kind, str]] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    """When it said what: see `last_lines`, which are made only for those whom the operator looks at."""
    mutes: int = 0
    """How often it has been muted."""

    def names_but(self, name: str) -> Iterable[str]:
        """Yield the old names other than `name`, each once, the latest first."""
        return dict.fromkeys(old for old in reversed(self.old_names) if old != name)

    @property
    def last_lines(self) -> tuple[Entry, ...]:
        """What it said last, in public, in private to the operator, or while it was muted, latest first."""
        return tuple(Entry(at, kind, "", text) for at, kind, text in reversed(self.lines))


class Dossiers:
    """Keeps a dossier on everybody who is here, at a small cost for each event.

    Users are ids. Whoever leaves is forgotten.
    """

    def __init__(self) -> None:
        self._by_user: dict[int, Dossier] = {}
        self._at: Counter[Network] = Counter()

    def begin(self, members: Iterable[Present]) -> None:
        """Start with those who are here already."""
        for member in members:
            self._open(member.id, member.address).mutes += member.muted

    def take(self, event: Event) -> None:
        """Note what an event tells of a user."""
        match event:
            case Said(at, member_id, _, texts):
                self._note(member_id, at, Kind.CHAT, texts)
            case Joined(_, member_id, address):
                self._open(member_id, address)
            case Left(_, member_id):
                self._close(member_id)
            case Renamed(_, member_id, old):
                dossier = self._by_user.get(member_id)
                if dossier is not None and "|" not in old:  # which only an address has
                    dossier.old_names.append(old)
            case Messaged(at, member_id, _, text):
                self._note(member_id, at, Kind.PRIVATE, (text,))
            case Silenced(at, member_id, _, texts):
                self._note(member_id, at, Kind.SILENCED, texts)
            case Muted(_, member_id, _, True):
                if dossier := self._by_user.get(member_id):
                    dossier.mutes += 1
            case _:
                pass

    def of(self, user_id: int) -> Dossier | None:
        """Return what is remembered of a user who is here."""
        return self._by_user.get(user_id)

    def others_at(self, user_id: int) -> int:
        """Return how many others have the same IP address as a user."""
        dossier = self._by_user.get(user_id)
        return 0 if dossier is None else self._at[dossier.ip] - 1

    def _open(self, user_id: int, address: Address) -> Dossier:
        self._close(user_id)
        dossier = self._by_user[user_id] = Dossier(address.ip)
        self._at[dossier.ip] += 1
        return dossier

    def _close(self, user_id: int) -> None:
        if dossier := self._by_user.pop(user_id, None):
            self._at[dossier.ip] -= 1
            if not self._at[dossier.ip]:
                del self._at[dossier.ip]

    def _note(self, user_id: int, at: float, kind: Kind, texts: Sequence[str]) -> None:
        if dossier := self._by_user.get(user_id):
            for text in texts[-LAST_LINES:]:
                dossier.lines.append((at, kind, text[:LONGEST_LINE]))
