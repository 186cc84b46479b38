"""tools/tidy.py looks at what may have changed, once, and remembers only what passed. ninja and clang-tidy are scripts here: they
say which headers a file includes, write down which files they were asked about, and complain where a file says BAD."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest

TIDY = pathlib.Path(__file__).resolve().parents[3] / "tools" / "tidy.py"
NINJA = """#!/bin/sh
case "$*" in
  *'-t deps'*) cat "$2/deps" ;;
  *) [ ! -e "$2/broken" ] || { echo 'main.cc:1: error: expected a word'; exit 1; } ;;
esac
"""
CLANG_TIDY = """#!/bin/sh
[ "$1" != --version ] || { echo 'version 14'; exit 0; }
for file; do :; done
basename "$file" >> "$ASKED"
! grep -q BAD "$file" || { echo "$file:1:1: error: bad [a-check]"; exit 1; }
"""
INCLUDES = {"one": ["shared.h"], "two": ["shared.h", "own.h"], "three": []}


class Checkout:
    """A tree with three sources."""

    def __init__(self, root, programs):
        self.root, self.programs, self.asked = root, programs, root / "asked"
        for directory in ("src/common", "tools", "build"):
            (root / directory).mkdir(parents=True)
        shutil.copy(TIDY, root / "tools")
        (root / ".clang-tidy").write_text("Checks: '*'\n")
        for name in ("shared.h", "own.h", *(f"{name}.cc" for name in INCLUDES)):
            (root / "src/common" / name).write_text(f"// {name}\n")
        (root / "build/deps").write_text("".join(
            f"obj/{name}.o: #deps {len(headers) + 1}, deps mtime 1 (VALID)\n    ../src/common/{name}.cc\n"
            + "".join(f"    {root}/src/common/{header}\n" for header in headers) + "\n" for name, headers in INCLUDES.items()))
        self.compile(INCLUDES)

    def compile(self, names):
        entries = [{"directory": str(self.root / "build"), "file": str(self.root / f"src/common/{name}.cc"),
                    "command": f"g++ {option} -I{self.root}/src -o obj/{name}{suffix}.o -c {self.root}/src/common/{name}.cc"}
                   for option, suffix in (("-DCAISSON_WITHOUT_LANDLOCK", "-without"), ("", "")) for name in names]
        (self.root / "build/compile_commands.json").write_text(json.dumps(entries))

    def tidy(self):
        """(exit code, output, files that clang-tidy was asked about)."""
        self.asked.write_text("")
        environment = {**os.environ, "PATH": f"{self.programs}:{os.environ['PATH']}", "ASKED": str(self.asked),
                       "CAISSON_TIDY_CACHE": str(self.programs / "cache")}
        done = subprocess.run([self.root / "tools/tidy.py"], capture_output=True, text=True, check=False, env=environment)
        return done.returncode, done.stdout + done.stderr, sorted(self.asked.read_text().split())


@pytest.fixture
def programs(tmp_path):
    directory = tmp_path / "programs"
    directory.mkdir()
    for name, text in (("ninja", NINJA), ("clang-tidy-14", CLANG_TIDY)):
        (directory / name).write_text(text)
        (directory / name).chmod(0o755)
    return directory


@pytest.fixture
def checkout(tmp_path, programs):
    return Checkout(tmp_path / "checkout", programs)


def test_each_file_is_looked_at_once_and_not_again(checkout):
    assert checkout.tidy() == (0, "caisson tidy: 3 of 3 files to look at\ncaisson tidy: clean\n", ["one.cc", "three.cc", "two.cc"])
    assert checkout.tidy() == (0, "caisson tidy: 0 of 3 files to look at\ncaisson tidy: clean\n", [])


def test_another_checkout_of_the_same_knows_what_passed(checkout, tmp_path, programs):
    checkout.tidy()
    assert Checkout(tmp_path / "other", programs).tidy()[2] == []


@pytest.mark.parametrize("changed, again", [("src/common/one.cc", ["one.cc"]), ("src/common/own.h", ["two.cc"]),
                                            ("src/common/shared.h", ["one.cc", "two.cc"]),
                                            (".clang-tidy", ["one.cc", "three.cc", "two.cc"])])
def test_what_may_have_changed_is_looked_at_again(checkout, changed, again):
    checkout.tidy()
    with open(checkout.root / changed, "a", encoding="ascii") as file:
        file.write("# more\n")
    assert checkout.tidy()[2] == again
    assert checkout.tidy()[2] == []


def test_file_with_a_complaint_is_looked_at_until_it_has_none(checkout):
    path = checkout.root / "src/common/one.cc"
    path.write_text("BAD\n")
    for asked in (["one.cc", "three.cc", "two.cc"], ["one.cc"]):
        code, said, files = checkout.tidy()
        assert (code, files) == (1, asked)
        assert f"{path}:1:1: error: bad [a-check]" in said and "1 files with complaints" in said
    path.write_text("good\n")
    assert checkout.tidy()[0::2] == (0, ["one.cc"])


def test_source_that_nothing_compiles_is_named(checkout):
    checkout.compile(["one", "two"])
    code, said, asked = checkout.tidy()
    assert (code, asked) == (1, []) and "compiled by nothing" in said and "three.cc" in said


def test_what_does_not_compile_is_not_looked_at(checkout):
    (checkout.root / "build/broken").touch()
    code, said, asked = checkout.tidy()
    assert (code, asked) == (1, []) and "expected a word" in said


def test_object_without_the_compilers_notes_is_named(checkout):
    (checkout.root / "build/deps").write_text("obj/one.o: deps not found\n\n")
    code, said, asked = checkout.tidy()
    assert (code, asked) == (1, []) and "notes on obj/one.o are gone" in said
