"""The catalogue is whole and honest: every id is there, what it names exists, and a strange key is an error."""

import pathlib
import re

import pytest

import observers
from catalogue import CASES_DIR, TAXONOMY, CatalogueError, call_runs, load, make_case, missing_ids
from expectations import matches, said
from support.environment import REPOSITORY

CASES, EXCLUDED = load()
LAYER_ROW = re.compile(r"^\| ([^|]+?) \|", re.MULTILINE)


def layers_of_the_threat_model():
    text = (REPOSITORY / "THREAT_MODEL.md").read_text(encoding="utf-8")
    section = text.split("\n## Layers\n", 1)[1].split("\n## ", 1)[0]
    return set(LAYER_ROW.findall(section)) - {"layer", "---"}


def test_every_id_is_run_or_excluded_with_a_reason():
    missing = missing_ids({**CASES, **EXCLUDED})
    assert missing == []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_case_names_layers_that_exist(case):
    assert set(case.layers) <= layers_of_the_threat_model()
    assert set(case.host) <= set(observers.HOST)
    assert {run.examine for run in case.runs if run.examine} <= set(observers.EXAMINE)


def test_an_excluded_id_names_tests_that_exist():
    sources = {path: path.read_text(encoding="utf-8", errors="replace")
               for folder in ("unit", "integration", "attack", "lint", "package")
               for path in (REPOSITORY / "tests" / folder).rglob("*") if path.suffix in (".py", ".cc")}
    for excluded in EXCLUDED.values():
        for name in excluded.tests:
            suite, _, test = name.rpartition(".")
            pattern = rf"TEST(_F|_P)?\({suite}, {test}\)" if suite else rf"^\s*def {name}\("
            assert any(re.search(pattern, text, re.MULTILINE) for text in sources.values()), f"{excluded.id}: no test {name}"


def test_every_payload_is_used():
    used = {run.payload for case in CASES.values() for run in case.runs} | {"lib/neighbour.c"}
    there = {str(path.relative_to(CASES_DIR)) for path in CASES_DIR.rglob("*") if path.suffix in (".c", ".py")}
    referred = set(re.findall(r'"@([^"]+)"', "".join(path.read_text() for path in CASES_DIR.glob("*.toml"))))
    assert there - used - referred - {"lib/payload.py"} == set()


@pytest.mark.parametrize("table", [
    {"tries": "x", "layers": ["y"]},
    {"tries": "x", "payload": "lib/calls.c"},
    {"tries": "x", "layers": ["y"], "payload": "lib/nothing.c"},
    {"tries": "x", "layers": ["y"], "payload": "lib/calls.c", "sayz": {}},
    {"tries": "x", "layers": ["y"], "payload": "lib/calls.c", "behind": {"verdikt": "COMPLETED"}},
])
def test_a_case_with_a_mistake_is_refused(table):
    with pytest.raises(CatalogueError):
        make_case("PRV-99", table, "test")


def test_a_call_that_ends_the_run_has_a_run_of_its_own():
    runs = call_runs({"a": "mount 0 0 -> KILL; EPERM", "b": "mount 1 0 -> KILL", "c": "setuid 0 -> EPERM!", "d": "getpid -> ok"},
                     {}, "test")
    assert [run.expect.verdict for run in runs] == ["COMPLETED", "SYSCALL_VIOLATION", "SYSCALL_VIOLATION", "COMPLETED"]
    assert runs[0].expect.says == {"c": "EPERM", "d": "ok"} and runs[0].expect.denials == ["setuid"]
    assert runs[3].profile == "wide" and runs[3].expect.says == {"a": "EPERM"}
    with pytest.raises(CatalogueError):
        call_runs({"a": "mount 0 0 = KILL"}, {}, "test")


@pytest.mark.parametrize("expected, seen, answer", [
    ("EPERM", "EPERM", True), ("EPERM", "EPERMX", False), ("EPERM|ok", "ok", True), ("EPERM", None, False), ("*", None, False), ("?", None, True),
    ("*", "", True), (">=3", "3", True), (">=3", "2", False), (">=3", "many", False), ("<=3", "4", False), ("1..3", "3", True),
    ("1..3", "4", False), ("/a+/", "aaa", True), ("/a+/", "aaab", False), (0, "0", True), (0, None, False), (True, True, True),
])
def test_values_match_as_documented(expected, seen, answer):
    assert matches(expected, seen) is answer


def test_lines_are_told_by_name_and_nothing_is_lost():
    assert said(b"a EPERM\nb\na ok\n\xff x\n") == {"a": "EPERM ok", "b": "", "\ufffd": "x"}


def test_the_taxonomy_has_its_size():
    assert sum(TAXONOMY.values()) - TAXONOMY["DMN"] == 187 and TAXONOMY["DMN"] == 48
    assert pathlib.Path(CASES_DIR).is_dir()
