"""Addresses and networks: how they are read and shown, what counts as one, and how they are found."""

from __future__ import annotations

import ipaddress
import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_console.server.addresses import (
    Address,
    Endpoint,
    Network,
    NetworkMap,
    address_in,
    address_of,
    counted,
    is_link_local,
    is_loopback,
    is_of_this_machine,
    network_of,
    pack,
    packed_ip,
    packed_text,
    plain_host,
    unpack,
    within,
)


class TestReading:
    @pytest.mark.parametrize(
        ("text", "network", "short"),
        [
            ("192.0.2.7", "192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.7/32", "192.0.2.7/32", "192.0.2.7"),
            ("192.0.2.7/24", "192.0.2.0/24", "192.0.2.0/24"),
            ("2001:DB8::0:7", "2001:db8::7/128", "2001:db8::7"),
            ("fe80::1%eth0", "fe80::1/128", "fe80::1"),
            ("fe80::1%eth0/64", "fe80::/64", "fe80::/64"),
            ("0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0", "::/0"),
        ],
    )
    def test_gives_what_is_shown_as_it_is_typed(self, text: str, network: str, short: str) -> None:
        assert str(network_of(text)) == network
        assert network_of(text).shown == short

    @pytest.mark.parametrize(
        ("text", "network"),
        [
            ("::ffff:192.0.2.1", "192.0.2.1/32"),
            ("::FFFF:c000:201", "192.0.2.1/32"),
            ("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1/32"),
            ("::ffff:192.0.2.1/128", "192.0.2.1/32"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("::ffff:c000:207/120", "192.0.2.0/24"),
            ("::ffff:192.0.2.1%eth0", "192.0.2.1/32"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::fffe:192.0.2.1", "::fffe:c000:201/128"),
            ("1::ffff:192.0.2.1", "1::ffff:c000:201/128"),
        ],
    )
    def test_takes_an_ipv4_address_in_ipv6_for_what_it_is(self, text: str, network: str) -> None:
        assert str(network_of(text)) == network

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Bob",
            "7",
            "/24",
            "1.2.3.04",
            "192.0.2",
            "192.0.2.7/33",
            "192.0.2.7/-1",
            "192.0.2.7|4001",
            "192.0.2.7%eth0",
            "192.0.2.\u0667",
            "192.0.2.0/\u0662\u0664",
            pytest.param("192.0.2.7/" + "9" * 5000, id="huge"),
            "fe80::1%",
            "fe80::1%a%b",
            "::ffff:192.0.2.0/24",
            "::ffff:192.0.2.0/95",
        ],
    )
    def test_refuses_all_else(self, text: str) -> None:
        with pytest.raises(ValueError):
            network_of(text)

    def test_is_strict_where_that_is_asked_for(self) -> None:
        assert str(network_of("::ffff:192.0.2.0/120", strict=True)) == "192.0.2.0/24"
        with pytest.raises(ValueError):
            network_of("192.0.2.7/24", strict=True)

    @given(st.from_regex(r"[0-9]{1,4}([.][0-9]{0,4}){2,4}|[0-9٣.]{7,15}", fullmatch=True))
    def test_of_an_ipv4_address_is_what_the_standard_library_says(self, text: str) -> None:
        try:
            number = int(ipaddress.IPv4Address(text))
        except ValueError:
            with pytest.raises(ValueError):
                address_of(text)
        else:
            assert address_of(text) == (4, number, 32)

    @given(st.ip_addresses(v=4))
    def test_of_any_ipv4_address_is_its_number(self, address: ipaddress.IPv4Address) -> None:
        assert address_of(str(address)) == (4, int(address), 32)

    def test_of_an_address_knows_it_with_its_interface(self) -> None:
        assert address_of("fe80::1%eth0") == network_of("fe80::1")
        with pytest.raises(ValueError):
            address_of("192.0.2.0/24")

    @pytest.mark.parametrize(
        ("host", "shown"),
        [
            ("127.0.0.1", "127.0.0.1"),
            ("::ffff:127.0.0.1", "127.0.0.1"),
            ("::ffff:7f00:1", "127.0.0.1"),
            ("::1", "::1"),
            ("fe80::1%eth0", "fe80::1%eth0"),
        ],
    )
    def test_of_a_peer_shows_ipv4_as_such(self, host: str, shown: str) -> None:
        assert plain_host(host) == shown


