"""`caisson create`, `follow` and `get`: a run that goes on without the program that asked for it."""

import json
import os
import re
import signal
import socket

import pytest

from support import processes
from support.cli import Cli
from support.client import Client
from support.environment import scaled

NAME = re.compile(rb"runs/[0-9a-f]{32}\n")
WAITING = "print('here', flush=True)\nimport time\ntime.sleep(60)"


@pytest.fixture
def cli(stored_daemon, tmp_path):
    return Cli(stored_daemon.address, tmp_path)


def created(cli, source, *options, stdin=b""):  # pylint: disable=redefined-outer-name
    done = cli.run("create", *options, cli.write("main.py", source), stdin=stdin)
    assert done.returncode == 0 and NAME.fullmatch(done.stdout), done
    return done.stdout.decode().strip()


def test_created_run_is_followed_to_its_exit_code(cli):
    name = created(cli, "import sys; print(sys.stdin.read()); print('err', file=sys.stderr); raise SystemExit(7)", stdin=b"in")
    done = cli.run("follow", name)
    assert (done.returncode, done.stdout, done.stderr) == (7, b"in\n", b"err\n")
    again = cli.run("follow", "--stdout-offset", "2", "--stderr-offset", "1", name.removeprefix("runs/"))
    assert (again.returncode, again.stdout, again.stderr) == (7, b"\n", b"rr\n")


def test_follow_json_is_the_result_with_both_streams(cli):
    name = created(cli, "print('x')", "--label", "team=a")
    result = json.loads(cli.run("follow", "--json", name).stdout)
    assert (result["verdict"], result["stdout"], result["stderr"]) == ("COMPLETED", "x\n", "")
    run = json.loads(cli.run("get", "--json", name).stdout)
    assert (run["name"], run["state"], run["labels"], run["followable"]) == (name, "FINISHED", {"team": "a"}, True)
    text = cli.run("get", name).stdout.decode()
    assert re.search(r"^verdict +COMPLETED$", text, re.MULTILINE) and re.search(r"^label +team=a$", text, re.MULTILINE)


def test_same_request_id_prints_the_same_name_and_another_request_is_refused(cli):
    path = cli.write("main.py", "print(1)")
    command = ("create", "--request-id", f"cli-{os.getpid()}", "-n", path)
    first, second = cli.run(*command), cli.run(*command)
    assert first.stdout == second.stdout and NAME.fullmatch(first.stdout)
    cli.write("main.py", "print(2)")
    other = cli.run(*command)
    assert other.returncode == 125 and b"another request had this request_id" in other.stderr
    found = json.loads(cli.run("ps", "--json", "--filter", f"request_id = cli-{os.getpid()}").stdout)
    assert [run["name"] for run in found["runs"]] == [first.stdout.decode().strip()]


def test_ctrl_c_ends_the_following_and_not_the_run(cli, stored_daemon):
    name = created(cli, WAITING)
    following = cli.start("follow", name)
    assert following.stdout.readline() == b"here\n"
    following.send_signal(signal.SIGINT)
    _, stderr = following.communicate(timeout=scaled(20))
    assert (following.returncode, stderr) == (130, b"caisson: no longer followed; the run goes on\n")
    client = Client(stored_daemon.address)
    assert name in [run.name for run in client.live_runs()]
    assert cli.run("cancel", name).stdout == f"{name} canceled\n".encode()
    assert cli.run("follow", name).returncode == 130
    client.close()


def test_follow_goes_on_over_a_killed_dispatcher(make_daemon, tmp_path):
    own = make_daemon(profiles=["python"], ready_sandboxes=0)
    cli = Cli(own.address, tmp_path)  # pylint: disable=redefined-outer-name
    name = created(cli, WAITING)
    following = cli.start("follow", name)
    assert following.stdout.readline() == b"here\n"
    old = own.dispatcher_pid()
    os.kill(old, signal.SIGKILL)
    stdout, stderr = following.communicate(timeout=scaled(60))
    assert (following.returncode, stdout) == (125, b"")
    assert stderr.count(b"the connection to the service is lost; trying for up to a minute") == 1
    assert b"the service ended while the run was in flight" in stderr
    assert processes.wait_until(lambda: own.dispatcher_pid() not in (None, old), scaled(10))


def test_follow_of_a_service_that_is_not_there_fails_at_once(tmp_path):
    cli = Cli(f"unix:{tmp_path}/none.sock", tmp_path)  # pylint: disable=redefined-outer-name
    done = cli.run("follow", "runs/" + "0" * 32)
    assert (done.returncode, done.stdout) == (125, b"")
    assert b"none.sock does not exist" in done.stderr and b"trying" not in done.stderr


def test_follow_says_that_it_waits_for_a_service_that_was_there(tmp_path):
    gone = socket.socket(socket.AF_UNIX)
    gone.bind(str(tmp_path / "gone.sock"))
    gone.listen()
    gone.close()
    cli = Cli(f"unix:{tmp_path}/gone.sock", tmp_path)  # pylint: disable=redefined-outer-name
    following = cli.start("follow", "runs/" + "0" * 32)
    line = following.stderr.readline()
    assert b"no daemon listens on " in line and line.endswith(b"; trying for up to a minute\n")
    following.send_signal(signal.SIGINT)
    assert following.communicate(timeout=scaled(20))[1] == b"caisson: no longer followed; the run goes on\n"
    assert following.returncode == 130


def test_returned_files_are_kept_where_they_are_wanted(cli):
    name = created(cli, "open('out.txt', 'w').write('kept')", "--output", "out.txt")
    assert cli.run("follow", name).returncode == 0
    assert not (cli.directory / "out.txt").exists()
    assert cli.run("follow", "--outputs-dir", "there", name).returncode == 0
    assert (cli.directory / "there" / "out.txt").read_text() == "kept"
    assert cli.run("follow", "--outputs-dir", "there", name).returncode == 125, "it is there already"
    assert cli.run("follow", "--outputs-dir", "there", "--force", name).returncode == 0


@pytest.mark.parametrize("arguments, words", [
    (["follow", "runs/" + "0" * 32], b"no run is named"),
    (["get", "runs/" + "0" * 32], b"no run is named"),
    (["get", "nonsense"], b"must be runs/ and 32"),
    (["ps", "--filter", "color = red"], b"no such field"),
])
def test_what_is_refused_is_said_on_one_line(cli, arguments, words):
    done = cli.run(*arguments)
    assert (done.returncode, done.stdout) == (125, b"")
    assert words in done.stderr and done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("arguments, words", [
    (["create"], b"create: FILE is missing"),
    (["create", "--lable", "a=b", "x.py"], b"unknown option --lable; did you mean '--label'?"),
    (["create", "--interactive", "x.py"], b"unknown option"),
    (["create", "-"], b"needs --profile"),
    (["follow"], b"NAME is missing"),
    (["follow", "--stdout-offset", "-1", "x"], b"must be a number of bytes"),
])
def test_wrong_usage_is_exit_code_2(cli, arguments, words):
    done = cli.run(*arguments)
    assert done.returncode == 2 and words in done.stderr
