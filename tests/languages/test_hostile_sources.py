"""Sources that are made to exhaust a compiler, or to make it quote the host's files, under the shipped profiles' own commands and
filters. Each must end as COMPILE_FAILED within the compile step's limits, with nothing of it left."""

import json
import os
import pathlib

import programs
import pytest
from hostile_sources import BOMBS, QUOTES

from support import processes
from support.environment import roomy, scaled

MIB = 1024 * 1024
# So that a bomb is over soon: a compiler of these has less time and memory than the shipped profile gives it.
SMALLER = {"wall_time_ms": roomy(10_000), "cpu_time_ms": roomy(1_500), "memory_bytes": 384 * MIB}
COMPILED = [name for name in programs.shipped() if "compile" in programs.profile_file(name)["steps"]
            and not programs.profile_file(programs.profile_file(name)["extends"]).get("steps", {}).get("compile")]

@pytest.fixture(scope="module")
def small_daemon(privileged):  # pylint: disable=unused-argument
    """A daemon whose compile steps have less."""
    from support.daemon import Daemon  # pylint: disable=import-outside-toplevel
    daemon = Daemon(ready_sandboxes=0)
    daemon.write_files()
    for name in COMPILED:
        path = daemon.profiles_dir / f"{name}.json"
        profile = json.loads(path.read_text())
        limits = profile["steps"]["compile"].setdefault("limits", {})
        for limit, value in SMALLER.items():
            limits[limit] = {"default": value}
        path.write_text(json.dumps(profile))
        os.chmod(path, 0o644)
    with daemon:
        yield daemon


def compiled(daemon, directory, profile, main_file, source):
    """The result of a source of which nothing may run."""
    caisson = programs.Caisson(daemon.address)
    listed = caisson.profiles()[profile]
    if not listed["available"]:
        pytest.skip(f"profile {profile}: {listed['unavailable_reason']}")
    return programs.run(caisson, profile, {"program": main_file, "text": source}, directory)


def test_every_compiler_is_given_bombs_and_names_of_files():
    assert {case[0] for case in BOMBS.values()} == set(COMPILED)
    assert {case[0] for case in QUOTES.values()} == set(COMPILED) - {"java"}, "javac reads no file that a source names"


@pytest.mark.parametrize("bomb", BOMBS)
def test_bomb_of_a_source_ends_within_the_compilers_limits(small_daemon, tmp_path, bomb):
    profile, main_file, source, ends_by = BOMBS[bomb]
    result = compiled(small_daemon, tmp_path, profile, main_file, source)
    step = result["steps"][0]
    assert (result["verdict"], len(result["steps"])) == ("COMPILE_FAILED", 1), result
    assert step["verdict"] in ends_by, step
    assert int(step["usage"]["wall_time_ms"]) < SMALLER["wall_time_ms"] + scaled(2000)
    assert len(programs.diagnostics(result).encode()) <= 3 * 64 * 1024
    assert processes.wait_until(lambda: small_daemon.run_pids() == [], scaled(2))


@pytest.mark.parametrize("quote", QUOTES)
def test_source_that_names_a_file_of_the_host_gets_no_word_of_it(small_daemon, tmp_path, quote):
    secret = "caisson_secret_of_the_host"
    path = pathlib.Path(small_daemon.directory) / "secret.h"
    path.write_text(f"{secret} {secret}\n")
    os.chmod(path, 0o644)
    profile, main_file, source = QUOTES[quote]
    for number, name in enumerate((path, "/etc/shadow", "/etc/hostname")):
        directory = tmp_path / str(number)
        directory.mkdir()
        result = compiled(small_daemon, directory, profile, main_file, source.format(path=name))
        said = programs.diagnostics(result)
        assert result["verdict"] == "COMPILE_FAILED" and said, result
        assert secret not in said
        lines = [line.strip() for line in pathlib.Path(name).read_text(errors="replace").splitlines() if len(line.strip()) > 3]
        assert not [line for line in lines if line in said], said
