"""Compile in one sandbox, run in another: what passes between them, how each ends, and what a hostile source can do."""

import json
import os
import pathlib
import subprocess

import pytest

from support import processes
from support.client import Client, request
from support.environment import CAISSON, scaled

MIB = 1024 * 1024

GROUPS = ["events", "file-links-and-owners", "local-sockets", "priorities", "processes", "timers"]
# A profile of the tests' own: what is held here is true whatever compilers are shipped.
PROFILE = {
    "schema_version": 1,
    "name": "test-c",
    "extends": "base",
    "display_name": "C for tests",
    "description": "A C compiler of the host, for tests.",
    "file_extension": ".c",
    "default_main_file": "main.c",
    "steps": {
        "compile": {
            "command": ["/usr/bin/gcc", "-o", "program", "{sources}"],
            "outputs": ["program"],
            "limits": {"wall_time_ms": {"default": 10_000}, "memory_bytes": {"default": 256 * MIB},
                       "cpu_time_ms": {"default": 10_000}},
            "syscalls": {"groups": GROUPS},
        },
        "run": {"command": ["/box/program"], "box_executable": True, "syscalls": {"groups": GROUPS}},
    },
}


def profile(name, **compile_section):
    changed = json.loads(json.dumps(PROFILE))
    changed["name"] = name
    changed["steps"]["compile"].update(compile_section)
    return changed


# "compilers" that are shell scripts of one line, for what a real one never does. Not sh, which is Busybox in the virtual machine and
# begins with setuid.
def shell(name, script, **compile_section):
    return profile(name, command=["/bin/bash", "-c", script], **compile_section)


PROFILES = [
    PROFILE,
    profile("test-all", outputs=["."]),
    shell("test-big", "head -c 70000000 /dev/urandom > program; head -c 70000000 /dev/urandom > more",
          outputs=["."], limits={"disk_bytes": {"default": 256 * MIB}, "file_size_bytes": {"default": 256 * MIB}}),
    shell("test-link", "ln -s /etc/passwd program"),
    shell("test-nothing", ":"),
    shell("test-replaces", "printf '#!/bin/sh\\ncat data\\n' > program; chmod 755 program; echo new > data",
          outputs=["program", "data"]),
    shell("test-refused", "perl -e 'syscall(272, 0x10000000) for 1..3' && gcc -o program main.c"),  # unshare(CLONE_NEWUSER)
    shell("test-killed", "perl -e 'syscall(101, 0, 0, 0, 0)'"),  # ptrace
]


@pytest.fixture(scope="module")
def compiler(privileged):  # pylint: disable=unused-argument
    from support.daemon import Daemon  # pylint: disable=import-outside-toplevel
    daemon = Daemon()
    daemon.write_files()
    for one in PROFILES:
        path = daemon.profiles_dir / f"{one['name']}.json"
        path.write_text(json.dumps(one))
        os.chmod(path, 0o644)
    with daemon:
        yield daemon


@pytest.fixture
def client(compiler):  # pylint: disable=redefined-outer-name
    connection = Client(compiler.address)
    yield connection
    connection.close()


def c_request(source, name="test-c", **fields):
    return request(profile=name, files={"main.c": source, **fields.pop("files", {})}, main_file="main.c", **fields)


HELLO = '#include <stdio.h>\nint main(int n, char **v) { printf("hello %s\\n", n > 1 ? v[1] : "?"); return n; }\n'


def steps(outcome):
    return {step.step: step for step in outcome.result.steps}


def step_output(outcome, step):
    return b"".join(e.output.data for e in outcome.events
                    if e.WhichOneof("event") == "output" and e.output.step == step)


def test_program_is_compiled_and_run_with_its_arguments(client):
    outcome = client.send(c_request(HELLO, args=["world"]))
    assert outcome.verdict() == "COMPLETED"
    assert outcome.result.exit_code == 2
    assert outcome.stdout == b"hello world\n"
    assert [step.step for step in outcome.result.steps] == ["compile", "run"]
    assert steps(outcome)["compile"].exit_code == 0


def test_events_of_the_steps_come_one_after_the_other(client):
    kinds = [kind for kind in client.send(c_request(HELLO)).kinds() if kind != "queued"]
    assert kinds == ["accepted", "started", "step_finished", "started", "output", "step_finished", "finished"]


def test_each_step_has_a_sandbox_of_its_own(client):
    outcome = client.send(c_request(HELLO))
    started = [event.started.isolation for event in outcome.events if event.WhichOneof("event") == "started"]
    memory = [{fact.name: fact.value for fact in isolation.facts}["cgroup_memory_bytes"] for isolation in started]
    assert len(started) == 2
    assert memory[0] == str(256 * MIB)
    assert steps(outcome)["compile"].usage.wall_time_ms > 0


def test_limits_of_a_request_are_the_run_steps(client):
    outcome = client.send(c_request(HELLO, limits={"memory_bytes": 32 * MIB, "pids": 1}))
    assert outcome.verdict() == "COMPLETED"  # gcc itself needs more than one process
    assert outcome.facts()["cgroup_memory_bytes"].value == str(32 * MIB)


