"""The Python client's types, as mypy finds them in the package and in a program that uses it."""

import os
import re
import subprocess

import pytest

from support import python_client

pytestmark = pytest.mark.long

PROGRAM = """
import asyncio
import caisson

async def later() -> caisson.Result:
    async with caisson.AsyncCaisson() as c, c.stream("python", "x") as events:
        async for event in events:
            assert isinstance(event, caisson.Event)
        return await c.run("python", b"x", args=["a"], memory_bytes=2**26)

with caisson.Caisson() as c:
    result: caisson.Result = c.run("python", "x", wall_time_ms=5_000, files={"a": b"", "b": caisson.File("x", executable=True)})
    code: int | None = result.exit_code
    with c.interact("python", terminal=caisson.Terminal(rows=3)) as session:
        session.write(b"x")
WRONG
"""
WRONG = {
    'c.run("python", "x", wall_time_ms="5")': "arg-type",
    'c.run("python", "x", wall_time=5)': "call-arg",
    'c.run("python", 5)': "arg-type",
    "number: int = result.exit_code": "assignment",
    'result.stdout = b"other"': "misc",
    'session.write("text")': "arg-type",
}


def mypy(directory, *arguments):
    """(exit code, codes of the errors)."""
    command = ["mypy", "--strict", "--enable-incomplete-feature=Unpack", "--cache-dir", directory / "cache",
               "--config-file", python_client.CLIENT / "pyproject.toml", *arguments]
    done = subprocess.run(command, cwd=directory, env={**os.environ, "MYPYPATH": str(python_client.unpacked())}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, re.findall(r"\[([a-z-]+)\]$", done.stdout, re.MULTILINE) or done.stdout


def test_the_package_and_a_program_that_uses_it_are_well_typed(tmp_path):
    assert mypy(tmp_path, python_client.unpacked() / "caisson")[0] == 0
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.replace("WRONG", ""))
    assert mypy(tmp_path, program)[0] == 0
    program.write_text(PROGRAM.replace("WRONG", "".join(f"    {line}\n" for line in WRONG)))
    assert mypy(tmp_path, program) == (1, list(WRONG.values()))
