#!/usr/bin/python3
"""check_page.py [--write] PAGE COMMAND...: the page holds exactly what the command prints; --write makes it so."""

import difflib
import pathlib
import subprocess
import sys


def main():
    arguments = sys.argv[1:]
    write = arguments[:1] == ["--write"]
    page, *command = arguments[write:]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if write:
        pathlib.Path(page).write_text(printed)
        return
    held = pathlib.Path(page).read_text()
    if held != printed:
        sys.stdout.writelines(difflib.unified_diff(held.splitlines(True), printed.splitlines(True), page, "the code"))
        sys.exit(f"{page} is not what the code says; run `make docs`")


if __name__ == "__main__":
    main()
