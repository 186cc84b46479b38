"""Every kind of bad request: its status, its reason, every violated field; nothing started, nothing left."""

import grpc
import pytest

from support.client import Client, request
from support.environment import REPOSITORY, scaled
from support.native import compile_c

HELLO = "#include <stdio.h>\nint main(void) { puts(\"hello\"); return 0; }"
INVALID = (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
UNSUPPORTED = (grpc.StatusCode.UNIMPLEMENTED, "FIELD_NOT_SUPPORTED")
TOO_LARGE = (grpc.StatusCode.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE")
LIMITS = ["wall_time_ms", "cpu_time_ms", "memory_bytes", "pids", "output_bytes", "disk_bytes", "inode_count", "open_files",
          "file_size_bytes", "stack_bytes", "cpu_millis"]


def with_file(path):
    """A request whose second file has this path."""
    message = request("pass")
    message.files.add(path=path)
    return message


def with_files(paths):
    message = request("pass")
    for path in paths:
        message.files.add(path=path)
    return message


# name → (request, what it gets, the violated fields)
TABLE = {
    "no profile": (lambda: request("pass", profile=""), INVALID, ["profile"]),
    "no files": (lambda: request(), INVALID, ["files"]),
    "absolute path": (lambda: with_file("/etc/passwd"), INVALID, ["files[1].path"]),
    "path with ..": (lambda: with_file("a/../../b"), INVALID, ["files[1].path"]),
    "path that is ..": (lambda: with_file(".."), INVALID, ["files[1].path"]),
    "path with .": (lambda: with_file("./a"), INVALID, ["files[1].path"]),
    "path with an empty component": (lambda: with_file("a//b"), INVALID, ["files[1].path"]),
    "path that ends in /": (lambda: with_file("a/"), INVALID, ["files[1].path"]),
    "empty path": (lambda: with_file(""), INVALID, ["files[1].path"]),
    "path with NUL": (lambda: with_file("a\0b"), INVALID, ["files[1].path"]),
    "path of 1,025 bytes": (lambda: with_file("/".join(["a" * 204] * 5) + "a"), INVALID, ["files[1].path"]),
    "path component of 256 bytes": (lambda: with_file("a" * 256), INVALID, ["files[1].path"]),
    "path given twice": (lambda: with_file("main.py"), INVALID, ["files[1].path"]),
    "file where another needs a directory": (lambda: with_files(["a", "a/b"]), INVALID, ["files[2].path"]),
    "2,049 files": (lambda: with_files([f"f{i}" for i in range(2048)]), INVALID, ["files"]),
    "main_file that is none of the files": (lambda: request("pass", main_file="other.py"), INVALID, ["main_file"]),
    "several files and no main_file": (lambda: request(files={"a.py": "", "b.py": ""}), INVALID, ["main_file"]),
    "1,025 arguments": (lambda: request("pass", args=["a"] * 1025), INVALID, ["args"]),
    "arguments over 128 KiB": (lambda: request("pass", args=["a" * 1024] * 128), INVALID, ["args"]),
    "argument with NUL": (lambda: request("pass", args=["ok", "a\0b"]), INVALID, ["args[1]"]),
    "513 variables": (lambda: request("pass", env={f"N{i}": "" for i in range(513)}), INVALID, ["env"]),
    "variables over 128 KiB": (lambda: request("pass", env={f"N{i}": "v" * 1024 for i in range(128)}), INVALID, ["env"]),
    "variable with a bad name": (lambda: request("pass", env={"1A": ""}), INVALID, ['env["1A"]']),
    "variable without a name": (lambda: request("pass", env={"": "x"}), INVALID, ['env[""]']),
    "variable with = in its name": (lambda: request("pass", env={"A=B": "x"}), INVALID, ['env["A=B"]']),
    "variable with NUL": (lambda: request("pass", env={"A": "x\0"}), INVALID, ['env["A"]']),
    "65 labels": (lambda: request("pass", labels={f"l{i}": "" for i in range(65)}), INVALID, ["labels"]),
    "label with a bad key": (lambda: request("pass", labels={"Team": "x"}), INVALID, ['labels["Team"]']),
    "label with a value of 257 bytes": (lambda: request("pass", labels={"a": "x" * 257}), INVALID, ['labels["a"]']),
    "unknown output_overflow": (lambda: request("pass", output_overflow=7), INVALID, ["output_overflow"]),
    "request_id": (lambda: request("pass", request_id="x"), UNSUPPORTED, ["request_id"]),
    "output path that leaves /box": (lambda: request("pass", output_paths=["a", "../b"]), INVALID, ["output_paths[1]"]),
    "output path that is absolute": (lambda: request("pass", output_paths=["/box/a"]), INVALID, ["output_paths[0]"]),
    "output path that is empty": (lambda: request("pass", output_paths=[""]), INVALID, ["output_paths[0]"]),
    "output path twice": (lambda: request("pass", output_paths=["a", ".", "a"]), INVALID, ["output_paths[2]"]),
    "257 output paths": (lambda: request("pass", output_paths=[f"o{n}" for n in range(257)]), INVALID, ["output_paths"]),
    "minimum_isolation": (lambda: request("pass", minimum_isolation="microvm"), UNSUPPORTED, ["minimum_isolation"]),
    "priority above 10": (lambda: request("pass", priority=11), INVALID, ["priority"]),
    "priority below -10": (lambda: request("pass", priority=-11), INVALID, ["priority"]),
    "several fields at once": (
        lambda: request("pass", args=["\0"], env={"1": ""}, limits={"pids": 0}), INVALID,
        ["args[0]", 'env["1"]', "limits.pids"]),
    "a message of more than 16 MiB": (lambda: request("x" * (16 * 1024 * 1024)), TOO_LARGE, []),
}


@pytest.mark.parametrize("case", TABLE)
def test_bad_request_is_refused_naming_every_field(client, daemon, case):
    make, (code, reason), fields = TABLE[case]
    refusal = client.refused(make())
    assert (refusal.code, refusal.reason, sorted(refusal.fields)) == (code, reason, sorted(fields))
    assert refusal.message
    assert client.live_runs() == []
    assert daemon.runs_are_gone()


@pytest.mark.parametrize("name", LIMITS)
def test_limit_of_zero_is_invalid(client, name):
    refusal = client.refused(request("pass", limits={name: 0}))
    assert (refusal.code, refusal.reason, refusal.fields) == (*INVALID, [f"limits.{name}"])


def test_memory_below_what_an_empty_sandbox_needs_is_refused_with_the_minimum(client):
    for value in (1, 4096, (4 << 20) - 1):
        refusal = client.refused(request("pass", limits={"memory_bytes": value}))
        assert (refusal.code, refusal.reason, refusal.fields) == (*INVALID, ["limits.memory_bytes"])
        assert "must be from 4194304 to " in refusal.message
    assert client.execute(compile_c(HELLO), "native", limits={"memory_bytes": 4 << 20}).stdout == b"hello\n"


@pytest.mark.parametrize("limits, field", [
    ({"disk_bytes": 4096}, "limits.disk_bytes"),
    ({"inode_count": 2}, "limits.inode_count"),
])
def test_files_that_cannot_fit_are_refused(client, limits, field):
    files = {"main.py": "pass", "a/data": "x" * 5000}
    refusal = client.refused(request(files=files, main_file="main.py", limits=limits))
    assert (refusal.code, refusal.reason, refusal.fields) == (*INVALID, [field])
    assert "the files of the request alone need" in refusal.message


@pytest.mark.parametrize("limits", [
    {"pids": 1}, {"open_files": 1}, {"disk_bytes": 1 << 20}, {"inode_count": 1}, {"file_size_bytes": 1}, {"cpu_millis": 1},
    {"stack_bytes": 65_536}, {"output_bytes": 6},
])
def test_smallest_limits_still_run_the_smallest_program(client, limits):
    patient = {"wall_time_ms": int(scaled(10) * 1000)} | limits  # a thousandth of an emulated CPU takes its time
    outcome = client.execute(compile_c(HELLO), "native", limits=patient)
    assert (outcome.verdict(), outcome.stdout) == ("COMPLETED", b"hello\n"), outcome.result.message


@pytest.mark.parametrize("limits, verdict", [
    ({"wall_time_ms": 1}, "WALL_TIME_LIMIT"), ({"cpu_time_ms": 1}, "CPU_TIME_LIMIT"), ({"stack_bytes": 4096}, "SIGNALED"),
])
def test_limits_too_small_for_anything_end_the_run_by_name(client, limits, verdict):
    greedy = "int main(void) { for (;;) { volatile char used[16384]; used[0] = 1; (void)used[0]; } }"
    assert client.execute(compile_c(greedy), "native", limits=limits).verdict() == verdict


@pytest.mark.parametrize("name", LIMITS)
def test_limit_over_the_ceiling_is_refused_and_never_clamped(client, name):
    run = client.api.run
    profiles = client.stub.ListProfiles(run.ListProfilesRequest()).profiles
    ceiling = getattr(next(profile for profile in profiles if profile.name == "python").ceilings, name)
    for value in (ceiling + 1, 2**63, 2**64 - 1):
        refusal = client.refused(request("pass", limits={name: value}))
        assert (refusal.code, refusal.reason, refusal.fields) == (*INVALID, [f"limits.{name}"])


def test_unknown_profile_is_not_found_with_the_nearest_names(client):
    refusal = client.refused(request("pass", profile="pyhton"))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "PROFILE_NOT_FOUND")
    assert "python" in refusal.metadata["nearest"].split(", ")


@pytest.mark.parametrize("name", ["../python", "python\0", "PYTHON", "a" * 10_000, "profiles/python"])
def test_hostile_profile_names_are_just_unknown(client, name):
    refusal = client.refused(request("pass", profile=name))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "PROFILE_NOT_FOUND")
    assert len(refusal.message) < 400


