"""The Python client and a real daemon: runs, streams, what comes back, and how a run is ended."""

import gc
import pathlib
import signal
import subprocess
import sys

import pytest

from support import processes, python_client
from support.environment import scaled

WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"


def gone(daemon, client):
    return processes.wait_until(lambda: daemon.run_pids() == [] and client.live_runs() == [], scaled(2))


def until(stream, kind):
    return next(event for event in stream if isinstance(event, kind))


def test_a_run_returns_all_that_came_of_it(caisson, connection):
    result = connection.run("python", "import os, sys\nprint(input()); print(sys.argv[1:], os.environ['K'], file=sys.stderr)\nexit(3)",
                            stdin="grün\n", args=["a", "b c"], env={"K": "v"}, labels={"job": "7"}, wall_time_ms=20_000)
    assert (result.verdict, result.exit_code, result.signal) == (caisson.Verdict.COMPLETED, 3, None)
    assert (result.stdout, result.stdout_text, result.stderr_text) == ("grün\n".encode(), "grün\n", "['a', 'b c'] v\n")
    assert result.ended_by is caisson.Actor.PROGRAM and not result.ok and result.limit is None
    assert result.usage.wall_time_ms >= 0 and result.usage.memory_peak_bytes > 0 and result.timings.run_seconds > 0
    assert result.isolation.tier == "namespaces" and result.isolation.fact("no_new_privs") == "1" and result.isolation.fact("x") is None
    assert result.stdout_count.bytes == len(result.stdout) and not result.stdout_count.truncated
    again = connection.get(result.name)
    assert (again.state, again.profile, again.labels, again.result.exit_code) == (caisson.RunState.FINISHED, "python", {"job": "7"}, 3)
    assert again.create_time <= again.end_time and again.create_time.tzinfo is not None
    with pytest.raises(caisson.RunFailed) as error:
        result.check()
    assert error.value.result is result


def test_a_limit_and_a_refused_call_are_in_the_result(caisson, connection):
    result = connection.run("python", "while True: pass", wall_time_ms=300)
    assert (result.verdict, result.limit) == (caisson.Verdict.WALL_TIME_LIMIT, caisson.LimitHit("wall_time_ms", 300, result.limit.observed))
    result = connection.run("python", "import socket\nsocket.socket()")
    assert (result.denials[0].name, result.denials[0].count, result.denials[0].decoded_args[0]) == ("socket", 1, "AF_INET")
    result = connection.run("python", "print('x' * 5000)", output_bytes=1000, output_overflow=caisson.OutputOverflow.KILL)
    assert (result.verdict, result.limit.name, len(result.stdout)) == (caisson.Verdict.OUTPUT_LIMIT, "output_bytes", 1000)
    result = connection.run("python", "print('x' * 5000)", output_bytes=1000)
    assert result.ok and result.stdout_count == caisson.StreamCount(5001, 1000, True)


def test_files_go_in_and_come_back(caisson, connection, tmp_path):
    (tmp_path / "local.txt").write_text("from here")
    result = connection.run("python", """
import os, pathlib, subprocess
pathlib.Path("out/deep").mkdir(parents=True)
pathlib.Path("out/deep/copy").write_bytes(pathlib.Path("in/data").read_bytes() + pathlib.Path("local").read_bytes())
pathlib.Path("out/mode").write_text(oct(os.stat("tool").st_mode & 0o777))
pathlib.Path("out/run.sh").touch(0o755)
os.symlink("/etc/passwd", "out/link")
""", files={"in/data": b"\xff\x00", "local": tmp_path / "local.txt", "tool": caisson.File("#!/bin/sh\n", executable=True)}, outputs=["out"])
    assert result.ok, result.stderr_text
    assert {file.path: file.content for file in result.outputs} == {"out/deep/copy": b"\xff\x00from here", "out/mode": b"0o755", "out/run.sh": b""}
    assert [(refused.path, refused.reason) for refused in result.refused_outputs] == [("out/link", caisson.RefusalReason.LINK)]
    written = result.save_to(tmp_path / "results")
    assert sorted(path.name for path in written) == ["copy", "mode", "run.sh"]
    assert (tmp_path / "results/out/run.sh").stat().st_mode & 0o100 and not (tmp_path / "results/out/link").exists()


def test_a_program_of_this_machine_runs_under_its_own_name(connection, tmp_path):
    (tmp_path / "prog.py").write_text("import sys; print(sys.argv[0]); import helper")
    (tmp_path / "helper.py").write_text("print('helped')")
    result = connection.run("python", tmp_path / "prog.py", files=[tmp_path / "helper.py"])
    assert result.stdout_text.endswith("prog.py\nhelped\n")
    assert connection.run("python", files=[tmp_path / "helper.py"]).stdout == b"helped\n"


def test_compiled_languages_get_their_programs_name_from_the_profile(caisson, connection):
    result = connection.run("c", '#include <stdio.h>\nint main(void) { puts("compiled"); }')
    assert (result.stdout, [step.step for step in result.steps]) == (b"compiled\n", ["compile", "run"])
    failed = connection.run("c", "int main(void) { return x; }")
    assert failed.verdict is caisson.Verdict.COMPILE_FAILED and "main.c" in failed.diagnostics and failed.exit_code is None


def test_files_beyond_one_request_are_sent_in_chunks(connection):
    large = bytes(range(256)) * 70_000
    result = connection.run("python", "import hashlib; print(hashlib.sha256(open('large', 'rb').read()).hexdigest())", files={"large": large})
    assert result.stdout_text.strip() == __import__("hashlib").sha256(large).hexdigest()


