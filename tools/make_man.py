#!/usr/bin/python3
"""make_man.py [--version VERSION] [--program PATH]... TEMPLATE OUTPUT: one manual page.

A template (NAME.SECTION.md, in docs/man/) is Markdown whose first line is "# NAME(SECTION): WHAT IT IS". Lines of their own
in it are replaced:

    {{synopsis PROGRAM}}                 how each of the program's commands is called
    {{options PROGRAM [COMMAND...]}}     the command's options with their help texts
    {{examples PROGRAM [COMMAND...]}}    the examples of its help text
    {{keys FILE}}                        the keys of a JSON Schema: type, default, range, description
    {{table FILE HEADING}}               the table below a heading of another document

Programs are asked for their help. An option that the template's own text names and no program has is an error.
"""

import argparse
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import cli_model  # noqa: E402
import man_roff  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[1]
TITLE = re.compile(r"# ([\w.-]+)\((\d)\): (.+)")
DIRECTIVE = re.compile(r"^\{\{(\w+) (.+)\}\}$", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
MANUALS = {"1": "User Commands", "5": "File Formats", "8": "System Administration"}


def find(model, words):
    command = model[words[0]]
    for word in words[1:]:
        command = next(below for below in command.subcommands if below.path[-1] == word)
    return command


def synopsis(model, words):
    leaves = [command for command in model[words[0]].all() if not command.subcommands]
    return "```\n" + "\n".join(command.usage.replace("[OPTIONS]", "[OPTION]...") for command in leaves) + "\n```"


def entry_term(entry):
    names = ", ".join(f"**{name}**" for name in entry.names)
    if not entry.value or not entry.names[0].startswith("-"):
        return names
    return f"{names} *{'|'.join(entry.choices) or entry.value}*"


def options(model, words):
    command = find(model, words)
    text = "".join(f"{note}\n" for note in command.usage_notes) + "\n"
    for entry in [*command.positionals, *command.options]:
        # What is asked for everywhere is told once.
        if "--help" in entry.names and len(words) > 1:
            continue
        repeatable = " Repeatable." if entry.repeatable and "repeatable" not in entry.help else ""
        text += f"{entry_term(entry)}\n: {entry.help.rstrip('.')}.{repeatable}\n\n"
    return text


def examples(model, words):
    footer = find(model, words).footer
    found = re.search(r"^Examples?:\n((?:  .*\n?)+)", footer, re.MULTILINE)
    if not found:
        raise ValueError(f"{' '.join(words)}: its help has no examples")
    return "```\n" + re.sub(r"^  ", "", found[1], flags=re.MULTILINE).rstrip() + "\n```"


def described_type(key):
    """What a value of a schema's key looks like, in words."""
    if "const" in key:
        return f"must be {json.dumps(key['const'])}"
    if "enum" in key:
        return "one of " + ", ".join(f"`{json.dumps(value)}`" for value in key["enum"])
    if "anyOf" in key:
        return ", or ".join(described_type(part) for part in key["anyOf"])
    if key["type"] == "array":
        return f"list, each {described_type(key['items'])}"
    if "minimum" in key:
        return f"{key['type']} from {key['minimum']} to {key['maximum']}"
    return key["type"]


def keys(_, words):
    schema = json.loads((ROOT / words[0]).read_text())
    text = ""
    for name, key in schema["properties"].items():
        if name == "$schema":
            continue
        parts = [described_type(key)]
        if name in schema["required"]:
            parts.append("required")
        if "default" in key:
            parts.append(f"default `{json.dumps(key['default'])}`")
        description = key.get("description", "").rstrip(".")
        text += f"**{name}**\n: {'; '.join(parts)}.{' ' + description + '.' if description else ''}\n\n"
    return text


def table(_, words):
    document, heading = words[0], " ".join(words[1:])
    text = (ROOT / document).read_text()
    found = re.search(rf"^#+ {re.escape(heading)}\n[^#]*?((?:^\|.*\n)+)", text, re.MULTILINE)
    if not found:
        raise ValueError(f"{document} has no heading {heading!r} with a table")
    return found[1].strip()


def check_names(template, model):
    """A page that names an option which is gone is worse than none."""
    known = {name for root in model.values() for command in root.all() for entry in command.options for name in entry.names}
    unknown = sorted(set(OPTION.findall(DIRECTIVE.sub("", template))) - known)
    if unknown:
        raise ValueError(f"no program has the option {', '.join(unknown)}")


def expand(template, model):
    writers = {"synopsis": synopsis, "options": options, "examples": examples, "keys": keys, "table": table}
    return DIRECTIVE.sub(lambda match: writers[match[1]](model, match[2].split()), template)


def make(template, model, version):
    title = TITLE.match(template)
    if not title:
        raise ValueError("the first line is not '# NAME(SECTION): WHAT IT IS'")
    check_names(template, model)
    name, number, what = title.groups()
    body = expand(template[title.end():], model)
    return man_roff.page(name, number, MANUALS[number], version, f"## NAME\n{name} - {what}\n{body}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--version", default="")
    parser.add_argument("--program", action="append", default=[], help="a built program whose help the page may use")
    parser.add_argument("template", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    arguments = parser.parse_args()
    model = {pathlib.Path(path).name: cli_model.read(path) for path in arguments.program}
    try:
        text = make(arguments.template.read_text(), model, arguments.version)
    except (ValueError, KeyError, StopIteration, cli_model.NotUnderstood) as error:
        sys.exit(f"make_man.py: {arguments.template}: {error!r}")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(text)


if __name__ == "__main__":
    main()
