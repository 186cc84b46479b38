"""A profile whose toolchain is missing: how it is listed, refused and installed."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from support.environment import CAISSON, REPOSITORY, scaled

REASON = "package lua5.4 is not installed (/usr/bin/lua5.4-of-another-host is missing)"


def caisson(*args, address=None, **options):
    return subprocess.run([*options.pop("prefix", []), CAISSON, *args], capture_output=True, text=True, timeout=scaled(60), check=False,
                          env={**os.environ, **({"CAISSON_SOCKET": address} if address else {})}, **options)


def lua_of_another_host(profiles, **toolchain):
    profile = json.loads((profiles / "lua.json").read_text())
    profile["toolchain"].update({"probe": "/usr/bin/lua5.4-of-another-host", **toolchain})
    (profiles / "lua.json").write_text(json.dumps(profile))


@pytest.fixture
def profiles():
    # Below /run: others than root must be able to read them, and pytest's own directories are closed to them.
    parent = pathlib.Path(tempfile.mkdtemp(prefix="caisson-test-", dir="/run"))
    directory = parent / "profiles"
    shutil.copytree(REPOSITORY / "profiles", directory)
    for path in [directory, *directory.iterdir()]:
        os.chown(path, 0, 0)
        os.chmod(path, 0o755 if path.is_dir() else 0o644)
    lua_of_another_host(directory)
    os.chmod(parent, 0o755)
    yield directory
    shutil.rmtree(parent)


@pytest.fixture(scope="module")
def poorer_daemon(privileged):  # pylint: disable=unused-argument
    """A daemon on a host that lacks Lua."""
    from support.daemon import Daemon  # pylint: disable=import-outside-toplevel
    daemon = Daemon()
    daemon.write_files()
    lua_of_another_host(daemon.profiles_dir)
    with daemon:
        yield daemon


def test_it_is_listed_as_unavailable_with_the_package_that_brings_it(poorer_daemon):
    listed = json.loads(caisson("profile", "list", "--json", address=poorer_daemon.address).stdout)["profiles"]
    lua = next(profile for profile in listed if profile["name"] == "lua")
    assert (lua.get("available", False), lua["unavailable_reason"]) == (False, REASON)
    assert next(profile for profile in listed if profile["name"] == "bash")["available"]
    assert f"no: {REASON}" in caisson("profile", "list", address=poorer_daemon.address).stdout


def test_a_run_with_it_is_refused_with_the_same_words(poorer_daemon):
    done = caisson("run", "--profile", "lua", "-", address=poorer_daemon.address, input="print(1)")
    assert (done.returncode, done.stdout) == (125, "")
    assert REASON in done.stderr and done.stderr.count("\n") == 1


def test_the_daemon_says_at_its_start_what_it_leaves_out(poorer_daemon):
    assert any("lua" in line and REASON in line for line in poorer_daemon.log)


def test_install_says_what_it_would_run(profiles):
    done = caisson("profile", "install", "lua", "--dry-run", "--profiles", profiles)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "profile lua: /usr/bin/apt-get install --yes --no-install-recommends -- lua5.4\n"


def test_install_has_nothing_to_do_where_the_toolchain_is(profiles):
    done = caisson("profile", "install", "bash", "--profiles", profiles)
    assert (done.returncode, done.stdout) == (0, "profile bash: everything is there\n")


def test_install_needs_root(privileged, profiles):  # pylint: disable=unused-argument
    for path in [*CAISSON.resolve().parents][:-1]:
        if not path.stat().st_mode & 0o001:
            pytest.skip(f"others cannot enter {path}")
    done = caisson("profile", "install", "lua", "--profiles", profiles, prefix=["/usr/bin/setpriv", "--reuid=65534", "--clear-groups"])
    assert done.returncode == 125
    assert done.stderr == "caisson: profile install: installing packages needs root: sudo caisson profile install lua\n"


def test_install_believes_only_profiles_of_roots(privileged, profiles):  # pylint: disable=unused-argument
    os.chmod(profiles / "lua.json", 0o666)
    done = caisson("profile", "install", "lua", "--dry-run", "--profiles", profiles)
    assert (done.returncode, done.stdout) == (125, "")
    assert "lua.json" in done.stderr


@pytest.mark.parametrize("package", ["-o=Dpkg::Pre-Invoke::=id", "lua5.4-", "./lua.deb", ""])
def test_install_hands_apt_get_nothing_but_names_of_packages(profiles, package):
    lua_of_another_host(profiles, package=package)
    done = caisson("profile", "install", "lua", "--dry-run", "--profiles", profiles)
    assert (done.returncode, done.stdout) == (125, "")
    assert "no name of a Debian package" in done.stderr or "names no package that brings it" in done.stderr


def test_install_of_an_unknown_profile_names_the_nearest(profiles):
    done = caisson("profile", "install", "pythn", "--profiles", profiles)
    assert done.returncode == 125
    assert "no profile is named 'pythn'; did you mean python?" in done.stderr


def test_a_library_the_profile_does_not_offer_is_refused_with_the_list(poorer_daemon):
    done = caisson("run", "--profile", "python", "--package", "pandas", "-", address=poorer_daemon.address, input="")
    assert (done.returncode, done.stdout) == (125, "")
    assert "packages[0]" in done.stderr and "the profile python offers numpy" in done.stderr
    done = caisson("run", "--profile", "bash", "--package", "pandas", "-", address=poorer_daemon.address, input="")
    assert "the profile bash offers no libraries" in done.stderr


def test_libraries_that_are_there_are_listed(poorer_daemon):
    listed = json.loads(caisson("profile", "list", "--json", address=poorer_daemon.address).stdout)["profiles"]
    assert {profile["name"]: profile["packages"] for profile in listed if profile.get("packages")} == {"python": ["numpy"], "python-loopback": ["numpy"]}