def encoded(field, payload):
    """One length-delimited protobuf field, by hand."""
    assert len(payload) < 128
    return bytes([field << 3 | 2, len(payload)]) + payload


@pytest.mark.parametrize("payload, field", [
    (encoded(2, b"pyth\xffon"), "profile"),
    (encoded(2, b"python") + encoded(3, encoded(1, b"bad\xff.py")), "files[0].path"),
    (encoded(2, b"python") + encoded(5, b"ok") + encoded(5, b"\xc3("), "args[1]"),
])
def test_invalid_utf8_in_a_name_is_refused_naming_the_field(client, payload, field):
    refusal = client.raw_refused(payload)
    assert (refusal.code, refusal.reason) == INVALID
    assert refusal.fields == [field]


def test_bytes_that_are_no_message_are_refused(client):
    refusal = client.raw_refused(b"\xff\xff\xff\xff\xff\xff")
    assert (refusal.code, refusal.reason) == INVALID


def test_field_of_a_newer_api_is_refused_and_not_ignored(client):
    refusal = client.raw_refused(request("pass").SerializeToString() + encoded(15, b"x"))
    assert (refusal.code, refusal.reason) == UNSUPPORTED
    assert refusal.fields == ["field 15"]


def test_message_far_over_the_limit_is_refused_by_the_transport(client):
    refusal = client.refused(request("x" * (40 * 1024 * 1024)))
    assert refusal.code == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_request_of_just_under_16_mib_is_taken(client):
    message = request("print(len(open('big').read()))", files={"big": "x" * (16 * 1024 * 1024 - 4096)},
                      limits={"memory_bytes": 256 * 1024 * 1024})
    assert client.send(message).stdout == b"%d\n" % (16 * 1024 * 1024 - 4096)


