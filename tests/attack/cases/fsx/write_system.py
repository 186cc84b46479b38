"""FSX-01: every directory that can be seen, and a few files that matter."""

import errno
import os

from payload import say

OWN = ("/box", "/tmp", "/proc", "/dev/shm")


def answer(call):
    try:
        call()
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]


def every_directory(most):
    count = 0
    for top, directories, _ in os.walk("/"):
        directories[:] = [name for name in directories if not os.path.join(top, name).startswith(OWN) and not os.path.islink(os.path.join(top, name))]
        yield top
        count += 1
        if count == most:
            return


def create(path):
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o666))


places = list(every_directory(400))
say("directories", " ".join(sorted({answer(lambda p=place: create(f"{p}/caisson-attack")) for place in places})))
say("tried", len(places))
files = ["/etc/passwd", "/etc/ld.so.cache", "/etc/hosts", "/usr/bin/env", "/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/bin/python3"]
say("existing", " ".join(sorted({answer(lambda p=path: os.open(p, os.O_WRONLY)) for path in files})))
say("appended", " ".join(sorted({answer(lambda p=path: os.open(p, os.O_WRONLY | os.O_APPEND | os.O_CREAT)) for path in files})))
say("removed", " ".join(sorted({answer(lambda p=path: os.unlink(p)) for path in files})))
say("renamed", " ".join(sorted({answer(lambda p=path: os.rename(p, p + ".old")) for path in files})))
say("linked", " ".join(sorted({answer(lambda p=path: os.link(p, p + ".old")) for path in files})))
say("modes", " ".join(sorted({answer(lambda p=path: os.chmod(p, 0o777)) for path in files})))
say("times", " ".join(sorted({answer(lambda p=path: os.utime(p)) for path in files})))
