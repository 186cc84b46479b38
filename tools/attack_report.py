#!/usr/bin/python3
"""make attack-report: every hostile case of tests/attack/cases, which layer must stop it, whether it held, and the evidence.

Runs the cases (tests/attack/test_cases.py), the tests that other ids name, and every case against every mutation build
(tests/attack/test_matrix.py), prints a table of the first two and a matrix of the third, and writes both into docs/attack-suite.md
between the two marks there. Exit code 1 if anything did not hold or did not run, or if somebody outside was harmed. Needs root and
a finished build. `--findings DIRECTORY` makes the tables of an earlier run's findings, kept there by CAISSON_ATTACK_FINDINGS;
`--no-elsewhere` leaves the other tests out, `--no-matrix` the mutation builds.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "attack"), str(ROOT / "tests")]

import catalogue  # noqa: E402
import matrix  # noqa: E402

DOCUMENT = ROOT / "docs" / "attack-suite.md"
BEGIN, END = "<!-- generated: begin -->\n", "<!-- generated: end -->\n"
PYTHON_TESTS = ["tests/integration", "tests/attack", "tests/package", "tests/lint"]
HELD, NOT_HELD, ELSEWHERE, EXCLUDED = "held", "NOT HELD", "held by tests", "not run here"
TITLES = {
    "PRV": "Identity and privilege", "NSP": "Namespaces, mounts, control groups", "SYS": "The kernel's surface", "NET": "The network",
    "IPC": "From one run to another", "FSX": "Files and /proc", "RES": "Resources", "PRC": "The life of processes",
    "SIO": "Standard input and output", "OUT": "Output files", "CMP": "Compile steps", "TIM": "Side channels", "DMN": "The daemon",
}


def run_pytest(arguments, environment=None):
    """The junit report of a pass, {test name: "" or what went wrong}; parametrised tests under the name without their parameter."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        subprocess.run(["/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", "-q", "--tb=short", f"--junitxml={report.name}",
                        *arguments], cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=sys.stderr, check=False)
        return outcomes(report.name)


def outcomes(report):
    results = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        name = re.sub(r"\[.*", "", case.get("name"))
        name = re.sub(r"^.*/(?=\w+\.)|/\w+$", "", re.sub(r"\s+#.*", "", name))  # GoogleTest: Prefix/Suite.Case/Name  # GetParam() = Name
        wrong = next((child.get("message") or child.tag for child in case if child.tag in ("failure", "error")), "")
        if case.get("status") == "fail" or wrong:
            results[name] = wrong or "failed"
        elif next((child for child in case if child.tag == "skipped"), None) is not None:
            results.setdefault(name, "skipped")
        else:
            results[name] = results.get(name, "") if results.get(name) != "skipped" else ""
    return results


def run_cases(directory, workers):
    findings = {"CAISSON_ATTACK_FINDINGS": str(directory)}
    run_pytest(["-n", str(workers), "--dist", "loadgroup", "-m", "not serial", "tests/attack/test_cases.py"], findings)
    run_pytest(["-m", "serial", "tests/attack/test_cases.py"], findings)


def run_matrix(directory):
    """One build after the other: some attacks are judged by what the whole host has left meanwhile."""
    run_pytest(["-m", "long", "tests/attack/test_matrix.py"], {"CAISSON_ATTACK_FINDINGS": str(directory)})


def read_matrix(directory):
    """{layer: {id: [what came of it, why]}}; a build that did not come to its end has no row."""
    paths = {layer: directory / f"{layer}.row.json" for layer in matrix.LAYERS}
    return {layer: json.loads(path.read_text(encoding="utf-8")) for layer, path in paths.items() if path.exists()}


def matrix_faults(rows):
    """What is wrong with the matrix, in words."""
    faults = [f"without {layer}: did not run" for layer in matrix.LAYERS if layer not in rows]
    for layer, outcome in rows.items():
        faults += [f"without {layer}: {name} harmed the outside: {why}" for name, (state, why) in outcome.items() if state == matrix.HARMED]
    return faults


