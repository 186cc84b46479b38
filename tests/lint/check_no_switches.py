#!/usr/bin/python3
"""check_no_switches.py BUILD_DIR: the released programs hold nothing by which a layer could be turned off.

Layers are left out by definitions at compile time (src/sandbox/layers.h), in builds under build/mutation/ alone. So:
no unit of a released program was compiled with such a definition; no released program holds the words that a switch
would have, nor one by which a run could learn, which the operator's configuration alone decides; and each CAISSON_ variable
that a released program knows is listed here with what it is for.
"""
import json
import pathlib
import re
import sys

from lint_support import finish

RELEASED = ("caissond", "caisson-dispatcher", "caisson-gateway", "caisson-tls", "caisson-init", "caisson")
VARIABLES = {
    b"CAISSON_SOCKET": "where the command line finds the server",
    b"CAISSON_ADMIN_SOCKET": "where the command line finds the admin service",
    b"CAISSON_TOKEN_FILE": "where the command line finds the token it shows",
}
FORBIDDEN = re.compile(
    rb"(?i:(?<!per)mutation)|CAISSON_WITHOUT|--learn[a-z-]*|--(?:no|without|disable|skip|unsafe|insecure)-[a-z-]*"
    rb"(?:seccomp|filter|landlock|cap|namespace|netns|cgroup|limit|sandbox|isolation|privs|drop|layer|check)")
VARIABLE = re.compile(rb"CAISSON_[A-Z][A-Z_]+")
WITHOUT = re.compile(r"-D\s?CAISSON_WITHOUT\w*")


def findings(data):
    """What in the bytes of a program must not be there."""
    found = {match.decode() for match in FORBIDDEN.findall(data)}
    found |= {name.decode() for name in VARIABLE.findall(data) if name not in VARIABLES}
    return sorted(found)


def prove_sight():
    """The search must find what it is for, or its silence would mean nothing."""
    for planted in (b"\0CAISSON_MUTATION=1\0", b"xCAISSON_WITHOUT_LANDLOCKx", b"\0--no-seccomp\0", b"--disable-landlock", b"\0--learning\0",
                    b"\0CAISSON_DISABLE_FILTER\0"):
        if not findings(planted):
            sys.exit(f"check_no_switches: blind to {planted!r}")
    if findings(b"\0CAISSON_SOCKET\0--no-pager\0std::is_permutation\0"):
        sys.exit("check_no_switches: sees what is not there")


def check_compile_commands(build, errors):
    """Mutation builds name themselves in their targets; every other unit must be compiled without their definitions."""
    checked = 0
    for entry in json.loads((build / "compile_commands.json").read_text()):
        command = entry.get("command") or " ".join(entry["arguments"])
        checked += 1
        target = re.search(r"CMakeFiles/([^/ ]+)\.dir/", command)
        name = target[1] if target else "?"
        if WITHOUT.search(command) and "without" not in name:
            errors.append(f"{entry['file']} in {name} is compiled with {WITHOUT.search(command)[0]}")
    return checked


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_no_switches.py BUILD_DIR")
    prove_sight()
    build = pathlib.Path(sys.argv[1])
    errors = []
    checked = check_compile_commands(build, errors)
    for name in RELEASED:
        program = build / "bin" / name
        if not program.is_file():
            errors.append(f"{program} was not built")
            continue
        checked += 1
        errors.extend(f"{name} holds {text!r}" for text in findings(program.read_bytes()))
    finish("check_no_switches", checked, errors)


if __name__ == "__main__":
    main()
