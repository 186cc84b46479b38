"""Writes a fish completion (make_completions.py)."""

HEAD = """\
# fish completion for {name}; made by tools/make_completions.py from its --help.

# Whether the command line has come to exactly this command: its words, options and their values left out.
function __{name}_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l path {name}
    set -l skip 0
    for word in $words
        if test $skip -eq 1
            set skip 0
            continue
        end
        switch "$path $word"
{walk}
        end
    end
    test "$path" = "$argv"
end

complete -c {name} -f
"""

HELPER = """\
function __{name}_{source}
    caisson {command} 2>/dev/null | awk 'NR > 1 {{ print $1 }}'
end
"""


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def values(completer, source, entry):
    """The part of a `complete` that says what follows."""
    lists = {"choices": " ".join(entry.choices) if entry else "", "limits": " ".join(f"{name}=" for name in completer.limits),
             "profiles": f"(__{completer.model.name}_profiles)", "runs": f"(__{completer.model.name}_runs)",
             "directories": "(__fish_complete_directories)"}
    if source in lists:
        return f"-a {quoted(lists[source])}"
    return {"files": "-F", "none": ""}[source]


def write(completer):
    model = completer.model
    name = model.name
    walk, lines = [], []
    for command in model.all():
        at = quoted(f"__{name}_at {command.name}")
        for below in command.subcommands:
            walk.append(f"            case '{command.name} {below.path[-1]}'\n                set path '{below.name}'")
            lines.append(f"complete -c {name} -n {at} -a {below.path[-1]} -d {quoted(below.summary.splitlines()[0])}")
        for entry in command.options:
            source = completer.source(command, entry)
            flags = " ".join(f"-l {word[2:]}" if word.startswith("--") else f"-s {word[1:]}" for word in entry.names)
            if source:
                cases = " ".join(f"'{command.name} {word}'" for word in entry.names)
                walk.append(f"            case {cases}\n                set skip 1")
                # Takes a value; -x: and files are none.
                flags += (" -r " if source == "files" else " -x ") + values(completer, source, entry)
            lines.append(f"complete -c {name} -n {at} {flags.strip()} -d {quoted(entry.help)}")
        for entry in command.positionals:
            lines.append(f"complete -c {name} -n {at} {values(completer, completer.source(command, entry), entry)}")
        if completer.takes_program(command):
            lines.append(f"complete -c {name} -n {at} -F")
    helpers = "".join(HELPER.format(name=name, source=source, command=question) for source, question in completer.asked())
    return HEAD.format(name=name, walk="\n".join(walk)) + helpers + "\n".join(lines) + "\n"
