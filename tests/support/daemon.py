"""A caissond of one's own: state, socket, ids and profiles in a temporary directory, nothing shared with an installed one."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading

from support import processes
from support.environment import CAISSOND, REPOSITORY, scaled
from support.ownership import DIRECTORY_PREFIX, ID_COUNT, marks
from support.users import ensure_user

PROFILES = REPOSITORY / "profiles"


class DaemonFailed(Exception):
    """caissond ended where it should have become ready. `code` and `log` say how."""

    def __init__(self, code, log):
        super().__init__(f"caissond exited with {code}:\n" + "".join(log[-60:]))
        self.code = code
        self.log = log


def with_bases(names):
    """The files of the shipped profiles of these names, of what they extend, and those that all of them need."""
    found, todo = {"schema", "syscall-groups"}, list(names)
    while todo:
        name = todo.pop()
        found.add(name)
        profile = json.loads((PROFILES / f"{name}.json").read_text(encoding="utf-8"))
        todo += [profile["extends"]] if "extends" in profile else []
    return sorted(f"{name}.json" for name in found)


class Daemon:
    """Use as a context manager. `config` overrides keys of the configuration file; None removes one. `profiles` names those
    it has; all, unless given: to read and compile them all is most of a start."""

    def __init__(self, directory=None, config=None, profiles=None, **config_keys):
        self._shipped = profiles
        self._own_directory = directory is None
        # Below /run: the sockets' path must be short, and the dispatcher's user must be able to reach it.
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix=DIRECTORY_PREFIX, dir="/run"))
        os.chmod(self.directory, 0o755)
        self.socket_path = self.directory / "socket" / "caisson.sock"
        self.address = f"unix:{self.socket_path}"
        self.config_file = self.directory / "caissond.json"
        self.profiles_dir = self.directory / "profiles"
        self.id_first = marks.take_ids()
        self.config = {
            "schema_version": 1,
            "socket": self.address,
            "state_dir": str(self.directory / "state"),
            "records_dir": str(self.directory / "records"),
            "profiles_dir": str(self.profiles_dir),
            "id_first": self.id_first,
            "id_count": ID_COUNT,
            **(config or {}),
            **config_keys,
        }
        self.config = {key: value for key, value in self.config.items() if value is not None}
        marks.add_instance(self.config["state_dir"])
        self.process = None
        self.log = []
        self._ready = threading.Event()
        self._reader = None

    def write_files(self):
        """Configuration and a copy of the profiles, with the modes caissond asks for. Keeps profiles a test has put there."""
        if not self.profiles_dir.exists():
            if self._shipped is None:
                shutil.copytree(PROFILES, self.profiles_dir)
            else:
                self.profiles_dir.mkdir()
                for file in with_bases(self._shipped):
                    shutil.copy(PROFILES / file, self.profiles_dir)
            for path in [self.profiles_dir, *self.profiles_dir.rglob("*")]:
                os.chown(path, 0, 0)
                os.chmod(path, 0o755 if path.is_dir() else 0o644)
        if not self.config_file.exists():
            self.config_file.write_text(json.dumps(self.config, indent=2) + "\n")
            os.chmod(self.config_file, 0o644)

    def command(self, *extra):
        return [str(CAISSOND), "--config", str(self.config_file), *extra]

    def start(self, timeout=30):
        """Returns when the daemon has said that it is ready; DaemonFailed if it ends instead."""
        ensure_user()
        self.write_files()
        self._ready.clear()
        self.log = []
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True, errors="replace")
        self._reader = threading.Thread(target=self._read_log, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        if not self._ready.wait(scaled(timeout)):
            self.process.kill()
            self.process.wait()
            # Not DaemonFailed: nobody who expects a refusal may take a start without end for one.
            raise AssertionError("caissond neither became ready nor ended:\n" + "".join(self.log[-60:]))
        if self.process.poll() is not None and not self.is_ready_logged():
            raise DaemonFailed(self.process.returncode, self.log)
        return self

    def is_ready_logged(self):
        return any("ready" in line for line in self.log)

    def _read_log(self, stream):
        for line in stream:
            self.log.append(line)
            if "ready" in line:
                self._ready.set()
        self.process.wait()
        self._ready.set()  # it ended: nobody has to wait any longer

    @property
    def pid(self):
        return self.process.pid

    def dispatcher_pid(self):
        """The live caisson-dispatcher below this caissond, or None."""
        for pid in processes.children(self.pid):
            name = processes.status_field(pid, "Name")
            state = processes.status_field(pid, "State")
            # Between the two reads it may have gone, and has no state then.
            if name is not None and name.startswith("caisson-dispatc") and state is not None and not state.startswith("Z"):
                return pid
        return None

    def _inside(self):
        """{pid: parent's pid} of everything inside sandboxes."""
        return processes.parents_with_uid_in(self.id_first, self.config["id_count"])

    def run_pids(self):
        """Host pids of everything of this daemon's runs. Sandboxes that wait for their first use are not of any run."""
        inside = self._inside()
        waiting = self._waiting(inside)
        return [pid for pid in inside if pid not in waiting]

    def runs_are_gone(self):
        """Whether nothing of any run is there within a second. Just after a result its init may still be on its way out."""
        return processes.wait_until(lambda: self.run_pids() == [], scaled(1))

    def waiting_pids(self):
        """Host pids of never-used sandboxes: an init whose one child is its stub, which has not become a program yet."""
        return self._waiting(self._inside())

    def _waiting(self, inside):
        waiting = set()
        for pid, parent in inside.items():
            below = [child for child, its_parent in inside.items() if its_parent == pid]
            if parent == self.pid and len(below) == 1 and all(processes.is_init(one) for one in (pid, *below)):
                waiting |= {pid, *below}
        return waiting

    def stop(self, timeout=30):
        """SIGTERM; the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(scaled(timeout))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("caissond did not end after SIGTERM:\n" + "".join(self.log[-60:])) from None
        self._reader.join(scaled(5))
        return code

    def kill9(self):
        self.process.kill()
        self.process.wait()
        # Its reader must have seen the end, or it would call the next start ready.
        self._reader.join(scaled(5))
        assert not self._reader.is_alive(), "something still holds the killed caissond's log"

    def remove_files(self):
        if self._own_directory:
            shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.remove_files()
            raise

    def __exit__(self, *_):
        try:
            if self.process is not None and self.process.poll() is None:
                self.stop()
        finally:
            self.remove_files()
