"""A daemon of several tenants, as tests use it: a socket for each of them, and clients by their names."""

import contextlib

from support.client import Client
from support.daemon import Daemon

NOBODY = 65534
NEVER_RUN = "runs/" + "0" * 32


class Tenants:
    """A daemon with sockets for the tenants alpha and beta, an observer of alpha's, and an operator. A context manager: started, then stopped."""

    def __init__(self):
        self.daemon = Daemon(profiles=["python"])
        self.folder = self.daemon.directory / "tenants"
        self.daemon.config["listeners"] = [
            {"socket": self.address("alpha"), "tenant": "alpha"},
            {"socket": self.address("beta"), "tenant": "beta", "mode": "0600"},
            {"socket": self.address("watch"), "tenant": "alpha", "role": "observe", "peer_users": ["root"]},
            {"socket": self.address("operator"), "role": "operator", "mode": "0600", "peer_users": ["root"]},
            {"socket": self.address("theirs"), "tenant": "theirs", "mode": "0666", "owner": "nobody", "group": str(NOBODY),
             "peer_users": [str(NOBODY)]},
        ]
        self._clients = contextlib.ExitStack()

    def address(self, name):
        return f"unix:{self.folder}/{name}.sock"

    def client(self, name):
        """A new connection; name "default" is the daemon's own socket."""
        client = Client(self.daemon.address if name == "default" else self.address(name))
        self._clients.callback(client.close)
        return client

    def __enter__(self):
        self.daemon.__enter__()
        return self

    def __exit__(self, *reason):
        self._clients.close()
        self.daemon.__exit__(*reason)
