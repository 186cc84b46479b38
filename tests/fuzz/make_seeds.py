#!/usr/bin/python3
"""Writes the hand-made seeds of the fuzz targets, all but those of profiles and of the gateway: valid input, and near misses.

The layouts repeat src/ipc/messages.h and src/ipc/run_streams.h on purpose: when a struct changes, the replayed
corpus stops being accepted, and this file must be changed with it. Run it from anywhere; it overwrites its own files.
"""
import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
MAGIC, VERSION = 0x50495343, 9
EVENT_MAGIC, OUTPUT_MAGIC = 0x544E5645, 0x5054554F


def message(kind, body, fds):
    """A packet of type `kind`, behind the byte that tells the target how many descriptors came along."""
    header = struct.pack("<IHHII", MAGIC, VERSION, kind, 16 + len(body), 0)
    return bytes([fds]) + header + body


def isolation():
    body = struct.pack("<4I5Q16I3Q", 100000, 100000, 100001, 0, 0, 0, 0, 0, 0,
                       1, 2, 2, 0x7F, 0x1F, 12, 1000, 0, 4, 1, 0, 0, 0, 0, 0, 1, 256 << 20, 64, 1000)
    return body + bytes(64)


def refusal(kind):
    text = b"mount the root: Operation not permitted".ljust(128, b"\0")
    return message(kind, struct.pack("<QIIIIiI", 7, 7, 0, 15, 0, 1, 0) + text, 0)


def event(kind, syscall, count):
    return struct.pack("<IIiIQ6Q", EVENT_MAGIC, kind, syscall, 0, count, 1, 2, 3, 4, 5, 6)


def output(kind, data=b"", flags=0, reason=0, size=0):
    return struct.pack("<IIIIIIQ", OUTPUT_MAGIC, kind, len(data), flags, reason, 0, size) + data


def output_file(path, content, flags=0):
    return output(1, path, flags, size=len(content)) + (output(2, content) if content else b"") + output(3)


def prepare(profile, step=2, tty=0):
    return message(1, struct.pack("<Q64sIIQQII", 7, profile, step, tty, 64 << 20, 4096, 0, 0), 0)


def start(**changes):
    limits = [10000, 10000, 256 << 20, 64, 256, 64 << 20, 8 << 20, 1000]
    limits[changes.get("zero", 0)] *= 0 if "zero" in changes else 1
    return message(2, struct.pack("<Q16s9Q", 7, bytes(range(16)), *limits, changes.get("collect_ms", 0)), changes.get("fds", 1))


def finished(verdict, exited, code, signal):
    body = struct.pack("<QIIIIiiiIQQ", 7, verdict, 1, 0, exited, code, signal, -1, 0, 0, 0)
    return message(69, body + struct.pack("<IIiI", 0, 0, 0, 0) + struct.pack("<II11Q", 0xFF, 0, *range(11)) +
                   struct.pack("<3Q", 1, 2, 3), 0)


def tree(operations, asked):
    """Input of collect_fuzz: pairs of operation and name, then output paths."""
    pairs = b"".join(bytes(pair) for pair in operations)
    return bytes([len(operations)]) + pairs + b"\0" + b"\n".join(asked)


def bundle(*paths):
    records = b""
    for path in paths:
        record = struct.pack("<IIIIQ", 6, 0, len(path), 0, 0) + path + b"\0"
        records += record + bytes(-len(record) % 8)
    return b"\0\x01" + struct.pack("<IIII", 0x4C444E42, 1, len(paths), 0) + records


def request(*records):
    """A whole bundle of (type, name, data, mode), as the dispatcher makes it."""
    body = b""
    for kind, name, *rest in records:
        data, mode = (rest + [b"", 0o644][len(rest):])
        record = struct.pack("<IIIIQ", kind, mode, len(name), 0, len(data)) + name + b"\0" + data
        body += record + bytes(-len(record) % 8)
    return struct.pack("<IIII", 0x4C444E42, 1, len(records), 0) + body


def talk(*happens, crowded=0):
    """Input of interact_fuzz: what happens in one Interact call, one thing after the other."""
    return bytes([crowded]) + b"".join(happens)


def opened(profile=0, flags=0):
    return bytes([0, profile, flags])


def chunk(path=0, size=1, flags=1):
    return bytes([1, path, size, flags])


