#!/usr/bin/python3
"""make profile-report: runs every program of tests/languages under every profile and writes the table of docs/profiles.md: what each
profile runs, with which toolchain, which programs passed, how many system calls each of its steps may make.

Starts a daemon of its own; needs root, a build and every toolchain; writes nothing unless every program passed. test_profile_table.py
compares the table with what another daemon lists; there the versions may be others.
"""

import os
import pathlib
import re
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "tests")]

import programs  # noqa: E402

DOCUMENT = ROOT / "docs" / "profiles.md"
BEGIN = "<!-- made by tests/languages/profile_table.py -->\n"
END = "<!-- end -->\n"
HEAD = ("| profile | language | toolchain | commands | system calls | programs that passed |\n"
        "| --- | --- | --- | --- | --- | --- |\n")


def step_command(name, step):
    """Of a step: a command is replaced as a whole by who extends."""
    profile = programs.profile_file(name)
    return profile.get("steps", {}).get(step, {}).get("command") or step_command(profile["extends"], step)


def allowed_calls(profile, step):
    """How many calls the compiled filter lets through, whatever their arguments."""
    tables = ROOT / "tests" / "golden" / "filters"
    table = tables / f"{profile['name']}.{step}.txt"
    if not table.exists():
        table = tables / f"{profile['variant_of']}.{step}.txt"
    return len(re.findall(r"^ *\d+ \w+ .*\ballowed\b", table.read_text(), re.MULTILINE))


def toolchain(profile):
    package = (programs.inherited(profile["name"], "toolchain") or {}).get("package")
    return f"{package} {profile.get('toolchain_version', 'unknown')}" if package else "the client's"


def rows(listed):
    """Of the profiles as a daemon lists them, in the order of names."""
    for name in sorted(listed):
        steps = listed[name]["steps"]
        commands = "; ".join(f"`{' '.join(step_command(name, step))}`" for step in steps)
        calls = ", ".join(f"{step} {allowed_calls(listed[name], step)}" for step in steps)
        yield [f"`{name}`", listed[name]["display_name"], toolchain(listed[name]), commands, calls, ", ".join(programs.names(name))]


def table(listed):
    return HEAD + "".join("| " + " | ".join(row) + " |\n" for row in rows(listed))


def written():
    """The table as the document has it."""
    text = DOCUMENT.read_text()
    return text[text.index(BEGIN) + len(BEGIN):text.index(END)]


def without_versions(text):
    """The third column has the package alone: another host has other versions."""
    return re.sub(r"^(\|[^|]*\|[^|]*\| \S+) [^|]* \|", r"\1 |", text, flags=re.MULTILINE)


def what_fails(caisson, listed):
    """A line for each profile that is not there and for each program that does not do what its case says."""
    wrong = [f"{name}: {profile['unavailable_reason']}" for name, profile in listed.items() if not profile["available"]]
    for folder, case in programs.cases():
        with tempfile.TemporaryDirectory(prefix="caisson-program-") as directory:
            found = programs.faults_of(caisson, folder, case, pathlib.Path(directory))
        what = f"{case.get('profile', folder)} {programs.title(case)}"
        print(f"{what}: {'passed' if not found else 'FAILED'}", flush=True)
        wrong += [f"{what}: {line}" for line in found]
    return wrong


def main():
    from support.daemon import Daemon  # pylint: disable=import-outside-toplevel
    with Daemon() as daemon:
        caisson = programs.Caisson(daemon.address)
        listed = caisson.profiles()
        wrong = what_fails(caisson, listed)
    if wrong:
        return "\n".join(wrong)
    text = DOCUMENT.read_text()
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    DOCUMENT.write_text(text[:begin] + table(listed) + text[end:])
    return None


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
