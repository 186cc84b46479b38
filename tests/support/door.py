"""A process of ours that listens on a port of the kernel's choice before a daemon: what caisson-gateway and caisson-tls have in common."""

import os
import signal
import subprocess
import threading

from support.environment import BIN_DIR, scaled
from support.users import ensure_user


class DoorProcess:
    """Use as a context manager. Runs under the system user of the program's name, which is made if it is missing.

    `port`: where it listens; `log`: its lines on standard error so far.
    """

    def __init__(self, program, *options, says, user=None):
        ensure_user(program)
        command = [str(BIN_DIR / program), "--listen", "127.0.0.1:0", *options]
        self.process = subprocess.Popen(command + (["--user", user] if user else []), stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith(says), line + self.process.stderr.read()
        self.port = int(line.rsplit(":", 1)[1])
        self.log = []
        self._reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(scaled(30))
        self._reader.join(scaled(10))
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        finally:
            if self.process.poll() is None:
                os.kill(self.pid, signal.SIGKILL)
            self.process.stdout.close()
