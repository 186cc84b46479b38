#!/usr/bin/python3
"""Records which system calls the languages' programs make inside their sandboxes: tests/golden/workloads/PROFILE.txt.

A daemon of its own runs under strace; every case of tests/languages/PROFILE/cases.json, the profile's hello program and those
of tests/golden/programs/PROFILE/ go through it. Written down is each call once, with the arguments that some profile looks
at, and the first program that made it; only from the program's first instruction on, so the sandbox's own set-up is not among
it. Needs root, strace, a build, and the toolchains. `trace_workloads.py [PROFILE...]`: those alone; `terminal` stands for the
programs of tests/golden/programs/terminal/, which run with one under the profile bash.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(HERE)]

import rules  # noqa: E402
from support import processes  # noqa: E402
from support.client import Client  # noqa: E402
from support.daemon import Daemon  # noqa: E402
from support.environment import CAISSOND  # noqa: E402
from support.interaction import Interaction  # noqa: E402

LANGUAGES = ROOT / "tests" / "languages"
PROGRAMS = HERE / "programs"
# PID NAME(ARGUMENTS) = RESULT; a call may be told in two halves when others come between.
CALL = re.compile(r"^(\d+) +(\w+)\((.*?)\)? +=|^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")
NEW_PROCESS = re.compile(r"^(\d+) .*\b(?:clone|clone3|fork|vfork)\b.* = 0x([0-9a-f]+)$")
EXECUTED = re.compile(r'^(\d+) +execve\("([^"]*)"')
OURS = ("/caissond", "/caisson-dispatcher")
LONG_LIMITS = {"wall_time_ms": 300_000, "cpu_time_ms": 300_000}


class TracedDaemon(Daemon):
    """caissond below strace, one output file for all of it. Arguments are told as numbers."""

    def __init__(self, trace):
        super().__init__(ready_sandboxes=0)
        self._trace = trace

    def finish(self):
        """Stops the daemon and waits until strace has written its last line."""
        tracer = int(processes.status_field(self.pid, "TracerPid"))
        self.stop()
        assert processes.wait_dead(tracer, 60), "strace goes on"

    def command(self, *extra):
        return ["strace", "-D", "-f", "-qq", "-e", "raw=!execve", "-e", "signal=none", "-o", str(self._trace), str(CAISSOND),
                "--config", str(self.config_file), *extra]


def looked_at(call, numbers, by_call):
    """((argument, value), ...): those that decide about this call, seen that the others are what they are."""
    arguments = {index: int(number, 16) & 0xFFFFFFFF for index, number in enumerate(numbers) if number.startswith("0")}
    deciding = {index for rule in by_call.get(call, ()) for index, _, _ in rule.conditions if rule.fits(arguments, but=index)}
    return tuple((index, arguments[index]) for index in sorted(deciding) if index in arguments)


def programs(profile, hello):
    """(name, request fields) of every program of a profile. A variant's are in the folder of the profile it extends; those of
    a variant without rules of its own count for that profile."""
    folder = profile if (LANGUAGES / profile).is_dir() else rules.load(profile)["extends"]
    cases_file = LANGUAGES / folder / "cases.json"
    if hello:
        yield "hello", {"text": hello.encode()}
    for case in json.loads(cases_file.read_text(encoding="utf-8")) if cases_file.exists() else []:
        variant = case.get("profile", folder)
        if profile == (folder if rules.is_variant_without_rules(rules.load(variant)) else variant):
            yield case.get("name", case["program"]), {**case, "directory": LANGUAGES / folder}
    for path in sorted((PROGRAMS / profile).glob("*")):
        yield path.name, {"program": path.name, "directory": PROGRAMS / profile,
                          **({"build": ["cc", "-O1", "-pthread"]} if path.suffix == ".c" else {})}


def content_of(case, directory):
    if "text" in case:
        return case["text"]
    if "build" not in case:
        return (case["directory"] / case["program"]).read_bytes()
    made = pathlib.Path(directory, "program")
    subprocess.run([*case["build"], "-o", made, case["program"]], cwd=case["directory"], check=True)
    return made.read_bytes()


def request(api, profile, case, default_main, directory):
    name = pathlib.Path(case.get("program", default_main)).name
    name = default_main if "build" in case else name
    message = api.run.ExecuteRequest(profile=case.get("profile", profile), main_file=name, stdin=case.get("stdin", "").encode())
    message.files.add(path=name, content=content_of(case, directory), executable="build" in case)
    for path in case.get("files", []):
        message.files.add(path=path, content=(case["directory"] / path).read_bytes())
    message.args.extend(case.get("args", []))
    message.packages.extend(case.get("packages", []))
    for key, value in case.get("env", {}).items():
        message.env[key] = value
    for key, value in {**LONG_LIMITS, **case.get("limits", {})}.items():
        setattr(message.limits, key, int(value))
    return message


def outside(lines):
    """The pids of caissond, the dispatcher, init and all their threads: what their parents' clone returned. Inside, clone
    returns the numbers of another pid namespace, so the sandbox's processes are those that nobody here knows."""
    known = {lines[0].split()[0]}
    for line in lines:
        match = NEW_PROCESS.match(line)
        if match and match[1] in known:
            known.add(str(int(match[2], 16)))
    return known