def run_elsewhere(names, workers):
    """{name: "" or what went wrong} of tests named by excluded ids."""
    python = sorted(name for name in names if "." not in name)
    native = sorted(name for name in names if "." in name)
    results = {}
    nodes = [f"{path.relative_to(ROOT)}::{name}" for name in python for folder in PYTHON_TESTS
             for path in sorted((ROOT / folder).glob("test_*.py"))
             if re.search(rf"^def {name}\(", path.read_text(encoding="utf-8"), re.MULTILINE)]
    if nodes:
        results |= run_pytest(["-n", str(workers), "--dist", "loadgroup", "-m", "not serial", *nodes])
        results |= run_pytest(["-m", "serial", *nodes])
    if native:
        with tempfile.NamedTemporaryFile(suffix=".xml") as report:
            pattern = "|".join(re.escape(name) for name in native)
            subprocess.run(["ctest", "--test-dir", "build", "-R", f"(^|/)({pattern})(/|$)", "--output-junit", report.name,
                            "--parallel", "2"], cwd=ROOT, stdout=sys.stderr, check=False)
            results |= outcomes(report.name)
    return results


def judge_excluded(entry, elsewhere):
    """(state, evidence) of an id that is not run here."""
    if not entry.tests:
        return EXCLUDED, entry.why
    if elsewhere is None:
        return ELSEWHERE, f"{entry.why}: {', '.join(entry.tests)} (not run now)"
    wrong = {name: elsewhere.get(name, "did not run") for name in entry.tests}
    wrong = {name: text for name, text in wrong.items() if text not in ("", "skipped")}
    if wrong:
        return NOT_HELD, "; ".join(f"{name}: {text.splitlines()[0][:200]}" for name, text in wrong.items())
    return ELSEWHERE, f"{entry.why}: {', '.join(entry.tests)}"


def judge_case(case, directory):
    path = directory / f"{case.id}.json"
    if not path.exists():
        return NOT_HELD, "did not run"
    finding = json.loads(path.read_text(encoding="utf-8"))
    if not finding["held"]:
        return NOT_HELD, "; ".join(finding["harm"] + finding["complaints"])
    by_text = {}
    for run, text in finding["evidence"]:
        by_text.setdefault(text, []).append(run)
    return HELD, "; ".join(f"{', '.join(runs)}: {text}" if any(runs) else text for text, runs in by_text.items())


def rows(directory, elsewhere):
    """(id, tries, layers, state, evidence) of every id, in order."""
    cases, excluded = catalogue.load()
    found = []
    for name in sorted({**cases, **excluded}, key=lambda i: (list(TITLES).index(i[:3]), i)):
        if name in cases:
            case = cases[name]
            found.append((name, case.tries, case.layers, *judge_case(case, directory)))
        else:
            entry = excluded[name]
            found.append((name, entry.tries, entry.layers, *judge_excluded(entry, elsewhere)))
    return found


def printable(text):
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def print_table(table):
    for name, _, layers, state, evidence in table:
        print(f"{name}  {state:<13}  {'; '.join(layers) or '-'}\n        {printable(evidence)[:600]}")


def in_document(text):
    """Evidence without what differs from run to run, as a table's cell."""
    text = re.sub(r" ×\d+", "", text)
    text = re.sub(r"\b(\w+_ms|memory_bytes|denial_rate|sockets) \d+ of (\d+)", r"\1 \2", text)
    text = re.sub(r"\b(forks_denied|pids_peak|cpu_ms|rounds|timers|mappings|fast|in_flight|pipes|epoll): \d+", r"\1: some", text)
    return printable(text).replace("|", "\\|").replace("<", "&lt;").replace("`", "'")


def describe_machine():
    backend = "hybrid" if pathlib.Path("/sys/fs/cgroup/unified").is_dir() else "unified"
    return f"{datetime.date.today().isoformat()}, Linux {os.uname().release}, cgroup backend {backend}"


