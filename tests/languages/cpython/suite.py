#!/usr/bin/python3
"""CPython's own test-suite as a stranger: files of Debian's libpython3.11-testsuite run in a python sandbox and outside, and every
test that does not end the same is a difference. differences.toml says of each known one which layer causes it and why it stays.

Prints what was run and which differences are new or gone. Exit code 0: every difference is explained; 1: some are not; 2: it could
not be run. `--write` also writes docs/cpython-suite.md. Needs root, a build, and the package. Arguments: files (all of modules.txt).
Inside: the profile python-loopback, its limits raised to what a test-suite needs. Outside: the user nobody, in an empty directory.
Results of a sandbox are hostile bytes: outcomes.py reads them.
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import document  # noqa: E402
import known as explanations  # noqa: E402
from outcomes import MAX_RESULT_BYTES, Outcomes, completed, differences, parsed, printable  # noqa: E402
from support.daemon import Daemon  # noqa: E402
from support.environment import CAISSON, scaled  # noqa: E402

PYTHON = "/usr/bin/python3"
PROGRAM = HERE / "one_file.py"
SECONDS = 150
LIMITS = {"wall_time_ms": SECONDS * 1000, "cpu_time_ms": SECONDS * 1000, "memory_bytes": "1G", "pids": 256, "disk_bytes": "512M",
          "open_files": 1024, "output_bytes": "16M", "file_size_bytes": "256M"}


def modules():
    """{file: patterns of its tests (none: all)} of modules.txt."""
    lines = [line.split("#")[0].split() for line in (HERE / "modules.txt").read_text(encoding="utf-8").splitlines()]
    return {words[0]: words[1:] for words in lines if words}


def arguments_of(module, only, without):
    return [module, *(["--only", *only] if only else []), *(["--without", *without] if without else [])]


def results_in(directory):
    path = pathlib.Path(directory, "results.jsonl")
    if not path.exists():
        return ""
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(MAX_RESULT_BYTES)


def run_outside(module, only, without):
    """As an unprivileged user without groups, in an empty directory, with the sandbox's plain environment."""
    nobody = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory(prefix="caisson-cpython-") as directory:
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)
        shutil.copy(PROGRAM, directory)
        process = subprocess.Popen([PYTHON, PROGRAM.name, *arguments_of(module, only, without)], cwd=directory, user=nobody.pw_uid,
                                   group=nobody.pw_gid, extra_groups=[], umask=0o022, start_new_session=True, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env={"HOME": directory, "LANG": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"})
        try:
            ended = f"exit code {process.wait(scaled(SECONDS))}"
        except subprocess.TimeoutExpired:
            ended = "time"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what a test has left behind, too
            process.wait()
        return parsed(module, results_in(directory), ended)


def run_inside(module, only, without, profile, address):
    with tempfile.TemporaryDirectory(prefix="caisson-cpython-") as directory:
        limits = [word for name, value in LIMITS.items() for word in ("--limit", f"{name}={value}")]
        done = subprocess.run([CAISSON, "run", "--json", "--profile", profile, *limits, "--no-stdin", "--output", "results.jsonl",
                               "--outputs-dir", directory, PROGRAM, *arguments_of(module, only, without)], capture_output=True,
                              timeout=scaled(SECONDS + 60), env={**os.environ, "CAISSON_SOCKET": address}, check=False)
        if not done.stdout:
            raise RuntimeError(f"{module}: caisson run: {done.stderr.decode(errors='replace')}")
        result = json.loads(done.stdout)
        outcomes = parsed(module, results_in(directory), result["message"])
        outcomes.denials = {denial["name"]: int(denial["count"]) for denial in result.get("denials", [])}
        return outcomes


def show(module, outside, inside, found, seconds):
    refused = ", ".join(f"{name} x {count}" for name, count in sorted(inside.denials.items()))
    slower = [f"{printable(test.rpartition('.')[2])} {took:.0f} s, outside {outside.seconds.get(test, 0):.0f} s"
              for test, took in inside.seconds.items() if took > 5 and took > 3 * outside.seconds.get(test, 0)]
    print(f"{module}: {len(outside.tests)} tests, {len(found)} differ, {seconds:.1f} s{'; refused ' + refused if refused else ''}"
          f"{'; slower: ' + ', '.join(slower) if slower else ''}", flush=True)


def compare(names, profile, address, workers):
    """{module: (outside, inside, differences)} of {module: patterns}."""
    def one(module):
        begin = time.monotonic()
        outside = completed(lambda without: run_outside(module, names[module], without))
        inside = completed(lambda without: run_inside(module, names[module], without, profile, address))
        found = differences(module, outside, inside)
        show(module, outside, inside, found, time.monotonic() - begin)
        return module, (outside, inside, found)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        return dict(pool.map(one, names))


def unexplained(results, known):
    return [difference for _, _, found in results.values() for difference in found if known.index(difference) is None]


def unsteady_ones(results, known, again):
    """Of the unexplained differences those that running their files again does not show. `again`: {module: ...} to the same."""
    names = {module for module, (_, _, found) in results.items() if any(known.index(difference) is None for difference in found)}
    if not names:
        return []
    seen = {(difference.test, difference.outside, difference.inside)
            for _, _, found in again(names).values() for difference in found}
    return [difference for difference in unexplained(results, known)
            if (difference.test, difference.outside, difference.inside) not in seen]


def require_tests(results):
    """Two sides that ask nothing end the same."""
    empty = [module for module, (outside, _, _) in results.items() if not outside.tests]
    if empty:
        raise RuntimeError(f"outside there were no tests in {', '.join(empty)}; is libpython3.11-testsuite installed?")


def save(results, path):
    path.write_text(json.dumps({module: [dataclasses.asdict(side) for side in sides[:2]] for module, sides in results.items()}))


def load(path):
    loaded = {module: [Outcomes(**side) for side in sides] for module, sides in json.loads(path.read_text()).items()}
    return {module: (*sides, differences(module, *sides)) for module, sides in loaded.items()}


def run(arguments, known):
    """(results, unsteady differences)."""
    if arguments.saved:
        return load(arguments.saved), []
    names = {module: patterns for module, patterns in modules().items() if not arguments.modules or module in arguments.modules}
    with Daemon(ready_sandboxes=0) as daemon:
        results = compare(names, arguments.profile, daemon.address, arguments.workers)
        if arguments.save:
            save(results, arguments.save)
        require_tests(results)
        unsteady = unsteady_ones(results, known, lambda some: compare({module: names[module] for module in names if module in some},
                                                                      arguments.profile, daemon.address, 1))
    return results, unsteady


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--profile", default="python-loopback")
    parser.add_argument("--save", type=pathlib.Path, help="keep what came out")
    parser.add_argument("--saved", type=pathlib.Path, help="instead of running anything: what an earlier run saved")
    parser.add_argument("modules", nargs="*")
    arguments = parser.parse_args()
    known, begin = explanations.read(), time.monotonic()
    results, unsteady = run(arguments, known)
    every = [difference for _, _, found in results.values() for difference in found]
    new = [difference for difference in unexplained(results, known) if difference not in unsteady]
    for title, some in (("NEW", new), ("UNSTEADY", unsteady)):
        for difference in some:
            print(printable(f"{title}: {difference.test}: {difference.outside} outside, {difference.inside} inside: {difference.reason}"))
    if not arguments.modules:
        seen = {known.index(difference) for difference in every}
        for index, entry in enumerate(known.entries):
            if index not in seen:
                print(f"GONE: {', '.join(entry['tests'])} ({entry['layer']})")
    if arguments.write and not arguments.modules:
        document.write(document.generated(results, known, unsteady, document.versions(), (time.monotonic() - begin) / 60))
    print(f"{len(results)} files of CPython's test-suite, {sum(len(outside.tests) for outside, _, _ in results.values())} tests, "
          f"{len(every)} differ in the sandbox, {len(new)} of them without an explanation in {explanations.FILE.name}")
    return 1 if new else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Exception:  # pylint: disable=broad-exception-caught
        traceback.print_exc()
        sys.exit(2)
