"""NSP-10, NSP-12: is there any cgroup file to write?"""

import os

from payload import ARGS, attempt, say

PLACES = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified", "/cgroup", "/dev/cgroup", "/proc/1/root/sys/fs/cgroup"]

with open("/proc/self/mountinfo", encoding="ascii") as mounts:
    found = [line for line in mounts if "cgroup" in line]
say("mounted", found or "none")
for name in ARGS:
    answers = set()
    for place in PLACES:
        try:
            os.open(f"{place}/{name}", os.O_WRONLY)
            answers.add("opened")
        except OSError as error:
            answers.add(error.strerror)
    attempt(name, lambda n=name: [os.open(f"{place}/{n}", os.O_WRONLY) for place in PLACES])
    if answers != {"No such file or directory"}:
        say(f"{name}-others", answers)
attempt("mkdir", lambda: os.mkdir("/sys"))
