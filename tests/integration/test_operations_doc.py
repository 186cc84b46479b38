"""docs/operations.md says what caissond logs: fields, levels and the lines that matter, compared with what it really logs."""

import json
import os
import pathlib
import re
import signal
import time

import pytest

from support.client import Client, request
from support.daemon import DaemonFailed
from support.environment import REPOSITORY, scaled

DOCUMENT = (REPOSITORY / "docs/operations.md").read_text()
TEXT_LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\S+) (\S+) (.*)")


def table(heading):
    """The rows of the first table below a heading, as lists of cells, without code marks."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def documented_lines():
    """(program, level, pattern) of each line worth an alarm."""
    found = []
    for program, level, message, _ in table("Lines worth an alarm"):
        pattern = ".+".join(re.escape(part) for part in message.strip("`").split("…"))
        found.append((program, level, re.compile(pattern + "$")))
    return found


def wait_for(daemon, text, count=1):
    deadline = time.monotonic() + scaled(20)
    while sum(text in line for line in daemon.log) < count:
        assert time.monotonic() < deadline, f"{count} times {text!r} is not in the log:\n{''.join(daemon.log)}"
        time.sleep(0.02)


HOSTILE = "import ctypes\nctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, None)"


def waiting_run(daemon):
    client = Client(daemon.address)
    call = client.start(request("print('here', flush=True)\nimport time\ntime.sleep(100)"), timeout=None)
    call.until_output(b"here")
    return client, call


def eventful_life(make_daemon, log_format):
    """Everything the table tells of: a profile that learns, policies with a fault, a start after a kill, a dispatcher that dies, an end with a run in it, a start with
    records that are none. The log."""
    daemon = make_daemon(start=False, grace_ms=300, log_format=log_format, learning_profiles=["bash"])
    policy = daemon.directory / "policies" / "default.json"
    policy.parent.mkdir(mode=0o755)
    policy.write_text('{"schema_version": 1, "tenant": "default", "profiles": ["*"]}')
    policy.chmod(0o644)
    daemon.config["tenants_dir"] = str(policy.parent)
    daemon.write_files()
    python = json.loads((daemon.profiles_dir / "python.json").read_text())
    python.update(name="missing", toolchain={**python["toolchain"], "probe": "/usr/bin/no-such-toolchain"})
    (daemon.profiles_dir / "missing.json").write_text(json.dumps(python))
    daemon.start()
    client, _ = waiting_run(daemon)
    daemon.kill9()
    client.close()
    daemon.start()
    os.kill(daemon.dispatcher_pid(), signal.SIGKILL)
    wait_for(daemon, "ready: serving on", count=2)
    client, call = waiting_run(daemon)
    assert client.execute(HOSTILE).verdict() == "SYSCALL_VIOLATION"
    whole = policy.read_text()
    policy.write_text("{")
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(daemon, "not reloaded")
    policy.write_text(whole)
    daemon.process.send_signal(signal.SIGTERM)
    assert call.finish().verdict() == "CANCELED"
    client.close()
    assert daemon.stop() == 0
    log = daemon.log
    pathlib.Path(daemon.config["records_dir"], "records.db").write_text("none" * 1000)
    pathlib.Path(daemon.config["records_dir"], "records.db-wal").unlink()
    with pytest.raises(DaemonFailed):
        daemon.start()
    # Of that start, what the two programs log before caissond says on its own why it ends.
    return log + [line for line in daemon.log if not line.startswith("caissond: ")]


def test_json_lines_have_the_documented_fields_and_no_others(privileged, make_daemon):  # pylint: disable=unused-argument
    fields = [row[0].strip("`") for row in table("Logs")]
    levels = set(re.findall(r"`(\w+)`", table("Logs")[1][1]))
    programs = {program for program, _, _ in documented_lines()} | {"dispatcher"}
    lines = [json.loads(line) for line in eventful_life(make_daemon, "json")]
    assert len(lines) > 8
    for line in lines:
        assert list(line) == fields
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
        assert line["level"] in levels
        assert line["program"] in programs
    for program, level, pattern in documented_lines():
        assert any(line["program"] == program and line["level"] == level and pattern.match(line["message"]) for line in lines), pattern
    assert {line["program"] for line in lines} == programs


def test_text_lines_are_the_same_four(privileged, make_daemon):  # pylint: disable=unused-argument
    lines = [TEXT_LINE.fullmatch(line.rstrip("\n")) for line in eventful_life(make_daemon, "text")]
    assert all(lines), "a line of another form"
    for program, level, pattern in documented_lines():
        assert any((line[1], line[2]) == (program, level) and pattern.match(line[3]) for line in lines), pattern


@pytest.mark.parametrize("heading", ["Drain and restart"])
def test_commands_of_the_recipe_exist(heading):
    """The recipe itself is run under systemd: tests/vm/systemd."""
    block = re.search(rf"## {heading}\n\n```\n(.*?)```", DOCUMENT, re.DOTALL)[1]
    assert {line.split()[0] for line in block.splitlines()} == {"caissond", "caisson", "systemctl"}
