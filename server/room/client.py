"""A member's lines: what its text and its commands do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import commands, notices
from .commands import Role
from .entries import Line, Nothing, TooLong
from .events import LeaveReason, Messaged, Renamed, Said, Silenced
from .listing import LISTED, LISTED_WHOLE
from .member import Member
from .names import is_name, is_reserved
from .search import Search

if TYPE_CHECKING:
    from .room import Item, Room


class Client:
    """`member` as the issuer of lines that arrived at one moment, in wall-clock time."""

    __slots__ = ("_at", "_member", "_room", "_texts")

    def __init__(self, room: Room, member: Member, at: float) -> None:
        self._room = room
        self._member = member
        self._at = at
        self._texts: list[str] = []  # not sent yet: they go out together

    def receive(self, lines: Sequence[Line]) -> None:
        """Carry out `lines` in order; anything after the member has left is ignored."""
        for line in lines:
            if isinstance(line, TooLong):
                self.reply(notices.too_long(line.limit))
            elif isinstance(line, Nothing):
                self.reply(notices.nothing_left())
            elif (text := commands.spoken(line)) is not None:
                self.say(text)
            else:
                self._flush()
                commands.run_for_client(line, self)
                if self._room.roster.get(self._member.id) is None:
                    return
        self._flush()

    def say(self, text: str) -> None:
        """Say `text` to everybody else, with what comes right before and after it."""
        self._texts.append(text)

    def message(self, target: str, text: str) -> None:
        """Send `text` to the members that `target` names, or to the operators."""
        member, room = self._member, self._room
        to_operators = target.lower() == notices.OPERATOR.lower()
        if member.muted:
            # What is meant for another member stays between the two, muted or not.
            if to_operators:
                self._silence((text,))
            else:
                self.reply(notices.muted())
            return
        member.lines += 1
        event = Messaged(self._at, member.id, member.name, text)
        if to_operators:
            room.sink.emit(event)
            self.reply(notices.message_sent(1, target))
            return
        found = room.roster.find(target)
        for recipient in found:
            room.fanout.to(recipient.id, event)
        self.reply(notices.message_sent(len(found), target))

    def nick(self, name: str) -> None:
        """Take `name` as the nickname, if allowed."""
        if self._member.muted:
            self.reply(notices.muted())
        elif not is_name(name):
            self.reply(notices.invalid_nickname())
        elif is_reserved(name):
            self.reply(notices.reserved_nickname(name))
        else:
            self.take(name)

    def take(self, name: str) -> None:
        """Take `name`, which is valid and not reserved, as the nickname, if it is free."""
        member, room = self._member, self._room
        if member.muted:
            self.reply(notices.muted())
        elif name == member.nickname:
            self.reply(notices.you_are_now(name))
        elif not room.settings.shared_nicks and room.roster.is_taken(name, but=member):
            self.reply(notices.nickname_in_use(name))
        else:
            event = Renamed(self._at, member.id, member.name, name)
            room.roster.rename(member, name)
            self.reply(notices.you_are_now(name))
            if member.has_spoken or not room.is_crowded:
                room.fanout.to_all(event, but=(member.id,))
            room.sink.emit(event)

    def list_users(self, word: str = "") -> None:
        """Answer with the other members, or with those who have `word` in their name or address."""
        room, member = self._room, self._member
        listing, others = room.roster.listing, len(room.roster) - 1
        if word:
            self.reply(Search(listing, word, but=member))
        elif room.settings.notices_up_to and others > LISTED_WHOLE:
            self.reply(notices.listed_in_part(listing.first(but=member), others - LISTED))
        else:
            for item in listing.pages(but=member) or (notices.no_other_users(),):
                self.reply(item)

    def help(self) -> None:
        """Answer with the available commands."""
        settings = self._room.settings
        recorded = notices.what_is_recorded(settings)
        self.reply(commands.help_for(Role.CLIENT, encrypted=settings.encrypted, recorded=recorded))

    def quit(self) -> None:
        """Leave."""
        self._room.leave([self._member.id], LeaveReason.QUIT, at=self._at)

    def refuse(self, text: str) -> None:
        """Answer this member alone that nothing was done, and why."""
        self.reply(text)

    def reply(self, item: Item | Search) -> None:
        """Answer this member alone, after what it has said so far."""
        self._flush()
        self._room.fanout.to(self._member.id, item)

    def _flush(self) -> None:
        """Send what was said so far to everybody else."""
        if not self._texts:
            return
        texts, self._texts = tuple(self._texts), []
        member, room = self._member, self._room
        if member.muted:
            self._silence(texts)
            return
        member.lines += len(texts)
        member.has_spoken = True
        event = Said(self._at, member.id, member.name, texts)
        room.fanout.to_all(event, but=(member.id,))
        room.sink.emit(event)

    def _silence(self, texts: tuple[str, ...]) -> None:
        """Show the operators alone what this member, who is muted, wanted to say."""
        member, room = self._member, self._room
        room.fanout.to(member.id, notices.muted())
        room.sink.emit(Silenced(self._at, member.id, member.name, texts))