# What the client sends; the client half-closes, takes an event; the sandbox prepares or starts, is refused, ends, prints.
STDIN, EOF, SIGNAL, RESIZE, CANCEL, NOTHING, RAW = b"\2\1", b"\3", b"\4\0", b"\5\1\1", b"\6", b"\7", b"\x08\2\x1a\0"
HALF_CLOSE, LEAVES, TAKES = b"\x09", b"\x0a\0", b"\x0b"
KIND, REFUSED, EXITS, FAILS, PRINTS = b"\x0c\0", b"\x0c\2", b"\x0c\3", b"\x0c\4", b"\x0c\5"
NEIGHBOUR_LEAVES, SUPERVISOR_DIES, DRAINS = b"\x0e", b"\x0f\xff", b"\x0f\0\xff"
PYTHON, RUST = 0, 2
TERMINAL, ONE_FILE, THREE_FILES, NO_FILES, OUTPUTS = 1, 2 | 1 << 4, 2 | 3 << 4, 4, 8
RUNNING = (opened(), KIND, TAKES, KIND, TAKES)

MAIN, ARGUMENT, VARIABLE, FILE, SOURCE, OUTPUT = range(1, 7)
ENTER, LEAVE, WRITE, SYMLINK, LINK, FIFO, HOLE, MODE, RENAME = range(9)

# Rules of filter_fuzz: a name, an action, an errno; then the conditions of the last rule.
GETPID, OPENAT, FCNTL, IOCTL, SOCKET, CLONE, MADVISE, PRCTL, PTRACE = range(9)
ALLOW, ERRNO, SUCCEED, COUNT, DENY, KILL = range(6)
WHOLE, BIT, LOW_BYTE, KIND_BITS, TOP_BIT = range(5)


def rule(name, action=ALLOW, error=0):
    return bytes([name, action, error, 0, 0])


def condition(index, value, mask=WHOLE, top=0):
    return bytes([0x80 | index, mask, value & 0xFF, value >> 8, top])


def refusals(answers, counted, *calls):
    """Input of notification_fuzz: (number, answer) pairs, bits of counted commands, then notifications."""
    table = b"".join(struct.pack("<HB", number, answer) for number, answer in answers)
    return bytes([len(answers)]) + table + struct.pack("<Q", counted) + b"".join(calls)


