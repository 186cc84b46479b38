"""The admin service as tests call it, and a daemon that has a socket for it beside those of tenants and roles."""

import contextlib

import grpc

from support import protos
from support.client import Client, Refusal
from support.daemon import Daemon
from support.environment import scaled
from support.tenants import NOBODY

SERVICE = "caisson.admin.v1.AdminService"


def health(channel, service=""):
    """"SERVING", "NOT_SERVING", or the code of a refusal."""
    api = protos.load()
    try:
        answer = api.health_grpc.HealthStub(channel).Check(api.health.HealthCheckRequest(service=service), timeout=scaled(10))
    except grpc.RpcError as error:
        return error.code()
    return api.health.HealthCheckResponse.ServingStatus.Name(answer.status)


class Admin:
    """One channel to an admin socket, or to what should not be one."""

    def __init__(self, address):
        self.api = protos.load().admin
        self.channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self.stub = protos.load().admin_grpc.AdminServiceStub(self.channel)

    def close(self):
        self.channel.close()

    def call(self, method, **fields):
        """(response, None) or (None, Refusal)."""
        try:
            return getattr(self.stub, method)(getattr(self.api, f"{method}Request")(**fields), timeout=scaled(30)), None
        except grpc.RpcError as error:
            return None, Refusal.of(error)

    def must(self, method, **fields):
        response, refusal = self.call(method, **fields)
        assert refusal is None, refusal
        return response

    def tenants(self, **fields):
        """{name: Tenant} of one page."""
        return {tenant.name: tenant for tenant in self.must("ListTenants", **fields).tenants}


class AdminDaemon:
    """A daemon with one place for runs, sockets of the tenant alpha, of an operator and of admins: one for root, one whose file lets
    everybody in but which names another user, and clients by their names. A context manager."""

    def __init__(self, **config):
        self.daemon = Daemon(profiles=["python"], max_runs=1, **config)
        self.folder = self.daemon.directory / "tenants"
        self.daemon.config["listeners"] = [
            {"socket": self.address("alpha"), "tenant": "alpha"},
            {"socket": self.address("operator"), "role": "operator", "mode": "0600", "peer_users": ["root"]},
            {"socket": self.address("admin"), "role": "admin", "mode": "0666", "peer_users": ["root"]},
            {"socket": self.address("theirs"), "role": "admin", "mode": "0666", "owner": "nobody", "peer_users": [str(NOBODY)]},
        ]
        self._open = contextlib.ExitStack()

    def address(self, name):
        return self.daemon.address if name == "default" else f"unix:{self.folder}/{name}.sock"

    def client(self, name):
        return self._kept(Client(self.address(name)))

    def admin(self, name="admin"):
        return self._kept(Admin(self.address(name)))

    def _kept(self, client):
        self._open.callback(client.close)
        return client

    def __enter__(self):
        self.daemon.__enter__()
        return self

    def __exit__(self, *reason):
        self._open.close()
        self.daemon.__exit__(*reason)
