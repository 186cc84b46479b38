"""A daemon whose dispatcher is a program of an attacker's (hostile_dispatcher.py), and what the attack saw."""

import contextlib
import json
import re
import signal

from support import leakcheck, processes
from support.daemon import Daemon
from support.environment import scaled


class TakenOver(Daemon):
    """A daemon whose first dispatcher attacks. Its one profile is python."""

    def __init__(self, programs, attack, **config):
        super().__init__(config=config, profiles=["python"])
        self._program = programs / "caissond"
        self._attack = attack

    def write_files(self):
        super().write_files()
        path = self.directory / "attack.py"
        path.write_text(self._attack)
        path.chmod(0o644)

    def command(self, *extra):
        return [str(self._program), *super().command(*extra)[1:]]

    def dispatchers(self):
        """The pids of all that have served, from caissond's log."""
        return [int(match[1]) for line in list(self.log) if (match := re.search(r"ready: .*\(dispatcher (\d+)", line))]

    def sandbox_pids(self):
        """Everything inside sandboxes, those that only wait among them."""
        return processes.with_uid_in(self.id_first, self.config["id_count"])

    def wait_for_log(self, text, timeout=15):
        assert processes.wait_until(lambda: any(text in line for line in list(self.log)), scaled(timeout)), (
            f"{text!r} is not in the log:\n" + "".join(self.log))

    def wait_for_next_dispatcher(self, timeout=15):
        assert processes.wait_until(lambda: len(self.dispatchers()) > 1, scaled(timeout)), "".join(self.log)
        assert processes.wait_dead(self.dispatchers()[0], scaled(5))

    def pause(self, timeout=30):
        """Stops caissond from the attack's pause() to its resume(): it then finds all that was sent meanwhile, and the
        attacker has closed its own copies."""
        ours = self.directory / "socket"
        assert processes.wait_until((ours / "pause").exists, scaled(timeout)), "".join(self.log)
        self.process.send_signal(signal.SIGSTOP)
        try:
            assert processes.wait_until(lambda: processes.status_field(self.pid, "State").startswith("T"), scaled(5))
            (ours / "paused").touch()
            assert processes.wait_until((ours / "resume").exists, scaled(timeout))
        finally:
            self.process.send_signal(signal.SIGCONT)

    def report(self, timeout=30):
        """What the attack reported, once it has."""
        path = self.directory / "socket" / "report.json"
        assert processes.wait_until(path.exists, scaled(timeout)), "".join(self.log)
        values = json.loads(path.read_text())
        assert "error" not in values, values["error"]
        return values


@contextlib.contextmanager
def taken_over(programs, attack, **config):
    """At the end caissond still does its duty: it stops in order, and nothing is left."""
    with leakcheck.nothing_left():
        with TakenOver(programs, attack, **{"grace_ms": 200, **config}) as daemon:
            yield daemon
            assert daemon.stop() == 0, "".join(daemon.log)
            assert daemon.sandbox_pids() == []
