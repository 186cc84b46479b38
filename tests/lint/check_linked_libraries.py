#!/usr/bin/python3
"""check_linked_libraries.py BUILD_DIR: holds the built programs to what may be linked into which.

caissond is root: no gRPC, protobuf, TLS or HTTP library is loaded into it. The dispatcher faces clients: no code of the
sandbox or the orchestrator is in it. The gateway is a client like any other: no code of the daemon is in it; nor in what ends TLS, which reads no API either. caisson-init runs inside the sandbox: it loads nothing at all.
"""
import pathlib
import re
import subprocess
import sys

from lint_support import finish

NETWORK_LIBRARIES = re.compile(r"^lib(grpc|gpr|protobuf|protoc|ssl|cares|re2|address_sorting|upb|curl|nghttp2)\b")
FORBIDDEN_LIBRARIES = {"caissond": NETWORK_LIBRARIES, "caisson-tls": re.compile(r"^lib(grpc|protobuf)")}
FORBIDDEN_SYMBOLS = {
    "caissond": re.compile(r"\bcaisson::(dispatcher|gateway|door|tls_door|cli|lockdown|v1)::"),
    # The words for a set-up step are a table of a shared header, not code of the sandbox.
    "caisson-dispatcher": re.compile(r"\bcaisson::(sandbox(?!::SetupStageText)|orchestrator|door|tls_door|cli)::"),
    "caisson": re.compile(r"\bcaisson::(sandbox|orchestrator|dispatcher|gateway|door|tls_door|ipc)::"),
    "caisson-tls": re.compile(r"\bcaisson::(sandbox|orchestrator|dispatcher|gateway|ipc|policy|cli|v1)::"),
    "caisson-gateway": re.compile(r"\bcaisson::(sandbox|orchestrator|dispatcher|ipc|policy|cli)::"),
}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def check_hosted(program, errors):
    dynamic = output("readelf", "-dW", program)
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)
    forbidden = FORBIDDEN_LIBRARIES.get(program.name)
    errors.extend(f"{program.name} needs {library}" for library in needed if forbidden and forbidden.match(library))
    symbols = {line for line in output("nm", "-C", program).splitlines()
               if FORBIDDEN_SYMBOLS[program.name].search(line)}
    errors.extend(f"{program.name} holds {symbol.split(maxsplit=2)[-1]}" for symbol in sorted(symbols)[:5])
    if "BIND_NOW" not in dynamic and "NOW" not in re.findall(r"\(FLAGS_1\).*", dynamic + "\n")[0:1]:
        errors.append(f"{program.name} is not bound at start (-z now)")
    if "PIE" not in "".join(re.findall(r"\(FLAGS_1\).*", dynamic)):
        errors.append(f"{program.name} is not position-independent")
    if "GNU_RELRO" not in output("readelf", "-lW", program):
        errors.append(f"{program.name} has no read-only relocations")


def check_init(program, errors):
    segments = output("readelf", "-lW", program)
    if re.search(r"^\s+(INTERP|DYNAMIC)\b", segments, re.MULTILINE):
        errors.append(f"{program.name} has an interpreter or a dynamic section")
    undefined = output("nm", "-u", program).split()
    if undefined:
        errors.append(f"{program.name} has undefined symbols: {' '.join(undefined)}")


def check_stack(program, errors):
    stack = re.search(r"GNU_STACK.*", output("readelf", "-lW", program))
    if stack is None or "E" in stack[0].split()[-2]:
        errors.append(f"{program.name} has an executable stack")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: check_linked_libraries.py BUILD_DIR")
    programs = pathlib.Path(sys.argv[1]) / "bin"
    errors = []
    checked = 0
    for name in (*FORBIDDEN_SYMBOLS, "caisson-init"):
        program = programs / name
        if not program.is_file():
            errors.append(f"{program} was not built")
            continue
        checked += 1
        (check_init if name == "caisson-init" else check_hosted)(program, errors)
        check_stack(program, errors)
    finish("check_linked_libraries", checked, errors)


if __name__ == "__main__":
    main()
