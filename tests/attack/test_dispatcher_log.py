"""What a dispatcher under an attacker's control writes to its standard error stays its own, in bounds, in caissond's log."""

import re

from support import processes
from support.environment import scaled
from taken_over import taken_over


def test_log_cannot_be_forged_or_truncated(programs):
    attack = """
import errno
os.write(2, b"<6>2026-01-01T00:00:00.000Z caissond error forged\\n")
os.write(2, b"\\x1b[2J\\x1b]0;title\\x07<6>terminal\\r\\n")
os.write(2, b"long " + b"x" * 10000 + b"\\n")
def fails(call):
    try: call()
    except OSError as error: return errno.errorcode[error.errno]
    return None
report(truncate=fails(lambda: os.ftruncate(2, 0)), seek=fails(lambda: os.lseek(2, 0, 0)), target=os.readlink("/proc/self/fd/2"))
"""
    with taken_over(programs, attack) as daemon:
        report = daemon.report()
        assert (report["truncate"], report["seek"]) == ("EINVAL", "ESPIPE")
        assert report["target"].startswith("pipe:")
        for text, level in (("forged", "info"), ("terminal", "warning"), ("long ", "warning")):
            daemon.wait_for_log(text)
            line = next(line for line in daemon.log if text in line)
            assert re.match(r"20\d\d-[^ ]*Z dispatcher " + level + " ", line), line
        assert not any("\x1b" in line or "\r" in line for line in daemon.log)
        assert max(map(len, daemon.log)) < 5000


def test_flood_of_log_lines_is_bounded(programs):
    attack = """
end = time.monotonic() + 3
written = 0
while time.monotonic() < end:
    written += os.write(2, b"<4>flood\\n" * 400)
report(written=written)
"""
    with taken_over(programs, attack) as daemon:
        before = processes.cpu_seconds(daemon.pid)
        report = daemon.report()
        seconds = 3 + scaled(2)
        assert report["written"] < seconds * (1 << 20) + (1 << 20)  # the rest had to wait
        daemon.wait_for_log("log lines were dropped")
        assert sum("flood" in line for line in daemon.log) <= 100 * (seconds + 1)
        assert processes.cpu_seconds(daemon.pid) - before < scaled(1.5)
