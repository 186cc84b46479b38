"""The programs of tests/languages, how one is sent, and what is compared. What a case may say: README.md."""

import json
import os
import pathlib
import re
import subprocess

from support.environment import CAISSON, REPOSITORY, scaled

HERE = pathlib.Path(__file__).resolve().parent
FOLDERS = sorted(path.parent.name for path in HERE.glob("*/cases.json"))


def profile_file(name):
    return json.loads((REPOSITORY / "profiles" / f"{name}.json").read_text(encoding="utf-8"))


def inherited(name, key):
    """A single value of a profile, which may be that of a profile it extends."""
    profile = profile_file(name)
    return profile[key] if key in profile else inherited(profile["extends"], key) if "extends" in profile else None


def shipped():
    """Every profile that can be run."""
    names = sorted(path.stem for path in (REPOSITORY / "profiles").glob("*.json") if path.stem not in ("schema", "syscall-groups"))
    return [name for name in names if not profile_file(name).get("abstract")]


def cases():
    """(folder, case) of every program: the profiles' own hello programs first."""
    for name in shipped():
        if hello := inherited(name, "hello_program"):
            yield name, {"program": inherited(name, "default_main_file"), "name": "hello", "text": hello, "profile": name,
                         "stdout": "Hello from Caisson\n"}
    for folder in FOLDERS:
        for case in json.loads((HERE / folder / "cases.json").read_text(encoding="utf-8")):
            yield folder, case


def title(case):
    return case.get("name", pathlib.Path(case["program"]).name)


def names(profile):
    """The programs that run under a profile, its hello program included."""
    return [title(case) for folder, case in cases() if case.get("profile", folder) == profile]


class Caisson:
    """`caisson` with a daemon's address. Call it with arguments; it returns the completed process."""

    def __init__(self, address):
        self._environment = {**os.environ, "CAISSON_SOCKET": address}

    def __call__(self, *args, stdin=b"", cwd=HERE):
        return subprocess.run([CAISSON, *args], input=stdin, capture_output=True, cwd=cwd, timeout=scaled(100), check=False,
                              env=self._environment)

    def profiles(self):
        """As the daemon lists them, by name."""
        listed = json.loads(self("profile", "list", "--json").stdout)["profiles"]
        return {profile["name"]: profile for profile in listed}


def made(case, folder, directory):
    """The file to send: the case's own, its text, or what the case's compiler makes of it outside."""
    if "text" in case:
        (directory / case["program"]).write_text(case["text"], encoding="utf-8")
        return directory / case["program"]
    if "build" in case:
        subprocess.run([*case["build"], "-o", directory / "program", case["program"]], cwd=HERE / folder, check=True)
        return directory / "program"
    return case["program"]


def run(caisson, folder, case, directory):
    """The result as `caisson run --json` prints it. The programs' folder is `folder`; `directory` is empty."""
    options = []
    for name, value in case.get("limits", {}).items():
        options += ["--limit", f"{name}={value}"]
    for name, value in case.get("env", {}).items():
        options += ["--env", f"{name}={value}"]
    for path in case.get("files", []):
        options += ["--file", path]
    for name in case.get("packages", []):
        options += ["--package", name]
    done = caisson("run", "--json", "--profile", case.get("profile", folder), *options, made(case, folder, directory),
                   *case.get("args", []), stdin=case.get("stdin", "").encode(), cwd=HERE / folder if (HERE / folder).is_dir() else HERE)
    assert done.stdout, done.stderr.decode()
    return json.loads(done.stdout)


def diagnostics(result):
    return next(step for step in result["steps"] if step["step"] == "compile").get("diagnostics", "")


def faults(result, case):
    """What is not as the case says, in words; none: []."""
    found = []

    def compare(what, actual, expected):
        if actual != expected:
            found.append(f"{what} is {actual!r}, not {expected!r}")

    compare("denials", [f"{denial['step']}: {denial['name']}{denial['args']} x {denial['count']}" for denial in result.get("denials", [])], [])
    compare("verdict", result["verdict"], case.get("verdict", "COMPLETED"))
    if "diagnostics" in case:
        found += [f"the diagnostics have no {pattern!r}" for pattern in case["diagnostics"] if not re.search(pattern, diagnostics(result))]
        return found
    compare("exit code", result.get("exit_code", 128 + result.get("signal", 0)), case.get("exit_code", 0))
    compare("stdout", result["stdout"], case.get("stdout", "ok\n"))
    if "stderr" not in case:
        compare("stderr", result["stderr"], "")
    found += [f"stderr has no {pattern!r}" for pattern in case.get("stderr", []) if not re.search(pattern, result["stderr"])]
    return found


def faults_of(caisson, folder, case, directory):
    """Runs one and compares; with faults come the program's own words."""
    result = run(caisson, folder, case, directory)
    found = faults(result, case)
    return [*found, f"{result.get('message')} stderr:", result["stderr"][-4000:]] if found else []
