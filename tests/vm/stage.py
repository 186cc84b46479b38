#!/usr/bin/python3
"""Collects the test machine's root directory from the Debian packages installed on this host.

Called by run.sh, as the user who runs the tests; reads only this repository and the host's own packages.
`stage.py inputs …` prints everything that the result depends on (run.sh makes a stamp of it), and
`stage.py copy DIRECTORY …` makes the directory.
"""

import argparse
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys

# What runs programs of a group needs beyond what is followed of their dependencies: sh, as Debian has it, a library of numpy's, the zones of time.
WITH_A_GROUP = ["dash", "libquadmath0", "tzdata"]
# Left out where no group of packages is asked for: what only programs in those languages look at.
NEEDED_BY_GROUPS = re.compile(r"^/usr/lib/[^/]+/gconv/|^/usr/lib/python3[^/]*/(test|unittest/test)/")

# Dependencies of installation scripts, and libraries of the compiler's sanitizers.
NOT_FOLLOWED = {"debconf", "debianutils", "dpkg", "init-system-helpers", "libpam0g", "mailcap", "media-types",
                "perl-base", "python3-pkg-resources", "tzdata",
                "libasan8", "libgprofng0", "libitm1", "liblsan0", "libquadmath0", "libtsan2", "libubsan1"}

NOT_COPIED = re.compile(
    r"^/usr/share/(doc|man|info|locale|lintian|bug|menu|applications|pixmaps|i18n|gdb|doc-base)/"
    r"|^/usr/include/google/.*\.(h|inc)$|/libproto[^/]*\.a$"
    r"|^/usr/share/bash-completion/|/lto1$|lto-dump|/lib(asan|lsan|tsan|ubsan|itm)[^/]*$"
    r"|^/usr/lib/python3[^/]*/(idlelib|tkinter|lib2to3|distutils|ensurepip|config-[^/]+)/"
    r"|^/usr/lib/systemd/|^/usr/lib/udev/|^/etc/(cron|init\.d|default|pam\.d|systemd|update-motd\.d)")


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def installed_packages():
    """Maps each installed package, and each name it provides, to (package, version, dependency names)."""
    fields = ("db:Status-Abbrev", "binary:Package", "Version", "Depends", "Pre-Depends", "Provides")
    line_format = "\t".join(f"${{{field}}}" for field in fields) + "\n"
    listing = output_of("dpkg-query", "--show", f"--showformat={line_format}")
    packages = {}
    provided = {}
    for line in listing.splitlines():
        status, name, version, depends, pre_depends, provides = line.split("\t")
        if not status.startswith("ii"):
            continue
        # Of the alternatives "a | b" whichever is installed is followed.
        dependencies = set(re.findall(r"(?:^|[,|])\s*([a-z0-9][a-z0-9.+-]+)", f"{depends}, {pre_depends}"))
        entry = (name, version, dependencies)
        packages[name.split(":")[0]] = entry
        for virtual in re.findall(r"(?:^|,)\s*([a-z0-9][a-z0-9.+-]+)", provides):
            provided.setdefault(virtual, entry)
    return {**provided, **packages}


def closure(wanted):
    """The wanted packages and all they depend on, as sorted (package, version) pairs."""
    packages = installed_packages()
    missing = [name for name in wanted if name not in packages]
    if missing:
        sys.exit(f"stage the root disk: packages not installed: {' '.join(missing)}")
    found = {}
    pending = list(wanted)
    while pending:
        entry = packages.get(pending.pop())
        if entry is None or entry[0] in found:
            continue
        found[entry[0]] = entry[1]
        pending.extend(entry[2] - NOT_FOLLOWED)
    return sorted(found.items())


def package_list(path):
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def group_of_packages(group):
    """The packages of one group of tools/packages.txt (GROUP PACKAGE # why)."""
    path = pathlib.Path(__file__).resolve().parents[2] / "tools" / "packages.txt"
    return [package for named, package in map(str.split, package_list(path)) if named == group]


def libraries_of(programs):
    """The shared libraries that the programs load, as absolute paths; static programs have none."""
    found = set()
    for program in programs:
        result = subprocess.run(["ldd", str(program)], capture_output=True, text=True)
        if "not found" in result.stdout:
            sys.exit(f"stage the root disk: {program} misses a library:\n{result.stdout}")
        found.update(re.findall(r"(/\S+) \(0x", result.stdout))
    return sorted(found)


