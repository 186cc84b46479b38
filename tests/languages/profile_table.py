#!/usr/bin/python3
"""The table of docs/profiles.md: what each profile runs, and how many system calls each of its steps may make.

`profile_table.py` writes it, from the profiles as a daemon of its own lists them, on a host with every toolchain; needs root and
a build. test_profile_table.py compares it with what a daemon lists; there the versions may be others.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DOCUMENT = ROOT / "docs" / "profiles.md"
BEGIN = "<!-- made by tests/languages/profile_table.py -->\n"
END = "<!-- end -->\n"
HEAD = ("| profile | language | toolchain | commands | system calls | programs |\n"
        "| --- | --- | --- | --- | --- | --- |\n")


def profile_file(name):
    return json.loads((ROOT / "profiles" / f"{name}.json").read_text())


def inherited(name, step, key):
    """What a step of a profile has at last, where values are replaced."""
    profile = profile_file(name)
    own = profile.get("steps", {}).get(step, {}).get(key)
    return inherited(profile["extends"], step, key) if own is None and "extends" in profile else own


def allowed_calls(profile, step):
    """How many calls the compiled filter lets through, whatever their arguments."""
    tables = ROOT / "tests" / "golden" / "filters"
    table = tables / f"{profile['name']}.{step}.txt"
    if not table.exists():
        table = tables / f"{profile['variant_of']}.{step}.txt"
    return len(re.findall(r"^ *\d+ \w+ .*\ballowed\b", table.read_text(), re.MULTILINE))


def programs(name):
    """How many programs of tests/languages run under the profile, its hello program included."""
    count = 0
    for path in HERE.glob("*/cases.json"):
        count += sum(case.get("profile", path.parent.name) == name for case in json.loads(path.read_text()))
    return count + ("hello_program" in profile_file(name) or inherited_hello(name))


def inherited_hello(name):
    parent = profile_file(name).get("extends")
    return parent is not None and ("hello_program" in profile_file(parent) or inherited_hello(parent))


def toolchain(profile):
    package, parent = None, profile["name"]
    while package is None and parent is not None:
        described = profile_file(parent)
        package, parent = described.get("toolchain", {}).get("package"), described.get("extends")
    return f"{package} {profile['toolchain_version']}" if package else "the client's"


def rows(listed):
    """Of `caisson profile list --json`, in the order of names."""
    for profile in sorted(listed, key=lambda profile: profile["name"]):
        steps = profile["steps"]
        commands = "; ".join(f"`{' '.join(inherited(profile['name'], step, 'command'))}`" for step in steps)
        calls = ", ".join(f"{step} {allowed_calls(profile, step)}" for step in steps)
        yield [f"`{profile['name']}`", profile["display_name"], toolchain(profile), commands, calls, str(programs(profile["name"]))]


def table(listed):
    return HEAD + "".join("| " + " | ".join(row) + " |\n" for row in rows(listed))


def written():
    """The table as the document has it."""
    text = DOCUMENT.read_text()
    return text[text.index(BEGIN) + len(BEGIN):text.index(END)]


def without_versions(text):
    """The third column has the package alone: another host has other versions."""
    return re.sub(r"^(\|[^|]*\|[^|]*\| \S+) [^|]* \|", r"\1 |", text, flags=re.MULTILINE)


def main():
    sys.path.insert(0, str(ROOT / "tests"))
    from support.daemon import Daemon  # pylint: disable=import-outside-toplevel
    from support.environment import CAISSON  # pylint: disable=import-outside-toplevel
    with Daemon() as daemon:
        done = subprocess.run([CAISSON, "profile", "list", "--json"], check=True, capture_output=True,
                              env={**os.environ, "CAISSON_SOCKET": daemon.address})
    listed = json.loads(done.stdout)["profiles"]
    missing = [profile["unavailable_reason"] for profile in listed if not profile["available"]]
    if missing:
        return "; ".join(missing)
    text = DOCUMENT.read_text()
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    DOCUMENT.write_text(text[:begin] + table(listed) + text[end:])
    return None


if __name__ == "__main__":
    sys.exit(main())
