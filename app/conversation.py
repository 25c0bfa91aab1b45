"""To whom the operator writes, and who waits for an answer."""

from __future__ import annotations

from ..server.room import notices
from ..server.room.commands import spoken
from ..server.room.events import Event, Joined, LeaveReason, Left, Muted, OperatorMessaged, Renamed
from ..server.room.operator import OperatorSession
from ..server.room.text import clean
from ..widgets.command_line import CommandLine
from ..widgets.prompt import Recipient
from .inbox import Inbox
from .panes import Panes
from .reading import GONE, name_in


class Conversation:
    """Sends what is typed to everybody or to one user, and goes through the private lines.

    Args:
        operator: the session that speaks.
        panes: where the operator types and reads.
        inbox: the private lines that wait for an answer.
    """

    def __init__(self, operator: OperatorSession, panes: Panes, inbox: Inbox) -> None:
        self._operator = operator
        self._panes = panes
        self._line = panes.line
        self._inbox = inbox
        self._answering: int | None = None

    def send(self, line: CommandLine.Line) -> None:
        """Carry out a line: a command, or text for whom the prompt named when Enter was pressed.

        Whoever speaks wants to see what comes next, so the log follows again; a command never moves it.
        What was meant for a user who has left by now goes to nobody, and is in the line again.
        """
        recipient = line.recipient_id
        if spoken(clean(line.text)) is not None:
            if recipient is not None and not self._operator.sees(recipient):
                self._line.left(recipient)
                self._line.put(line.text)
                self._tell_gone()
                return
            self._panes.messages.following = True
        self._operator.operate(line.text, recipient)

    def write(self, user_id: int) -> None:
        """Write to that user until that changes."""
        if user := self._panes.users.users.get(user_id):
            self._line.recipient = Recipient(user.id, user.name)
        else:
            # What is typed next is meant for that user: it must not go to whom the prompt named before.
            name = name_in(self._panes.messages.entries, user_id) or GONE
            self._line.recipient = Recipient(user_id, name, gone=True)
            self._tell_gone()
        self._line.screen.set_focus(self._line)

    def everybody(self) -> None:
        """Write to everybody."""
        self._line.recipient = None

    def reply(self) -> None:
        """Go to the private line that has waited longest, and write to its author; again: to the next one."""
        waiting = self._inbox.after(self._answering)
        if waiting is None:
            self._answering = None
            self._panes.answers.say("nobody waits for an answer", error=True)
            return
        self._answering, serial = waiting
        messages, users = self._panes.messages, self._panes.users
        messages.pointer = serial
        messages.go_to(serial)
        users.selected = self._answering
        self.write(self._answering)
        self._inbox.seen(self._answering)

    def note(self, event: Event) -> None:
        """Note what has become of the one who is written to, and of those who wait for an answer."""
        match event:
            case Joined(_, member_id):
                self._line.returned(member_id)
            case OperatorMessaged(_, self._operator.id, _, "", text, ()):
                self._take_back(text)
            case Renamed(_, member_id, _, name):
                self._line.rename(member_id, name)
            case Left(_, member_id, _, reason):
                self._line.left(member_id)
                if reason in (LeaveReason.KICKED, LeaveReason.BANNED):
                    self._inbox.answered(member_id)
            case Muted(_, member_id, _, True):
                self._inbox.answered(member_id)
            case _:
                pass

    def _take_back(self, text: str) -> None:
        """Put in the line again what nobody got: who it was for has left while it was on its way."""
        recipient = self._line.recipient
        if recipient is not None and recipient.gone and not self._line.value:
            self._line.put(f"/{text}" if text.startswith("/") else text)

    def _tell_gone(self) -> None:
        self._panes.answers.say(notices.already_left(), error=True)
