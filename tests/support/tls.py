"""A caisson-tls of one's own before a daemon, on a port of the kernel's choice, and certificates made for it by openssl(1)."""

import os
import pathlib
import pwd
import shutil
import signal
import ssl
import subprocess
import tempfile

import grpc

from support.client import Client
from support.door import DoorProcess
from support.environment import BIN_DIR, scaled
from support.processes import wait_until
from support.users import ensure_user

TLS = BIN_DIR / "caisson-tls"
USER = "caisson-tls"


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=True)


class Authority:
    """A certificate authority in a directory of its own."""

    def __init__(self, directory, name):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(exist_ok=True)
        self.certificate, self.key = self.directory / f"{name}.crt", self.directory / f"{name}.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 2, "-subj", f"/CN={name}",
                "-keyout", self.key, "-out", self.certificate)

    def issue(self, name, names, usage, days=1):
        """(certificate, key): `names` is a subjectAltName, or None. With days < 1 it has expired."""
        certificate, key, request, extensions = (self.directory / f"{name}.{end}" for end in ("crt", "key", "csr", "ext"))
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        extensions.write_text(f"extendedKeyUsage={usage}\n" + (f"subjectAltName={names}\n" if names else ""))
        openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial", "-days", days,
                "-extfile", extensions, "-out", certificate)
        return certificate, key

    def client(self, name, names, days=1):
        return self.issue(name, names, "clientAuth", days)

    def server(self, name="localhost"):
        return self.issue(name, "DNS:localhost,IP:127.0.0.1", "serverAuth")


class Door(DoorProcess):
    """Use as a context manager. `directory` has the door's three files; `authority` signed its certificate."""

    def __init__(self, authority, clients, *options, user=USER):
        ensure_user(USER)
        self.authority = authority
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="caisson-tls-", dir="/run"))
        self.files = self.directory / "tls"
        self.files.mkdir()
        os.chmod(self.directory, 0o755)
        os.chmod(self.files, 0o755)
        self.place(*authority.server())
        self.place_clients(clients)
        super().__init__("caisson-tls", "--certificates", str(self.files), *options, says="listening on 127.0.0.1:", user=user)

    def place(self, certificate, key):
        """The door's own, from the next start or reload on."""
        shutil.copy(certificate, self.files / "server.crt")
        shutil.copy(key, self.files / "server.key")
        os.chmod(self.files / "server.crt", 0o644)
        os.chmod(self.files / "server.key", 0o640)
        os.chown(self.files / "server.key", 0, pwd.getpwnam(USER).pw_gid)

    def place_clients(self, authority):
        if authority is not None:
            shutil.copy(authority.certificate, self.files / "clients.crt")
            os.chmod(self.files / "clients.crt", 0o644)

    def reload(self, word="reloaded the certificates"):
        before = len(self.log)
        self.process.send_signal(signal.SIGHUP)
        assert wait_until(lambda: any(word in line for line in self.log[before:]), scaled(10)), self.log

    def says(self, word):
        return wait_until(lambda: any(word in line for line in self.log), scaled(10))

    def __exit__(self, kind, *_):
        super().__exit__(kind, *_)
        shutil.rmtree(self.directory)
        code = self.process.returncode
        assert code == 0 or kind is not None, (code, self.log)


class TlsClient(Client):
    """A client by TLS; `shown` is a certificate and its key, `token` what it shows with each call."""

    def __init__(self, door, shown=None, token=None, authority=None):
        super().__init__("unix:/nonexistent")
        self.channel.close()
        certificate, key = (path.read_bytes() for path in shown) if shown else (None, None)
        credentials = grpc.ssl_channel_credentials((authority or door.authority).certificate.read_bytes(), key, certificate)
        if token is not None:
            credentials = grpc.composite_channel_credentials(credentials, grpc.access_token_call_credentials(token))
        self.channel = grpc.secure_channel(f"localhost:{door.port}", credentials, options=[("grpc.use_local_subchannel_pool", 1)])
        self.stub = self.api.run_grpc.RunServiceStub(self.channel)


def trusting(place):
    """For Python's own TLS: knows the door's authority, and offers what it wants."""
    context = ssl.create_default_context(cafile=str(place.servers.certificate))
    context.set_alpn_protocols(["h2"])
    return context


def is_unreachable(client):
    """With a call that waits: without one nobody in gRPC would look after the handshake."""
    try:
        client.stub.GetServerInfo(client.api.run.GetServerInfoRequest(), timeout=scaled(10), wait_for_ready=True)
        return False
    except grpc.RpcError:
        return True
