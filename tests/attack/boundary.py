"""The boundary between caissond and its dispatcher, as an attacker would write it: struct formats and a raw socket.

The layouts repeat src/ipc/messages.h on purpose. The standard library only: hostile_dispatcher.py runs it in the
dispatcher's place, as the user caisson.
"""

import array
import fcntl
import os
import socket
import struct

MAGIC, VERSION = 0x50495343, 9
PREPARE, START, CANCEL, SERVING, SIGNAL, RELOAD = 1, 2, 3, 4, 5, 6
HELLO, PREPARED, PREPARE_FAILED, STARTED, START_REFUSED, FINISHED, DRAIN, LISTENER, POLICY, RELOADED = range(64, 74)
HEADER = struct.Struct("<IHHII")
COMPILE, RUN = 1, 2

UNKNOWN_PROFILE, UNKNOWN_STEP, LIMIT_OUT_OF_RANGE, CAPACITY, BAD_BUNDLE, DRAINING, SETUP_FAILED = range(1, 8)
VERDICTS = ["", "COMPLETED", "SIGNALED", "WALL_TIME_LIMIT", "CPU_TIME_LIMIT", "MEMORY_LIMIT", "OUTPUT_LIMIT",
            "SYSCALL_VIOLATION", "CANCELED", "COMPILE_FAILED", "SANDBOX_SETUP_FAILED", "SERVICE_FAILED"]

MIB = 1 << 20
LIMITS = {"wall_time_ms": 10_000, "cpu_time_ms": 10_000, "memory_bytes": 64 * MIB, "pids": 16, "open_files": 64,
          "file_size_bytes": 16 * MIB, "stack_bytes": 8 * MIB, "cpu_millis": 1000}


def message(kind, body=b"", *, magic=MAGIC, version=VERSION, length=None, reserved=0):
    size = HEADER.size + len(body)
    return HEADER.pack(magic, version, kind, size if length is None else length, reserved) + body


def prepare(sandbox=1, profile=b"python", step=RUN, tty=0, disk_bytes=16 * MIB, inode_count=256, leaves_last=0):
    return message(PREPARE, struct.pack("<Q64sIIQQII", sandbox, profile, step, tty, disk_bytes, inode_count, leaves_last, 0))


def start(sandbox=1, collect_ms=0, **limits):
    values = {**LIMITS, **limits}
    return message(START, struct.pack("<Q16s9Q", sandbox, bytes(range(16)), *values.values(), collect_ms))


def cancel(sandbox=1, reason=1, detail=0, limit=0, observed=0):
    return message(CANCEL, struct.pack("<QIIQQ", sandbox, reason, detail, limit, observed))


def signal(sandbox=1, number=15, reserved=0):
    return message(SIGNAL, struct.pack("<QiI", sandbox, number, reserved))


def serving():
    return message(SERVING)


def reload():
    return message(RELOAD)


def memfd(data=b"", size=None, seals=fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL):
    fd = os.memfd_create("hostile", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, data)
    if size is not None:
        os.ftruncate(fd, size)
    if seals:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def bundle(source):
    """A well-formed bundle with one file, main.py."""
    name, data = b"main.py", source.encode()

    def record(kind, mode, content):
        body = struct.pack("<IIIIQ", kind, mode, len(name), 0, len(content)) + name + b"\0" + content
        return body + bytes(-len(body) % 8)

    return memfd(struct.pack("<IIII", 0x4C444E42, 1, 2, 0) + record(4, 0o644, data) + record(1, 0, b""))


class Reply:
    """One packet from caissond."""

    def __init__(self, data, fds):
        self.kind = HEADER.unpack_from(data)[2]
        self.body = data[HEADER.size:]
        self.fds = fds
        self.sandbox = struct.unpack_from("<Q", self.body)[0] if len(self.body) >= 8 else 0

    def refusal(self):
        return struct.unpack_from("<QI", self.body)[1]

    def verdict(self):
        return VERDICTS[struct.unpack_from("<QI", self.body)[1]]

    def close(self):
        for fd in self.fds:
            os.close(fd)
        self.fds = []


class Boundary:
    """Our end, descriptor 3."""

    def __init__(self):
        self.socket = socket.socket(fileno=3)
        self.socket.setblocking(True)

    def send(self, data, fds=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self.socket.sendmsg([data], rights)

    def receive(self):
        """The next packet, or None at the end of the session."""
        fds = array.array("i")
        try:
            data, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(5 * fds.itemsize))
        except ConnectionError:
            return None
        for level, kind, content in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                fds.frombytes(content[:len(content) - len(content) % fds.itemsize])
        return Reply(data, list(fds)) if data else None

    def expect(self, *kinds):
        """The next packet of one of these kinds; others are passed over. EOFError at the end of the session."""
        while (reply := self.receive()) is not None:
            if reply.kind in kinds:
                return reply
            reply.close()
        raise EOFError

    def prepared(self, sandbox=1, **fields):
        """A sandbox that waits; its PREPARED with five descriptors."""
        self.send(prepare(sandbox, **fields))
        return self.expect(PREPARED)

    def ended(self):
        """Reads until caissond has ended the session."""
        while (reply := self.receive()) is not None:
            reply.close()
