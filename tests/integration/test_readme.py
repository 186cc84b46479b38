"""README.md's first use, run as it is printed there: commands with their output, and the Python program."""

import os
import re
import subprocess

import grpc

from support import protos
from support.environment import BIN_DIR, REPOSITORY, scaled

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks():
    return BLOCK.findall((REPOSITORY / "README.md").read_text())


def transcript():
    """[(command, expected output)] of the block that shows `caisson run` beside the daemon."""
    text = next(body for _, body in blocks() if "add.py" in body)
    steps = []
    for line in text.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return steps


def test_commands_print_what_the_readme_says(daemon, tmp_path):
    environment = {**os.environ, "CAISSON_SOCKET": daemon.address}
    steps = transcript()
    assert len(steps) == 3
    for command, expected in steps:
        command = command.replace("build/bin/", f"{BIN_DIR}/")
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=scaled(30), check=False)
        assert done.stdout.splitlines() == expected, command


def test_python_program_prints_what_the_readme_says(daemon, capsys):
    api = protos.load()
    source = next(body for language, body in blocks() if language == "python" and "run_pb2" in body)
    expected = next(body for language, body in blocks() if language == "" and body.startswith("b'hi'"))
    source = source.replace("unix:/run/caisson/caisson.sock", daemon.address)
    assert daemon.address in source
    exec(source, {"grpc": grpc, "run_pb2": api.run, "run_pb2_grpc": api.run_grpc})  # pylint: disable=exec-used
    # Where the program's two writes are cut into events is the kernel's business.
    joined = re.sub(r"b'hi'\nb'\\n'", r"b'hi\\n'", capsys.readouterr().out)
    assert joined == re.sub(r"b'hi'\nb'\\n'", r"b'hi\\n'", expected)


def test_every_make_target_named_exists():
    makefile = (REPOSITORY / "Makefile").read_text()
    for target in set(re.findall(r"`make ([a-z-]+)`", (REPOSITORY / "README.md").read_text())):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
