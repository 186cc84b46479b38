"""The synchronous client."""

import collections
import signal as signals
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self, Unpack

import grpc

from caisson import _address, _convert, _request, _token
from caisson._input import Input
from caisson._progress import Attempts, Following, Gathering, Progress, Retry, profiles_page, runs_page
from caisson.errors import SessionEnded
from caisson.events import Event
from caisson.info import Profile, Run, ServerInfo
from caisson.options import Content, Options, Terminal
from caisson.results import Result, RunResult
from caisson.v1 import run_pb2, run_pb2_grpc

POLL_SECONDS = 0.2
STUB: Any = run_pb2_grpc.RunServiceStub  # generated without types


class RunStream(Iterator[Event]):
    """The events of one run. Iterate it; after the last, `result` is there. Leaving its `with` block before that cancels the run.

    One thread iterates; cancel() and close() may be called by any.
    """

    def __init__(self, progress: Progress, start: Callable[[float | None], Any], cancel: Callable[[str], object]) -> None:
        self._progress = progress
        self._start = start
        self._cancel = cancel
        self._closed = False
        self._call = start(progress.deadline.left())

    @property
    def name(self) -> str | None:
        """The run's name, once it is accepted."""
        return self._progress.name

    @property
    def result(self) -> RunResult | None:
        """The result, once it is there."""
        return self._progress.result

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        while True:
            try:
                event = self._progress.accept(next(self._call))
            except StopIteration:
                self._progress.ended()
                raise
            except grpc.RpcError as error:
                if self._progress.result is not None:
                    raise StopIteration from None
                if self._closed:
                    raise self._progress.closed() from None
                time.sleep(self._progress.failed(error))
                self._call = self._start(self._progress.deadline.left())
            except BaseException:  # Ctrl-C among them
                self._call.cancel()
                raise
            else:
                if event is not None:
                    return event

    def cancel(self) -> None:
        """Ends the run. Its events go on to a Finished with the verdict CANCELED; before it is accepted the iteration raises
        Canceled instead."""
        name = self._progress.name
        if name is None:
            self.close()
        else:
            self._cancel(name)

    def close(self) -> None:
        """Ends the call, and with it the run if it is not over."""
        self._closed = True
        self._call.cancel()


class _Outbox:
    """Messages on their way to gRPC's sending thread, a few at a time: who writes faster than the program reads has to wait."""

    MOST = 16

    def __init__(self) -> None:
        self._messages: collections.deque[run_pb2.InteractRequest] = collections.deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, message: run_pb2.InteractRequest) -> None:
        """Waits for a place."""
        with self._changed:
            while len(self._messages) >= self.MOST and not self._closed:
                self._changed.wait(POLL_SECONDS)  # Ctrl-C is heard in between
            if self._closed:
                raise SessionEnded("the run is over")
            self._messages.append(message)
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing is sent any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[run_pb2.InteractRequest]:
        while True:
            with self._changed:
                while not self._messages and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                message = self._messages.popleft()
                self._changed.notify_all()
            yield message


class Session(RunStream):
    """An interactive run: a RunStream that takes input. Any thread may write; write() waits while the program does not read.

    A program that is not read from stops at some point, and then does not read either: whoever writes much iterates in another
    thread meanwhile.
    """

    def __init__(self, progress: Progress, call: Callable[[Iterator[run_pb2.InteractRequest], float | None], Any],
                 cancel: Callable[[str], object]) -> None:
        self._input = Input(progress.plan)
        self._outbox = outbox = _Outbox()

        # gRPC's thread holds what these name: not this session, or one that is dropped would never end its run.
        def messages() -> Iterator[run_pb2.InteractRequest]:
            yield from progress.plan.opening()
            yield from outbox

        def start(left: float | None) -> Any:
            started = call(messages(), left)
            if not started.add_callback(outbox.close):
                outbox.close()
            return started

        super().__init__(progress, start, cancel)

    def _send(self, messages: Iterator[run_pb2.InteractRequest]) -> None:
        for message in messages:
            self._outbox.put(message)

    def write(self, data: bytes) -> None:
        """Standard input, or what is typed at the terminal. SessionEnded if the run is over."""
        self._send(self._input.stdin(data))

    def close_stdin(self) -> None:
        """The end of standard input. At a terminal its end-of-file character, which counts at the beginning of a line only."""
        self._send(self._input.eof())

    def signal(self, which: str | signals.Signals) -> None:
        """To the main process: "HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "TERM", "CONT", "TSTP" or "WINCH"."""
        self._send(self._input.signal(which))

    def resize(self, rows: int, columns: int) -> None:
        """Gives the terminal another size, 1 to 1,000 each."""
        self._send(self._input.resize(rows, columns))


