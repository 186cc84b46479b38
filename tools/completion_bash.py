"""Writes a bash completion (make_completions.py). Needs nothing but bash itself."""

HEAD = """\
# bash completion for {name}; made by tools/make_completions.py from its --help.

"""

# compgen expands what it is given, so only names that are plainly names may come from a server.
HELPER = """\
__{name}_{source}() {{ caisson {command} 2>/dev/null | awk 'NR > 1 && $1 ~ /^[a-z0-9\\/-]+$/ {{ print $1 }}'; }}
"""

BODY = """\
_{name}() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
    local path={name} positionals=0 options="" subcommands="" at word
    COMPREPLY=()
    # Which command is it, and how many plain words has it got already?
    for ((at = 1; at < COMP_CWORD; ++at)); do
        word=${{COMP_WORDS[at]}}
        case "$path $word" in
{walk}
        *" =") ((++at)) ;;
        *" -"*) ;;
        *) ((++positionals)) ;;
        esac
        case "$path $positionals" in
{programs}
        esac
    done
    case "$path $previous" in
{values}
    esac
    case "$path" in
{lists}
    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
    elif [[ -n $subcommands ]]; then
        COMPREPLY=($(compgen -W "$subcommands" -- "$current"))
    else
        case "$path $positionals" in
{positionals}
        esac
    fi
}}
complete -F _{name} {name}
"""


def reply(completer, source, entry):
    """The statement that fills COMPREPLY with the values of a source."""
    words = {"choices": " ".join(entry.choices) if entry else "", "limits": " ".join(f"{name}=" for name in completer.limits)}
    if source in words:
        suffix = "; compopt -o nospace" if source == "limits" else ""
        return f'COMPREPLY=($(compgen -W "{words[source]}" -- "$current")){suffix}'
    if source in ("profiles", "runs"):
        return f'COMPREPLY=($(compgen -W "$(__{completer.model.name}_{source})" -- "$current"))'
    if source in ("files", "directories"):
        kind = "d" if source == "directories" else "f"
        return f'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -{kind} -- "$current")'
    return ":"


def write(completer):
    model = completer.model
    walk, values, lists, positionals, programs = [], [], [], [], []
    for command in model.all():
        for below in command.subcommands:
            walk.append(f'        "{command.name} {below.path[-1]}") path="{below.name}" positionals=0 ;;')
        for entry in command.options:
            source = completer.source(command, entry)
            if source:
                patterns = "|".join(f'"{command.name} {name}"' for name in entry.names)
                walk.append(f"        {patterns}) ((++at)) ;;")
                values.append(f"    {patterns})\n        {reply(completer, source, entry)}\n        return ;;")
        options = " ".join(name for entry in command.options for name in entry.names)
        subcommands = " ".join(below.path[-1] for below in command.subcommands)
        lists.append(f'    "{command.name}") options="{options}" subcommands="{subcommands}" ;;')
        for index, entry in enumerate(command.positionals):
            positionals.append(f'        "{command.name} {index}") {reply(completer, completer.source(command, entry), entry)} ;;')
        if completer.takes_program(command):
            files = reply(completer, "files", None)
            # Past FILE, everything is the program's own: files are the best guess.
            programs.append(f'        "{command.name} 1") {files}; return ;;')
            positionals.append(f'        "{command.name} 0") {files} ;;')
    helpers = [HELPER.format(name=model.name, source=source, command=question) for source, question in completer.asked()]
    return HEAD.format(name=model.name) + "".join([*helpers, "\n"] if helpers else []) + BODY.format(
        name=model.name, walk="\n".join(walk), values="\n".join(values), lists="\n".join(lists),
        positionals="\n".join(positionals) or "        *) ;;", programs="\n".join(programs) or "        *) ;;")
