"""`caisson exec`: a directory goes in, its script runs, declared files come back, and nothing of the host does."""

import json
import os
import re
import subprocess

import pytest

from support.cli import Cli
from support.environment import CAISSON, REPOSITORY, scaled


@pytest.fixture
def cli(daemon, tmp_path):
    return Cli(daemon.address, tmp_path)


def test_script_finds_the_directory_and_its_code_is_the_exit_code(cli):
    cli.write("lib/greet.sh", "greet() { echo \"hello $1\"; }")
    cli.write("ci/test.sh", ". lib/greet.sh\ngreet \"$1\"\nexit 7")
    done = cli.run("exec", "ci/test.sh", "world -n")
    assert (done.stdout, done.stderr, done.returncode) == (b"hello world -n\n", b"", 7)


def test_profile_follows_from_the_scripts_name(cli):
    cli.write("pkg/inner.py", "value = 41")
    cli.write("ci/check.py", "import sys; sys.path.insert(0, '.')\nfrom pkg.inner import value\nprint(value + 1)")
    assert cli.run("exec", "./ci/check.py").stdout == b"42\n"


def test_commands_run_without_a_script(cli):
    cli.write("a.txt", "1\n2\n")
    done = cli.run("exec", "-c", "wc -l < a.txt; echo \"$1\"; exit 5", "--", "--argument")
    assert (done.stdout, done.returncode) == (b"2\n--argument\n", 5)


def test_another_directory_is_sent_with_its_modes(cli):
    cli.write("project/tool", "#!/bin/sh\necho tool ran\n")
    os.chmod(cli.directory / "project/tool", 0o755)
    cli.write("outside", "x")
    done = cli.run("exec", "-C", "project", "-c", "stat -c %a tool; sh tool; ls")
    assert done.stdout == b"755\ntool ran\ntool\n", done.stderr


def test_declared_files_come_back_into_the_directory_and_replace_nothing(cli):
    cli.write("project/kept", "mine")
    script = "mkdir -p out; echo new > out/report; echo theirs > kept"
    done = cli.run("exec", "-C", "project", "--output", "out", "--output", "kept", "-c", script)
    assert (cli.directory / "project/out/report").read_text() == "new\n"
    assert (cli.directory / "project/kept").read_text() == "mine"
    assert done.returncode == 125 and b"kept" in done.stderr
    assert cli.run("exec", "-C", "project", "--force", "--output", "kept", "-c", script).returncode == 0
    assert (cli.directory / "project/kept").read_text() == "theirs\n"


def test_standard_input_is_not_waited_for(cli):
    cli.write("main.sh", "wc -c")
    reader, writer = os.pipe()  # nobody writes, nobody closes
    try:
        with cli.start("exec", "main.sh", stdin=reader) as process:
            assert process.communicate(timeout=scaled(60))[0] == b"0\n"
    finally:
        os.close(reader)
        os.close(writer)


def test_standard_input_is_sent_where_it_is_asked_for(cli):
    cli.write("main.sh", "wc -c")
    assert cli.run("exec", "-i", "main.sh", stdin=b"12345").stdout == b"5\n"


def test_list_files_shows_what_is_sent_and_asks_nobody(tmp_path):
    lonely = Cli(f"unix:{tmp_path}/none.sock", tmp_path / "project")
    for name in ("src/a.c", "src/a.o", ".git/config", "build/x"):
        lonely.write(name, "")
    lonely.write(".caissonignore", "*.o\n/build/\n")
    done = lonely.run("exec", "--list-files")
    assert (done.stdout, done.returncode) == (b".caissonignore\nsrc/a.c\n", 0)


def test_ignored_files_are_not_there(cli):
    cli.write(".caissonignore", "secret*\n")
    cli.write("secret.env", "x")
    assert cli.run("exec", "-c", "ls -A").stdout == b".caisson-exec.sh\n.caissonignore\n"


def test_link_out_of_the_directory_ends_it_before_anything_is_sent(tmp_path):
    lonely = Cli(f"unix:{tmp_path}/none.sock", tmp_path / "project")
    lonely.write("main.sh", "cat link")
    os.symlink("/etc/passwd", tmp_path / "project/link")
    done = lonely.run("exec", "main.sh")
    assert done.returncode == 2
    assert done.stderr == (b"caisson: cannot be sent: link is a link that leads out of the directory; .caissonignore can leave out "
                           b"what is not needed\n")


