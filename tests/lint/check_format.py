#!/usr/bin/python3
"""check_format.py [--fix]: C++ sources are as clang-format 14 writes them (other versions differ in details)."""
import os
import shutil
import subprocess
import sys

from lint_support import ROOT, files, finish

PROGRAM = "clang-format-14"
BATCH = 20


def badly_formatted(paths):
    """The paths of the batch that clang-format would change."""
    found = []
    result = subprocess.run([PROGRAM, "--dry-run", "-Werror", *map(str, paths)], cwd=ROOT, capture_output=True,
                            text=True, check=False)
    if result.returncode == 0:
        return found
    for path in paths:
        complaint = [line for line in result.stderr.splitlines() if line.startswith(f"{path}:")]
        if complaint:
            found.append(f"{complaint[0].split(' error:')[0]} is not formatted (make format)")
    return found or [result.stderr.strip()]


def main():
    fix = sys.argv[1:] == ["--fix"]
    if sys.argv[1:] and not fix:
        sys.exit("usage: check_format.py [--fix]")
    if shutil.which(PROGRAM) is None:
        sys.exit(f"check_format: {PROGRAM} is not installed (tools/setup.sh test)")
    paths = files(["src", "tests", "bench"], {".cc", ".h", ".c"})
    errors = []
    for start in range(0, len(paths), BATCH):
        batch = paths[start:start + BATCH]
        if fix:
            subprocess.run([PROGRAM, "-i", *map(str, batch)], cwd=ROOT, check=True)
        else:
            errors.extend(badly_formatted(batch))
    finish("check_format", len(paths), errors)


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    main()
