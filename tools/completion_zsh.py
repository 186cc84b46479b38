"""Writes a zsh completion function (make_completions.py), on zsh's own _arguments."""

import re

ACTIONS = {"files": "_files", "directories": "_files -/", "none": " ", "profiles": "_caisson_profiles", "runs": "_caisson_runs"}

HELPER = """\
_caisson_{source}() {{
    local -a names=(${{(f)"$(caisson {command} 2>/dev/null | awk 'NR > 1 {{ print $1 }}')"}})
    compadd -a names
}}
"""


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def described(text):
    """A description inside of [ ]: those brackets, colons and backslashes are _arguments' own."""
    return re.sub(r"([\[\]:\\])", r"\\\1", text)


def action(completer, source, entry):
    if source == "choices":
        return "(" + " ".join(entry.choices) + ")"
    if source == "limits":
        return "compadd -S= -- " + " ".join(completer.limits)
    return ACTIONS[source]


def option_specs(completer, command, entry):
    """One word for _arguments for each of the option's names."""
    source = completer.source(command, entry)
    value = f":{entry.value.replace(':', ' ')}:{action(completer, source, entry)}" if source else ""
    for name in entry.names:
        others = "" if entry.repeatable else "(" + " ".join(entry.names) + ")"
        yield quoted(f"{'*' if entry.repeatable else others}{name}[{described(entry.help)}]{value}")


def function_name(command):
    return "_" + "_".join(command.path).replace("-", "_")


def command_function(completer, command):
    specs = [spec for entry in command.options for spec in option_specs(completer, command, entry)]
    for index, entry in enumerate(command.positionals, 1):
        specs.append(quoted(f"{index}:{entry.names[0]}:{action(completer, completer.source(command, entry), entry)}"))
    lines = [f"{function_name(command)}() {{"]
    if command.subcommands:
        specs += ["'1:command:->command'", "'*::argument:->argument'"]
        lines += ["    local state line", "    local -a commands", "    commands=("]
        lines += [f"        {quoted(below.path[-1] + ':' + below.summary.splitlines()[0])}" for below in command.subcommands]
        lines.append("    )")
    if completer.takes_program(command):
        specs += ["'1:FILE:_files'", "'*::ARG:_files'"]
    mark = "-C " if command.subcommands else "-S " if not completer.takes_program(command) else ""
    lines.append(f"    _arguments {mark}\\\n        " + " \\\n        ".join(specs))
    if command.subcommands:
        lines += ["    case $state in", "    command) _describe command commands ;;", "    argument)", "        case $line[1] in"]
        lines += [f"        {below.path[-1]}) {function_name(below)} ;;" for below in command.subcommands]
        lines += ["        esac ;;", "    esac"]
    return "\n".join([*lines, "}"]) + "\n"


def write(completer):
    model = completer.model
    functions = "\n".join(command_function(completer, command) for command in model.all())
    head = f"#compdef {model.name}\n# zsh completion for {model.name}; made by tools/make_completions.py from its --help.\n\n"
    helpers = "".join(HELPER.format(source=source, command=question) for source, question in completer.asked())
    return head + helpers + "\n" + functions + f'\n{function_name(model)} "$@"\n'
