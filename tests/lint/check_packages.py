#!/usr/bin/python3
"""tools/packages.txt is well-formed: a known group, one package, a reason; no package twice."""
import re

from lint_support import ROOT, finish

LINE = re.compile(r"^(build|test|languages|long|package|peers|web|vm|dev) ([a-z0-9][a-z0-9+.-]+) +# \S.*$")


def main():
    errors = []
    seen = set()
    for number, line in enumerate((ROOT / "tools" / "packages.txt").read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        match = LINE.match(line)
        if match is None:
            errors.append(f"tools/packages.txt:{number}: is not 'GROUP PACKAGE  # why'")
            continue
        if match[2] in seen:
            errors.append(f"tools/packages.txt:{number}: {match[2]} is listed twice")
        seen.add(match[2])
    finish("check_packages", len(seen), errors)


if __name__ == "__main__":
    main()
