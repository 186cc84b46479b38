"""The hostile cases as data: cases/*.toml, read strictly. README.md says what the keys mean.

A case is one id. It has one or more runs (a run is one program in one sandbox) and what is expected of each; the
parameters of a case (each flag, each family) are lines that its payload says, not cases.
"""

import dataclasses
import pathlib
import re
import tomllib

CASES_DIR = pathlib.Path(__file__).parent / "cases"
ID = re.compile(r"^[A-Z]{3}-[0-9]{2}$")
# The ids that are always there, by section; cases beyond them are ours.
TAXONOMY = {"PRV": 13, "NSP": 15, "SYS": 32, "NET": 17, "IPC": 13, "FSX": 21, "RES": 26, "PRC": 14, "SIO": 11, "OUT": 13,
            "CMP": 8, "TIM": 4, "DMN": 48}
RELEASED = "released"
WIDE = "wide"  # the released programs, but under a profile whose filter allows every call


class CatalogueError(Exception):
    """A case is not what README.md says: nobody may believe its result."""


def from_table(kind, table, where):
    """A dataclass of a TOML table, by its fields' names; any other key is an error."""
    names = {field.name.rstrip("_") for field in dataclasses.fields(kind)}
    unknown = set(table) - names
    if unknown:
        raise CatalogueError(f"{where}: unknown key {sorted(unknown)[0]!r}")
    try:
        return kind(**table)
    except TypeError as error:
        raise CatalogueError(f"{where}: {error}") from error


@dataclasses.dataclass(frozen=True)
class Expectation:
    """What one run must show. `says` and `denials` are exact: a line or a denial too many is a finding too."""

    verdict: str = "COMPLETED"
    exit_code: int | None = None        # 0 where the verdict is COMPLETED
    signal: int | None = None
    limit: str | None = None
    says: dict = dataclasses.field(default_factory=dict)
    denials: list = dataclasses.field(default_factory=list)  # ["*"]: whichever
    usage: dict = dataclasses.field(default_factory=dict)
    result: dict = dataclasses.field(default_factory=dict)   # other fields of the result, as observers.result_facts names them
    examined: dict = dataclasses.field(default_factory=dict)
    outputs: dict | list = dataclasses.field(default_factory=dict)   # {path: content}, exact; ["*"]: whichever
    refused: dict | list = dataclasses.field(default_factory=dict)   # {path: reason}, the same
    within_ms: int | None = None        # from `started` to `finished`


@dataclasses.dataclass(frozen=True)
class Run:
    """One program in one sandbox."""

    payload: str
    profile: str
    args: list
    expect: Expectation
    name: str = ""                      # of the attempt, where a case has several runs
    setting: str = RELEASED
    limits: dict = dataclasses.field(default_factory=dict)
    env: dict = dataclasses.field(default_factory=dict)
    stdin: str = ""
    files: dict = dataclasses.field(default_factory=dict)
    request: dict = dataclasses.field(default_factory=dict)
    examine: str = ""                   # look from outside once it has said "ready", then cancel it
    stays: bool = False                 # goes on, once it has said "ready", until the case's last run has ended
    scalar: str = ""                    # what all of stdout must be told as, by an observer of that name


@dataclasses.dataclass(frozen=True)
class Case:
    """One id."""

    id: str
    tries: str
    layers: list
    runs: list
    host: list                          # things of the host that must come out unchanged: observers.HOST
    neighbour: bool                     # another run must go on as usual meanwhile
    groups: list                        # pytest markers
    verdict_word: str = ""

    @property
    def section(self):
        return self.id[:3]


@dataclasses.dataclass(frozen=True)
class Excluded:
    """An id that runs elsewhere (`tests`) or not at all, and why."""

    id: str
    tries: str
    why: str
    layers: list = dataclasses.field(default_factory=list)
    tests: list = dataclasses.field(default_factory=list)


RUN_KEYS = {"payload", "profile", "args", "limits", "env", "stdin", "files", "request", "examine", "stays", "scalar"}
EXPECT_KEYS = {field.name for field in dataclasses.fields(Expectation)}
CASE_KEYS = {"tries", "layers", "host", "neighbour", "markers"}
PARTS = {"calls", "attempts", "behind", "first"}


def profile_of(payload, setting, named=None):
    """The profile of a run that names none, and of the same run with the filter wide open."""
    if setting == WIDE and named == "native-loopback":
        return "wide-loopback"
    python = payload.endswith(".py")
    if setting == WIDE:
        return "wide-python" if python else "wide"
    return "python" if python else "native"


