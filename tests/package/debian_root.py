"""A clean Debian root, made by mmdebstrap from the same mirror as this host's packages. Needs root."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from support.environment import BIN_DIR

BUILD = BIN_DIR.parent
SOURCES = ("/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list")
# What resolves names, so that apt finds its mirror from inside too.
NAME_SERVICE = ("/etc/resolv.conf", "/etc/hosts")


def packages():
    """(the built package, the same as a later version)."""
    built = sorted(BUILD.glob("caisson_*_amd64.deb"))
    assert len(built) == 1, f"{BUILD} holds {len(built)} packages; run `make package` (after removing old ones)"
    return built[0], next_version(built[0])


def field(package, name):
    return subprocess.run(["dpkg-deb", "--field", str(package), name], capture_output=True, text=True, check=True).stdout.strip()


def next_version(package):
    """`package` again with a version that comes after it: all that an upgrade needs to be one."""
    directory = BUILD / "package-next"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    tree = directory / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(tree)], check=True)
    control = tree / "DEBIAN" / "control"
    version = field(package, "Version")
    control.write_text(control.read_text().replace(f"\nVersion: {version}\n", f"\nVersion: {version}+next\n"))
    path = directory / f"caisson_{version}+next_amd64.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", str(tree), str(path)], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return path


class DebianRoot:
    """A directory to chroot into. Use as a context manager."""

    def __enter__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="caisson-root-", dir="/var/tmp"))
        sources = next(path for path in SOURCES if os.path.exists(path))
        done = subprocess.run(["mmdebstrap", "--mode=root", "--variant=minbase", "--skip=cleanup/apt/lists", "bookworm",
                               str(self.path), sources], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.__exit__()
            raise AssertionError(f"mmdebstrap failed:\n{done.stderr[-4000:]}")
        for name in NAME_SERVICE:
            shutil.copy(name, self.path / name.lstrip("/"))
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def run(self, *command, check=True):
        """Runs a command inside; its standard output. Nothing of it outlives its end: a process namespace of its own."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc=" + str(self.path / "proc"), "--kill-child",
                               "chroot", str(self.path), *command], env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout if check else done

    def put(self, source):
        """Copies a file into the root's /; its path there."""
        shutil.copy(source, self.path)
        return f"/{pathlib.Path(source).name}"

    def files(self):
        """Every path that is not the kernel's or a cache."""
        skipped = ("proc", "sys", "dev", "var/cache", "var/log", "var/lib/apt", "var/lib/dpkg", "tmp")
        found = set()
        for directory, names, files in os.walk(self.path):
            below = os.path.relpath(directory, self.path)
            if below in skipped:
                names.clear()
                continue
            found.update(os.path.normpath(os.path.join("/", below, name)) for name in [*names, *files])
        return found
