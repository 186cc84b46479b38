#!/usr/bin/python3
"""passed_before.py begin | passed PART...: which parts of the tests need not run again, since nothing they depend on has changed.

A part is a directory below tests/, of PARTS. What it depends on: the programs and pages in build/, every file of the repository that
git does not ignore but those of the other parts, the installed packages, the kernel, the number of CPUs, and the variables CAISSON_*.
`begin` prints the parts for which all of that is what it was when they last passed, and keeps what it is for all.
`passed` is called after these have passed, and remembers them, unless a file was changed while they ran.

Only for tests of what programs do. Those of what a host allows (tests/attack, tests/integration) always run: a host can change
without any file changing. Runs as the user who runs `make test`; nothing it reads is hostile. Without git nothing is remembered.
"""

import argparse
import hashlib
import os
import pathlib
import subprocess
import sys

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
PARTS = ("clients", "gateway", "languages", "package", "tls", "web")
BUILT = ("bin", "playground")
MEMORY = "build/passed"


def said(directory, *command):
    return subprocess.run(command, check=True, capture_output=True, cwd=directory).stdout


def host():
    """What of the machine decides how a program behaves, as lines."""
    yield said("/", "dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Abbrev}\n")
    yield repr((os.uname(), os.cpu_count(), os.geteuid())).encode()
    yield "\n".join(sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("CAISSON_"))).encode()


def digest_of(path):
    if path.is_symlink() or not path.is_file():
        return os.readlink(path).encode() if path.is_symlink() else b"gone"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def files(repository):
    """{path in the repository: digest} of what is in it and of what was built."""
    names = {os.fsdecode(name) for name in said(repository, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split(b"\0") if name}
    for directory in BUILT:
        names |= {str(path.relative_to(repository)) for path in (repository / "build" / directory).rglob("*") if not path.is_dir()}
    return {name: digest_of(repository / name) for name in sorted(names)}


def digest(part, everything, machine):
    """What a part depends on. Its own directory counts, the other parts' do not."""
    others = tuple(f"tests/{other}/" for other in PARTS if other != part)
    whole = hashlib.sha256(machine)
    for name, content in everything.items():
        if not name.startswith(others):
            whole.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return whole.hexdigest()


def digests(repository):
    everything = files(repository)
    machine = hashlib.sha256(b"\0".join(host())).digest()
    return {part: digest(part, everything, machine) for part in PARTS}


def read(path):
    return path.read_text() if path.exists() else ""


def begin(repository):
    """The parts that need not run."""
    memory = repository / MEMORY
    memory.mkdir(parents=True, exist_ok=True)
    now = digests(repository)
    for part, its_digest in now.items():
        (memory / f"{part}.begun").write_text(its_digest)
    return [part for part in PARTS if read(memory / part) == now[part]]


def passed(parts, repository):
    now = digests(repository)
    for part in set(parts) & set(PARTS):
        begun = repository / MEMORY / f"{part}.begun"
        if read(begun) == now[part]:
            begun.replace(repository / MEMORY / part)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("moment", choices=("begin", "passed"))
    parser.add_argument("parts", nargs="*", help="others than PARTS are never remembered")
    options = parser.parse_args()
    try:
        if options.moment == "begin":
            print(" ".join(begin(REPOSITORY)))
        else:
            passed(options.parts, REPOSITORY)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"passed_before: nothing is remembered: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
