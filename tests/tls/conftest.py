"""A daemon, certificates, and a caisson-tls before it, for all tests of a file."""

import contextlib

import pytest

from support.daemon import Daemon
from support.tls import USER, Authority, Door, TlsClient, ensure_user
from support.tokens import Tokens


class Place:
    """A daemon with a socket for alpha and one for tokens, authorities, and certificates of every kind."""

    def __init__(self, directory):
        self.daemon = Daemon(profiles=["python"], ready_sandboxes=0)
        self.alpha_socket = f"unix:{self.daemon.directory}/tenants/alpha.sock"
        self.daemon.config["listeners"] = [{"socket": self.alpha_socket, "tenant": "alpha", "group": USER, "peer_users": [USER]}]
        self.tokens = Tokens(self.daemon, group=USER, peer_users=[USER])
        self.token = self.tokens.add("beta")
        self.tokens.write()
        self.servers = Authority(directory / "servers", "servers")
        self.clients = Authority(directory / "clients", "clients")
        self.strangers = Authority(directory / "strangers", "strangers")
        self.alpha = self.clients.client("alpha", "URI:caisson:tenant/alpha")

    def options(self):
        return ["--tenant", f"alpha={self.alpha_socket}", "--token-socket", self.tokens.address]


@pytest.fixture(scope="module", name="place")
def fixture_place(privileged, tmp_path_factory):  # pylint: disable=unused-argument
    ensure_user()
    place = Place(tmp_path_factory.mktemp("tls"))
    with place.daemon:
        yield place
        assert place.daemon.runs_are_gone()


@pytest.fixture(scope="module", name="door")
def fixture_door(place):
    with Door(place.servers, place.clients, *place.options()) as door:
        yield door
        assert door.stop() == 0
        assert not [line for line in door.log if " error " in line or " critical " in line]


@pytest.fixture(name="connect")
def fixture_connect():
    with contextlib.ExitStack() as clients:
        def connect(*args, **kwargs):
            client = TlsClient(*args, **kwargs)
            clients.callback(client.close)
            return client
        yield connect
