"""The generated half of docs/cpython-suite.md: what a run of suite.py found, as Markdown. Pure but for the versions of the host."""

import collections
import datetime
import itertools
import os
import pathlib
import platform
import re
import subprocess

FILE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "cpython-suite.md"
BEGIN, END = "<!-- generated: begin -->\n", "<!-- generated: end -->\n"
UNEXPLAINED = "no explanation yet"


def text_of(value):
    """As part of a line of Markdown. What stands in it may come from a sandbox."""
    return "".join(c if c.isprintable() else " " for c in re.sub(r"\s+", " ", value)).replace("`", "'").replace("|", "\\|") \
        .replace("<", "&lt;").strip()[:300]


def versions():
    package = subprocess.run(["/usr/bin/dpkg-query", "-W", "-f", "${Package} ${Version}", "libpython3.11-testsuite"], capture_output=True,
                             text=True, check=False).stdout or "libpython3.11-testsuite"
    python = subprocess.run(["/usr/bin/python3", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return f"{datetime.date.today().isoformat()}, {python}, {package}, Linux {platform.release()}, {os.cpu_count()} CPUs"


def compact(found, modules):
    """`test_os`: ClassOne (test_a, test_b), ClassTwo (test_c); a file at a time."""
    def place(difference):
        name = difference.test.removeprefix("test.")
        module = max((module for module in modules if name == module or name.startswith(f"{module}.")), key=len, default=name)
        owner, _, test = name[len(module) + 1:].rpartition(".")
        return module, owner, test
    parts = []
    for module, in_module in itertools.groupby(sorted(found, key=place), lambda difference: place(difference)[0]):
        classes = []
        for owner, in_class in itertools.groupby(in_module, lambda difference: place(difference)[1]):
            tests = ", ".join(place(difference)[2] for difference in in_class)
            classes.append(f"{owner} ({tests})" if owner else tests)
        parts.append(f"`{module}`" + (f": {text_of_all(', '.join(classes))}" if any(classes) else ""))
    return "; ".join(parts)


def text_of_all(value):
    return "".join(c for c in value if c.isprintable()).replace("|", "\\|").replace("<", "&lt;").replace("_", "\\_").replace("*", "\\*")


def ways(found):
    counts = collections.Counter((difference.outside, difference.inside) for difference in found)
    return ", ".join(f"{count} {outside} → {inside}" for (outside, inside), count in counts.most_common())


def generated(results, known, unsteady, head, minutes):
    """`results`: {module: (outside, inside, differences)}; `unsteady`: differences that a second run did not show."""
    every = [difference for _, _, found in results.values() for difference in found]
    steady = [difference for difference in every if difference not in unsteady]
    by_entry = collections.defaultdict(list)
    for difference in steady:
        by_entry[known.index(difference)].append(difference)
    tests = sum(len(outside.tests) for outside, _, _ in results.values())
    passed = sum(outcome == "passed" for outside, _, _ in results.values() for outcome, _ in outside.tests.values())
    lines = [f"## The latest run\n\n{head}: {len(results)} files, {tests:,} tests, of which {passed:,} pass outside. "
             f"**{tests - len(steady):,} end inside as outside, {len(steady):,} do not**; {len(by_entry[None])} of these have no "
             f"explanation. It took {minutes:.0f} minutes.\n"]
    lines.append("| layer | tests | why they stay |\n| --- | --- | --- |")
    layers = collections.defaultdict(list)
    for index, entry in enumerate(known.entries):
        if by_entry[index]:
            layers[entry["layer"]].append(index)
    for layer, indexes in sorted(layers.items(), key=lambda item: -sum(len(by_entry[index]) for index in item[1])):
        lines.append(f"| {layer} | {sum(len(by_entry[index]) for index in indexes)} | {known.layers[layer]} |")
    if by_entry[None]:
        lines.append(f"| {UNEXPLAINED} | {len(by_entry[None])} | |")
    for layer, indexes in sorted(layers.items(), key=lambda item: -sum(len(by_entry[index]) for index in item[1])):
        lines.append(f"\n### {layer[0].upper()}{layer[1:]}\n")
        for index in indexes:
            lines.append(f"- {known.entries[index]['why'].strip()} {len(by_entry[index])}: {ways(by_entry[index])}.\n"
                         f"  {compact(by_entry[index], results)}.")
    if by_entry[None]:
        lines.append(f"\n### {UNEXPLAINED[0].upper()}{UNEXPLAINED[1:]}\n")
        lines += [f"- {text_of_all(difference.test)}: {difference.outside} → {difference.inside}: {text_of(difference.reason)}"
                  for difference in by_entry[None]]
    if unsteady:
        lines.append("\n### Unsteady\n\nDifferent in one run and the same in the next, which followed at once:\n")
        lines += [f"- {text_of_all(difference.test)}: {difference.outside} → {difference.inside}" for difference in unsteady]
    lines.append("\n### System calls that were refused\n\nWhether or not a test minded.\n\n| call | by |\n| --- | --- |")
    refused = collections.defaultdict(list)
    for module, (_, inside, _) in results.items():
        for name in inside.denials:
            refused[name].append(module)
    lines += [f"| `{text_of(name)}` | {', '.join(f'`{module}`' for module in by)} |" for name, by in sorted(refused.items())]
    return "\n".join(lines) + "\n"


def write(text):
    before, rest = FILE.read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    FILE.write_text(before + BEGIN + text + END + after, encoding="utf-8")
