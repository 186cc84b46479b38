"""The manual pages are what the programs, the schema and the documents say, and a formatter takes them without a word."""

import json
import re
import subprocess
import sys

import pytest

from support.environment import BIN_DIR, CAISSON, CAISSOND, REPOSITORY

PAGES = BIN_DIR.parent / "man"
GATEWAY = BIN_DIR / "caisson-gateway"
TLS = BIN_DIR / "caisson-tls"
MAKE_MAN = REPOSITORY / "tools" / "make_man.py"
NAMES = ("caisson.1", "caisson-gateway.8", "caisson-tls.8", "caissond.8", "caissond.json.5")
# Found in a help text by its look alone, so that a mistake of the generator's parser is not repeated here.
LONG_OPTION = re.compile(r"^ {2}(?:-\w,)?(--[a-z][a-z-]*)", re.MULTILINE)
COMMANDS = ("", "run", "exec", "create", "follow", "get", "ps", "top", "cancel", "profile", "profile list", "profile lint", "profile explain", "image", "image build", "policy", "policy lint", "policy test", "policy explain", "token", "token create", "token list", "token revoke", "admin", "admin drain", "admin resume", "admin reload", "admin tenants", "doctor", "version")


def plain(page):
    """What a reader sees, without fonts and line breaks."""
    done = subprocess.run(["groff", "-man", "-Tascii", "-P-cbou", str(page)], capture_output=True, text=True, check=True)
    return done.stdout


def help_of(program, command=""):
    return subprocess.run([program, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout


def make(template, output, *programs):
    asked = [word for program in programs for word in ("--program", str(program))]
    return subprocess.run([sys.executable, str(MAKE_MAN), *asked, str(template), str(output)], capture_output=True, text=True,
                          check=False)


@pytest.mark.parametrize("name", NAMES)
def test_formatter_has_nothing_to_say(name):
    done = subprocess.run(["groff", "-man", "-ww", "-z", str(PAGES / name)], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("name", NAMES)
def test_page_is_the_one_that_would_be_made_now(name, tmp_path):
    """A page left over from another build would be installed silently."""
    done = make(REPOSITORY / "docs/man" / f"{name}.md", tmp_path / name, CAISSON, CAISSOND, GATEWAY, TLS)
    assert done.returncode == 0, done.stderr
    made, built = (path.read_text().splitlines() for path in (tmp_path / name, PAGES / name))
    assert [line for line in made if not line.startswith(".TH")] == [line for line in built if not line.startswith(".TH")]


def test_every_option_of_every_command_is_in_caisson_1():
    text = plain(PAGES / "caisson.1")
    found = 0
    for command in COMMANDS:
        for option in LONG_OPTION.findall(help_of(CAISSON, command)):
            assert re.search(rf"^\s+(-\w, )?{option}\b", text, re.MULTILINE), (command, option)
            found += 1
    assert found > 20


def test_the_commands_here_are_all_there_are():
    listed = re.findall(r"^ {2}(\w+)  ", help_of(CAISSON).split("Subcommands:")[1].split("\n\n")[0], re.MULTILINE)
    assert listed == [command for command in COMMANDS if command and " " not in command]


@pytest.mark.parametrize("page, program", [("caissond.8", CAISSOND), ("caisson-gateway.8", GATEWAY), ("caisson-tls.8", TLS)])
def test_every_option_of_a_daemon_is_in_its_page(page, program):
    text = plain(PAGES / page)
    options = LONG_OPTION.findall(help_of(program))
    assert len(options) > 4
    for option in options:
        assert re.search(rf"^\s+(-\w, )?{option}\b", text, re.MULTILINE), option


def test_every_key_with_its_default_is_in_caissond_json_5():
    text = " ".join(plain(PAGES / "caissond.json.5").split())
    schema = json.loads((REPOSITORY / "deploy/caissond.schema.json").read_text())
    for name, key in schema["properties"].items():
        assert name in text
        if "default" in key:
            assert f"default {json.dumps(key['default'])}" in text, name


def test_every_documented_exit_code_is_in_caisson_1():
    text = plain(PAGES / "caisson.1")
    for code in ("124", "125", "128 + N", "COMPILE_FAILED"):
        assert code in text


@pytest.fixture
def stranger(tmp_path):
    """A program that is called caisson and has one option more than the page below knows of."""
    program = tmp_path / "caisson"
    program.write_text("#!/bin/sh\ncat <<END\nA stranger.\nUsage: $0 [OPTIONS]\n\nOptions:\n"
                       "  -h,--help                   Help\n  --new-thing COLOUR ...      Paint it\nEND\n")
    program.chmod(0o755)
    return program


def test_new_option_appears_without_a_change_to_the_page(stranger, tmp_path):
    template = tmp_path / "page.md"
    template.write_text("# caisson(1): a stranger\n\n## Options\n\n{{options caisson}}\n")
    done = make(template, tmp_path / "page", stranger)
    assert done.returncode == 0, done.stderr
    assert re.search(r"--new-thing COLOUR\s+Paint it\. Repeatable\.", plain(tmp_path / "page"))


def test_page_that_names_an_option_which_is_gone_is_not_made(stranger, tmp_path):
    template = tmp_path / "page.md"
    template.write_text("# caisson(1): a stranger\n\nGive **--old-thing** for more.\n")
    done = make(template, tmp_path / "page", stranger)
    assert done.returncode == 1
    assert "no program has the option --old-thing" in done.stderr
    assert not (tmp_path / "page").exists()


def test_help_of_an_unknown_layout_is_refused(stranger, tmp_path):
    stranger.write_text(stranger.read_text().replace("  --new-thing COLOUR ...   ", "     --new-thing (colour)  "))
    template = tmp_path / "page.md"
    template.write_text("# caisson(1): a stranger\n\n{{options caisson}}\n")
    done = make(template, tmp_path / "page", stranger)
    assert done.returncode != 0
    assert not (tmp_path / "page").exists()