def test_all_sources_are_compiled_and_other_files_are_there_for_both_steps(client):
    outcome = client.send(c_request(
        '#include <stdio.h>\n#include "lib/part.h"\n'
        'int main(void) { char b[9] = {0}; FILE *f = fopen("data.txt", "r"); fread(b, 1, 8, f); return printf("%d %s", part(), b) < 0; }\n',
        files={"lib/part.c": "int part(void) { return 42; }\n", "lib/part.h": "int part(void);\n", "data.txt": "data"}))
    assert outcome.stdout == b"42 data"


def test_compiler_has_no_standard_input_and_the_program_has_it(client):
    outcome = client.send(c_request('#include <stdio.h>\nint main(void) { int c; while ((c = getchar()) >= 0) putchar(c); }\n',
                                    stdin=b"for the program"))
    assert outcome.stdout == b"for the program"


def test_source_that_does_not_compile_ends_with_the_compilers_words(client):
    outcome = client.send(c_request("int main(void) { return nowhere; }\n"))
    assert outcome.verdict() == "COMPILE_FAILED"
    assert outcome.result.message == "The program did not compile: the compiler exited with code 1."
    assert not outcome.result.HasField("exit_code")
    compiled = steps(outcome)["compile"]
    assert compiled.exit_code == 1
    assert "main.c:1:25: error:" in compiled.diagnostics and "nowhere" in compiled.diagnostics
    assert step_output(outcome, "compile").decode() == compiled.diagnostics
    assert "run" not in steps(outcome)


def test_diagnostics_are_kept_to_64_kib_and_as_text(client):
    source = "\n".join(f'#warning "\xe9{n} {"x" * 100}"' for n in range(2000)).encode("latin-1") + b"\nint main(void){}\n"
    outcome = client.send(c_request(source))
    compiled = steps(outcome)["compile"]
    assert 64 * 1024 <= len(compiled.diagnostics.encode()) <= 3 * 64 * 1024
    assert len(step_output(outcome, "compile")) > 64 * 1024


@pytest.mark.parametrize("source", [
    '#include "/etc/shadow"\nint main(void){}\n',
    '#include "/etc/hostname"\nint main(void){}\n',
    '#include "/proc/1/environ"\nint main(void){}\n',
    '__asm__(".incbin \\"/etc/shadow\\"");\nint main(void){}\n',
    '#include "/root/.bashrc"\nint main(void){}\n',
], ids=["shadow", "hostname", "environ", "incbin", "root"])
def test_source_cannot_quote_files_of_the_host(client, source):
    outcome = client.send(c_request(source))
    assert outcome.verdict() == "COMPILE_FAILED"
    diagnostics = steps(outcome)["compile"].diagnostics
    assert "No such file or directory" in diagnostics or "ermission denied" in diagnostics or "can't" in diagnostics or "file not found" in diagnostics
    for path in filter(pathlib.Path.exists, map(pathlib.Path, ("/etc/shadow", "/etc/hostname"))):
        with path.open(encoding="utf-8", errors="replace") as secret:
            for line in secret:
                assert len(line.strip()) < 4 or line.strip() not in diagnostics


@pytest.mark.parametrize("source, verdicts", [
    ('#include "/dev/zero"\nint main(void){}\n', {"MEMORY_LIMIT", "COMPILE_FAILED", "WALL_TIME_LIMIT", "CPU_TIME_LIMIT"}),
    ("".join(f"#define A{n} A{n + 1} A{n + 1}\n" for n in range(40)) + "#define A40 1+\nint x = A0 1;\nint main(void){}\n",
     {"MEMORY_LIMIT", "CPU_TIME_LIMIT", "WALL_TIME_LIMIT"}),
    ('__asm__(".incbin \\"/dev/zero\\"");\nint main(void){}\n',
     {"MEMORY_LIMIT", "COMPILE_FAILED", "WALL_TIME_LIMIT", "CPU_TIME_LIMIT"}),
    ("char big[1UL << 33] = {1};\nint main(void){}\n",
     {"MEMORY_LIMIT", "COMPILE_FAILED", "CPU_TIME_LIMIT", "WALL_TIME_LIMIT", "SIGNALED"}),
    ('#include "main.c"\n', {"COMPILE_FAILED"}),
], ids=["include-zero", "macros", "incbin-zero", "huge-object", "includes-itself"])
def test_bomb_of_a_source_ends_within_the_limits(client, compiler, source, verdicts):
    outcome = client.send(c_request(source))
    assert outcome.verdict() == "COMPILE_FAILED"
    assert client.api.run.Verdict.Name(steps(outcome)["compile"].verdict) in verdicts
    assert outcome.times[-1] - outcome.started_at < scaled(20)
    assert processes.wait_until(lambda: compiler.run_pids() == [], scaled(2))


