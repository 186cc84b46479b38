"""A daemon of several tenants, as tests use it: a socket for each of them, and clients by their names."""

import contextlib
import subprocess
import sys

from support.client import Client
from support.daemon import Daemon
from support.environment import scaled

NOBODY = 65534
NEVER_RUN = "runs/" + "0" * 32

# Says the preface of HTTP/2 and prints how many bytes of an answer come.
KNOCK = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(10)
try:
    s.connect(sys.argv[1])
    s.sendall(b"PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
    print(len(s.recv(9)))
except (ConnectionError, PermissionError) as error:
    print(type(error).__name__)
"""
# What it prints where it was not let in.
CLOSED = ("0", "ConnectionResetError", "BrokenPipeError")


def knock(path, user):
    """What comes of a connection to a socket's file by this user: the number of bytes of an answer, or CLOSED."""
    # Not the build's directory: other users may not look into it.
    return subprocess.run([sys.executable, "-c", KNOCK, str(path)], user=user, group=user, extra_groups=[], cwd="/",
                          capture_output=True, text=True, timeout=scaled(30), check=True).stdout.strip()


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
