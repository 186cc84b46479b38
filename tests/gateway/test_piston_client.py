"""A client of Piston from npm (piston-api-client, unmodified) against the gateway."""

import json
import subprocess

import pytest

from support.environment import REPOSITORY, scaled

CLIENT = REPOSITORY / "tests/gateway/piston-client"


@pytest.fixture(scope="module", params=["PistonClient", "NodePistonClient"], ids=["fetch", "http"])
def node(gateway, request):
    """Runs a script that has `client`; what it returns."""
    subprocess.run([REPOSITORY / "tools/setup_web.sh", "tests/gateway/piston-client"], check=True, timeout=scaled(300))

    def call(script):
        program = (f"const {{{request.param}: Client}} = require('piston-api-client');\n"
                   f"const client = new Client({{server: 'http://127.0.0.1:{gateway.port}'}});\n"
                   # Its cache would keep the process for a day.
                   f"(async () => {{{script}}})().then(answer => process.stdout.write(JSON.stringify(answer), () => process.exit(0)));")
        done = subprocess.run(["node", "-e", program], cwd=CLIENT, capture_output=True, text=True, timeout=scaled(120), check=False)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["success"], answer
        return answer["data"]

    return call


def test_lists_runtimes(node):
    [python] = [one for one in node("return client.runtimes();") if one["language"] == "python"]
    assert "py" in python["aliases"]


def test_runs_the_newest_of_an_alias(node):
    answer = node("return client.execute({language: 'py3', version: '*', files: [{content: 'import sys; print(sys.argv[1:], input())'}],"
                  " args: ['Hello', 'World'], stdin: 'in'});")
    assert (answer["language"], answer["run"]["stdout"], answer["run"]["code"]) == ("python", "['Hello', 'World'] in\n", 0)


def test_compiles_with_every_limit(node):
    answer = node("return client.execute({language: 'c', version: '>=1', compile_timeout: 5000, run_timeout: 2000, compile_memory_limit: -1,"
                  " run_memory_limit: -1, files: [{name: 'a.c', content: '#include <stdio.h>\\nint main(void) { puts(\"made\"); return 4; }'}]});")
    assert (answer["compile"]["code"], answer["run"]["stdout"], answer["run"]["code"]) == (0, "made\n", 4)


def test_is_told_what_is_wrong(node):
    answer = node("return client.execute({language: 'python', version: '1.x', files: [{content: ''}]});")
    assert answer == {"message": "python-1.x runtime is unknown"}
