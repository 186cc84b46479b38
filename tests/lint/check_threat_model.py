#!/usr/bin/python3
"""THREAT_MODEL.md says nothing that no test holds: each `[test: NAME, NAME]` names tests that exist, each row and invariant has
one, every layer counters a threat and every threat names layers, and what is said of system calls and mounts is what the profiles
come to. `--write` makes the generated half anew.
"""
import re
import sys

import attack_surface
from known_tests import every_test
from lint_support import ROOT, finish

DOCUMENT = ROOT / "THREAT_MODEL.md"
MARK = re.compile(r"(?<!`)\[test: ([^\]]*)\]")  # in backticks it is talked about
BEGIN, END = "<!-- generated: begin -->\n", "<!-- generated: end -->\n"
# Sections whose every row, or numbered item, needs a mark.
ROWS_WITH_MARKS = ("Threats", "Layers", "Attack surface")
INVARIANTS = "Nine invariants"


def section(text, title):
    """The text below a heading of the second level, or ""."""
    parts = re.split(r"^## (.*)$\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2])).get(title, "")


def table_rows(text):
    """The cells of each row of the tables in it, without heads and rules."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    heads = {index - 1 for index, row in enumerate(rows) if all(re.fullmatch(r"-+:?", cell) for cell in row)}
    return [row for index, row in enumerate(rows) if index not in heads and index - 1 not in heads]


def marked(text):
    """The names in the marks of a text."""
    return [name.strip().strip("`") for names in MARK.findall(text) for name in names.split(",")]


def mark_complaints(text, known):
    found = marked(text)
    complaints = [f"[test: {name}]: there is no such test" for name in found if name not in known]
    if re.search(r"\*pending\*", text):
        complaints.append("says *pending*: write the test, or say plainly what is missing and put it into docs/roadmap.md")
    return complaints


def row_complaints(text):
    complaints = []
    for title in ROWS_WITH_MARKS:
        rows = table_rows(section(text, title).split(BEGIN)[0])
        if not rows:
            complaints.append(f"section {title!r} has no rows")
        complaints += [f"{title}: {row[0]!r} has no [test: …]" for row in rows if not marked(" ".join(row))]
    items = re.split(r"^\d+\. ", section(text, INVARIANTS), flags=re.MULTILINE)[1:]
    if len(items) != 9:
        complaints.append(f"{len(items)} invariants")
    return complaints + [f"invariant {number} has no [test: …]" for number, item in enumerate(items, 1) if not marked(item)]


def layer_complaints(text):
    """Threats name layers of the table, in the third column, separated by ;, and no layer counters nothing."""
    layers = {row[0] for row in table_rows(section(text, "Layers"))}
    named = {layer.strip() for row in table_rows(section(text, "Threats")) for layer in row[2].split(";")}
    return ([f"a threat names the layer {layer!r}, which is not in the table" for layer in sorted(named - layers)]
            + [f"the layer {layer!r} counters no threat" for layer in sorted(layers - named)])


def generated_complaints(text):
    if BEGIN not in text or END not in text:
        return ["has no generated part"]
    if text.split(BEGIN)[1].split(END)[0] != attack_surface.tables():
        return ["the generated part is not what the profiles come to: run tests/lint/check_threat_model.py --write"]
    return []


def write():
    before, rest = DOCUMENT.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    DOCUMENT.write_text(before + BEGIN + attack_surface.tables() + END + after, encoding="utf-8")


def main():
    if sys.argv[1:] == ["--write"]:
        write()
    text = DOCUMENT.read_text(encoding="utf-8")
    complaints = mark_complaints(text, every_test()) + row_complaints(text) + layer_complaints(text) + generated_complaints(text)
    finish("check_threat_model", len(marked(text)), [f"THREAT_MODEL.md: {complaint}" for complaint in complaints])


if __name__ == "__main__":
    main()
