"""Daemons of mutation builds, and the observer who looks from outside whether anything was harmed."""

import os
import pathlib

from layers import Attempt
from support import processes
from support.client import Client, request
from support.daemon import Daemon
from support.environment import BIN_DIR


class LayerDaemon(Daemon):
    """The released caissond (layer None), or the one built without `layer`; `profiles` are added to the shipped ones, which are
    all of them or those named."""

    def __init__(self, layer, profiles, shipped=None):
        super().__init__(profiles=shipped)
        directory = BIN_DIR if layer is None else BIN_DIR.parent / "mutation" / layer
        self._program = directory / "caissond"
        assert self._program.exists(), f"{self._program} does not exist: build everything"
        self._profiles = profiles

    def write_files(self):
        super().write_files()
        for name, text in self._profiles.items():
            path = self.profiles_dir / name
            path.write_text(text)
            os.chmod(path, 0o644)

    def command(self, *extra):
        return [str(self._program), *super().command(*extra)[1:]]

    @staticmethod
    def request(attempt: Attempt):
        message = request(profile=attempt.profile, files={"main.py": attempt.program}, main_file="main.py",
                          limits=attempt.limits)
        return message


def run_attempt(daemon, attempt):
    """The outcome of one attempt of layers.py."""
    client = Client(daemon.address)
    try:
        return client.send(daemon.request(attempt))
    finally:
        client.close()


class Observer:
    """What an attacker must not have changed: the host's name, its files, its processes."""

    WATCHED = [pathlib.Path("/usr"), pathlib.Path("/etc/passwd"), pathlib.Path("/etc/shadow")]

    def __init__(self, daemon):
        self._daemon = daemon

    def _state(self):
        files = {str(path): (path.stat().st_mtime_ns, path.stat().st_uid, path.stat().st_mode) for path in self.WATCHED}
        with open("/proc/sys/user/max_user_namespaces", encoding="ascii") as sysctl:
            namespaces = sysctl.read()
        return {"host name": os.uname().nodename, "files": files, "max_user_namespaces": namespaces,
                "daemon": processes.status_field(self._daemon.pid, "State") is not None,
                "network": os.readlink("/proc/self/ns/net")}

    def __enter__(self):
        self._before = self._state()
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            changed = {name: (self._before[name], now) for name, now in self._state().items() if now != self._before[name]}
            assert not changed, f"outside the sandbox has changed, before and now: {changed}"
