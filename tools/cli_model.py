"""What a program's command line offers, read from its own --help, and that of each of its subcommands.

Used by make_man.py and make_completions.py, so that pages and completions are never copied by hand. Reads the layout
of CLI11's formatter; whatever it does not understand is an error, never skipped.
"""

import dataclasses
import pathlib
import re
import subprocess

SECTIONS = ("Positionals:", "Options:", "Subcommands:")
# The column where CLI11 starts the descriptions; a longer left side has its description on the next line.
HELP_COLUMN = 30
RELATIONS = ("Needs:", "Excludes:")
FOOTER_MISTAKE = re.compile(r"^ {2}-")


class NotUnderstood(Exception):
    """The help text has a line that is not of the known layout."""


@dataclasses.dataclass
class Entry:
    """An option, a positional argument or a subcommand's line. `value` is the type as shown, "" for a flag."""

    names: list
    value: str
    help: str
    repeatable: bool = False
    required: bool = False

    @property
    def choices(self):
        """The only values there are, or []."""
        listed = re.fullmatch(r"\w*:?\{(.*)\}", self.value)
        if listed:
            return listed[1].split(",")
        return self.value.split("|") if "|" in self.value else []


@dataclasses.dataclass
class Command:
    """One command. `path` is the words that call it: ["caisson", "profile", "list"]."""

    path: list
    summary: str
    usage: str
    usage_notes: list
    positionals: list
    options: list
    subcommands: list
    footer: str

    @property
    def name(self):
        return " ".join(self.path)

    def all(self):
        """This command and everything below it."""
        yield self
        for command in self.subcommands:
            yield from command.all()

    def option(self, name):
        return next((entry for entry in self.options if name in entry.names), None)


def parse_left(text):
    """The names, type and marks of one entry's left side: "-a,--all", "--limit NAME=VALUE ...", "NAME TEXT REQUIRED"."""
    words = text.split()
    if not words:
        raise NotUnderstood(text)
    entry = Entry(names=words[0].split(","), value="", help="")
    for word in words[1:]:
        if word in RELATIONS:  # to other options, which the help texts tell in words
            break
        if word == "...":
            entry.repeatable = True
        elif word == "REQUIRED":
            entry.required = True
        elif not entry.value:
            entry.value = word
        else:
            raise NotUnderstood(f"{text!r}: {word!r} is neither a type nor a mark")
    return entry


def parse_entries(lines):
    entries = []
    for line in lines:
        left, right = line[:HELP_COLUMN], line[HELP_COLUMN:]
        if not left.strip():  # goes on with, or begins, the description of the entry above
            if not entries or not right.strip():
                raise NotUnderstood(line)
            entries[-1].help = f"{entries[-1].help} {right.strip()}".strip()
        elif left.startswith("  ") and left[2] != " ":
            if not left.endswith(" ") and len(line) > HELP_COLUMN:  # too long for its column
                left, right = line, ""
            entries.append(parse_left(left.strip()))
            entries[-1].help = right.strip()
        else:
            raise NotUnderstood(line)
    return entries


def parse_help(text, path):
    """The Command of one help text, its subcommands by name only."""
    lines = text.rstrip().splitlines()
    usage_at = next((at for at, line in enumerate(lines) if line.startswith("Usage: ")), None)
    if usage_at is None:
        raise NotUnderstood(f"{' '.join(path)}: no usage line")
    first_section = next((at for at, line in enumerate(lines) if line in SECTIONS), len(lines))
    sections = dict.fromkeys(SECTIONS, ())
    at = first_section
    while at < len(lines) and lines[at] in SECTIONS:
        end = at + 1
        while end < len(lines) and lines[end]:
            end += 1
        sections[lines[at]] = lines[at + 1:end]
        at = end + 1
    footer = lines[at:]
    if any(FOOTER_MISTAKE.match(line) for line in footer):
        raise NotUnderstood(f"{' '.join(path)}: options in a section that is not one of {SECTIONS}")
    usage = lines[usage_at].removeprefix("Usage: ")
    # A program shows itself by the path it was called by.
    usage = re.sub(rf"^\S*{re.escape(path[0])}(?=\s|$)", path[0], usage)
    return Command(path=path, summary="\n".join(lines[:usage_at]).strip(), usage=usage,
                   usage_notes=[line for line in lines[usage_at + 1:first_section] if line],
                   positionals=parse_entries(sections["Positionals:"]), options=parse_entries(sections["Options:"]),
                   subcommands=parse_entries(sections["Subcommands:"]), footer="\n".join(footer).strip())


def read(program, path=None):
    """The whole Command of a program, asked recursively."""
    program = pathlib.Path(program)
    path = path or [program.name]
    done = subprocess.run([str(program), *path[1:], "--help"], capture_output=True, text=True, timeout=60, check=True)
    command = parse_help(done.stdout, path)
    command.subcommands = [read(program, [*path, entry.names[0]]) for entry in command.subcommands]
    return command