def notification(number, *args, again=0, held=0, sixteenths=0, arch=None):
    kind = bytes([0 if arch is None else 1]) + (b"" if arch is None else struct.pack("<I", arch))
    return struct.pack("<BHB", again, held, sixteenths) + kind + struct.pack("<H", number) + bytes([*args, *[0] * (6 - len(args))])


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def client(*frames, piece=7, answers=0, preface=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
    """Input of gate_fuzz."""
    return bytes([piece, answers]) + preface + b"".join(frames)


def field(number, value):
    """A field of a protobuf message: text or bytes, or a number."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value):
    low = b""
    while value > 0x7F:
        low += bytes([value & 0x7F | 0x80])
        value >>= 7
    return low + bytes([value])


def input_file(path, content, executable=0):
    return field(3, field(1, path) + field(2, content) + field(3, executable))


def without_header(packet):
    return packet[17:]


def result(choices, end, *events):
    return bytes([choices]) + without_header(end) + struct.pack("<Q", 7) + isolation() + b"".join(events)


SEEDS = {
    "config": {
        "empty": b'{"schema_version": 1}',
        "all": b"""{"$schema": "x", "schema_version": 1, "socket": "unix:/run/caisson/caisson.sock", "state_dir": "/run/caissond",
 "profiles_dir": "", "user": "caisson", "id_first": 1900000000, "id_count": 65536, "max_runs": 16, "memory_budget_bytes": 1073741824,
 "ready_sandboxes": 8, "queue_length": 64, "grace_ms": 5000, "log_format": "json", "log_level": "debug",
 "accepted_degradations": ["swap_unbounded"]}""",
        "listeners": b"""{"schema_version": 1, "listeners": [{"socket": "unix:/run/t/a.sock", "tenant": "alpha", "role": "run",
 "mode": "0660", "owner": "root", "group": "1000", "peer_users": ["alice", "1001"]},
 {"socket": "unix:/run/t/o.sock", "role": "operator", "peer_users": ["0"]},
 {"socket": "unix:/run/t/x.sock", "role": "admin", "peer_users": ["0"]}]}""",
        "listeners_wrong": b'''{"schema_version": 1, "listeners": [1, {"socket": "unix:x", "tenant": "A", "peer_users": []}, {"role": "operator"}]}''',
        "all_wrong": b"""{"schema_version": 2, "socket": "unix:relative", "state_dir": "/a/../b", "profiles_dir": "x", "user": "root",
 "id_first": 0, "id_count": 1, "max_runs": 99999999, "memory_budget_bytes": 1, "ready_sandboxes": 9999, "queue_length": 0,
 "grace_ms": 9999999, "log_format": "xml", "log_level": "loud", "accepted_degradations": ["swap_unbounded", "swap_unbounded", "x"]}""",
        "ids_to_the_end": b'{"schema_version": 1, "id_first": 4294967290, "id_count": 5}',
        "runs_beyond_ids": b'{"schema_version": 1, "id_count": 4, "max_runs": 3}',
        "twice": b'{"schema_version": 1, "user": "a", "user": "b"}',
        "types": b'{"schema_version": 1, "user": 1, "id_count": "2", "accepted_degradations": {}}',
        "no_object": b"[1]",
    },
    "kernel_text": {
        "value": b"\x0012345\n",
        "value_max": b"\0max\n",
        "value_none": b"\0-1\n",
        "keyed": b"\x01low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\n",
        "pids": b"\x021\n4194304\n17\n",
        "pids_zero": b"\x020\n",
        "words": b"\x03cpuset cpu io memory pids\n",
        "membership": b"\x0412:pids:/a\n11:cpu,cpuacct:/b c\n1:name=systemd:/\n0::/user.slice\n",
        "status": b"\x05Name:\tcaisson-init\nState:\tS (sleeping)\nPPid:\t17\nUid:\t1000\t1000\t1000\t1000\n"
                  b"Gid:\t1000\t1000\t1000\t1000\nGroups:\t \nNSpid:\t18\t2\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
                  b"CapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
                  b"Seccomp_filters:\t1\n",
        "status_init": b"\x05PPid:\t1\nNSpid:\t18\t1\nUid:\t1\t1\t1\t1\n",
        "uid_map": b"\x06         1 1900000000          1\n      1000 1900000001          1\n",
        "uid_map_root": b"\x06         0          0 4294967295\n",
        "mounts": b"\x0722 1 0:20 / / ro,nosuid,nodev - tmpfs tmpfs rw,size=1024k\n"
                  b"23 22 8:1 /usr /usr ro,nosuid,nodev,relatime - ext4 /dev/root rw\n"
                  b"24 22 0:21 / /proc ro,nosuid,nodev,noexec - proc proc rw,hidepid=invisible,subset=pid\n"
                  b"25 22 0:22 / /a\\040b rw,nosuid shared:7 master:3 - tmpfs x\\040y rw\n",
        "net_dev": b"\x08Inter-|   Receive\n face |bytes\n    lo:       0       0\n  eth0:  1 2\n",
        "fib_trie": b"\x08Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 127.0.0.1\n        /32 host LOCAL\n",
        "if_inet6": b"\x0800000000000000000000000000000001 01 80 10 80       lo\n",
    },
    "filter": {
        "plain": rule(GETPID) + rule(OPENAT, ERRNO, 37) + rule(MADVISE, SUCCEED) + rule(PTRACE, KILL) + rule(CLONE, DENY, 11),
        "commands": rule(FCNTL) + condition(1, 1) + rule(FCNTL) + condition(1, 2) + rule(FCNTL, COUNT) + condition(1, 6) +
                    rule(FCNTL, ERRNO, 21) + condition(1, 0x400),
        "masks": rule(SOCKET) + condition(0, 1) + condition(1, 5, LOW_BYTE) + rule(SOCKET, ERRNO, 12) + condition(0, 2) +
                 rule(CLONE) + condition(0, 0, TOP_BIT) + rule(CLONE, SUCCEED) + condition(0, 0, TOP_BIT, 0x80),
        "the_rest": rule(IOCTL) + condition(1, 0x5401) + rule(IOCTL, KILL) + rule(PRCTL) + condition(0, 15) + rule(PRCTL, DENY, 12),
        "contradiction": rule(GETPID) + rule(GETPID, ERRNO, 1),
        "overlap": rule(MADVISE) + condition(2, 1, BIT) + rule(MADVISE, ERRNO, 12) + condition(3, 2),
        "one_argument_twice": rule(MADVISE) + condition(2, 1) + condition(2, 1),
        "no_argument": rule(MADVISE) + condition(7, 1),
        "no_such_call": rule(14),
    },
    "notification": {
        "refused": refusals([(101, 255), (41, 97)], 0, notification(41, 2, 1), notification(101), notification(500), notification(41, 1)),
        "locks": refusals([], 1 << 6 | 1 << 7 | 1 << 37 | 1 << 38, *[notification(72, 3, command, again=255) for command in (6, 7, 37, 38, 6, 6)]),
        "locks_asked": refusals([], 1 << 6, *[notification(72, 3, 6, again=255, held=held, sixteenths=16) for held in (0, 9000, 16384, 16383, 5)]),
        "rate": refusals([], 0, notification(1, again=9, sixteenths=1), notification(2, again=1, sixteenths=20)),
        "kinds": refusals([], 0, *[notification(number) for number in range(200)]),
        "foreign": refusals([(1022, 255), (1023, 255)], 0, notification(1, arch=0x40000003), notification(0xFFFF)),
    },
    "gate": {
        "call": client(frame(4, 0, 0), frame(1, 4, 1, b"h" * 40), frame(0, 1, 1, b"body"), frame(4, 1, 0)),
        "two_calls": client(frame(1, 4, 1, b"x"), frame(1, 4, 3, b"y"), frame(3, 0, 1, bytes(4)), frame(1, 5, 3, b"trailers"), answers=2),
        "continued": client(frame(1, 0, 1, b"x" * 100), *[frame(9, 0, 1, b"y" * 9000)] * 4, piece=255),
        "empty_continuations": client(frame(1, 0, 1), *[frame(9, 0, 1)] * 400, piece=100),
        "pings": client(*[frame(6, 0, 0, bytes(8))] * 160, piece=17),
        "many_calls": client(*[frame(1, 4, 2 * number + 1) for number in range(2100)], piece=250),
        "torn": client(frame(1, 4, 1, b"h" * 40))[:-7],
        "another_protocol": client(preface=b"GET / HTTP/1.1\r\n"),
        "longest_frame": client(b"\xff\xff\xff\0\0\xff\xff\xff\xff"),
    },
    "request": {
        "program": field(2, b"python") + input_file(b"main.py", b"print(1)"),
        "everything": field(2, b"python") + input_file(b"main.py", b"print(1)") + input_file(b"a/b", b"x", 1) + field(4, b"main.py") +
                      field(5, b"-x") + field(5, b"") + field(6, field(1, b"HOME") + field(2, b"/tmp")) + field(7, b"input"),
        "compiled": field(2, b"rust") + input_file(b"main.rs", b"fn main() {}"),
        "no_such_profile": field(2, b"cobol2") + input_file(b"a", b""),
        "not_installed": field(2, b"cobol") + input_file(b"a", b""),
        "leads_away": field(2, b"python") + input_file(b"../a", b"x") + input_file(b"/b", b"y"),
        "twice": field(2, b"python") + input_file(b"a", b"1") + input_file(b"a", b"2"),
        "not_utf8": field(2, b"python") + input_file(b"a\xff", b"1"),
        "torn": (field(2, b"python") + input_file(b"main.py", b"print(1)"))[:-3],
        "unknown_field": field(2, b"python") + input_file(b"main.py", b"") + field(900, b"x"),
        "nothing": b"",
    },
    "result": {
        **{f"verdict_{verdict}": result(2, finished(verdict, int(verdict == 1), 0, 9 if verdict == 2 else 0)) for verdict in range(1, 12)},
        "compiling": result(1, finished(1, 1, 1, 0)),
        "canceled": result(8 | 1 << 4, finished(8, 0, 0, 0)),
        "refused": result(4, finished(10, 0, 0, 0)),
        "denials": result(2, finished(1, 1, 0, 0), event(1, 101, 1), event(2, 101, 5), event(3, -1, 9)),
    },
    "collect": {
        "files": tree([(WRITE, 0), (WRITE, 0xF9), (ENTER, 1), (WRITE, 0x50), (WRITE, 3)], [b"."]),
        "links": tree([(SYMLINK, 2 | target << 5) for target in range(8)] + [(WRITE, 0), (SYMLINK, 3 | 5 << 5)],
                      [b"link", b"link/a", b".", b"link"]),
        "every_kind": tree([(ENTER, 0), (LINK, 0), (FIFO, 1), (HOLE, 30 << 3 | 2), (HOLE, 12 << 3 | 3), (SYMLINK, 4),
                            (WRITE, 5), (MODE, 5), (RENAME, 6)], [b"a"]),
        "deep": tree([(ENTER, 0), (WRITE, 1)] * 40, [b"a", b"a/a/a/a"]),
        "long_names": tree([(ENTER, 3), (WRITE, 3)] * 8, [b"."]),
        "nested_twice": tree([(ENTER, 0), (WRITE, 0), (ENTER, 1), (WRITE, 0), (SYMLINK, 2)],
                             [b"a/b/a", b"a/b", b".", b"a", b"a/b/link", b"a/b/missing"]),
        "unsafe": tree([(WRITE, 0)], [b"../secret", b"/etc/passwd", b"", b"a//b", b"a/./b", b"..", b"a"]),
        "bundle": bundle(b".", b"a", b"a"),
        "bundle_torn": bundle(b"aa", b"bb")[:-5],
        "bundle_count": bundle(b"a")[:10] + b"\xff\xff\xff\xff" + bundle(b"a")[14:],
    },
    "unpack": {
        "program": request((MAIN, b"main.py"), (ARGUMENT, b"-x"), (ARGUMENT, b""), (VARIABLE, b"HOME=/tmp"), (FILE, b"main.py", b"print(1)")),
        "sources": request((SOURCE, b"a/Main.java"), (SOURCE, b"b.java"), (MAIN, b"a/Main.java"), (FILE, b"a/Main.java", b"x"),
                           (FILE, b"b.java", b"y"), (OUTPUT, b"out")),
        "modes": request((FILE, b"x", b"#!", 0o755), (FILE, b"setuid", b"", 0o6755), (FILE, b"none", b"", 0)),
        "deep": request((FILE, b"/".join([b"d"] * 64), b"x"), (FILE, b"/".join([b"d"] * 65), b"x")),
        "long_names": request((FILE, b"n" * 255, b"x"), (FILE, b"n" * 256, b"x")),
        "twice": request((FILE, b"a", b"1"), (FILE, b"a", b"2")),
        "file_then_directory": request((FILE, b"a", b"1"), (FILE, b"a/b", b"2")),
        "directory_then_file": request((FILE, b"a/b", b"1"), (FILE, b"a", b"2")),
        "leads_away": request((FILE, b"a/../../secret", b"x")),
        "absolute": request((FILE, b"/secret", b"x")),
        "beside": request((FILE, b"../secret", b"x")),
        "dots": request((FILE, b"...", b"x"), (FILE, b"a/.b", b"x"), (FILE, b"a/./c", b"x")),
        "slashes": request((FILE, b"a//b", b"x")),
        "ends_in_slash": request((FILE, b"a/", b"x")),
        "torn": request((FILE, b"a", b"1234567890"))[:-9],
        "name_with_nul": request((FILE, b"a\0b", b"x")),
        "too_many_words": request(*[(ARGUMENT, b"x")] * 1100),
        "no_records": request(),
        "count_beyond": request((FILE, b"a", b"x"))[:8] + struct.pack("<I", 4097) + request((FILE, b"a", b"x"))[12:],
    },
    "ipc_request": {
        "prepare": prepare(b"python"),
        "prepare_compile": prepare(b"c-17", step=1),
        "prepare_tty": prepare(b"bash", tty=1),
        "prepare_bad_name": prepare(b"../etc"),
        "prepare_hidden_bytes": prepare(b"a\0b"),
        "start": start(),
        "start_collects": start(collect_ms=30000),
        "start_collects_for_ever": start(collect_ms=60001),
        "start_no_bundle": start(fds=0),
        "start_zero_memory": start(zero=2),
        "cancel": message(3, struct.pack("<QIIQQ", 7, 1, 0, 0, 0), 0),
        "cancel_output": message(3, struct.pack("<QIIQQ", 7, 4, 1, 1 << 20, (1 << 20) + 1), 0),
        "serving": message(4, b"", 0),
        "serving_with_descriptor": message(4, b"", 1), "reload": message(6, b"", 0), "reload_with_body": message(6, bytes(8), 0),
        "signal": message(5, struct.pack("<QiI", 7, 2, 0), 0), "signal_kill": message(5, struct.pack("<QiI", 7, 9, 0), 0),
        "short_header": b"\0" + struct.pack("<I", MAGIC), "empty_packet": b"\0",
    },
    "ipc_reply": {
        "hello": message(64, struct.pack("<IIQIIQIIQQ", 8, 4, 4 << 30, 512, 2, 10000, 1, 0, 2000, 0), 0),
        "prepared": message(65, struct.pack("<QQII", 7, 900000, 1, 0) + isolation(), 5),
        "prepare_failed": refusal(66),
        "started": message(67, struct.pack("<Q", 7) + isolation(), 0), "start_refused": refusal(68),
        "finished": finished(1, 1, 3, 0), "finished_signaled": finished(2, 0, 0, 9), "finished_contradiction": finished(2, 1, 0, 9),
        "drain": message(70, struct.pack("<Q", 10000), 0),
        "listener": message(71, struct.pack("<64s128sII64I", b"alpha", b"unix:/run/alpha.sock", 1, 2, 1000, 1001, *[0] * 62), 1),
        "listener_operator": message(71, struct.pack("<64s128sII64I", b"", b"unix:/run/op.sock", 3, 1, *[0] * 64), 1),
        "listener_admin": message(71, struct.pack("<64s128sII64I", b"", b"unix:/run/admin.sock", 5, 1, *[0] * 64), 1),
        "listener_token": message(71, struct.pack("<64s128sII64I", b"", b"unix:/run/token.sock", 4, 0, *[0] * 64), 1),
        "policy": message(72, struct.pack("<QII", 2, 0, 0), 1), "policy_tokens": message(72, struct.pack("<QII", 2, 0, 1), 1),
        **{f"reloaded_{name}": message(73, struct.pack("<IIQ2048s", outcome, 0, 1000, text), 0) for name, outcome, text in
           (("taken", 1, b""), ("faulty", 2, b"/etc/caisson/tenants/a.json:3: quotas: unknown key"), ("contradiction", 1, b"x"))},
    },
    "event": {
        "denials": b"\x07" + event(1, 101, 1) + event(1, 41, 1) + event(2, 101, 5) + event(2, 41, 1) + event(3, -1, 9),
        "observed": b"\x30" + event(1, 101, 1) + event(2, 101, 5) + event(4, 41, 3) + event(4, 41, 9) + event(5, -1, 2),
        "observed_too_often": b"\xff" + event(4, 41, 3) * 513,
        "torn": b"\x48" + event(1, 101, 1)[:50],
        "bad_magic": b"\x10" + event(1, 101, 1) + bytes(72),
        "too_many_live": b"\xff" + event(1, 101, 1) * 65,
        "number_out_of_range": b"\x01" + event(1, 1024, 1),
    },
    "interact": {
        "conversation": talk(*RUNNING, STDIN, PRINTS, TAKES, SIGNAL, STDIN, EOF, EXITS, TAKES, TAKES),
        "outputs": talk(opened(PYTHON, OUTPUTS), KIND, KIND, PRINTS, EXITS, TAKES, TAKES, TAKES, TAKES, TAKES, TAKES),
        "terminal": talk(opened(PYTHON, TERMINAL), RESIZE, KIND, KIND, RESIZE, SIGNAL, STDIN, EOF, EXITS),
        "two_steps": talk(opened(RUST), KIND, KIND, STDIN, SIGNAL, EXITS, TAKES, TAKES, KIND, KIND, EOF, EXITS),
        "supervisor_dies_after_compiling": talk(opened(RUST), KIND, KIND, KIND, EXITS, SUPERVISOR_DIES),
        "does_not_compile": talk(opened(RUST), STDIN, KIND, KIND, FAILS, TAKES, STDIN),
        "upload": talk(opened(PYTHON, ONE_FILE), chunk(flags=0), chunk(flags=2), chunk(size=0), KIND, KIND, STDIN, EXITS),
        "upload_only": talk(opened(PYTHON, THREE_FILES | NO_FILES), chunk(0), chunk(2), chunk(3), KIND, KIND, EXITS),
        "upload_too_much": talk(opened(PYTHON, THREE_FILES), *[chunk(size=4, flags=0)] * 6),
        "upload_below_a_file": talk(opened(PYTHON, THREE_FILES), chunk(0), chunk(4)),
        "upload_torn": talk(opened(PYTHON, THREE_FILES), chunk(0, flags=0), chunk(2)),
        "upload_left": talk(opened(PYTHON, THREE_FILES), chunk(0), LEAVES, chunk(2)),
        "upload_half_closed": talk(opened(PYTHON, ONE_FILE), chunk(flags=0), HALF_CLOSE),
        **{f"upload_then_{kind}": talk(opened(PYTHON, ONE_FILE), piece) for kind, piece in [
            ("open", opened()), ("stdin", STDIN), ("eof", EOF), ("signal", SIGNAL), ("resize", RESIZE), ("cancel", CANCEL),
            ("nothing", NOTHING), ("raw", RAW)]},
        **{f"first_{kind}": talk(piece, opened()) for kind, piece in [
            ("file", chunk()), ("stdin", STDIN), ("eof", EOF), ("signal", SIGNAL), ("resize", RESIZE), ("cancel", CANCEL),
            ("nothing", NOTHING), ("half_close", HALF_CLOSE), ("leaves", LEAVES)]},
        **{f"{when}_then_{kind}": talk(*before, piece, *[TAKES] * 4, crowded=crowded)
           for when, before, crowded in [("running", RUNNING, 0), ("preparing", (opened(),), 0), ("waiting", (opened(),), 1)]
           for kind, piece in [
               ("open", opened()), ("file", chunk()), ("resize", RESIZE), ("nothing", NOTHING), ("bad_signal", b"\4\3"),
               ("much_stdin", b"\2\3"), ("eof_twice", EOF + EOF), ("stdin_after_eof", EOF + STDIN), ("cancel", CANCEL + STDIN),
               ("half_close", HALF_CLOSE), ("leaves", LEAVES), ("supervisor_dies", SUPERVISOR_DIES), ("drains", DRAINS)]},
        "opened_twice_at_once": talk(opened(), opened(), opened(), KIND, KIND, EXITS),
        "waits_then_runs": talk(opened(), STDIN, TAKES, NEIGHBOUR_LEAVES, KIND, KIND, KIND, STDIN, EXITS, TAKES, crowded=1),
        "not_prepared": talk(opened(), REFUSED, TAKES, STDIN),
        "not_started": talk(opened(), KIND, REFUSED, TAKES, STDIN),
        "more_stdin_than_fits": talk(opened(), *[b"\2\2"] * 8, KIND, KIND, PRINTS, PRINTS, b"\x0c\6", STDIN, EXITS),
        "no_such_profile": talk(opened(5), opened()),
        "no_terminal_offered": talk(opened(3, TERMINAL)),
    },
    "output": {
        "files": b"\x21" + output_file(b"a/b", b"content", 1) + output_file(b"empty", b"") +
                 output(4, b"link", reason=2) + output(4, b"gone\xff\n", reason=10, size=5) + output(5),
        "pieces": b"\x05" + output(1, b"f", size=6) + output(2, b"abc") + output(2, b"def") + output(3) + output(5),
        "read_failed": b"\x40" + output(1, b"f", size=6) + output(2, b"abc") + output(3, reason=10, size=5) + output(5),
        "unlisted": b"\xff" + output(4, b"r", reason=8) * 256 + output(5, size=12),
        "torn": b"\x10" + output_file(b"f", b"x" * 100)[:80],
        "no_end": b"\x10" + output(1, b"f", size=3) + output(2, b"abc") + output(1, b"g", size=0),
        "leads_away": b"\x08" + output_file(b"a/../b", b"x"),
        "too_much": b"\x08" + output(1, b"f", size=2) + output(2, b"abc"),
        "too_large": b"\x08" + output(1, b"f", size=(256 << 20) + 1),
        "after_the_end": b"\x08" + output(5) + output_file(b"f", b"x"),
    },
}

for target, seeds in SEEDS.items():
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (folder / name).write_bytes(data)
