"""A caisson-gateway of one's own before a daemon, on a port of the kernel's choice, and a client that speaks HTTP to it."""

import http.client
import json
import socket

from support.door import DoorProcess
from support.environment import BIN_DIR, scaled

GATEWAY = BIN_DIR / "caisson-gateway"
USER = "caisson-gateway"


class Reply:
    """An answer, read whole."""

    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def events(self):
        """[(name, data, id)] of server-sent events; comments are left out."""
        found = []
        for block in self.body.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if fields:
                found.append((fields["event"], json.loads(fields["data"]), fields.get("id")))
        return found


class Gateway(DoorProcess):
    """Use as a context manager."""

    def __init__(self, address, *options, user=USER):
        super().__init__("caisson-gateway", "--socket", address, *options, says="listening on http://127.0.0.1:", user=user)

    def request(self, method, path, body=None, **headers):
        """Headers with _ for -; a body that is no bytes goes as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=scaled(60))
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, fields)
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def raw(self, data=b""):
        """A bare connection on which `data` was sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=scaled(60))
        connection.sendall(data)
        return connection


def python_run(source, **fields):
    """The body of a run."""
    return {"profile": "python", "files": [{"path": "main.py", "text": source}], **fields}
