"""Every profile runs the programs its users write: each case of <profile>/cases.json through `caisson run` and a real daemon.

A case: `program` (a file beside it), and perhaps `build` (a compiler outside, for programs that are sent as such), `args`,
`env`, `files` (more of them), `stdin`, `limits`, `packages`, `profile` (a variant of the folder's); what must come of it: `exit_code` (0), `verdict` (COMPLETED), `stdout` (the text; "ok\\n" unless given), `stderr` (regular
expressions that must all be found; none: stderr is empty). Whatever else happens, no system call may have been refused.
"""

import json
import os
import pathlib
import re
import subprocess

import pytest

from support.environment import CAISSON, scaled

HERE = pathlib.Path(__file__).parent
PROFILES = sorted(path.parent.name for path in HERE.glob("*/cases.json"))


def cases():
    for profile in PROFILES:
        for case in json.loads((HERE / profile / "cases.json").read_text()):
            yield pytest.param(profile, case, id=f"{case.get('profile', profile)}-{case.get('name', case['program'])}")


@pytest.fixture(scope="session")
def caisson(daemon):
    def run(*args, stdin=b"", cwd=HERE):
        return subprocess.run([CAISSON, *args], input=stdin, capture_output=True, cwd=cwd, timeout=scaled(100), check=False,
                              env={**os.environ, "CAISSON_SOCKET": daemon.address})
    return run


@pytest.fixture(scope="session")
def offered(caisson):  # pylint: disable=redefined-outer-name
    """The profiles as the daemon lists them, by name."""
    listed = json.loads(caisson("profile", "list", "--json").stdout)["profiles"]
    return {profile["name"]: profile for profile in listed}


def built(case, directory):
    """The program that the case's compiler makes."""
    program = directory / "program"
    subprocess.run([*case["build"], "-o", program, case["program"]], cwd=HERE / "native", check=True)
    return program


def run_program(caisson, profile, program, case):  # pylint: disable=redefined-outer-name
    """The result as `caisson run --json` prints it. The programs' folder is that of `profile`."""
    options = []
    for name, value in case.get("limits", {}).items():
        options += ["--limit", f"{name}={value}"]
    for name, value in case.get("env", {}).items():
        options += ["--env", f"{name}={value}"]
    for path in case.get("files", []):
        options += ["--file", path]
    for name in case.get("packages", []):
        options += ["--package", name]
    done = caisson("run", "--json", "--profile", case.get("profile", profile), *options, program, *case.get("args", []),
                   stdin=case.get("stdin", "").encode(), cwd=HERE / profile if (HERE / profile).is_dir() else HERE)
    assert done.stdout, done.stderr.decode()
    return json.loads(done.stdout)


def faults(result, case):
    """What is not as the case says, in words; none: []."""
    found = []

    def compare(what, actual, expected):
        if actual != expected:
            found.append(f"{what} is {actual!r}, not {expected!r}")

    compare("denials", [f"{denial['name']}{denial['args']} x {denial['count']}" for denial in result.get("denials", [])], [])
    compare("verdict", result["verdict"], case.get("verdict", "COMPLETED"))
    if "diagnostics" not in case:
        compare("exit code", result.get("exit_code", 128 + result.get("signal", 0)), case.get("exit_code", 0))
    if "diagnostics" not in case:
        compare("stdout", result["stdout"], case.get("stdout", "ok\n"))
    if "stderr" not in case and "diagnostics" not in case:
        compare("stderr", result["stderr"], "")
    if "diagnostics" in case:
        diagnostics = next(step for step in result["steps"] if step["step"] == "compile")["diagnostics"]
        found += [f"the diagnostics have no {pattern!r}" for pattern in case["diagnostics"] if not re.search(pattern, diagnostics)]
    found += [f"stderr has no {pattern!r}" for pattern in case.get("stderr", []) if not re.search(pattern, result["stderr"])]
    return found


@pytest.mark.parametrize("profile, case", cases())
def test_program_runs_as_its_author_expects_and_nothing_is_refused(caisson, offered, tmp_path, profile, case):
    listed = offered[case.get("profile", profile)]
    assert listed["available"], listed
    program = built(case, tmp_path) if "build" in case else case["program"]
    result = run_program(caisson, profile, program, case)
    found = faults(result, case)
    if found:
        pytest.fail("\n".join([*found, f"{result.get('message')} stderr:", result["stderr"][-4000:]]), pytrace=False)


def test_every_profile_has_programs_of_its_own(offered):
    with_programs = set(PROFILES)
    assert {name for name, profile in offered.items() if profile.get("variant_of", name) not in with_programs} == set()


def test_every_hello_program_says_hello(caisson, offered, tmp_path):
    said = {}
    for name, profile in offered.items():
        if not profile.get("hello_program"):
            continue
        path = tmp_path / name / profile["default_main_file"]
        path.parent.mkdir()
        path.write_text(profile["hello_program"])
        result = run_program(caisson, name, path, {})
        said[name] = (result["stdout"], result.get("exit_code"), result.get("denials", []))
    assert said == {name: ("Hello from Caisson\n", 0, []) for name in said}
    assert set(PROFILES) - set(said) <= {"native"}
