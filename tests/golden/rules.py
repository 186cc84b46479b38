"""The rules of the shipped profiles, read plainly from their files: a second reading beside src/policy's."""

import dataclasses
import json
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROFILES = ROOT / "profiles"
NO_PROFILES = {"schema", "syscall-groups"}


@dataclasses.dataclass(frozen=True)
class Rule:
    """One entry of a file: for some calls, under conditions {argument: (mask, values)}."""

    place: str                       # "group descriptors" or "profile bash"
    calls: tuple
    action: str
    why: str
    conditions: tuple = ()           # (index, mask, values)

    def fits(self, arguments, but=None):
        """Whether a call with these arguments {index: value} is meant; `but`: whatever that one is."""
        return all(index == but or (index in arguments and arguments[index] & mask in values)
                   for index, mask, values in self.conditions)


def word(value):
    return int(value, 16) if isinstance(value, str) else value


def rule_of(entry, place):
    conditions = tuple((argument["index"], word(argument.get("mask", 0xFFFFFFFF)),
                        frozenset(word(value) for value in argument.get("values", [argument.get("value")])))
                       for argument in entry.get("args", []))
    calls = tuple(entry.get("names", [entry.get("name")]))
    return Rule(place, calls, entry.get("action", "allow"), entry["why"], conditions)


def load(name):
    return json.loads((PROFILES / f"{name}.json").read_text(encoding="utf-8"))


def groups():
    """{group: [Rule]}."""
    found = {}
    for name, group in load("syscall-groups")["groups"].items():
        place = f"group {name}"
        found[name] = [Rule(place, (call,), group.get("action", "allow"), why) for call, why in group.get("calls", {}).items()]
        found[name] += [rule_of(entry, place) for entry in group.get("rules", [])]
    return found


def chain(name):
    """The profile and what it extends, the outermost last."""
    profile = load(name)
    return [profile, *(chain(profile["extends"]) if "extends" in profile else [])]


def rules_of(name, step="run"):
    """Every rule of a step, its own and inherited."""
    known, found = groups(), []
    for profile in chain(name):
        for section in ("all", step):
            syscalls = profile.get("steps", {}).get(section, {}).get("syscalls", {})
            for group in syscalls.get("groups", []):
                found += known[group]
            found += [rule_of(entry, f"profile {profile['name']}") for entry in syscalls.get("rules", [])]
    return found


def is_variant_without_rules(profile):
    """Another edition of a profile (cpp17 of cpp), which says nothing about system calls."""
    return ("extends" in profile and not load(profile["extends"]).get("abstract")
            and not any("syscalls" in step for step in profile.get("steps", {}).values()))


def names():
    """Profiles that can be run, each set of rules once."""
    found = sorted(path.stem for path in PROFILES.glob("*.json") if path.stem not in NO_PROFILES)
    return [name for name in found if not load(name).get("abstract") and not is_variant_without_rules(load(name))]


TERMINAL = "terminal"  # the group that every run with a terminal has besides, and its workload


def all_rules():
    return {rule for name in names() for step in ("run", "compile") for rule in rules_of(name, step)} | set(groups()[TERMINAL])


SIBLING = re.compile(r"\bsibling of (\w+)")
LINE = re.compile(r"^(\w+)((?: arg\d+=0x[0-9a-f]+)*) \((.*)\)$")


def workload(name):
    """[(call, {argument: value}, program)] as tests/golden/workloads/NAME.txt has them."""
    path = pathlib.Path(__file__).parent / "workloads" / f"{name}.txt"
    calls = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        if line.startswith("#"):
            continue
        match = LINE.match(line)
        assert match, f"{path.name}: {line!r} is not CALL ARGUMENTS (PROGRAM)"
        arguments = {int(word_[3:].split("=")[0]): int(word_.split("=")[1], 16) for word_ in match[2].split()}
        calls.append((match[1], arguments, match[3]))
    return calls