def make_run(table, where, setting=RELEASED, **more):
    table = {**table, **more}
    run = {key: value for key, value in table.items() if key in RUN_KEYS}
    expect = {key: value for key, value in table.items() if key in EXPECT_KEYS}
    rest = set(table) - set(run) - set(expect) - {"name"}
    if rest:
        raise CatalogueError(f"{where}: unknown key {sorted(rest)[0]!r}")
    if "payload" not in run:
        raise CatalogueError(f"{where}: no payload")
    if not (CASES_DIR / run["payload"]).is_file():
        raise CatalogueError(f"{where}: {run['payload']} does not exist")
    if run.get("examine") or run.get("stays"):
        expect.setdefault("verdict", "CANCELED")
    if not run.get("profile") or setting == WIDE:
        run["profile"] = profile_of(run["payload"], setting, run.get("profile"))
    run.setdefault("args", [])
    return Run(expect=from_table(Expectation, expect, where), setting=setting, name=table.get("name", ""), **run)


def call_runs(calls, shared, where):
    """`calls`: NAME = "CALL ARGUMENT... -> RELEASED; WIDE". Those that answer share a run; one that ends the run has its own."""
    runs, told, told_wide = [], {}, {}
    words, wide_words, denied = [], [], set()
    for name, text in calls.items():
        match = re.fullmatch(r"([a-z0-9_-]+)((?: \S+)*?) -> ([^;]+)(?:; (.+))?", text)
        if not match:
            raise CatalogueError(f"{where}.{name}: is not 'CALL ARGUMENT... -> ANSWER; ANSWER': {text!r}")
        call, arguments, answer, wide = match.groups()
        piece = [name, f"#{call}", *arguments.split()]
        if answer == "KILL":
            runs.append(make_run(shared, where, payload="lib/calls.c", args=piece, verdict="SYSCALL_VIOLATION",
                                 denials=[call], name=name))
        else:
            reported = answer.endswith("!")
            if reported:
                denied.add(call)
            told[name] = answer.rstrip("!")
            words += [*piece, "--"]
        if wide:
            told_wide[name] = wide
            wide_words += [*piece, "--"]
    if words:
        runs.insert(0, make_run(shared, where, payload="lib/calls.c", args=words, says=told, denials=sorted(denied)))
    if wide_words:
        runs.append(make_run(shared, where, WIDE, payload="lib/calls.c", args=wide_words, says=told_wide))
    return runs


def make_case(case_id, table, where):
    rest = dict(table)
    calls, attempts, behind, first = (rest.pop(key, None) for key in ("calls", "attempts", "behind", "first"))
    head = {key: rest.pop(key) for key in list(rest) if key in CASE_KEYS}
    for key in ("tries", "layers"):
        if not head.get(key):
            raise CatalogueError(f"{where}: no {key}")
    runs = []
    if first:
        runs.append(make_run(first, f"{where}.first", name="first"))
    if calls:
        runs += call_runs(calls, rest, where)
    elif attempts:
        for name, own in attempts.items():
            own_args = [name] if "args" not in own else own["args"]
            runs.append(make_run({**rest, **own}, f"{where}.{name}", args=own_args, name=name))
    elif rest:
        runs.append(make_run(rest, where))
    if behind:
        base = {key: value for key, value in rest.items() if key in RUN_KEYS}
        before = {**(first or {}), **behind.get("first", {})}
        if before:
            runs.append(make_run(before, where, WIDE, name="first"))
        own = {key: value for key, value in behind.items() if key != "first"}
        runs.append(make_run({**base, **own}, f"{where}.behind", WIDE))
    if not runs:
        raise CatalogueError(f"{where}: nothing is run")
    return Case(id=case_id, tries=head["tries"], layers=head["layers"], runs=runs, host=head.get("host", []),
                neighbour=head.get("neighbour", False), groups=head.get("markers", []))


def load(directory=CASES_DIR):
    """({id: Case}, {id: Excluded})."""
    cases, excluded = {}, {}
    for path in sorted(directory.glob("*.toml")):
        for case_id, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
            where = f"{path.name}: {case_id}"
            if not ID.match(case_id) or case_id[:3] not in TAXONOMY:
                raise CatalogueError(f"{where}: not an id")
            if case_id in cases or case_id in excluded:
                raise CatalogueError(f"{where}: stands twice")
            if "why" in table:
                excluded[case_id] = from_table(Excluded, {"id": case_id, **table}, where)
            else:
                cases[case_id] = make_case(case_id, table, where)
    return cases, excluded


def missing_ids(known):
    """Ids of the taxonomy that nobody mentions."""
    expected = {f"{section}-{number:02}" for section, count in TAXONOMY.items() for number in range(1, count + 1)}
    return sorted(expected - set(known))
