"""A caisson-gateway of one's own before a daemon, on a port of the kernel's choice, and a client that speaks HTTP to it."""

import http.client
import json
import os
import pwd
import signal
import socket
import subprocess
import threading

from support.environment import BIN_DIR, REPOSITORY, scaled

GATEWAY = BIN_DIR / "caisson-gateway"
USER = "caisson-gateway"


def ensure_user():
    try:
        pwd.getpwnam(USER)
    except KeyError:
        subprocess.run([REPOSITORY / "tools" / "ensure_user.sh"], check=True)


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


class Gateway:
    """Use as a context manager."""

    def __init__(self, address, *options, user=USER):
        ensure_user()
        command = [str(GATEWAY), "--listen", "127.0.0.1:0", "--socket", address, *options]
        self.process = subprocess.Popen(command + (["--user", user] if user else []), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), line + self.process.stderr.read()
        self.port = int(line.rsplit(":", 1)[1])
        self.log = []
        self._reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self.process.pid

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

    def stop(self):
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(scaled(30))
        self._reader.join(scaled(10))
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            if self.process.poll() is None:
                os.kill(self.pid, signal.SIGKILL)
            self.process.stdout.close()


def python_run(source, **fields):
    """The body of a run."""
    return {"profile": "python", "files": [{"path": "main.py", "text": source}], **fields}
