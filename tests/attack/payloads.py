"""Payloads as requests: C sources compiled once for every process and every day, Python sources with their library."""

import functools
import pathlib
import re
import subprocess

from catalogue import CASES_DIR
from support.kept import kept

LIBRARY = CASES_DIR / "lib"
COMPILE = ["cc", "-static", "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-pthread", f"-I{LIBRARY}"]
COMPILING = ("attack-build", "attack-sources")  # profiles that get sources
NUMBERS_HEADER = "asm/unistd_64.h"


@functools.lru_cache(maxsize=None)
def system_calls():
    """{name: number} as the kernel headers of this machine have it."""
    text = subprocess.run(["cc", "-E", "-dM", "-include", NUMBERS_HEADER, "-x", "c", "/dev/null"], check=True,
                          capture_output=True, text=True).stdout
    found = {name: int(number) for name, number in re.findall(r"^#define __NR_(\w+) (\d+)$", text, re.MULTILINE)}
    assert found["openat"] == 257, f"{NUMBERS_HEADER} has changed its form"
    return found


@functools.lru_cache(maxsize=None)
def compiled(name):
    """The statically linked program of cases/NAME, as bytes."""
    source = CASES_DIR / name

    def make(program):
        done = subprocess.run([*COMPILE, "-o", program, source], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name} does not compile:\n{done.stderr}"

    return kept([source.read_bytes(), (LIBRARY / "payload.h").read_bytes(), *COMPILE[:-1]], make).read_bytes()


def expand(text, values):
    """{name} becomes what the host's side chose; #name a system call's number."""
    if text.startswith("#"):
        name = text[1:]
        return name if name.isdigit() else str(system_calls()[name])
    for key, value in values.items():
        text = text.replace("{" + key + "}", str(value))
    return text


def files_of(run):
    """(main file, {path: (content, executable)})."""
    if run.payload.endswith(".py"):
        files = {"main.py": ((CASES_DIR / run.payload).read_bytes(), False),
                 "payload.py": ((LIBRARY / "payload.py").read_bytes(), False)}
        main = "main.py"
    elif run.profile in COMPILING:
        main = "main" + pathlib.Path(run.payload).suffix
        files = {main: ((CASES_DIR / run.payload).read_bytes(), False)}
    else:
        raw = not run.payload.endswith(".c")
        files = {"program": ((CASES_DIR / run.payload).read_bytes() if raw else compiled(run.payload), True)}
        main = "program"
    for path, source in run.files.items():
        content = (CASES_DIR / source[1:]).read_bytes() if source.startswith("@") else source.encode()
        files[path] = (content, False)
    return main, files
