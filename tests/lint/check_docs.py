#!/usr/bin/python3
"""Every path that a document or a comment names exists, and every relative link in a document resolves."""
import pathlib
import re

from lint_support import ROOT, files, finish, is_skipped

FOLDERS = "src|docs|tests|tools|profiles|proto|cmake|deploy|bench|clients|examples|third_party|\\.ci"
# In backticks a path stands alone; what has a placeholder in it (<name>, NAME, $X, {a,b}) names no single file.
IN_BACKTICKS = re.compile(rf"`((?:{FOLDERS})/[\w./*+-]*|[A-Z][A-Z_]+\.md|CMakePresets\.json)`")
FENCE = re.compile(r"^\s*(```|~~~)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
IN_COMMENT = re.compile(r"(?<![\w./-])(docs/[\w./-]*\w|[A-Z]{5,}\.md)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
SOURCES = {".cc", ".h", ".py", ".sh", ".ts", ".mjs", ".cmake", ".proto", ".json", ".S", ".c"}


def exists(name):
    if "*" in name:
        return any(ROOT.glob(name.rstrip("/")))
    path = ROOT / name
    # `src/ipc/codec` stands for the header and the source.
    return path.exists() or (not path.suffix and any(path.parent.glob(path.name + ".*")))


def anchors(document):
    """The anchors of a document's headings, as GitHub makes them."""
    found = set()
    for line in prose(document):
        match = HEADING.match(line[1])
        if match:
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match[1]).replace("`", "").lower()
            found.add(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return found


def prose(document):
    """(number, line) of everything outside fenced code."""
    fenced = False
    for number, line in enumerate(document.read_text().splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def link_complaint(document, target):
    if re.match(r"^[a-z]+:", target):
        return None
    name, _, anchor = target.partition("#")
    path = (document.parent / name).resolve() if name else document
    if not path.exists():
        return f"links to {target}, which does not exist"
    if anchor and path.suffix == ".md" and anchor not in anchors(path):
        return f"links to {target}, which has no such heading"
    return None


def check_document(path, errors):
    document = ROOT / path
    checked = 0
    for number, line in prose(document):
        for name in IN_BACKTICKS.findall(line):
            checked += 1
            if not exists(name) and not (document.parent / name).exists():
                errors.append(f"{path}:{number}: `{name}` does not exist")
        for target in LINK.findall(line):
            checked += 1
            reason = link_complaint(document, target)
            if reason:
                errors.append(f"{path}:{number}: {reason}")
    return checked


def check_source(path, errors):
    checked = 0
    for number, line in enumerate((ROOT / path).read_text(errors="replace").splitlines(), 1):
        for name in IN_COMMENT.findall(line):
            checked += 1
            if not exists(name) and not (ROOT / path).parent.joinpath(name).exists():
                errors.append(f"{path}:{number}: {name} does not exist")
    return checked


def main():
    errors = []
    checked = 0
    documents = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.md"))
    for path in documents:
        if not is_skipped(path):
            checked += check_document(path, errors)
    this = pathlib.Path(__file__).resolve().relative_to(ROOT)
    for path in files(["src", "tests", "tools", "cmake", "profiles", "proto", "bench", "examples", "deploy", "clients"], SOURCES):
        if path != this:
            checked += check_source(path, errors)
    finish("check_docs", checked, errors)


if __name__ == "__main__":
    main()
