"""Profiles of the tests alone: `wide` and `wide-python` allow every system call, so that what is behind the filter is seen
to hold by itself; `lenient` allows two more than python does; `native-loopback` and `wide-loopback` have a loopback; `attack-build` and `attack-sources` have compile steps."""

import json

from payloads import system_calls
from support.environment import REPOSITORY

WHY = "the tests show that the other layers hold where the filter does not"

LENIENT_PROFILE = {
    "schema_version": 1,
    "name": "lenient",
    "extends": "python",
    "display_name": "Python with a wider filter",
    "description": "For tests of the layers behind the filter.",
    "steps": {"run": {"syscalls": {"rules": [{"names": ["unshare", "shmget"], "action": "allow", "why": WHY}]}}},
}


def shipped(name):
    return json.loads((REPOSITORY / "profiles" / f"{name}.json").read_text(encoding="utf-8"))


def wide_profile(name, model):
    """The step `run` of a shipped profile and its parent, with another filter: nothing inherited can be taken away."""
    base, own = shipped("base")["steps"]["all"], shipped(model)["steps"]["run"]
    step = {**base, **{key: value for key, value in own.items() if key != "syscalls"}}
    step["environment"] = {**base.get("environment", {}), **own.get("environment", {})}
    for key in ("files", "mounts"):
        step[key] = base.get(key, []) + own.get(key, [])
    step["box_executable"] = True
    step["syscalls"] = {"rules": [{"names": sorted(system_calls()), "action": "allow", "why": WHY}]}
    return {"schema_version": 1, "name": name, "display_name": name, "description": "For tests of the layers behind the filter.",
            "default_main_file": "program", "steps": {"run": step}}


def wide_loopback():
    """`wide`, with a loopback."""
    profile = wide_profile("wide-loopback", "native")
    profile["steps"]["run"]["network"] = "loopback"
    return profile


def loopback_profile(name, model):
    """A shipped profile with the network that python-loopback has."""
    return {"schema_version": 1, "name": name, "extends": model, "display_name": name, "description": "For tests of the network.",
            "steps": {"run": shipped("python-loopback")["steps"]["run"]}}


def compiling_profile(name, command, extension):
    """Two steps; the compiler is whatever the command says."""
    groups = ["events", "file-links-and-owners", "local-sockets", "priorities", "processes", "timers"]
    return {"schema_version": 1, "name": name, "extends": "base", "display_name": name, "description": "For tests of compile steps.",
            "file_extension": extension, "default_main_file": f"main{extension}", "steps": {
                "compile": {"command": command, "outputs": ["program"], "syscalls": {"groups": groups}},
                "run": {"command": ["/box/program"], "box_executable": True, "syscalls": {"groups": groups}}}}


def extra_profiles():
    """{file name: text}, for a daemon's directory of profiles."""
    profiles = [LENIENT_PROFILE, wide_profile("wide", "native"), wide_profile("wide-python", "python"),
                loopback_profile("native-loopback", "native"), wide_loopback(),
                compiling_profile("attack-build", ["/bin/sh", "{main}"], ".sh"),
                compiling_profile("attack-sources", ["/usr/bin/gcc", "-o", "program", "{sources}"], ".c")]
    return {f"{profile['name']}.json": json.dumps(profile) for profile in profiles}
