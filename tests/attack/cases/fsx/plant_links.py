"""FSX-15: links to a file of the host's that anybody may write, at every name somebody might write later."""

import os

from payload import ARGS, say

NAMES = ["stdin", "stdout", "stderr", "input", "output", "result", "result.json", "status", "meta", "metadata", "run", "run.sh", "run_script",
         "compile", "compile.sh", "compile_output", "compile.log", "main", "main.pyc", "a.out", "program.out", "log", "exit_code", "exit",
         ".caisson", ".caisson-result", ".caisson-init", "core", "core.1", "usage", "time", "pid", "lock", ".lock", "cgroup.procs", "tar", "out"]

planted = 0
for directory in ("/box", "/tmp", "/dev/shm"):
    for name in NAMES:
        try:
            os.symlink(ARGS[0], f"{directory}/{name}")
            planted += 1
        except FileExistsError:
            pass
os.unlink("/box/main.py")
os.symlink(ARGS[0], "/box/main.py")
say("planted", planted)
say("canary_visible", "yes" if os.path.exists("/box/main.py") else "no")
