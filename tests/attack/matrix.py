"""The mutation matrix: every attack against every build that leaves one layer out.

An attack is a case as the released programs see it (its runs under a filter wide open would take a second layer away), or an
attempt of layers.py, each of which is for one layer. Three things can come of it: it is held as ever, since another layer stops it
or this one never did; something inside has *changed*; or somebody outside is *harmed*, which must not be: the other layers still
hold.
"""

import dataclasses
from typing import Callable

from attack_support import Observer, run_attempt
from catalogue import RELEASED
from layers import ATTEMPTS, NOTHING_RUNS_WITHOUT
from runner import run_case

HELD, CHANGED, HARMED, NOTHING_RUNS = "held", "changed", "HARMED", "nothing runs"
LAYERS = [attempt.layer for attempt in ATTEMPTS]


@dataclasses.dataclass(frozen=True)
class WithoutSecondLayer:
    """Attacks that are not made on one build, since nothing stands behind the layer it leaves out. The report prints them."""

    layer: str
    attacks: str                        # in words
    applies: Callable
    why: str


def uses_loopback(case):
    return any(run.profile.endswith("-loopback") for run in case.runs)


# Bombs are no exceptions: without the limit that stops them they are stopped by their own cap, or by the other limits.
EXCEPTIONS = [
    WithoutSecondLayer("network_namespace", "attacks with a loopback", uses_loopback,
               "a profile with the network loopback may make TCP and UDP sockets, and only the network namespace keeps them from the host's "
               "network. Behind it stands the gate, which starts nothing without a complete isolation report, and which a mutation build opens"),
    WithoutSecondLayer("syscall_filter", "NET-17", lambda case: case.id == "NET-17",
               "with a loopback, only the filter keeps a run from choosing the size of receive buffers: without it 2,048 sockets hold a gigabyte "
               "of the host's TCP memory, which cgroup v1 does not charge to the run"),
]


def exception_for(layer, case):
    return next((one for one in EXCEPTIONS if one.layer == layer and one.applies(case)), None)


def attacks_of(cases, layer):
    """({id: case}, {id: why not}) for one build."""
    made, left_out = {}, {}
    for name, case in cases.items():
        runs = [run for run in case.runs if run.setting == RELEASED]
        if not runs:
            left_out[name] = "runs with the filter wide open only"
        elif exception_for(layer, case):
            left_out[name] = exception_for(layer, case).why
        else:
            made[name] = dataclasses.replace(case, runs=runs)
    return made, left_out


# In the log of a released build this would be a finding. Here it is the next layer at work: an attacker who got init's line to
# caissond was found out by what came over it.
NOTICED = "init broke the control protocol"


def judge(finding):
    """(what came of it, why) of one attack on one build."""
    harm = [text for text in finding.harm if NOTICED not in text]
    if harm:
        return HARMED, "; ".join(harm)
    changed = finding.complaints + [text for text in finding.harm if NOTICED in text]
    return (CHANGED, changed[0]) if changed else (HELD, "")


def settled(case, daemon, client):
    """What came of a case: changed only if it is so twice, since a busy machine may be late once. Harm counts at once."""
    first = judge(run_case(case, daemon, client))
    return judge(run_case(case, daemon, client)) if first[0] == CHANGED else first


def tried(attempt, daemon):
    """What came of an attempt of layers.py."""
    try:
        with Observer(daemon):
            outcome = run_attempt(daemon, attempt)
    except AssertionError as harm:
        return HARMED, str(harm)
    said = outcome.stdout.decode(errors="replace").strip()
    held = outcome.verdict() == attempt.verdict_held and attempt.held(said)
    return (HELD, "") if held else (CHANGED, f"{outcome.verdict()} {said}")


def row(layer, daemon, client, cases):
    """{id: [what came of it, why]} of one build; the attempts by `layer NAME`."""
    made, _ = attacks_of(cases, layer)
    found = {f"layer {attempt.layer}": list(tried(attempt, daemon)) for attempt in ATTEMPTS}
    return found | {name: list(settled(case, daemon, client)) for name, case in made.items()}


def section_of(name):
    return name.split()[0] if " " in name else name[:3]


def summary(rows):
    """Lines of a table: one row a layer, one column a section; how many of its attacks came out otherwise, of how many."""
    sections = sorted({section_of(name) for outcome in rows.values() for name in outcome})
    lines = ["| without | " + " | ".join(sections) + " | changed: | harmed outside |", "| --- |" + " ---: |" * len(sections) + " --- | --- |"]
    for layer, outcome in rows.items():
        cells = []
        for section in sections:
            mine = [state for name, (state, _) in outcome.items() if section_of(name) == section]
            cells.append(f"{sum(state != HELD for state in mine)}/{len(mine)}")
        changed = [name for name, (state, _) in outcome.items() if state == CHANGED]
        harmed = [f"{name}: {why}" for name, (state, why) in outcome.items() if state == HARMED]
        lines.append(f"| `{layer}` | {' | '.join(cells)} | {', '.join(changed) or '–'} | {'; '.join(harmed) or 'nobody'} |")
    for layer, who in NOTHING_RUNS_WITHOUT.items():
        lines.append(f"| `{layer}` | " + " | ".join("–" for _ in sections) + f" | nothing runs: stopped by {who} | nobody |")
    return lines
