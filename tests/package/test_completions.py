"""The shells complete what the programs have: asked of bash, zsh and fish themselves."""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time

import pytest

from support.environment import BIN_DIR, scaled

COMPLETIONS = BIN_DIR.parent / "completions"
SHELLS = ("bash", "zsh", "fish")
PROMPT = "READY> "


def environment(daemon=None):
    found = {**os.environ, "PATH": f"{BIN_DIR}:{os.environ['PATH']}", "TERM": "dumb", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}
    if daemon is not None:
        found["CAISSON_SOCKET"] = daemon.address
    return found


def ask_bash(words, directory, daemon):
    program = words[0]
    script = (f"source '{COMPLETIONS}/bash/{program}'; compopt() {{ :; }}\n"
              f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1}\n"
              f"_{program}; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    done = subprocess.run(["bash", "--norc", "-c", script], cwd=directory, env=environment(daemon), capture_output=True, text=True,
                          timeout=scaled(30), check=True)
    assert done.stderr == ""
    return done.stdout.split()


def ask_fish(words, directory, daemon):
    script = f"source '{COMPLETIONS}/fish/{words[0]}.fish'; complete -C '{' '.join(words)}'"
    done = subprocess.run(["fish", "--no-config", "-c", script], cwd=directory, env={**environment(daemon), "HOME": str(directory)},
                          capture_output=True, text=True, timeout=scaled(30), check=True)
    assert done.stderr == ""
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


class Zsh:
    """An interactive zsh on a terminal of its own: zsh completes nowhere else."""

    def __init__(self, directory, daemon):
        # compinit reads the functions from a directory whose modes it trusts.
        functions = directory / "functions"
        shutil.copytree(COMPLETIONS / "zsh", functions)
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            os.execve("/usr/bin/zsh", ["zsh", "-f", "-i"], {**environment(daemon), "PS1": PROMPT, "COLUMNS": "200"})
        self.read_until(PROMPT)
        self.say(f"stty -echo; unsetopt zle_bracketed_paste; fpath=({functions} $fpath); autoload -Uz compinit; compinit -D -u")
        self.say("LISTMAX=10000; unsetopt auto_menu list_ambiguous beep; setopt list_rows_first; zstyle ':completion:*' verbose no")
        # One match a line, between marks, instead of zsh's lists for people.
        self.say("complete-and-tell() { local -a found; compadd() { if [[ ${@[(I)-O|-A|-D]} -gt 0 ]]; then builtin compadd \"$@\"; "
                 "else builtin compadd -O found \"$@\"; print -rl -- \"<${^found[@]}>\"; builtin compadd \"$@\"; fi }; _main_complete; "
                 "unfunction compadd; print ALL-TOLD }")
        self.say("zle -C tell complete-word complete-and-tell; bindkey '^T' tell; bindkey '^U' kill-whole-line")

    def read_until(self, mark):
        text, deadline = "", time.monotonic() + scaled(20)
        while mark not in text:
            ready, _, _ = select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"zsh does not come to {mark!r}: {text!r}"
            text += os.read(self.terminal, 65536).decode(errors="replace")
        return text

    def say(self, line):
        os.write(self.terminal, line.encode() + b"\n")
        self.read_until(PROMPT)

    def ask(self, words):
        os.write(self.terminal, " ".join(words).encode() + b"\x14")
        found = re.findall(r"<([^<>\s]+)>", self.read_until("ALL-TOLD"))
        os.write(self.terminal, b"\x15")
        return found

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def ask_zsh(words, directory, daemon):
    shell = Zsh(directory, daemon)
    try:
        return shell.ask(words)
    finally:
        shell.close()


@pytest.fixture(params=SHELLS)
def ask(request, tmp_path):
    """ask(words, daemon) -> what the shell offers in place of the last word."""
    def asked(words, daemon=None):
        directory = pathlib.Path(tempfile.mkdtemp(dir=tmp_path))
        (directory / "program.py").touch()
        return {"bash": ask_bash, "zsh": ask_zsh, "fish": ask_fish}[request.param](words, directory, daemon)

    return asked


@pytest.mark.parametrize("shell, path", [("bash", "bash/caisson"), ("zsh", "zsh/_caisson"), ("fish", "fish/caisson.fish"),
                                         ("bash", "bash/caissond"), ("zsh", "zsh/_caissond"), ("fish", "fish/caissond.fish")])
def test_shell_can_read_its_file(shell, path):
    done = subprocess.run([shell, "-n", str(COMPLETIONS / path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_commands(ask):
    assert {"run", "ps", "cancel", "profile", "doctor", "version"} <= set(ask(["caisson", ""]))


def test_commands_below_a_command(ask):
    assert set(ask(["caisson", "profile", ""])) >= {"list", "lint", "explain"}


def test_options_of_a_command_by_their_beginning(ask):
    assert set(ask(["caisson", "run", "--pro"])) == {"--profile"}
    assert "--profile" not in ask(["caisson", "ps", "--"])


def test_options_of_the_daemon(ask):
    assert {"--check", "--config", "--socket"} <= set(ask(["caissond", "--"]))


def test_values_of_a_closed_list(ask):
    assert set(ask(["caisson", "run", "--output-overflow", ""])) == {"truncate", "kill"}


def test_limits_by_name(ask):
    assert {name.rstrip("=") for name in ask(["caisson", "run", "--limit", "wall"])} == {"wall_time_ms"}


def test_files_for_the_program(ask):
    assert "program.py" in ask(["caisson", "run", "--limit", "pids=3", "prog"])


def test_profiles_of_the_server(ask, daemon):
    assert {"python", "native"} <= set(ask(["caisson", "run", "--profile", ""], daemon))


def test_without_a_server_there_are_no_profiles_and_no_noise(ask, tmp_path, monkeypatch):
    monkeypatch.setenv("CAISSON_SOCKET", f"unix:{tmp_path}/nobody")
    assert not {"python", "native"} & set(ask(["caisson", "run", "--profile", ""]))


def test_names_that_a_shell_would_expand_are_not_taken(tmp_path):
    """bash's compgen runs $(…) in its word list: a server's answer must not get there unread."""
    fake = tmp_path / "caisson"
    fake.write_text("#!/bin/sh\nprintf 'NAME\\n%s\\npython\\n' '$(touch${IFS}stolen)'\n")
    fake.chmod(0o755)
    script = (f"PATH={tmp_path}:$PATH; source '{COMPLETIONS}/bash/caisson'; COMP_WORDS=(caisson run --profile ''); COMP_CWORD=3\n"
              "_caisson; printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = subprocess.run(["bash", "--norc", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["python"]
    assert not (tmp_path / "stolen").exists()
