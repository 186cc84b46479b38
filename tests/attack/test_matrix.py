"""Removing any one layer leaves the attacker contained: every attack against every mutation build, seen from outside.

Where another layer stops everything that the suite tries, only the layer's own attempt (layers.py) comes out otherwise.
"""

import json
import os
import pathlib

import pytest

import matrix
from attack_support import LayerDaemon
from catalogue import load
from profiles import extra_profiles
from runner import Finding
from support.client import Client

CASES, _ = load()


@pytest.mark.long
@pytest.mark.serial
@pytest.mark.parametrize("layer", matrix.LAYERS)
def test_no_attack_harms_the_outside_without_one_layer(privileged, host_segment, layer):  # pylint: disable=unused-argument
    with LayerDaemon(layer, extra_profiles()) as running:
        client = Client(running.address)
        outcome = matrix.row(layer, running, client, CASES)
        client.close()
    directory = os.environ.get("CAISSON_ATTACK_FINDINGS")
    if directory:
        pathlib.Path(directory, f"{layer}.row.json").write_text(json.dumps(outcome), encoding="utf-8")
    assert {name: why for name, (state, why) in outcome.items() if state == matrix.HARMED} == {}
    assert outcome[f"layer {layer}"][0] == matrix.CHANGED, "the attempt that this layer stops did not get through without it"


def test_an_attack_takes_one_layer_away_and_not_two():
    made, left_out = matrix.attacks_of(CASES, "landlock")
    assert all(run.setting == "released" for case in made.values() for run in case.runs)
    assert set(made) | set(left_out) == set(CASES)
    assert len(made) > 150


def test_loopbacks_are_not_tried_on_the_hosts_network():
    made, left_out = matrix.attacks_of(CASES, "network_namespace")
    assert not any(matrix.uses_loopback(case) for case in made.values())
    assert "NET-15" in left_out and "NET-15" in matrix.attacks_of(CASES, "landlock")[0]


def test_exceptions_are_few_and_each_leaves_something_out():
    for one in matrix.EXCEPTIONS:
        _, left_out = matrix.attacks_of(CASES, one.layer)
        assert one.why in left_out.values()
    released = {name for name, case in CASES.items() if any(run.setting == "released" for run in case.runs)}
    missing = sum(len(released) - len(matrix.attacks_of(CASES, layer)[0]) for layer in matrix.LAYERS)
    assert missing <= 6, "an exception is a hole in the proof"


def test_harm_counts_more_than_change():
    finding = Finding("NSP-01", [], [], [])
    assert matrix.judge(finding)[0] == matrix.HELD
    finding.complaints.append("inside")
    assert matrix.judge(finding)[0] == matrix.CHANGED
    finding.harm.append("the log says: sandbox 1: init broke the control protocol")
    assert matrix.judge(finding)[0] == matrix.CHANGED, "caissond found the attacker out"
    finding.harm.append("outside")
    assert matrix.judge(finding) == (matrix.HARMED, "outside")


def test_a_row_counts_what_is_not_as_ever():
    lines = matrix.summary({"landlock": {"layer landlock": ["changed", ""], "NSP-01": ["held", ""], "NSP-02": ["changed", "x"], "SYS-01": ["HARMED", "the host"]}})
    assert lines[0] == "| without | NSP | SYS | layer | changed: | harmed outside |"
    assert lines[2] == "| `landlock` | 1/2 | 1/1 | 1/1 | layer landlock, NSP-02 | SYS-01: the host |"
    assert lines[3].startswith("| `pid_namespace` | – | – | – | nothing runs: stopped by caissond")
