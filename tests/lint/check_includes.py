#!/usr/bin/python3
"""Holds every include in src/ to the table of ARCHITECTURE.md: who may use whom.

The table is the architecture. A new line in it is a decision, not a fix for a failing test.
"""
import re

from lint_support import ROOT, files, finish

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# Plain values without behaviour, which the boundary and the sandbox may know.
POLICY_VALUES = {"policy/limits.h", "policy/profile.h"}

# Folder of src/ -> project folders it may include, or single headers. "api" is the generated public API.
ALLOWED = {
    "common": {"common"},
    "lockdown": {"lockdown", "common"},
    "policy": {"policy", "common"},
    "ipc": {"ipc", "common"} | POLICY_VALUES,
    "sandbox": {"sandbox", "common"} | POLICY_VALUES | {"policy/filter_compiler.h"},
    "orchestrator": {"orchestrator", "ipc", "policy", "sandbox", "common"},
    "dispatcher": {"dispatcher", "ipc", "policy", "lockdown", "common", "api", "sandbox/setup_stage.h"},
    "door": {"door", "lockdown", "common"},
    "gateway": {"gateway", "door", "lockdown", "common", "api"},
    "tls_door": {"tls_door", "door", "lockdown", "common"},
    "cli": {"cli", "policy", "common", "api"},
}

# caisson-init is freestanding and runs inside the sandbox: contracts and kernel headers only.
INIT = "sandbox/init"
INIT_HEADERS = {"sandbox/plan.h", "sandbox/control_messages.h", "sandbox/setup_stage.h", "sandbox/layers.h", "sandbox/loopback_settings.h",
                "ipc/run_streams.h"}
INIT_SYSTEM = re.compile(r"^(stdint\.h|stddef\.h|linux/[\w/]+\.h|asm/[\w/]+\.h)$")

# Contracts that init shares with the outside must be freestanding themselves.
FREESTANDING = {"sandbox/plan.h", "sandbox/control_messages.h", "sandbox/setup_stage.h", "sandbox/layers.h", "sandbox/loopback_settings.h",
                "ipc/run_streams.h"}

API = re.compile(r"^(caisson/v1|caisson/admin/v1|google/rpc)/")
PROTOBUF = re.compile(r"^(google/protobuf|google/rpc|grpc|grpcpp|caisson/v1|caisson/admin/v1)/")
LOGGING = re.compile(r"^spdlog/")
JSON = re.compile(r"^nlohmann/")


def zone_of(relative):
    """The key of ALLOWED, or INIT, for a path below src/."""
    return INIT if str(relative).startswith(INIT + "/") else relative.parts[0]


def init_complaint(name, quoted):
    if quoted:
        fine = name.startswith(INIT + "/") or name in INIT_HEADERS
    else:
        fine = bool(INIT_SYSTEM.match(name))
    return None if fine else f"caisson-init may not include {name}"


def hosted_complaint(zone, name, quoted):
    if PROTOBUF.match(name) and "api" not in ALLOWED[zone]:
        return f"{zone} may not include {name}: protobuf and gRPC stay above the boundary"
    if LOGGING.match(name) and zone in ("common", "lockdown", "ipc", "policy", "sandbox"):
        return f"{zone} may not include {name}: libraries return errors, programs log"
    if JSON.match(name) and zone in ("common", "lockdown", "ipc", "sandbox"):
        return f"{zone} may not include {name}: JSON is read by policy and by programs"
    if name.startswith("caisson/admin/") and zone == "gateway":
        return f"{zone} may not include {name}: nothing of the admin service is reached by HTTP"
    folder = name.split("/")[0]
    if not quoted or API.match(name) or folder not in ALLOWED:
        return None
    if name.startswith(INIT + "/"):
        return f"{zone} may not include {name}: init is a program of its own"
    if folder in ALLOWED[zone] or name in ALLOWED[zone]:
        return None
    return f"{zone} may not include {name}"


def complaint(relative, name, quoted):
    """Why the file `relative` (below src/) may not include `name`; None if it may."""
    zone = zone_of(relative)
    if zone == INIT:
        return init_complaint(name, quoted)
    if str(relative) in FREESTANDING and name not in ("stdint.h", *FREESTANDING):
        return f"{relative} is freestanding and may not include {name}"
    if zone not in ALLOWED:
        return f"src/{zone} is not in the table"
    return hosted_complaint(zone, name, quoted)


def main():
    errors = []
    checked = 0
    for path in files(["src"], {".h", ".cc"}):
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match is None:
                continue
            checked += 1
            reason = complaint(path.relative_to("src"), match[2], match[1] == '"')
            if reason:
                errors.append(f"{path}:{number}: {reason}")
    finish("check_includes", checked, errors)


if __name__ == "__main__":
    main()