class TestNetwork:
    @pytest.mark.parametrize(
        ("text", "own"),
        [
            ("127.0.0.1", True),
            ("127.255.0.9", True),
            ("::1", True),
            ("::ffff:127.0.0.1", True),
            ("0.0.0.0/0", True),
            ("126.0.0.0/7", True),
            ("127.1.0.0/16", True),
            ("::/0", True),
            ("::/64", True),
            ("128.0.0.1", False),
            ("192.0.2.0/24", False),
            ("::2", False),
            ("2001:db8::1", False),
            ("8000::/1", False),
        ],
    )
    def test_is_of_this_machine_where_loopback_is_in_it(self, text: str, own: bool) -> None:
        assert is_of_this_machine(network_of(text)) is own
        if "/" not in text:
            assert is_loopback(text) is own

    @pytest.mark.parametrize(
        ("host", "under"),
        [
            ("192.0.2.7", "192.0.2.7/32"),
            ("169.254.7.7", "169.254.7.7/32"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("2001:db8::7", "2001:db8::/64"),
            ("2001:db8:0:1:ffff::", "2001:db8:0:1::/64"),
            ("fe80::7%eth0", "fe80::7/128"),
            ("febf::7%eth0", "febf::7/128"),
            ("fec0::7", "fec0::/64"),
            ("::1", "::1/128"),
        ],
    )
    def test_is_counted_by_what_one_machine_has(self, host: str, under: str) -> None:
        assert str(counted(address_of(host))) == under

    def test_is_link_local_in_ipv6_alone(self) -> None:
        assert is_link_local("fe80::1")
        assert is_link_local("fe80::1%eth0")
        assert not is_link_local("fec0::1")
        assert not is_link_local("169.254.0.1")

    def test_sorts_by_version_then_address_then_the_larger_first(self) -> None:
        texts = ["2001:db8::/32", "192.0.2.10", "192.0.2.9", "10.0.0.0/16", "10.0.0.0/8"]
        assert [network.shown for network in sorted(map(network_of, texts))] == [
            "10.0.0.0/8",
            "10.0.0.0/16",
            "192.0.2.9",
            "192.0.2.10",
            "2001:db8::/32",
        ]


class CountingDict(dict[tuple[int, int, int], str]):
    """How often it was asked."""

    asked = 0

    def get(self, key: tuple[int, int, int], default: str | None = None) -> str | None:  # type: ignore[override]
        self.asked += 1
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.asked += 1
        return super().__contains__(key)


class TestMap:
    def test_finds_what_the_standard_library_finds(self) -> None:
        chance = random.Random(7)
        networks: NetworkMap[str] = NetworkMap()
        model: dict[str, ipaddress.IPv4Network | ipaddress.IPv6Network] = {}
        for _ in range(400):
            bits = chance.choice((32, 128))
            number = chance.getrandbits(6) << bits - 6
            kind = ipaddress.IPv4Network if bits == 32 else ipaddress.IPv6Network
            text = str(kind((number, chance.randint(0, 8)), strict=False))
            if text in model and chance.random() < 0.5:
                del networks[network_of(text)], model[text]
            else:
                networks[network_of(text)] = text
                model[text] = ipaddress.ip_network(text)
            host = str((ipaddress.IPv4Address if bits == 32 else ipaddress.IPv6Address)(number))
            expected = {text for text, network in model.items() if ipaddress.ip_address(host) in network}
            assert set(networks.covering(address_of(host))) == expected
            assert networks.covers(address_of(host)) is bool(expected)
            assert len(networks) == len(model)

    def test_tells_what_there_is_for_exactly_one(self) -> None:
        networks: NetworkMap[str] = NetworkMap()
        networks[network_of("192.0.2.0/24")] = "a"
        networks[network_of("192.0.2.0/24")] = "b"
        assert networks.get(network_of("192.0.2.0/24")) == "b"
        assert networks.get(network_of("192.0.2.0/25")) is None
        assert len(networks) == 1

    def test_asks_once_for_each_length_however_many_there_are(self) -> None:
        networks: NetworkMap[str] = NetworkMap()
        networks._values = values = CountingDict()
        for number in range(10_000):
            networks[Network(4, number, 32)] = "address"
        networks[network_of("10.0.0.0/8")] = "network"
        values.asked = 0
        assert not networks.covers(address_of("203.0.113.7"))
        assert list(networks.covering(address_of("203.0.113.7"))) == []
        assert not networks.covers(address_of("2001:db8::7"))
        assert values.asked == 2 * 2


class TestAddress:
    @pytest.mark.parametrize(
        ("host", "shown", "network"),
        [
            ("192.0.2.7", "192.0.2.7|4000", "192.0.2.7/32"),
            ("2001:db8::7", "2001:db8::7|4000", "2001:db8::7/128"),
            ("fe80::1%eth0", "fe80::1%eth0|4000", "fe80::1/128"),
        ],
    )
    def test_is_shown_with_its_port_and_found_without(self, host: str, shown: str, network: str) -> None:
        address = Address(host, 4000)
        assert str(address) == shown
        assert address.ip == network_of(network)


PACKED = st.one_of(
    st.builds(Address, st.ip_addresses().map(str), st.integers(0, 65_535)),
    st.builds(Address, st.text(), st.integers(0, 70_000)),
    st.sampled_from(
        [
            *(Address("fe80::1%eth0", 4000), Address("2001:DB8::0:7", 4000), Address("192.0.2.7", 70_000)),
            *(Address("::ffff:192.0.2.7", 4000), Address("192.0.2.7 ", 4000), Address("a|b", 4000)),
        ]
    ),
)


AnyAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

NETWORKS = st.builds(
    lambda address, length: address_of(str(address)).widened(min(length, address_of(str(address)).length)),
    st.ip_addresses(),
    st.integers(0, 128),
)


class TestPacking:
    @given(PACKED)
    def test_keeps_an_address_as_it_is(self, address: Address) -> None:
        packed = pack(address)
        assert unpack(packed) == address
        assert packed_text(packed) == str(address)

    @given(PACKED, PACKED)
    def test_tells_addresses_apart(self, one: Address, other: Address) -> None:
        assert (pack(one) == pack(other)) is (one == other)

    @given(st.ip_addresses().map(str), st.integers(0, 65_535))
    def test_keeps_the_ip_address(self, host: str, port: int) -> None:
        assert packed_ip(pack(Address(host, port))) == address_of(host)

    @pytest.mark.parametrize(("host", "most"), [("203.0.113.255", 32), ("2001:db8:ffff::7", 48)])
    def test_takes_the_memory_of_a_number(self, host: str, most: int) -> None:
        assert sys.getsizeof(pack(Address(host, 65_535))) <= most

    @given(st.lists(NETWORKS, max_size=5), st.ip_addresses(), st.integers(0, 65_535))
    def test_is_within_the_networks_that_contain_the_address(
        self, networks: list[Network], ip: AnyAddress, port: int
    ) -> None:
        banned: NetworkMap[bool] = NetworkMap()
        for network in networks:
            banned[network] = True
        address = Address(str(ip), port)
        near = [*networks, *(address.ip.widened(length) for length in (0, 7, 32) if port % 2)]
        assert within(networks)(pack(address)) is banned.covers(address.ip)
        assert within(near)(pack(address)) is (banned.covers(address.ip) or port % 2 == 1)

    @pytest.mark.parametrize("host", ["fe80::1%eth0", "::ffff:192.0.2.7"])
    def test_as_text_is_within_networks_too(self, host: str) -> None:
        packed = pack(Address(host, 41050))
        assert isinstance(packed, str)
        assert within([network_of(host)])(packed)
        assert not within([network_of("2001:db8::/32")])(packed)

    @given(PACKED)
    def test_is_undone_by_reading(self, address: Address) -> None:
        assert address_in(str(address)) == (address if address.port < 100_000 else None)

    @pytest.mark.parametrize("text", ["", "|", "a|", "a|04000", "a|-1", "a|٤000", "a|400000"])
    def test_no_other_text_is_an_address(self, text: str) -> None:
        assert address_in(text) is None


class TestEndpoint:
    @pytest.mark.parametrize(
        ("host", "shown"),
        [
            ("192.0.2.7", "192.0.2.7:1234"),
            ("localhost", "localhost:1234"),
            ("::1", "[::1]:1234"),
            ("fe80::1%eth0", "[fe80::1%eth0]:1234"),
        ],
    )
    def test_is_shown_as_in_a_url(self, host: str, shown: str) -> None:
        assert str(Endpoint(host, 1234)) == shown
