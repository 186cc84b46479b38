"""`make install`, as the build system does it: into a directory of the test's own, and what is there works from there."""

import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile

import pytest

from support import leakcheck
from support.client import Client
from support.daemon import Daemon
from support.environment import BIN_DIR, REPOSITORY

BUILD = BIN_DIR.parent
EXPECTED = """
bin/caisson
bin/caisson-gateway
bin/caisson-tls
sbin/caissond
libexec/caisson/caisson-dispatcher
lib/systemd/system/caisson-gateway.service
lib/systemd/system/caissond.service
lib/sysusers.d/caisson.conf
lib/tmpfiles.d/caisson.conf
share/caisson/caissond-check.schema.json
share/caisson/caissond.schema.json
share/caisson/openapi.json
share/caisson/tenant-policy.schema.json
share/caisson/tokens.schema.json
share/caisson/apparmor/caissond
share/caisson/grafana/caisson-dashboard.json
share/caisson/prometheus/caisson-alerts.yml
share/caisson/prometheus/caisson-metrics.service
share/caisson/prometheus/caisson-metrics.socket
share/caisson/prometheus/prometheus.yml
share/caisson/profiles/base.json
share/caisson/profiles/python.json
share/caisson/proto/caisson/admin/v1/admin.proto
share/caisson/proto/caisson/v1/run.proto
share/doc/caisson/LICENSE
share/doc/caisson/example/caissond.json
share/man/man1/caisson.1
share/man/man5/caissond.json.5
share/man/man8/caisson-gateway.8
share/man/man8/caisson-tls.8
share/man/man8/caissond.8
share/bash-completion/completions/caisson
share/bash-completion/completions/caissond
share/zsh/site-functions/_caisson
share/fish/vendor_completions.d/caisson.fish
""".split()
# One installation serves all of them, and the build directory keeps a list of what it installed.
pytestmark = pytest.mark.xdist_group("install")

PLACEHOLDER = re.compile(r"@\w+@")


def install(directory, prefix):
    done = subprocess.run(["cmake", "--install", str(BUILD), "--prefix", prefix],
                          env={**os.environ, "DESTDIR": str(directory)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed():
    """A tree with everything in /usr/local and /etc, where the dispatcher's user can reach it."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="caisson-install-", dir="/var/tmp"))
    directory.chmod(0o755)
    install(directory, "/usr/local")
    yield directory
    shutil.rmtree(directory)


def test_every_part_is_installed(installed):
    missing = [name for name in EXPECTED if not (installed / "usr/local" / name).is_file()]
    assert not missing
    assert (installed / "etc/caisson/caissond.json").is_file()


def test_nothing_is_setuid_or_writable_for_others(installed):
    checked = 0
    for path in installed.rglob("*"):
        mode = path.lstat().st_mode
        assert not mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH), path
        checked += 1
    assert checked > len(EXPECTED)


@pytest.mark.parametrize("prefix, etc", [("/usr/local", "/etc"), ("/usr", "/etc"), ("/opt/caisson", "/opt/caisson/etc")])
def test_service_files_name_the_prefix(tmp_path, prefix, etc):
    install(tmp_path, prefix)
    unit = (tmp_path / prefix.lstrip("/") / "lib/systemd/system/caissond.service").read_text()
    assert f"\nExecStart={prefix}/sbin/caissond --config {etc}/caisson/caissond.json\n" in unit
    assert not PLACEHOLDER.search(unit)
    door = (tmp_path / prefix.lstrip("/") / "lib/systemd/system/caisson-gateway.service").read_text()
    assert f"\nExecStart={prefix}/bin/caisson-gateway " in door
    assert f"--playground {prefix}/share/caisson/playground" in door
    assert not PLACEHOLDER.search(door)
    configuration = json.loads((tmp_path / etc.lstrip("/") / "caisson/caissond.json").read_text())
    assert configuration["$schema"] == f"{prefix}/share/caisson/caissond.schema.json"
    assert (tmp_path / configuration["$schema"].lstrip("/")).is_file()


def test_installed_configuration_is_the_documented_one(installed):
    ours = json.loads((REPOSITORY / "deploy/caissond.json").read_text())
    theirs = json.loads((installed / "etc/caisson/caissond.json").read_text())
    assert {**theirs, "$schema": ours["$schema"]} == ours


def test_second_install_keeps_the_administrators_configuration(tmp_path):
    install(tmp_path, "/usr/local")
    edited = tmp_path / "etc/caisson/caissond.json"
    edited.write_text('{"schema_version": 1}\n')
    assert "Kept: " in install(tmp_path, "/usr/local")
    assert edited.read_text() == '{"schema_version": 1}\n'
    assert "queue_length" in (tmp_path / "usr/local/share/doc/caisson/example/caissond.json").read_text()


class InstalledDaemon(Daemon):
    """caissond of the installed tree, with the profiles it finds by itself."""

    def __init__(self, root):
        super().__init__(profiles_dir=None)
        self.program = root / "usr/local/sbin/caissond"

    def command(self, *extra):
        return [str(self.program), *super().command(*extra)[1:]]


def test_installed_programs_find_each_other_and_their_profiles(privileged, installed):  # pylint: disable=unused-argument
    with leakcheck.nothing_left():
        with InstalledDaemon(installed) as daemon:
            client = Client(daemon.address)
            assert client.execute("print(6 * 7)").stdout == b"42\n"
            client.close()
            assert any(str(installed) in line and "profile steps" in line for line in daemon.log)
            done = subprocess.run([installed / "usr/local/bin/caisson", "profile", "lint"], capture_output=True, text=True,
                                  check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            assert daemon.stop() == 0