class Caisson:
    """A connection to a Caisson daemon. Use it as a context manager, or close() it. Threads may share it; a process that forks
    makes its own after the fork.

    `address`: "unix:/path" or an absolute path; else the variable CAISSON_ADDRESS, else CAISSON_SOCKET, else
    unix:/run/caisson/caisson.sock. Nothing is connected before the first call. `call_timeout_seconds` bounds every call that runs
    nothing (ps(), get(), ...); what runs something has the option timeout_seconds. `retry`: see Retry. `token`: what to show to
    a daemon that asks for one; else the file that the variable CAISSON_TOKEN_FILE names, which nobody else may be able to use.
    """

    def __init__(self, address: str | None = None, *, token: str | None = None, call_timeout_seconds: float = 10.0,
                 retry: Retry = Retry()) -> None:
        self.address = _address.resolve(address)
        self._call_timeout_seconds = call_timeout_seconds
        self._retry = retry
        self._usual_names: dict[str, str] = {}
        shown = _token.resolve(token)
        self._channel = grpc.insecure_channel(self.address, options=_address.CHANNEL_OPTIONS)
        self._stub: Any = _token.shown_by(STUB(self._channel), shown)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; runs that are not over are canceled."""
        self._channel.close()

    def run(self, profile: str, source: Content | None = None, /, **options: Unpack[Options]) -> Result:
        """Runs a program to its end and returns all that came of it.

        `source` is the program: text, bytes, or a path of this machine; it may be left out where `files` has it. Options
        lists the keyword arguments. A program that fails, hits a limit, does not compile or is canceled is a Result like any
        other (`ok`, check()); an exception says that there is none (see caisson.errors). Ctrl-C, or any other
        exception, ends the run.
        """
        return self._gather(self.stream(profile, source, **options))

    def _gather(self, stream: RunStream) -> Result:
        gathering = Gathering()
        with stream:
            for event in stream:
                gathering.add(event)
            return gathering.result(stream.name, stream.result)

    def stream(self, profile: str, source: Content | None = None, /, **options: Unpack[Options]) -> RunStream:
        """As run(), but the events come as they happen; nothing is gathered. A refusal is raised by the iteration (that of the
        question after the profile's usual name, which the first call may ask, by stream() itself)."""
        plan = _request.prepare(profile, source, self._usual_name(profile, source, options), options)
        progress = Progress(plan, self.address, self._retry)

        def start(left: float | None) -> Any:
            return (self._stub.Execute(plan.request, timeout=left) if plan.open is None
                    else self._stub.Interact(plan.opening(), timeout=left))

        return RunStream(progress, start, self.cancel)

    def interact(self, profile: str, source: Content | None = None, /, *, terminal: Terminal | None = None,
                 **options: Unpack[Options]) -> Session:
        """As stream(), and the program is talked to while it runs. With a `terminal` its output is all Stdout.

        Its input ends with close_stdin() only; a run that waits for input ends by its wall_time_ms. Nothing is tried again.
        """
        plan = _request.prepare(profile, source, self._usual_name(profile, source, options), options, interactive=True, terminal=terminal)
        progress = Progress(plan, self.address, Retry(attempts=1))
        return Session(progress, lambda messages, left: self._stub.Interact(messages, timeout=left), self.cancel)

    def create(self, profile: str, source: Content | None = None, /, **options: Unpack[Options]) -> Run:
        """Starts a run that outlives this call, this client and this process: it ends by itself, by a limit, or by cancel().

        Returns once it is stored. The call is tried again even where it may have succeeded, since its request_id makes the
        repetition the same run. RequestIdReused if another request had the id. At most 16 MiB of files.
        """
        plan = _request.prepare_create(profile, source, self._usual_name(profile, source, options), options)
        timeout = self._call_timeout_seconds if plan.timeout_seconds is None else plan.timeout_seconds
        return _convert.run(self._unary(self._stub.CreateRun, plan.request, Attempts(self.address, self._retry, timeout, repeatable=True)))

    def follow(self, name: str, *, timeout_seconds: float | None = None) -> RunStream:
        """The events of a run of create(), from its beginning to its end, now and afterwards, as often as wanted.

        A connection that breaks is made again where it broke, and every byte comes once. Leaving the `with` block ends the
        following and not the run; cancel() ends the run.
        """
        progress = Following(_address.run_name(name), timeout_seconds, self.address, self._retry)
        return RunStream(progress, lambda left: self._stub.FollowRun(progress.request(), timeout=left), self.cancel)

    def wait(self, name: str, *, timeout_seconds: float | None = None) -> Result:
        """What run() would have returned, of a run of create(): follows it to its end. When the time is over, the run goes on."""
        return self._gather(self.follow(name, timeout_seconds=timeout_seconds))

    def ps(self, *, all: bool = False, filter: str = "", most: int = 10_000) -> list[Run]:  # pylint: disable=redefined-builtin
        """The live runs, newest first; with `all` also those that finished, for as long as the service keeps them; with a `filter`
        (docs/api.md) those it names. At most `most`."""
        page = runs_page(all, filter, most)
        while page.add(self._unary(self._stub.ListRuns, page.request)):
            pass
        return [_convert.run(entry) for entry in page.entries]

    def get(self, name: str) -> Run:
        """A run by name. RunNotFound if there is none, or it ended too long ago."""
        return _convert.run(self._unary(self._stub.GetRun, run_pb2.GetRunRequest(name=_address.run_name(name))))

    def cancel(self, name: str) -> Run:
        """Ends a live run, which then has the verdict CANCELED; a finished one is returned as it is."""
        return _convert.run(self._unary(self._stub.CancelRun, run_pb2.CancelRunRequest(name=_address.run_name(name))))

    def profiles(self) -> list[Profile]:
        """What can be run here."""
        page = profiles_page()
        while page.add(self._unary(self._stub.ListProfiles, page.request)):
            pass
        return [_convert.profile(entry) for entry in page.entries]

    def server_info(self) -> ServerInfo:
        """The daemon: its version, what it can take, how busy it is."""
        return _convert.server_info(self._unary(self._stub.GetServerInfo, run_pb2.GetServerInfoRequest()))

    def _unary(self, method: Any, request: Any, attempts: Attempts | None = None) -> Any:
        attempts = attempts or Attempts(self.address, self._retry, self._call_timeout_seconds, repeatable=True)
        while True:
            try:
                return method(request, timeout=attempts.deadline.left())
            except grpc.RpcError as error:
                time.sleep(attempts.failed(error))

    def _usual_name(self, profile: str, source: Content | None, options: Options) -> str | None:
        """What the profile calls its program, asked for once; an unknown profile is the service's to refuse."""
        if not _request.needs_usual_name(source, options):
            return None
        if profile not in self._usual_names:
            self._usual_names = {entry.name: entry.default_main_file for entry in self.profiles()}
        return self._usual_names.get(profile) or "main"
