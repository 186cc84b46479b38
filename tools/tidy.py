#!/usr/bin/python3
"""clang-tidy over the code that has authority or reads hostile bytes: the leaf, the boundary, the policy, the outside of the
sandbox and caissond.

A file that passed is not looked at again until something of it changes: itself, a header that it includes, of ours or of the
system's, how it is compiled, the rules, clang-tidy. What passed is remembered by content, for all checkouts of a user, in
CAISSON_TIDY_CACHE (~/.cache/caisson/tidy). Needs a configured build in build/ and clang-tidy-14; what is not compiled yet is
compiled first, since the compiler's notes say which headers a file includes.
"""

import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
WORK = BUILD / "lint" / "tidy"
CACHE = pathlib.Path(os.environ.get("CAISSON_TIDY_CACHE", pathlib.Path.home() / ".cache" / "caisson" / "tidy"))
CACHE_SECONDS = 60 * 24 * 3600
SOURCES = ("src/common/*.cc", "src/ipc/*.cc", "src/policy/*.cc", "src/sandbox/*.cc", "src/orchestrator/*.cc")
PROGRAM = "clang-tidy-14"
OPTIONS = ["--quiet", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-unused-command-line-argument",
           "--extra-arg=-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang"]
MUTATION = "-DCAISSON_WITHOUT_"


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def compile_commands():
    """{source: its command in the released program}. Mutation builds compile some of them again and again."""
    found = {}
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        if MUTATION not in entry["command"]:
            found.setdefault(pathlib.Path(entry["file"]), entry)
    return found


def object_of(entry):
    words = shlex.split(entry["command"])
    return words[words.index("-o") + 1]


def included_files(objects):
    """{object: [path of the source and of every header]}, as the compiler noted them."""
    found, current = {}, None
    for line in output_of("ninja", "-C", str(BUILD), "-t", "deps", *objects).splitlines():
        if match := re.match(r"(\S+): #deps \d+, .*\(VALID\)$", line):
            current = found.setdefault(match[1], [])
        elif line.startswith("    ") and current is not None:
            current.append(BUILD / line.strip())
        else:
            current = None
    return found


@functools.lru_cache(maxsize=None)
def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def shown(text):
    """The same in every checkout."""
    return text.replace(f"{BUILD}/", "build/").replace(f"{ROOT}/", "").replace(str(ROOT), ".")


def key(entry, included, version):
    """What the verdict on a file depends on, in one word."""
    parts = [version, digest(ROOT / ".clang-tidy"), *OPTIONS, shown(entry["command"])]
    parts += [f"{shown(os.path.normpath(path))} {digest(pathlib.Path(os.path.normpath(path)))}" for path in sorted(included)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def check(source):
    """What clang-tidy complains about in one file."""
    done = subprocess.run([PROGRAM, "-p", str(WORK), *OPTIONS, str(source)], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    told = [line for line in done.stdout.splitlines() if "error:" in line or "warning:" in line]
    return "\n".join(told) or done.stdout + done.stderr


def remember(name):
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / name).touch()


def forget_old():
    if CACHE.is_dir():
        for path in CACHE.iterdir():
            if time.time() - path.stat().st_mtime > CACHE_SECONDS:
                path.unlink(missing_ok=True)


def main():
    commands = compile_commands()
    sources = sorted(path for pattern in SOURCES for path in ROOT.glob(pattern))
    if missing := [str(path) for path in sources if path not in commands]:
        sys.exit(f"caisson tidy: compiled by nothing: {' '.join(missing)}")
    WORK.mkdir(parents=True, exist_ok=True)
    (WORK / "compile_commands.json").write_text(json.dumps([commands[path] for path in sources]))
    objects = [object_of(commands[path]) for path in sources]
    built = subprocess.run(["ninja", "-C", str(BUILD), *sys.argv[1:], *objects], capture_output=True, text=True, check=False)
    if built.returncode != 0:
        sys.exit(f"{built.stdout}{built.stderr}caisson tidy: what does not compile is not looked at")

    version = output_of(PROGRAM, "--version")
    included = included_files(objects)
    if unknown := [name for name in objects if name not in included]:
        sys.exit(f"caisson tidy: the compiler's notes on {unknown[0]} are gone; remove it and try again")
    keys = {path: key(commands[path], included[object_of(commands[path])], version) for path in sources}
    forget_old()
    todo = [path for path in sources if not (CACHE / keys[path]).exists()]
    for path in set(sources) - set(todo):
        remember(keys[path])  # so that it stays
    print(f"caisson tidy: {len(todo)} of {len(sources)} files to look at", flush=True)
    # What takes longest first.
    todo.sort(key=lambda path: path.stat().st_size, reverse=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, complaints in zip(todo, pool.map(check, todo)):
            if complaints:
                failed += 1
                print(complaints, flush=True)
            else:
                remember(keys[path])
    if failed:
        sys.exit(f"caisson tidy: {failed} files with complaints")
    print("caisson tidy: clean")


if __name__ == "__main__":
    main()
