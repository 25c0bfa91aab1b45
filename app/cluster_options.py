"""The options that make the server a node of a cluster, and the settings made from them."""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..server.settings import SettingsError
from .usage import Group, UsageError, file_name, number, whole_number

if TYPE_CHECKING:
    from ..server.cluster.settings import ClusterSettings

VARIABLE = "CHAT_CONSOLE_CLUSTER"
"""The environment variable with the URLs where no `--cluster` is given: others can read a command line."""

NOTICES_UP_TO = 1000
"""`Settings.notices_up_to` of a node whose operator has not said otherwise."""

_NAMES = {"cluster": "urls", "room": "room", "node": "node"} | {
    f"cluster_{name}": name for name in ("hold", "storage", "replicas", "ca", "cert", "key", "creds")
}
"""Which setting each option makes."""


def add_cluster(group: Group) -> None:
    """Add the options to a group of the parser."""
    add = group.add_argument
    add(
        "--cluster",
        metavar="URL",
        action="append",
        help="be a node of a cluster whose engine is at this nats:// or tls:// URL; may be repeated "
        f"(default: {VARIABLE} in the environment, else no cluster)",
    )
    add(
        "--room",
        metavar="NAME",
        help="the room: nodes that name the same one have the same users (default: lobby)",
    )
    add("--node", metavar="NAME", help="this node's name, of a-z, 0-9 and - (default: that of the machine)")
    add(
        "--cluster-hold",
        metavar="SECONDS",
        type=number,
        help="go on without the other nodes once nothing was heard of them for this long (default: 10)",
    )
    add(
        "--cluster-storage",
        choices=("memory", "file"),
        help="where the engine keeps the last minute (default: memory)",
    )
    add(
        "--cluster-replicas",
        metavar="N",
        type=whole_number,
        help="how many servers of the engine keep it, 1 or 3 (default: 1)",
    )
    files = {
        "ca": "the certificates that may have signed the engine's (PEM; default: those of the system)",
        "cert": "this node's certificate, where the engine asks for one (PEM, including its chain)",
        "key": "that certificate's private key (PEM)",
        "creds": "log in to the engine with USER:PASSWORD from this file, or with a .creds file of NATS",
    }
    for name, text in files.items():
        add(f"--cluster-{name}", metavar="FILE", type=file_name, help=text)


def cluster_settings(
    options: argparse.Namespace, environ: Mapping[str, str] = os.environ
) -> ClusterSettings | None:
    """Make the settings of a node from parsed options; None if there is no cluster.

    Raises:
        UsageError: if the options contradict each other, or have a value that cannot be.
    """
    given = {name: value for name in _NAMES if (value := getattr(options, name)) is not None}
    from_environment = "" if "cluster" in given else environ.get(VARIABLE, "").strip(" \t\r\n,")
    if "cluster" not in given and not from_environment:
        for name in given:
            raise UsageError(f"{_option(name)} needs --cluster URL, the engine between the nodes")
        return None
    # Not earlier: a server without a cluster does without its modules.
    from ..server.cluster.settings import ClusterSettings, default_node, urls_in

    values = {setting: given[name] for name, setting in _NAMES.items() if name in given}
    values["urls"] = tuple(given.get("cluster", ())) or urls_in(from_environment)
    values.setdefault("node", default_node(socket.gethostname()))
    try:
        return ClusterSettings(**values)
    except SettingsError as error:
        option = {setting: _option(name) for name, setting in _NAMES.items()}
        if from_environment:
            option["urls"] = VARIABLE
        where = " and ".join(option[field] for field in error.fields)
        raise UsageError(f"{where} {error.problem}") from None


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")