def payload_calls(lines, by_call):
    """{(call, ((argument, value), ...))} of the program: of everything in the sandbox once the stub has executed it. With a
    compile step there are two sandboxes, so two stubs; the second locks itself while the first one's trace is long begun."""
    known, seen, started = outside(lines), set(), False
    locking = {line.split()[0] for line in lines if " landlock_restrict_self(" in line} - known
    for line in lines:
        executed = EXECUTED.match(line)
        if executed and executed[1] not in known and not executed[2].endswith(OURS):
            started = True
            locking.discard(executed[1])
            seen.add(("execve", ()))
            continue
        match = CALL.match(line)
        if not match or not started:
            continue
        pid, name, values = (match[1], match[2], match[3]) if match[1] else (match[4], match[5], match[6])
        if pid not in known and pid not in locking:
            seen.add((name, looked_at(name, [value.strip() for value in values.split(",")], by_call)))
    return seen


def traced(what, directory, by_call, run):
    """The payload's calls while `run` makes an outcome of a client."""
    trace = pathlib.Path(directory, "trace")
    with TracedDaemon(trace) as daemon:
        client = Client(daemon.address)
        outcome = run(client)
        client.close()
        daemon.finish()
    print(f"{what}: {outcome.verdict()} {outcome.result.exit_code} {dict(outcome.denials())}", flush=True)
    return payload_calls(trace.read_text(errors="replace").splitlines(), by_call)


def trace_profile(profile, listed, by_call):
    found = {}
    for name, case in programs(profile, listed.hello_program):
        with tempfile.TemporaryDirectory(prefix="caisson-trace-") as directory:
            def run(client, case=case, directory=directory):
                return client.send(request(client.api, profile, case, listed.default_main_file, directory), timeout=600)
            for call in traced(f"{profile} {name}", directory, by_call, run):
                found.setdefault(call, name)
    return found


def trace_terminal(by_call):
    found = {}
    for path in sorted((PROGRAMS / rules.TERMINAL).glob("*.bash")):
        def run(client, path=path):
            session = Interaction(client, timeout=600).open(path.read_text(encoding="utf-8"), profile="bash", limits=LONG_LIMITS,
                                                            terminal={"rows": 24, "columns": 80})
            session.expect(b"name? ")
            return session.send(stdin=b"you\n").finish()
        with tempfile.TemporaryDirectory(prefix="caisson-trace-") as directory:
            for call in traced(f"terminal {path.name}", directory, by_call, run):
                found.setdefault(call, path.name)
    return found


def write(profile, found):
    lines = [" ".join([call, *(f"arg{index}={value:#x}" for index, value in deciding), f"({program})"])
             for (call, deciding), program in found.items()]
    head = f"# What the programs of profile {profile} call. How to make it anew: tests/golden/README.md\n"
    (HERE / "workloads" / f"{profile}.txt").write_text(head + "\n".join(sorted(lines)) + "\n", encoding="utf-8")


def main():
    by_call = {}
    for rule in rules.all_rules():
        for call in rule.calls:
            by_call.setdefault(call, []).append(rule)
    with Daemon() as daemon:
        client = Client(daemon.address)
        listed = {p.name: p for p in client.stub.ListProfiles(client.api.run.ListProfilesRequest()).profiles if p.available}
        client.close()
    for profile in sys.argv[1:] or [*sorted(name for name in listed if name in rules.names()), rules.TERMINAL]:
        write(profile, trace_terminal(by_call) if profile == rules.TERMINAL else trace_profile(profile, listed[profile], by_call))


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
