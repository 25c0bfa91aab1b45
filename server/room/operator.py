"""An operator's session: what a console's lines and keys ask of the chat."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..addresses import Network, counted, is_of_this_machine, network_of
from ..settings import Settings
from . import commands, entries, notices
from .commands import Role
from .entries import Entry, Line, Nothing, Target, TooLong
from .events import Outcome
from .listing import LISTED, LISTED_WHOLE
from .member import Member
from .room import Room
from .search import Search
from .text import clean, is_blank


class Office(Protocol):
    """What a session needs from the chat that it operates."""

    settings: Settings
    room: Room

    def now(self) -> float:
        """Return the wall-clock time, in seconds since the epoch."""
        ...

    def submit(self, entry: Entry) -> object:
        """Have `entry` applied in order."""
        ...

    def when_done(self, call: Callable[[], object]) -> None:
        """Call `call` as soon as all that has been submitted so far is applied."""
        ...

    def reply(self, session_id: int | None, text: str, outcome: Outcome = Outcome.ANSWERED) -> None:
        """Answer one session, or all if `session_id` is None."""
        ...

    def search(self, search: Search, done: Callable[[], object]) -> None:
        """Carry out `search`, which may take a while, and call `done`."""
        ...

    def list_bans(self, done: Callable[[str], object]) -> None:
        """Call `done` with the bans in force, one per line."""
        ...

    def reload(self, session_id: int | None) -> None:
        """Reload the TLS certificate and the bans file, and answer that session, or all if None."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """A ban waiting for its command to be repeated, and the members it was said to hit."""

    request: tuple[str, float | None, bool]
    networks: Collection[Network]
    ids: Collection[int]
    bearers: Collection[tuple[str, Network]]
    """Their nicknames, each with its network for counting, to recognise those who reconnect."""

    def knows(self, member: Member) -> bool:
        """Whether `member` is one of those named to the operator."""
        if member.id in self.ids:
            return True
        return member.nickname is not None and (member.nickname, counted(member.ip)) in self.bearers


class OperatorSession:
    """One operator at one console; there may be others. Answers arrive as events, for this session alone.

    If a member is given by id and has left, a method does nothing and returns False.

    Args:
        office: the chat.
        session_id: tells the chat's sessions apart.
        name: what members see in front of the operator's lines.
        quit: called when the operator asks to stop the server.
        close: ends the session's event subscription.
    """

    def __init__(
        self,
        office: Office,
        session_id: int,
        name: str,
        quit: Callable[[], None],  # noqa: A002
        close: Callable[[], None],
    ) -> None:
        self._office = office
        self.id = session_id
        self.name = name
        self.quit = quit
        self.close = close
        self._asked: _Asked | None = None
        self._repeated: _Asked | None = None  # the ban that the previous line asked for

    def operate(self, line: Line, recipient: int | None = None) -> None:
        """Clean the operator's `line` and carry it out: a command, or text for a member; None = everybody."""
        if isinstance(line, TooLong):
            self.refuse(notices.too_long(line.limit))
        elif isinstance(line, Nothing):
            self.refuse(notices.nothing_left())
        else:
            self._operate(line, recipient)

    def _operate(self, line: str, recipient: int | None) -> None:
        text, most = clean(line), self._office.settings.max_line
        if len(text.encode()) > most:
            self.refuse(notices.too_long(most))
        elif not text or text.isspace():
            if not is_blank(line):
                self.refuse(notices.nothing_left())
        else:
            self._repeated, self._asked = self._asked, None
            spoken = commands.spoken(text)
            if spoken is None:
                commands.run_for_operator(text, self)
            elif recipient is None:
                self.say(spoken)
            elif not self.message(recipient, spoken):
                self.refuse(notices.already_left())

    def when_done(self, call: Callable[[], object]) -> None:
        """Call `call` as soon as all that has been asked for so far is done: at once, but in a cluster."""
        self._office.when_done(call)

    def sees(self, member_id: int) -> bool:
        """Whether the member with that id is here."""
        return self._office.room.roster.get(member_id) is not None

    def say(self, text: str) -> None:
        """Say `text` to everybody, even if it begins with a slash."""
        self._office.submit(entries.Say(self._office.now(), self.id, self.name, clean(text)))

    def message(self, target: Target, text: str) -> bool:
        """Send `text` to `target` alone."""
        return self._submit_about(
            target, entries.Message(self._office.now(), self.id, self.name, target, clean(text))
        )

    def kick(self, target: Target, remark: str = "") -> bool:
        """Disconnect `target`; `remark` goes to the log."""
        return self._submit_about(target, entries.Kick(self._office.now(), self.id, target, remark))

    def mute(self, target: Target, seconds: float | None = None, remark: str = "") -> bool:
        """Keep what `target` says from everybody for `seconds`; None = until it is unmuted.

        `remark` goes to the log.
        """
        entry = entries.Mute(self._office.now(), self.id, target, seconds, remark)
        return self._submit_about(target, entry)

    def unmute(self, target: Target) -> bool:
        """Let `target` speak again."""
        return self._submit_about(target, entries.Unmute(self._office.now(), self.id, target))

    def ban(self, member_id: int, seconds: float | None = None, remark: str = "") -> bool:
        """Ban a member's network for `seconds`, and drop everybody who is here from it.

        None = until it is unbanned. `remark` goes to the log.
        """
        network = self.network_of(member_id)
        if network is not None:
            self._keep_out([network], seconds, remark)
        return network is not None

    def network_of(self, member_id: int) -> Network | None:
        """What `ban` would ban: the member's address, or its /64 for IPv6; None if the member is gone."""
        member = self._office.room.roster.get(member_id)
        return counted(member.ip) if member else None

    def hit_by_ban(self, member_id: int) -> Sequence[Member]:
        """The members that `ban` would drop: everybody from that member's network."""
        network = self.network_of(member_id)
        return self._office.room.hit_by([network]) if network else []

    def unban(self, network: str) -> None:
        """Lift the ban of `network`, an address or network as typed."""
        try:
            found = network_of(network)
        except ValueError:
            self.refuse(notices.not_an_address(network))
        else:
            self._office.submit(entries.Unban(self._office.now(), self.id, found))

    def list_bans(self) -> None:
        """Answer with the bans in force."""
        self._office.list_bans(self.reply)

    def reload(self) -> None:
        """Reload the TLS certificate and the bans file; what cannot be read stays in force as it was."""
        self._office.reload(self.id)

    def list_users(self, word: str = "") -> None:
        """Answer with the members, or with those who have `word` in their name or address."""
        roster = self._office.room.roster
        listing, count = roster.listing, len(roster)
        if word:
            search = Search(listing, word)
            self._office.search(search, lambda: self.reply(search.answer))
        elif self._office.settings.notices_up_to and count > LISTED_WHOLE:
            self.reply(notices.listed_in_part(listing.first(), count - LISTED))
        else:
            pages = [notices.listed(page.users) for page in listing.pages()]
            self.reply("\n".join(pages) or notices.no_users())

    def help(self) -> None:
        """Answer with the available commands."""
        settings = self._office.settings
        recorded = notices.what_is_recorded(settings)
        self.reply(commands.help_for(Role.OPERATOR, encrypted=settings.encrypted, recorded=recorded))

    def reply(self, text: str) -> None:
        """Answer this session."""
        self._office.reply(self.id, text)

    def refuse(self, text: str) -> None:
        """Answer this session that nothing was done, and why."""
        self._office.reply(self.id, text, Outcome.REFUSED)

    def ask_to_ban(self, target: str, seconds: float | None, remark: str, *, force: bool) -> None:
        """Ban at once if that hits nobody, or only members already named to the operator; otherwise ask.

        Loopback addresses, which everybody on this machine shares, are banned only with `force`.
        """
        request, asked = (target, seconds, force), self._repeated
        if asked and asked.request != request:
            asked = None
        # Members named before may have left by now, but are still meant.
        known: Collection[Network] = asked.networks if asked else ()
        new = [network for network in self._networks(target) if network not in known]
        networks = [*known, *new]
        loopback = next(filter(is_of_this_machine, new), None)
        hit = self._office.room.hit_by(networks)
        if not networks:
            self.refuse(notices.not_an_address(target))
        elif loopback and not force:
            self.refuse(notices.ban_of_loopback(loopback.shown, commands.forced_ban(target, seconds)))
        elif all(asked.knows(member) for member in hit) if asked else not hit:
            self._keep_out(networks, seconds, remark)
        else:
            bearers = {(member.nickname, counted(member.ip)) for member in hit if member.nickname is not None}
            self._asked = _Asked(request, dict.fromkeys(networks), {member.id for member in hit}, bearers)
            self.reply(notices.ban_asked(networks, [member.name for member in hit]))

    def _networks(self, target: str) -> list[Network]:
        """The networks that `target` stands for: itself, or those of the members it names."""
        try:
            return [network_of(target)]
        except ValueError:
            return list(dict.fromkeys(counted(member.ip) for member in self._office.room.roster.find(target)))

    def _keep_out(self, networks: Sequence[Network], seconds: float | None, remark: str) -> None:
        now = self._office.now()
        self._office.submit(entries.Ban(now, self.id, tuple(networks), seconds, remark))

    def _submit_about(self, target: Target, entry: Entry) -> bool:
        """Submit `entry`; if `target` is the id of a member that is gone, do nothing and return False."""
        if isinstance(target, int) and not self.sees(target):
            return False
        self._office.submit(entry)
        return True