def test_wall_limit_of_the_compiler_is_told_with_its_step(client):
    macros = "".join(f"#define A{n} A{n + 1} A{n + 1}\n" for n in range(60)) + "#define A60 1+\nint x = A0 1;\nint main(void){}\n"
    outcome = client.send(c_request(macros))
    assert outcome.verdict() == "COMPILE_FAILED"
    assert not outcome.result.HasField("limit")
    compiled = steps(outcome)["compile"]
    assert compiled.limit.name in ("memory_bytes", "cpu_time_ms", "wall_time_ms")
    assert "the compiler was stopped" in outcome.result.message


def test_all_of_box_can_be_handed_on(client):
    outcome = client.send(c_request(HELLO, "test-all", args=["all"]))
    assert outcome.stdout == b"hello all\n"


def test_files_of_the_compiler_replace_those_of_the_request(client):
    outcome = client.send(c_request("", "test-replaces", files={"data": "old"}))
    assert outcome.stdout == b"new\n"


@pytest.mark.parametrize("name, message", [
    ("test-nothing", "the compiler did not make what it is expected to make"),
    ("test-link", "a file that the compiler made cannot be handed on"),
    ("test-big", "what the compiler made has more than 128 MiB"),
])
def test_what_cannot_be_handed_on_fails_in_plain_words(client, name, message):
    outcome = client.send(c_request("", name))
    assert outcome.verdict() == "COMPILE_FAILED"
    assert outcome.result.message == f"The program did not compile: {message}."
    assert steps(outcome)["compile"].exit_code == 0


def test_canceled_compilation_is_canceled_and_leaves_nothing(client, compiler):
    macros = "".join(f"#define A{n} A{n + 1} A{n + 1}\n" for n in range(60)) + "#define A60 1+\nint x = A0 1;\n"
    call = client.start(c_request(macros))
    name = call.until("accepted").accepted.name
    call.until("started")
    client.unary("CancelRun", client.api.run.CancelRunRequest(name=name))
    assert call.finish().verdict() == "CANCELED"
    assert processes.wait_until(lambda: compiler.run_pids() == [], scaled(2))


def test_collected_files_are_those_of_the_run_step(client):
    outcome = client.send(c_request(
        '#include <stdio.h>\nint main(void) { FILE *f = fopen("out", "w"); fputs("made", f); fclose(f); }\n', output_paths=["out"]))
    assert [file.path for file in outcome.result.outputs] == ["out"]


def test_profile_lists_its_steps(client):
    profiles = client.stub.ListProfiles(client.api.run.ListProfilesRequest()).profiles
    by_name = {one.name: list(one.steps) for one in profiles}
    assert by_name["test-c"] == ["compile", "run"]
    assert by_name["python"] == ["run"]
    assert "steps" in client.info().features


@pytest.mark.bulk
def test_many_compilations_at_once_all_complete(client):
    calls = [client.start(c_request(HELLO, args=[str(n)])) for n in range(8)]
    assert [call.finish().stdout for call in calls] == [f"hello {n}\n".encode() for n in range(8)]


REFUSED = """
#include <sys/socket.h>
int main(void) { return socket(AF_INET, SOCK_STREAM, 0) == -1 && socket(AF_INET6, SOCK_DGRAM, 0) == -1 ? 1 : 0; }
"""


def test_refused_calls_of_both_steps_are_told_with_their_step(client):
    outcome = client.send(c_request(REFUSED, name="test-refused"))
    assert outcome.verdict() == "COMPLETED" and outcome.result.exit_code == 1, outcome.result
    assert outcome.denials("compile") == {"unshare": 3}
    assert outcome.denials("run") == {"socket": 2}
    assert [denial.step for denial in outcome.result.denials] == ["compile", "run"]
    assert all(denial.explanation for denial in outcome.result.denials)
    live = [(event.denial.step, event.denial.name, event.denial.count) for event in outcome.events
            if event.WhichOneof("event") == "denial"]
    assert live == [("compile", "unshare", 1), ("run", "socket", 1)]


def test_call_that_ends_the_compiler_is_told_as_the_compilers(client):
    outcome = client.send(c_request(REFUSED, name="test-killed"))
    assert outcome.verdict() == "COMPILE_FAILED"
    assert [(denial.step, denial.name, denial.killed) for denial in outcome.result.denials] == [("compile", "ptrace", True)]


def test_command_line_tells_refused_calls_of_both_steps_apart(compiler, tmp_path):
    (tmp_path / "main.c").write_text(REFUSED)
    done = subprocess.run([CAISSON, "--socket", compiler.address, "run", "--profile", "test-refused", tmp_path / "main.c"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=scaled(60), check=False)
    assert done.returncode == 1
    lines = done.stderr.decode().splitlines()
    assert lines[:2] == ["caisson: refused calls while compiling: unshare(CLONE_NEWUSER) 3 times",
                         "caisson: refused calls: socket(AF_INET, SOCK_STREAM, 0) 2 times"]
    assert [line.split(": ")[1] for line in lines[2:]] == ["unshare", "socket"]