def matrix_document(rows):
    """The section on the mutation matrix."""
    attacks = sum(len(outcome) for outcome in rows.values())
    harmed = sum(state == matrix.HARMED for outcome in rows.values() for state, _ in outcome.values())
    reasons = "".join(f"\n- Not made without `{one.layer}`: {one.attacks}. {one.why[0].upper()}{one.why[1:]}." for one in matrix.EXCEPTIONS)
    return "\n".join(["\n### Mutation matrix\n", f"Layer × attack: {attacks} attacks on {len(rows)} builds that leave one layer out each, and "
                      f"{harmed} harmed anybody outside. A cell says how many of a section's attacks came out otherwise than in the released "
                      f"build, of how many were made.\n{reasons}\n", *matrix.summary(rows)]) + "\n"


def document(table, rows_of_builds):
    """The generated half of docs/attack-suite.md."""
    counts = {state: sum(row[3] == state for row in table) for state in (HELD, ELSEWHERE, EXCLUDED, NOT_HELD)}
    summary = ", ".join(f"{count} {state}" for state, count in counts.items() if count or state == NOT_HELD)
    lines = [f"## The latest report\n\n{describe_machine()}: {len(table)} ids, {summary}.\n"]
    for section, title in TITLES.items():
        mine = [row for row in table if row[0].startswith(section) and row[3] != EXCLUDED]
        if not mine:
            continue
        lines.append(f"\n### {title}\n\n| id | tries | layers | | seen |\n| --- | --- | --- | --- | --- |")
        for name, tries, layers, state, evidence in mine:
            lines.append(f"| {name} | {in_document(tries)} | {'; '.join(layers)} | {state} | {in_document(evidence)} |")
    lines.append("\n### Not run here\n\n| id | tries | why |\n| --- | --- | --- |")
    lines += [f"| {row[0]} | {in_document(row[1])} | {in_document(row[4])} |" for row in table if row[3] == EXCLUDED]
    return "\n".join(lines) + "\n" + (matrix_document(rows_of_builds) if rows_of_builds else "")


def write_document(text):
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    DOCUMENT.write_text(before + BEGIN + text + END + after, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--findings", type=pathlib.Path, help="of an earlier run, instead of running the cases")
    parser.add_argument("--no-elsewhere", action="store_true", help="leave out the tests that other ids name")
    parser.add_argument("--no-matrix", action="store_true", help="leave out the mutation builds")
    parser.add_argument("--no-write", action="store_true", help="leave docs/attack-suite.md as it is")
    parser.add_argument("--workers", type=int, default=3 * (os.cpu_count() or 1))
    options = parser.parse_args()
    _, excluded = catalogue.load()
    with tempfile.TemporaryDirectory(prefix="caisson-attack-findings-") as directory:
        findings = options.findings or pathlib.Path(directory)
        if options.findings is None:
            run_cases(findings, options.workers)
            if not options.no_matrix:
                run_matrix(findings)
        rows_of_builds = read_matrix(findings)
        faults = [] if options.no_matrix else matrix_faults(rows_of_builds)
        elsewhere = None
        if not options.no_elsewhere:
            elsewhere = run_elsewhere({name for entry in excluded.values() for name in entry.tests}, options.workers)
        table = rows(findings, elsewhere)
    print_table(table)
    if not options.no_write:
        write_document(document(table, rows_of_builds))
    if not options.no_matrix:
        print("\nMutation matrix (layer × attack)", *matrix.summary(rows_of_builds), *faults, sep="\n")
    not_held = [row[0] for row in table if row[3] == NOT_HELD]
    print(f"\n{len(table)} ids: {sum(row[3] == HELD for row in table)} held, {sum(row[3] == ELSEWHERE for row in table)} held by tests, "
          f"{sum(row[3] == EXCLUDED for row in table)} not run here, {len(not_held)} NOT HELD {' '.join(not_held)}")
    return 1 if not_held or faults else 0


if __name__ == "__main__":
    sys.exit(main())
