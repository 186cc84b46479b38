"""NSP-15: words of the host in what /proc tells about the run itself."""

from payload import ARGS, say

FILES = {"mountinfo": "mountinfo", "mounts": "mounts", "mountstats": "mountstats", "cgroup": "cgroup", "environ": "environ",
         "maps": "maps"}

for name, file in FILES.items():
    with open(f"/proc/self/{file}", errors="replace", encoding="utf-8") as opened:
        text = opened.read()
    found = sorted({word for word in ARGS if word in text})
    say(name, found or "nothing")
with open("/proc/self/cgroup", encoding="utf-8") as opened:
    paths = {line.strip().split(":", 2)[2] for line in opened}
say("cgroup_path", " ".join(sorted(paths)))
