"""What the checks in this folder share: the tree, its source files, and how a check ends."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = {"build", "third_party", ".git", ".pytest_cache", "__pycache__", "node_modules"}


def files(folders, suffixes):
    """Every file with one of the suffixes below the folders of the tree, sorted, as paths relative to it."""
    found = []
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            relative = path.relative_to(ROOT)
            if path.is_file() and path.suffix in suffixes and not is_skipped(relative):
                found.append(relative)
    return found


def is_skipped(relative):
    return any(part in SKIPPED or part.startswith("build-") for part in relative.parts[:-1])


def finish(name, checked, errors):
    """Prints every error and the count of what was checked, and exits. A check that saw nothing has failed."""
    for error in errors:
        print(f"{name}: {error}", file=sys.stderr)
    if not checked:
        print(f"{name}: nothing was found to check", file=sys.stderr)
        sys.exit(1)
    print(f"{name}: {checked} checked, {len(errors)} wrong")
    sys.exit(1 if errors else 0)
