"""The generated half of THREAT_MODEL.md: how many system calls each step's filter lets through, and which files of the host each
root shows. From tests/golden/filters, which GoldenFiltersTest holds to the compiled filters, and from profiles/.
"""
import collections
import re
import sys

from lint_support import ROOT

sys.path.append(str(ROOT / "tests" / "golden"))
import rules  # noqa: E402  pylint: disable=wrong-import-position

LINE = re.compile(r"^\s*\d+ (\w+)\s{2,}(.*)$")
KINDS = ("allowed", "allowed for some arguments", "answered without being made", "refused and reported", "end the run")


def kind(answer):
    """Which of KINDS a line of a golden file means."""
    if answer == "allowed":
        return KINDS[0]
    if re.search(r"(^|; )allowed if ", answer):
        return KINDS[1]
    if answer.startswith("ends the run"):
        return KINDS[4]
    return KINDS[3] if answer.endswith("reported") else KINDS[2]


def calls_of(text):
    """{call: kind} of one golden file."""
    return {match[1]: kind(match[2]) for match in map(LINE.match, text.splitlines()) if match}


def filters():
    """{(profile, step): {call: kind}}."""
    return {tuple(path.stem.rsplit(".", 1)): calls_of(path.read_text(encoding="utf-8"))
            for path in sorted((ROOT / "tests" / "golden" / "filters").glob("*.txt"))}


def filter_table():
    lines = ["| profile | step | " + " | ".join(KINDS) + " |", "| --- | --- |" + " ---: |" * len(KINDS)]
    for (profile, step), calls in filters().items():
        counts = collections.Counter(calls.values())
        lines.append(f"| `{profile}` | {step} | " + " | ".join(str(counts[name]) for name in KINDS) + " |")
    everywhere = set.intersection(*({call for call, how in calls.items() if how in KINDS[:2]} for calls in filters().values()))
    somewhere = set.union(*({call for call, how in calls.items() if how in KINDS[:2]} for calls in filters().values()))
    lines += ["", f"{len(everywhere)} calls are allowed, wholly or for some arguments, in every step; {len(somewhere)} in at least one."]
    return "\n".join(lines) + "\n"


def mounts_of(profile, step):
    """{source: target} that a profile's own file adds to a step."""
    steps = profile.get("steps", {})
    return {mount["source"]: mount.get("target", mount["source"])
            for section in ("all", step) for mount in steps.get(section, {}).get("mounts", [])}


def mount_table():
    lines = ["| profile | shows of the host, read-only, besides | network |", "| --- | --- | --- |"]
    base = rules.load("base")
    shown = ", ".join(f"`{source}`" for source in mounts_of(base, "run"))
    lines.append(f"| every one | {shown} | none |")
    for path in sorted(rules.PROFILES.glob("*.json")):
        if path.stem in rules.NO_PROFILES or rules.load(path.stem).get("abstract"):
            continue
        chain = rules.chain(path.stem)
        extra = {source for profile in chain if profile["name"] != "base" for step in ("run", "compile") for source in mounts_of(profile, step)}
        network = next((profile["steps"][section]["network"] for profile in chain for section in ("run", "all")
                        if "network" in profile.get("steps", {}).get(section, {})), "none")
        if extra or network != "none":
            lines.append(f"| `{path.stem}` | {', '.join(f'`{source}`' for source in sorted(extra)) or '–'} | {network} |")
    return "\n".join(lines) + "\n"


def tables():
    """What stands between the marks."""
    return f"System calls, by step:\n\n{filter_table()}\nFiles of the host:\n\n{mount_table()}"
