#!/usr/bin/python3
"""make_completions.py --proto RUN_PROTO --output DIRECTORY PROGRAM...: completions for bash, zsh and fish.

Asks each built program for its help (cli_model.py), so a new option is completed without a change here. What help cannot
tell (that a NAME is a profile's, say) is the table SOURCES; a row of it that no program has is an error.

Writes DIRECTORY/bash/NAME, DIRECTORY/zsh/_NAME and DIRECTORY/fish/NAME.fish.
"""

import argparse
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import cli_model  # noqa: E402
import completion_bash  # noqa: E402
import completion_fish  # noqa: E402
import completion_zsh  # noqa: E402

# (command, option or positional) -> where its values come from. Profiles and runs are asked of the server.
SOURCES = {
    ("caisson run", "--profile"): "profiles",
    ("caisson run", "--limit"): "limits",
    ("caisson cancel", "NAME"): "runs",
    ("caisson image build", "PROFILE"): "profiles",
    ("caisson profile lint", "NAME"): "profiles",
    ("caisson profile explain", "NAME"): "profiles",
    ("caisson profile learn", "--profile"): "profiles",
    ("caisson profile learn", "--limit"): "limits",
    ("caisson profile import", "--profile"): "profiles",
    ("caisson profile import", "FILE"): "files",
    ("caisson profile export", "NAME"): "profiles",
}
ASKED = (("profiles", "profile list"), ("runs", "ps"))
SOURCE_OF_TYPE = {"PATH": "files", "FILE": "files", "RESULT": "files", "DIR": "directories"}


class Completer:
    """What the shells' writers ask: the model, and where a value comes from."""

    def __init__(self, model, limits):
        self.model = model
        self.limits = limits

    def source(self, command, entry):
        """"choices", "files", "directories", "profiles", "limits", "runs", "none"; "" for a flag."""
        for name in entry.names:
            if (command.name, name) in SOURCES:
                return SOURCES[command.name, name]
        if entry.names[0].startswith("-") and not entry.value:
            return ""
        if entry.choices:
            return "choices"
        return SOURCE_OF_TYPE.get(entry.value, "none")

    def asked(self):
        """(source, command of the command line that answers it) for the sources that ask a server."""
        used = {self.source(command, entry) for command in self.model.all()
                for entry in [*command.positionals, *command.options]}
        return [(source, question) for source, question in ASKED if source in used]

    def takes_program(self, command):
        """Whether everything after the first plain word belongs to somebody else (FILE [ARG...])."""
        return "[ARG...]" in command.usage


def limit_names(proto):
    message = re.search(r"^message Limits \{(.*?)^\}", proto, re.MULTILINE | re.DOTALL)
    names = re.findall(r"^\s+(?:optional )?uint64 (\w+) = \d+", message[1], re.MULTILINE)
    if not names:
        raise ValueError("the .proto file has no limits")
    return names


def check_sources(models):
    known = {(command.name, name) for model in models for command in model.all()
             for entry in [*command.positionals, *command.options] for name in entry.names}
    gone = sorted(key for key in SOURCES if key not in known)
    if gone:
        raise ValueError(f"SOURCES names what no program has: {gone}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--proto", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("programs", nargs="+", metavar="PROGRAM")
    arguments = parser.parse_args()
    try:
        models = [cli_model.read(program) for program in arguments.programs]
        check_sources(models)
        limits = limit_names(arguments.proto.read_text())
    except (ValueError, cli_model.NotUnderstood) as error:
        sys.exit(f"make_completions.py: {error!r}")
    for model in models:
        completer = Completer(model, limits)
        for shell, writer, name in (("bash", completion_bash, model.name), ("zsh", completion_zsh, f"_{model.name}"),
                                    ("fish", completion_fish, f"{model.name}.fish")):
            path = arguments.output / shell / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(writer.write(completer))


if __name__ == "__main__":
    main()
