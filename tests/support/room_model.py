"""A small model of the room and its operator, against which a real one is held, whatever happens.

The model knows nothing of indexes, timers and queues: it looks through a list of who is here. After each step
everybody must have got exactly the lines that the model expects, in their order, and nobody a name twice.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chat_console.server.room.events import Banned, Event, LeaveReason, Replied, Unbanned
from chat_console.server.room.member import Member
from chat_console.server.settings import Settings

from .pure_room import PureRoom
from .recording import Scene

HOSTS = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2")
NETWORKS = {
    "192.0.2.1": ("192.0.2.1",),
    "192.0.2.2": ("192.0.2.2",),
    "192.0.2.0/24": ("192.0.2.1", "192.0.2.2"),
    "2001:db8::1": ("2001:db8::1",),
    "2001:db8::/64": ("2001:db8::1", "2001:db8::2"),
}
"""The networks that are banned, and which of the hosts each covers."""

BANNED_WITH = {host: "2001:db8::/64" if ":" in host else host for host in HOSTS}
"""The network that a ban of somebody from each host is of."""

NAMES = ("Ann", "ann", "ANN", "Bob", "bob", "B0b", "b-ob", "Cid", "CID")
ALIKE = ({"Ann", "ann", "ANN"}, {"Bob", "bob", "B0b", "b-ob"}, {"Cid", "CID"})
"""Names that only one may bear at a time. `CID` reads as `ClD`, and yet who is sent to `cid` must be one."""

INVALID_NAMES = ("two words", "x" * 21, "-a", "192.0.2.1")
BAD_NAMES = ("Operator", "r00t", *INVALID_NAMES)

hosts = st.sampled_from(HOSTS)
names = st.sampled_from(NAMES)
texts = st.sampled_from(("hello", "two  blanks", "//slash", "\ufffd"))
spans = st.sampled_from((("", None), (" 10s", 10.0), (" 1m", 60.0)))


@dataclass(eq=False)
class User:
    """What the model knows of one member."""

    member: Member
    host: str
    name: str
    nickname: str | None = None
    muted_until: float | None = None  # infinite: until unmuted
    has_spoken: bool = False
    got: list[str] = field(default_factory=list)
    """The lines that it should have got since one last looked."""


def has_users(model: Model) -> bool:
    return bool(model.here or model.gone)


class Model(RuleBasedStateMachine):
    @initialize(
        shared=st.booleans(),
        up_to=st.sampled_from((0, 0, 3)),
        first=st.lists(st.tuples(hosts, names), min_size=2, max_size=5),
    )
    def open(self, shared: bool, up_to: int, first: list[tuple[str, str]]) -> None:
        self.shared = shared
        self.settings = Settings(shared_nicks=shared, notices_up_to=up_to)
        self.scene = self.make(self.settings)
        self.untold = 0  # who came and went in a crowd
        self.here: list[User] = []
        self.gone: list[User] = []
        self.bans: dict[str, float] = {}
        self.ports = 4000
        for host, name in first:
            self.join(host)
            self.rename_to(self.here[-1], name)

    def make(self, settings: Settings) -> Scene:
        """The real room."""
        return Scene(settings)

    # The model's means

    @property
    def now(self) -> float:
        return self.scene.loop.now

    def is_banned(self, host: str) -> bool:
        return any(end > self.now and host in NETWORKS[network] for network, end in self.bans.items())

    def tell_all(self, line: str, but: User | None = None) -> None:
        for user in self.here:
            if user is not but:
                user.got.append(line)

    @property
    def is_crowded(self) -> bool:
        return 0 < self.settings.notices_up_to < len(self.here)

    def drop(self, *users: User) -> None:
        """Let `users` go at one moment."""
        is_crowded = self.is_crowded
        for user in users:
            self.here.remove(user)
            self.gone.append(user)
            user.got.append("You have left the server")
        for user in users if self.here else ():
            if user.has_spoken or not is_crowded:
                self.tell_all(f"{user.name} has left the server.")
            else:
                self.untold += 1

    def find(self, target: str) -> list[User]:
        for matches in (
            lambda user: str(user.member.address) == target.lower(),
            lambda user: user.nickname == target,
            lambda user: (user.nickname or "").lower() == target.lower(),
        ):
            if found := [user for user in self.here if matches(user)]:
                return found
        return []

    def user(self, data: st.DataObject) -> User:
        """Somebody who is here, or who has just left and whose last lines are still read."""
        return data.draw(st.sampled_from(self.here + self.gone[-1:]), "user")

    def target(self, data: st.DataObject) -> str:
        """What names somebody or nobody: an address, a nickname, one in another case."""
        targets = ["Nobody"]
        for user in self.here + self.gone[-1:]:
            targets += [str(user.member.address), user.name, user.name.upper()]
        return data.draw(st.sampled_from(targets), "target")

    # What clients do

    @rule(host=hosts, twin=st.booleans())
    def join(self, host: str, twin: bool = False) -> None:
        """A twin comes from the port of the one before, to another address of the server."""
        assert self.scene.bans.covers(host) is self.is_banned(host)
        self.ports += not twin
        address = f"{host}|{self.ports}"
        user = User(self.scene.join(address), host, address)
        self.here.append(user)
        welcome = f"Welcome {address} to the server!"
        if self.is_crowded:
            user.got.append(welcome)
            self.untold += 1
        else:
            self.tell_all(welcome)

    @precondition(has_users)
    @rule(data=st.data(), wanted=st.lists(names | st.sampled_from(BAD_NAMES), min_size=1, max_size=3))
    def rename(self, data: st.DataObject, wanted: list[str]) -> None:
        user = self.user(data)
        for name in wanted:
            self.rename_to(user, name)

    def rename_to(self, user: User, name: str) -> None:
        self.scene.send(user.member, f"/nick {name}")
        if user not in self.here:
            return
        others = {other.nickname for other in self.here if other is not user}
        if user.muted_until is not None:
            user.got.append("You are muted")
        elif name in INVALID_NAMES:
            user.got.append("Invalid nickname: use 1-20 of A-Z a-z 0-9 _ - .")
        elif name in BAD_NAMES:
            user.got.append(f"Nickname {name} is reserved")
        elif (
            not self.shared
            and name != user.nickname
            and any(others & names for names in ALIKE if name in names)
        ):
            user.got.append(f"Nickname {name} is already in use")
        else:
            user.got.append(f"You are now {name}")
            if name != user.nickname and (user.has_spoken or not self.is_crowded):
                self.tell_all(f"{user.name} is now {name}", but=user)
            user.name = user.nickname = name

    @precondition(has_users)
    @rule(data=st.data(), lines=st.lists(texts, min_size=1, max_size=3))
    def say(self, data: st.DataObject, lines: list[str]) -> None:
        user = self.user(data)
        self.scene.send(user.member, *lines)
        if user not in self.here:
            return
        if user.muted_until is not None:
            user.got.append("You are muted")
        else:
            user.has_spoken = True
            for line in lines:
                self.tell_all(f"{user.name}: {line.replace('//', '/')}", but=user)

    @precondition(has_users)
    @rule(data=st.data())
    def message(self, data: st.DataObject) -> None:
        user, target = self.user(data), self.target(data)
        self.scene.send(user.member, f"/msg {target} psst")
        if user not in self.here:
            return
        if user.muted_until is not None:
            user.got.append("You are muted")
            return
        found = self.find(target)
        for other in found:
            other.got.append(f"{user.name}(private): psst ")
        user.got.append(f"Message sent to {len(found)} users of name {target}")

    @precondition(has_users)
    @rule(data=st.data())
    def list_others(self, data: st.DataObject) -> None:
        user = self.user(data)
        self.scene.send(user.member, "/list")
        if user in self.here:
            others = [f"{other.member.address} as {other.name}" for other in self.here if other is not user]
            user.got += others or ["No other users connected"]

    @precondition(has_users)
    @rule(data=st.data(), way=st.sampled_from(("quit", "lost", "kick")))
    def leave(self, data: st.DataObject, way: str) -> None:
        if way == "kick":
            target = self.target(data)
            self.scene.operate(f"/kick {target}")
            leaving = self.find(target)
        else:
            user = self.user(data)
            leaving = [user] if user in self.here else []
            if way == "quit":
                self.scene.send(user.member, "/quit", "never said")
            else:
                self.scene.leave(user.member, reason=LeaveReason.LOST)
        self.drop(*leaving)

    # What the operator does

    @rule(text=texts)
    def operator_says(self, text: str) -> None:
        self.scene.operate(text)
        self.tell_all(f"Operator: {text.replace('//', '/')}")

    @rule(data=st.data())
    def operator_messages(self, data: st.DataObject) -> None:
        target = self.target(data)
        self.scene.operate(f"/msg {target} psst")
        for user in self.find(target):
            user.got.append("Operator (private): psst ")

    @rule(data=st.data(), terms=st.lists(spans, min_size=1, max_size=2))
    def mute(self, data: st.DataObject, terms: list[tuple[str, float | None]]) -> None:
        target = self.target(data)
        for words, seconds in terms:
            self.scene.operate(f"/mute {target}{words}")
            for user in self.find(target):
                user.muted_until = float("inf") if seconds is None else self.now + seconds
                user.got.append("You are muted")

    @rule(data=st.data())
    def unmute(self, data: st.DataObject) -> None:
        target = self.target(data)
        self.scene.operate(f"/unmute {target}")
        for user in self.find(target):
            self.let_speak(user)

    def let_speak(self, user: User) -> None:
        if user.muted_until is not None:
            user.muted_until = None
            user.got.append("You are no longer muted")

    @rule(data=st.data(), span=spans, again=st.booleans())
    def ban(self, data: st.DataObject, span: tuple[str, float | None], again: bool) -> None:
        """A ban is done at once where it hits nobody; otherwise when it is typed again."""
        target = data.draw(st.sampled_from([*NETWORKS, self.target(data)]), "banned")
        line = f"/ban {target}{span[0]}"
        self.scene.operate("/list", line)  # the first so that no question is open
        networks = (
            [target]
            if target in NETWORKS
            else list(dict.fromkeys(BANNED_WITH[user.host] for user in self.find(target)))
        )
        hit = [user for user in self.here if any(user.host in NETWORKS[network] for network in networks)]
        if hit and not again:
            return
        if hit:
            self.scene.operate(line)
        for network in networks:
            self.bans[network] = float("inf") if span[1] is None else self.now + span[1]
        self.drop(*hit)

    @rule(network=st.sampled_from(list(NETWORKS)))
    def unban(self, network: str) -> None:
        self.scene.operate(f"/unban {network}")
        self.bans.pop(network, None)

    @rule(seconds=st.sampled_from((5.0, 10.0, 60.0)))
    def let_time_pass(self, seconds: float) -> None:
        self.scene.loop.advance(seconds)
        for user in self.here:
            if user.muted_until is not None and user.muted_until <= self.now:
                self.let_speak(user)

    # What must hold

    @invariant()
    def everybody_has_got_what_the_model_expects(self) -> None:
        seen = self.scene.seen()
        for user in self.here + self.gone:
            assert seen.get(user.member, []) == user.got, user.name
            user.got.clear()

    @invariant()
    def the_room_holds_who_is_here_in_order_of_joining(self) -> None:
        assert self.scene.present == [user.member for user in self.here]
        assert [member.name for member in self.scene.present] == [user.name for user in self.here]
        assert set(self.scene.closed) == {user.member for user in self.gone}

    @invariant()
    def no_name_is_borne_twice(self) -> None:
        names = [user.nickname.lower() for user in self.here if user.nickname]
        assert self.shared or len(names) == len(set(names))

    @invariant()
    def the_bans_in_force_are_those_of_the_model(self) -> None:
        for host in HOSTS:
            assert self.scene.bans.covers(host) is self.is_banned(host)

    @invariant()
    def everybody_is_found_by_what_is_theirs_and_nobody_who_is_gone(self) -> None:
        for user in self.here + self.gone:
            for target in {str(user.member.address), user.name, user.name.upper()}:
                found = [other.member for other in self.find(target)]
                assert list(self.scene.room.roster.find(target)) == found, target

    @invariant()
    def nothing_is_kept_of_those_who_are_gone(self) -> None:
        here = {user.member for user in self.here}
        for index in vars(self.scene.room.roster).values():
            for found in index.values() if isinstance(index, dict) else ():
                match found:
                    case Member():
                        members = {found}
                    case dict():
                        members = set(found.values())
                    case _:
                        members = set(found)
                assert members
                assert members <= here

    @invariant()
    def only_mutes_that_will_end_and_the_minute_in_a_crowd_have_a_timer(self) -> None:
        ends = [user for user in self.here if user.muted_until not in (None, float("inf"))]
        assert self.scene.loop.waiting == len(ends) + (self.untold > 0)

    @invariant()
    def who_is_not_told_of_is_counted(self) -> None:
        """Until the minute is over: here the wall clock stands still."""
        tally = self.scene.room.tally
        assert tally.joined + tally.left == self.untold

    def teardown(self) -> None:
        """Of the entries alone, as they come back from a disk, the same room comes with the same events."""
        if not hasattr(self, "scene"):
            return  # it was given up before it began
        again = PureRoom(self.settings)
        again.apply_all(pickle.loads(pickle.dumps(self.scene.log)))
        assert [known(member) for member in again.room.roster.members] == [
            known(user.member) for user in self.here
        ]
        assert of_entries_alone(again.events) == of_entries_alone(self.scene.told())


def of_entries_alone(events: Iterable[Event]) -> list[Event]:
    """Leave out what a session answers by itself, and what only the ban list knows: what has run out."""
    return [
        replace(event, replaced=()) if isinstance(event, Banned) else event
        for event in events
        if not isinstance(event, Replied | Unbanned)
    ]


def known(member: Member) -> object:
    return member.id, member.address, member.nickname, member.muted_at, member.lines, member.has_spoken
