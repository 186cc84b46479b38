"""PRV-05: the loader of a program that is not privileged shows what the kernel told it (LD_SHOW_AUXV); of a privileged one
it would not."""

import os
import subprocess

from payload import say

for name in ("su", "passwd", "mount"):
    path = f"/usr/bin/{name}"
    if not os.path.exists(path) or not os.stat(path).st_mode & 0o4000:
        say(name, "absent")
        continue
    done = subprocess.run([path, "--version"], env={"LD_SHOW_AUXV": "1"}, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    told = dict(line.split(":", 1) for line in done.stdout.splitlines() if line.startswith("AT_"))
    say(name, f"euid {told.get('AT_EUID', '?').strip()} secure {told.get('AT_SECURE', '?').strip()}")
