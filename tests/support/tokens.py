"""Bearer tokens as tests use them: the file of a daemon's own, changed and reloaded, and clients that show what they like."""

import base64
import datetime
import hashlib
import json
import os
import secrets
import signal
from typing import NamedTuple

import grpc

from support.client import Client
from support.environment import scaled
from support.processes import wait_until


class _Details(NamedTuple):
    method: str
    timeout: float | None
    metadata: list
    credentials: object
    wait_for_ready: bool | None
    compression: object


class _Shows(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamStreamClientInterceptor):
    """Adds these headers to each call."""

    def __init__(self, headers):
        self._headers = headers

    def _call(self, continuation, details, request):
        metadata = list(details.metadata or ()) + self._headers
        return continuation(_Details(details.method, details.timeout, metadata, details.credentials, details.wait_for_ready,
                                     details.compression), request)

    def intercept_unary_unary(self, continuation, client_call_details, request):
        return self._call(continuation, client_call_details, request)

    def intercept_unary_stream(self, continuation, client_call_details, request):
        return self._call(continuation, client_call_details, request)

    def intercept_stream_stream(self, continuation, client_call_details, request_iterator):
        return self._call(continuation, client_call_details, request_iterator)


class TokenClient(Client):
    """Shows `headers`, each an authorization, with every call."""

    def __init__(self, address, *headers):
        super().__init__(address)
        bare = self.channel
        self.channel = grpc.intercept_channel(bare, _Shows([("authorization", header) for header in headers]))
        self.close = bare.close
        self.stub = self.api.run_grpc.RunServiceStub(self.channel)


def new_token():
    secret = base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    return f"caisson_{secrets.token_hex(6)}_{secret}"


# Well-formed, and nobody's. For parameters of tests, which are the same in every process.
UNKNOWN = "caisson_0123456789ab_" + "A" * 43


def bearer(token):
    return f"Bearer {token}"


def in_seconds(seconds):
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def entry(token, tenant, role="run", expires=None):
    return {"id": token[8:20], "sha256": hashlib.sha256(token.encode()).hexdigest(), "tenant": tenant, "role": role,
            "expires": expires or in_seconds(86_400)}


class Tokens:
    """A daemon with one socket for all who show a token. `entries` may be changed, then write() and reload()."""

    def __init__(self, daemon, **listener):
        self.daemon = daemon
        self.address = f"unix:{daemon.directory}/tenants/token.sock"
        self.file = daemon.directory / "tokens.json"
        self.entries = []
        self._clients = []
        daemon.config["tokens_file"] = str(self.file)
        daemon.config["listeners"] = [{"socket": self.address, "authentication": "token", **listener},
                                      *daemon.config.get("listeners", [])]

    def add(self, tenant, **members):
        """A new token of this tenant, from the next write() on."""
        token = new_token()
        self.entries.append(entry(token, tenant, **members))
        return token

    def write(self, text=None):
        self.file.write_text(json.dumps({"schema_version": 1, "tokens": self.entries}) if text is None else text)
        os.chmod(self.file, 0o644)

    def client(self, token):
        return self.showing(bearer(token))

    def showing(self, *headers):
        self._clients.append(TokenClient(self.address, *headers))
        return self._clients[-1]

    def close(self):
        for client in self._clients:
            client.close()

    def reload(self, word="reloaded:"):
        """SIGHUP; returns the line of the log that has `word`, and came after it."""
        before = len(self.daemon.log)
        self.daemon.process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: any(word in line for line in self.daemon.log[before:]), scaled(10)), self.daemon.log[before:]
        return next(line for line in self.daemon.log[before:] if word in line)
