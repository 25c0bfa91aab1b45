"""What all nodes that are in share at one position of the log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ..room.member import Member
from ..room.roster import Roster
from .operations import member_id, number_of, process_of
from .wire import MAX_ROWS, NodeRow, Row


class Node:
    """A node that is in: `counter` is that of its last entry."""

    __slots__ = ("counter", "level", "missed", "name", "process", "term")

    def __init__(self, row: NodeRow) -> None:
        self.process, self.term, self.counter, self.level, self.name = row
        self.missed = 0
        """How many beats of this node have come since the last word of that one."""

    @property
    def row(self) -> NodeRow:
        """The node as it is sent to others."""
        return NodeRow(self.process, self.term, self.counter, self.level, self.name)


class State:
    """The nodes that are in, and the members of all of them.

    Args:
        basis: where in the log the room began.
        roster: the members.
        is_told: whether members here hear of what happens in it.
    """

    def __init__(self, basis: int = 0, roster: Roster | None = None, *, is_told: bool = False) -> None:
        self.basis = basis
        self.roster = roster or Roster()
        self.is_told = is_told
        self.nodes: dict[int, Node] = {}

    def members_of(self, process: int) -> Sequence[Member]:
        """The members of a node, in order of joining."""
        return members_of(self.roster, process)

    @property
    def is_silent(self) -> bool:
        """Whether no node has put more into the log than the statement with which it came in."""
        users = Counter(process_of(member.id) for member in self.roster.members)
        return all(
            node.counter <= max(1, -(-users[process] // MAX_ROWS)) for process, node in self.nodes.items()
        )

    def take_out(self, process: int) -> Sequence[Member]:
        """Remove the members of a node and return them."""
        members = self.members_of(process)
        for member in members:
            self.roster.remove(member.id)
        return members

    def without(self, process: int) -> State:
        """The same without a node and its members."""
        other = State(self.basis, is_told=self.is_told)
        other.nodes = {each: node for each, node in self.nodes.items() if each != process}
        for member in self.roster.members:
            if process_of(member.id) != process:
                seat(other.roster, process_of(member.id), row_of(member), shared_nicks=True)
        return other


def members_of(roster: Roster, process: int) -> Sequence[Member]:
    """Those of `roster` who are members of one node, in order of joining."""
    return [member for member in roster.members if process_of(member.id) == process]


def row_of(member: Member, position: int = 0, place: int = 0) -> Row:
    """`member` as it is stated, with where in the log it joined."""
    return Row(
        number_of(member.id),
        position,
        place,
        member.lines,
        member.packed_address,
        member.nickname,
        member.muted_at,
        member.muted_until,
        member.has_spoken,
    )


def seat(roster: Roster, process: int, row: Row, *, shared_nicks: bool) -> Member | None:
    """Add a member as it was stated, without its nickname if that is taken; None if it is there already."""
    id_ = member_id(process, row.number)
    if roster.get(id_) is not None:
        return None
    member = Member(id_, row.address)
    member.lines, member.has_spoken = row.lines, row.has_spoken
    member.muted_at, member.muted_until = row.muted_at, row.muted_until
    roster.add(member)
    if row.nickname and (shared_nicks or not roster.is_taken(row.nickname, but=member)):
        roster.rename(member, row.nickname)
    return member


def seat_all(roster: Roster, process: int, rows: Iterable[Row], *, shared_nicks: bool) -> Sequence[Member]:
    """Add members of one node, and return those that were not there already."""
    return [
        member
        for row in rows
        if (member := seat(roster, process, row, shared_nicks=shared_nicks)) is not None
    ]
