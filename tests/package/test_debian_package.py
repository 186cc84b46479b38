"""The Debian package on a clean root: everything it needs comes with it, an upgrade keeps what is the administrator's, and a
purge leaves nothing. No service is started here, there is no systemd running; tests/vm/systemd does that. About two minutes."""

import json
import re
import subprocess

import pytest

from debian_root import DebianRoot, field, packages

pytestmark = [pytest.mark.long]
APT_INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold")


@pytest.fixture(scope="module")
def debs():
    return packages()


@pytest.fixture(scope="module")
def root(privileged, debs):  # pylint: disable=unused-argument,redefined-outer-name
    with DebianRoot() as made:
        yield made


def test_control_fields_are_those_of_a_proper_package(debs):
    assert re.fullmatch(r"caisson_\d+\.\d+\.\d+_amd64\.deb", debs[0].name)
    depends = field(debs[0], "Depends")
    for library in ("libc6 (>=", "libgrpc++", "libseccomp2", "libsystemd0"):
        assert library in depends
    assert field(debs[0], "Description").splitlines()[1].startswith(" Caisson takes")
    conffiles = subprocess.run(["dpkg-deb", "--ctrl-tarfile", str(debs[0])], capture_output=True, check=True).stdout
    assert b"/etc/caisson/caissond.json\n" in conffiles


def test_life_of_the_package_on_a_clean_root(root, debs):
    """One story, since each chapter needs the one before."""
    before = root.files()
    accounts = {name: (root.path / name).read_text() for name in ("etc/passwd", "etc/group")}

    root.run(*APT_INSTALL, root.put(debs[0]))
    check_installed(root, debs[0])

    configuration = root.path / "etc/caisson/caissond.json"
    edited = configuration.read_text().replace('"grace_ms": 5000', '"grace_ms": 7000')
    assert edited != configuration.read_text()
    configuration.write_text(edited)
    root.run("systemctl", "disable", "caissond.service")
    root.run(*APT_INSTALL, root.put(debs[1]))
    assert root.run("dpkg-query", "--show", "--showformat=${Version}", "caisson").endswith("+next")
    assert configuration.read_text() == edited
    # What the administrator disabled stays disabled.
    assert root.run("systemctl", "is-enabled", "caissond.service", check=False).stdout == "disabled\n"

    root.run("dpkg", "--remove", "caisson")
    assert configuration.read_text() == edited
    assert "caisson" in (root.path / "etc/passwd").read_text()
    assert not (root.path / "usr/sbin/caissond").exists()

    root.run("dpkg", "--purge", "caisson")
    left = {name for name in root.files() - before if "caisson" in name and not name.endswith(".deb")}
    assert left == set()
    for name, text in accounts.items():
        now = (root.path / name).read_text()
        assert "caisson" not in now
        assert set(text.splitlines()) <= set(now.splitlines())


def check_installed(root, deb):
    """The programs find their libraries, the user is there, the service is enabled, the configuration is taken."""
    version = field(deb, "Version")
    assert root.run("caisson", "--version") == f"caisson {version}\n"
    assert root.run("caissond", "--version") == f"caissond {version}\n"
    passwd = next(line for line in (root.path / "etc/passwd").read_text().splitlines() if line.startswith("caisson:"))
    assert passwd.endswith(":/nonexistent:/usr/sbin/nologin")
    wanted = root.path / "etc/systemd/system/multi-user.target.wants/caissond.service"
    assert wanted.is_symlink()
    for directory, mode in (("run/caisson", 0o755), ("run/caissond", 0o700)):
        assert (root.path / directory).stat().st_mode & 0o7777 == mode, directory
    done = root.run("caisson", "profile", "lint", check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    schema = json.loads((root.path / "etc/caisson/caissond.json").read_text())["$schema"]
    assert (root.path / schema.lstrip("/")).is_file()
    assert root.run("dpkg", "--verify", "caisson") == ""