@pytest.mark.parametrize("words, complaint", [
    ([], "exec: FILE is missing, or -c; see caisson exec --help"),
    (["-c", ""], "exec: -c needs at least one command; see caisson exec --help"),
    (["/bin/true"], "exec: FILE is a path in the directory that is sent, not /bin/true; see caisson exec --help"),
    (["a/../../b"], "exec: FILE is a path in the directory that is sent, not a/../../b; see caisson exec --help"),
    (["gone.sh"], "there is no gone.sh in ., or its .caissonignore leaves it out"),
    (["-C", "nowhere", "main.sh"], "open nowhere: No such file or directory"),
    (["--ouptut", "x", "main.sh"], "exec: unknown option --ouptut; did you mean '--output'?; see caisson exec --help"),
    (["-t", "main.sh"], "exec: --tty needs a terminal on standard input"),
])
def test_what_is_wrong_with_the_command_line_is_said(tmp_path, words, complaint):
    done = Cli(f"unix:{tmp_path}/none.sock", tmp_path).run("exec", *words)
    assert (done.stderr.decode(), done.returncode) == (f"caisson: {complaint}\n", 2)


def test_commands_do_not_hide_a_file_of_their_name(tmp_path):
    lonely = Cli(f"unix:{tmp_path}/none.sock", tmp_path)
    lonely.write(".caisson-exec.sh", "echo mine")
    done = lonely.run("exec", "-c", "true")
    assert done.returncode == 2
    assert done.stderr == b"caisson: the directory has a file .caisson-exec.sh, where the commands of -c would lie\n"


def test_more_files_than_a_request_may_have_are_refused(tmp_path):
    lonely = Cli(f"unix:{tmp_path}/none.sock", tmp_path / "many")
    (tmp_path / "many").mkdir()
    for number in range(2049):
        (tmp_path / "many" / str(number)).touch()
    done = lonely.run("exec", "-c", "true")
    assert done.returncode == 125
    assert b"more than the 2048 files a request may have; .caissonignore can leave some out" in done.stderr


def test_large_directory_is_sent_in_chunks(cli):
    for number in range(20):
        cli.write(f"data/{number}", bytes([number]) * (1 << 20))
    done = cli.run("exec", "--limit", "disk_bytes=128M", "-c", "cat data/* | wc -c")
    assert done.stdout == b"%d\n" % (20 << 20), done.stderr


def test_json_carries_the_returned_files(cli):
    cli.write("main.sh", "echo out; echo kept > result.txt")
    done = cli.run("exec", "--json", "--output", "result.txt", "main.sh")
    said = json.loads(done.stdout)
    assert said["stdout"] == "out\n" and len(said["outputs"]) == 1
    assert not (cli.directory / "result.txt").exists()


def commands_of(path):
    """The shell lines of a recipe that call Caisson."""
    return re.findall(r"^\s*(?:- |run: )?(caisson exec .+)$", path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("recipe", ["github-actions.yml", "gitlab-ci.yml"])
def test_recipes_for_ci_systems_work_as_they_stand(cli, recipe):
    cli.write("ci/test.sh", "set -e\nmkdir -p results\necho '<testsuite/>' > results/junit.xml\necho tested")
    commands = commands_of(REPOSITORY / "deploy/ci" / recipe)
    assert commands
    for command in commands:
        done = subprocess.run(["bash", "-ec", command.replace("caisson ", '"$CAISSON" ', 1)], cwd=cli.directory, check=False,
                              capture_output=True, timeout=scaled(60), env={**cli.environment, "CAISSON": str(CAISSON)})
        assert (done.stdout, done.returncode) == (b"tested\n", 0), done.stderr
    assert (cli.directory / "results/junit.xml").read_text() == "<testsuite/>\n"


def examples():
    text = (REPOSITORY / "docs/ci.md").read_text()
    return re.findall(r"```sh\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL)


def test_page_tells_what_really_happens(cli):
    found = examples()
    assert len(found) >= 3
    for script, said in found:
        done = subprocess.run(["bash", "-c", f'caisson() {{ "{CAISSON}" "$@"; }}\n{script}'], cwd=cli.directory,
                              env=cli.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=scaled(60),
                              check=False)
        assert done.stdout.decode() == said, script