def test_values_exactly_at_their_bounds_are_taken(client):
    deep = "/".join(["d" * 203] * 5) + "dddd"  # 1,023 bytes
    message = request("import sys; print(len(sys.argv) - 1)", args=["a"] * 1024, env={f"N{i}": "" for i in range(512)},
                      labels={f"l{i}": "x" * 256 for i in range(64)}, files={deep: "x"} | {f"f{i}": "" for i in range(2046)})
    assert client.send(message).stdout == b"1024\n"


def test_memory_beyond_the_whole_host_is_refused(make_daemon):
    daemon = make_daemon(memory_budget_bytes=512 * 1024 * 1024)
    client = Client(daemon.address)
    refusal = client.refused(request("pass", limits={"memory_bytes": 1024 * 1024 * 1024}))
    assert (refusal.code, refusal.reason, refusal.fields) == (
        grpc.StatusCode.INVALID_ARGUMENT, "LIMIT_EXCEEDS_HOST", ["limits.memory_bytes"])


def test_full_queue_is_refused_with_a_retry_delay(make_daemon):
    daemon = make_daemon(max_runs=1, queue_length=2)
    client = Client(daemon.address)
    waiting = "print('here', flush=True)\nimport time\ntime.sleep(60)"
    running = client.start(request(waiting))
    running.until_output(b"here")
    queued = [client.start(request("print('later')")) for _ in range(2)]
    assert sorted(call.until("queued").queued.position for call in queued) == [1, 2]
    refusal = client.refused(request("pass"))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL")
    assert refusal.retry_ms > 0
    running.cancel()
    for call in queued:
        assert call.finish().stdout == b"later\n"


def test_every_documented_reason_is_in_the_errors_document():
    text = (REPOSITORY / "docs" / "errors.md").read_text()
    for reason in ("INVALID_REQUEST", "FIELD_NOT_SUPPORTED", "PROFILE_NOT_FOUND", "PROFILE_UNAVAILABLE", "LIMIT_EXCEEDS_HOST",
                   "REQUEST_TOO_LARGE", "QUEUE_FULL", "RUN_NOT_FOUND", "SHUTTING_DOWN", "SUPERVISOR_UNAVAILABLE"):
        assert reason in text