def test_a_stream_brings_events_in_order_as_they_happen(caisson, connection):
    program = "import sys\nprint('out', flush=True)\nsys.stderr.write('err')\nopen('f', 'w').write('1')"
    with connection.stream("python", program, outputs=["f"]) as stream:
        assert stream.name is None and stream.result is None
        events = list(stream)
    kinds = [type(event).__name__ for event in events if not isinstance(event, (caisson.Output, caisson.Queued))]
    assert (kinds[:2], sorted(kinds[2:4]), kinds[4:]) == (["Accepted", "Started"], ["OutputPiece", "StepFinished"], ["Finished"])
    assert {type(event).__name__: event.data for event in events if isinstance(event, caisson.Output)} == {"Stdout": b"out\n", "Stderr": b"err"}
    assert stream.name == events[0].name and stream.result is events[-1].result and stream.result.ok


def test_a_denial_is_an_event(caisson, connection):
    with connection.stream("python", "import socket\ntry: socket.socket()\nexcept OSError: pass") as stream:
        assert until(stream, caisson.Denied).denial.name == "socket"


def test_cancel_lets_the_result_come(caisson, connection):
    with connection.stream("python", WAITING) as stream:
        until(stream, caisson.Stdout)
        stream.cancel()
        assert until(stream, caisson.Finished).result.verdict is caisson.Verdict.CANCELED
        assert stream.result.ended_by is caisson.Actor.CLIENT


def test_leaving_the_block_ends_the_run(caisson, connection, client, daemon):
    with connection.stream("python", WAITING) as stream:
        until(stream, caisson.Stdout)
    assert gone(daemon, client)
    assert connection.get(stream.name).result.verdict is caisson.Verdict.CANCELED
    with pytest.raises(caisson.RunLost) as error:
        list(stream)
    assert error.value.name == stream.name


def test_a_stream_that_is_dropped_ends_its_run(caisson, client, daemon):
    with caisson.Caisson(daemon.address) as connection:
        for call in (connection.stream, connection.interact):
            for event in call("python", WAITING):
                if isinstance(event, caisson.Stdout):
                    break
            gc.collect()
            assert gone(daemon, client)


def test_the_deadline_ends_the_run_and_says_so(caisson, connection, client, daemon):
    with pytest.raises(caisson.DeadlineExceeded) as error:
        connection.run("python", WAITING, wall_time_ms=120_000, timeout_seconds=scaled(2))
    assert gone(daemon, client)
    assert connection.get(error.value.name).result.verdict is caisson.Verdict.CANCELED


def test_runs_are_listed_and_canceled_by_name(caisson, connection):
    with connection.stream("python", WAITING) as stream:
        until(stream, caisson.Stdout)
        assert (stream.name, caisson.RunState.RUNNING) in [(run.name, run.state) for run in connection.ps()]
        assert connection.cancel(stream.name.removeprefix("runs/")).name == stream.name
        assert until(stream, caisson.Finished).result.verdict is caisson.Verdict.CANCELED
    assert stream.name not in [run.name for run in connection.ps()]
    assert next(run for run in connection.ps(all=True) if run.name == stream.name).result.verdict is caisson.Verdict.CANCELED


def test_the_service_tells_about_itself(connection):
    info = connection.server_info()
    assert info.max_runs > 0 and info.max_request_bytes == 16 << 20 and info.cgroup_backend in ("unified", "hybrid")
    profiles = {profile.name: profile for profile in connection.profiles()}
    python = profiles["python"]
    assert (python.file_extension, python.default_main_file, python.steps, python.interactive) == (".py", "main.py", ("run",), True)
    assert python.default_limits.wall_time_ms <= python.ceilings.wall_time_ms
    assert connection.run("python", python.hello_program).ok


INTERRUPTED = """
import sys, caisson
with caisson.Caisson(sys.argv[1]) as c:
    try:
        with c.stream("python", sys.argv[2]) as stream:
            for event in stream:
                if isinstance(event, caisson.Stdout):
                    print(stream.name, flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


def test_control_c_ends_the_run(client, daemon):
    with subprocess.Popen([sys.executable, "-c", INTERRUPTED, daemon.address, WAITING], stdout=subprocess.PIPE, text=True,
                          env={"PYTHONPATH": str(python_client.unpacked())}) as process:
        name = process.stdout.readline().strip()
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "interrupted\n" and process.wait(scaled(10)) == 0
    assert gone(daemon, client)
    run, _ = client.unary("GetRun", client.api.run.GetRunRequest(name=name))
    assert run.result.verdict == client.api.run.CANCELED


def test_a_canceled_task_ends_the_run(caisson, client, daemon):
    import asyncio  # pylint: disable=import-outside-toplevel

    async def main():
        async with caisson.AsyncCaisson(daemon.address) as connection:
            task = asyncio.ensure_future(connection.run("python", WAITING, labels={"job": "waiting"}))
            while not [run for run in await connection.ps() if run.labels and run.state is caisson.RunState.RUNNING]:
                await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            many = await asyncio.gather(*(connection.run("python", f"print({number})") for number in range(4)))
            assert [result.stdout_text for result in many] == ["0\n", "1\n", "2\n", "3\n"]
    asyncio.run(main())
    assert gone(daemon, client)


def test_the_address_comes_from_the_environment(caisson, daemon, monkeypatch):
    monkeypatch.setenv("CAISSON_ADDRESS", str(pathlib.Path(daemon.address.removeprefix("unix:"))))
    with caisson.Caisson() as connection:
        assert connection.server_info().version