class RootDirectory:
    """A directory that becomes the root disk, with Debian's merged /usr."""

    def __init__(self, path, for_groups):
        self._path = path
        self._for_groups = for_groups
        for name in ("bin", "lib", "lib64", "sbin"):
            (path / "usr" / name).mkdir(parents=True)
            (path / name).symlink_to(f"usr/{name}")
        for name in ("caisson", "dev", "etc", "proc", "root", "run", "sys", "tmp", "var/lib", "var/log",
                     "var/tmp"):
            (path / name).mkdir(parents=True)
        (path / "var/run").symlink_to("../run")
        (path / "tmp").chmod(0o1777)
        (path / "var/tmp").chmod(0o1777)
        (path / "root").chmod(0o700)

    def add(self, name):
        """Copies the host's `name`, with the file it leads to when it is a symbolic link."""
        # The directory's real path: packages still list /lib/x, the file is /usr/lib/x.
        source = pathlib.Path(os.path.realpath(os.path.dirname(name))) / os.path.basename(name)
        if NOT_COPIED.search(str(source)) or (not self._for_groups and NEEDED_BY_GROUPS.search(str(source))):
            return
        target = self._path / source.relative_to("/")
        if os.path.lexists(target):
            return
        try:
            mode = source.lstat().st_mode
        except FileNotFoundError:
            return  # The administrator removed it (documentation filters), or diverted it.
        if stat.S_ISDIR(mode):
            target.mkdir(parents=True, exist_ok=True)
        elif stat.S_ISLNK(mode):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(os.readlink(source))
            if source.exists():
                self.add(str(source.resolve()))
        elif stat.S_ISREG(mode):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
            target.chmod(stat.S_IMODE(mode) & 0o755)  # No setuid program: the tests are root.
            if source.suffix == ".py":
                self._add_compiled(source)

    def add_busybox(self):
        """Busybox stands in for every usual program that no package brought."""
        if (self._path / "usr/bin/dash").exists() and not os.path.lexists(self._path / "usr/bin/sh"):
            (self._path / "usr/bin/sh").symlink_to("dash")
        for applet in output_of("busybox", "--list").split():
            target = self._path / "usr/bin" / applet
            if not any(os.path.lexists(self._path / "usr" / place / applet) for place in ("bin", "sbin")):
                target.symlink_to("busybox")
        init = self._path / "usr/sbin/init"
        if not os.path.lexists(init):
            init.symlink_to("../bin/busybox")

    def add_alternatives(self):
        """The names of /etc/alternatives (cc, awk …, and libraries as libblas.so.3-x86_64-linux-gnu), which belong to no package."""
        for link in pathlib.Path("/etc/alternatives").iterdir():
            if not link.is_symlink():
                continue
            library = re.fullmatch(r"(lib\S+\.so\.\d+)-(\w+-linux-gnu)", link.name)
            name = pathlib.Path("usr/lib", library[2], library[1]) if library else pathlib.Path("usr/bin", link.name)
            target = os.readlink(link)
            if os.path.lexists(self._path / target.lstrip("/")) and not os.path.lexists(self._path / name):
                if os.path.islink(pathlib.Path("/") / name):
                    (self._path / name).symlink_to(target)

    def add_package_records(self, names):
        """dpkg's own list, where a daemon looks up the versions of toolchains."""
        status = self._path / "var/lib/dpkg/status"
        status.parent.mkdir(parents=True, exist_ok=True)
        status.write_text(output_of("dpkg-query", "--status", *names))

    def add_accounts(self):
        etc = self._path / "etc"
        (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n"
                                    "caisson:x:990:990:Caisson:/nonexistent:/usr/sbin/nologin\n"
                                    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")
        (etc / "shadow").write_text("root:*:20000:0:99999:7:::\ncaisson:!:20000::::::\nnobody:*:20000:0:99999:7:::\n")
        (etc / "shadow").chmod(0o640)
        (etc / "group").write_text("root:x:0:\ntty:x:5:\ncaisson:x:990:\nnogroup:x:65534:\n")
        (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n")
        (etc / "hosts").write_text("127.0.0.1 localhost\n127.0.1.1 caisson-vm\n")
        (etc / "hostname").write_text("caisson-vm\n")

    def add_guest_programs(self, directory):
        home = self._path / "usr/lib/caisson-vm"
        home.mkdir(parents=True)
        for name in ("setup", "test", "tests", "selftest"):
            shutil.copy2(directory / name, home / name)
            (home / name).chmod(0o755)
        shutil.copy2(directory / "inittab", self._path / "etc/inittab")

    def finish(self):
        subprocess.run(["/sbin/ldconfig", "-r", str(self._path), "-X"], check=True)

    def _add_compiled(self, source):
        """Python's cache files: without them every import compiles, which an emulated CPU does slowly."""
        for compiled in (source.parent / "__pycache__").glob(f"{source.stem}.cpython-*.pyc"):
            if ".opt-" not in compiled.name:
                target = self._path / compiled.relative_to("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(compiled, target)


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("inputs", "copy"))
    parser.add_argument("--program", action="append", default=[], type=pathlib.Path,
                        help="a program whose shared libraries the root disk must hold")
    parser.add_argument("directory", nargs="?", type=pathlib.Path, help="where `copy` makes it")
    parser.add_argument("--group", action="append", default=[], help="packages of this group of tools/packages.txt too")
    arguments = parser.parse_args()
    wanted = package_list(here / "packages.txt") + [package for group in arguments.group for package in group_of_packages(group)]
    wanted += WITH_A_GROUP if arguments.group else []
    packages = closure(wanted)
    libraries = libraries_of(arguments.program)
    if arguments.action == "inputs":
        for name, version in packages:
            print(name, version)
        for library in libraries:
            print(library, os.stat(library).st_mtime_ns)
        return
    if arguments.directory is None:
        parser.error("copy needs a directory")
    root = RootDirectory(arguments.directory, bool(arguments.group))
    for name, _ in packages:
        for path in output_of("dpkg-query", "--listfiles", name).splitlines():
            # Diversions are reported as sentences; directories follow from their files, links to directories do not.
            if path.startswith("/") and path != "/." and (os.path.islink(path) or not os.path.isdir(path)):
                root.add(path)
    for library in libraries:
        root.add(library)
    root.add_package_records([name for name, _ in packages])
    root.add_alternatives()
    root.add_busybox()
    root.add_accounts()
    root.add_guest_programs(here / "guest")
    root.finish()


if __name__ == "__main__":
    main()
