"""The asyncio client: the calls of caisson.client, awaited. What is not a call is the same code (_request, _progress, _input)."""

import asyncio
import signal as signals
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any, Self, Unpack

import grpc
import grpc.aio

from caisson import _address, _convert, _request, _token
from caisson._input import Input
from caisson._progress import Attempts, Following, Gathering, Progress, Retry, profiles_page, runs_page
from caisson.errors import SessionEnded
from caisson.events import Event
from caisson.info import Profile, Run, ServerInfo
from caisson.options import Content, Options, Terminal
from caisson.results import Result, RunResult
from caisson.v1 import run_pb2, run_pb2_grpc

Begin = Callable[[], Awaitable[Progress]]
AIO: Any = grpc.aio  # without types, as the generated stubs are
STUB: Any = run_pb2_grpc.RunServiceStub


class AsyncRunStream(AsyncIterator[Event]):
    """The events of one run; begun by `async with` or by the first event. Leaving the block before the last cancels the run."""

    def __init__(self, begin: Begin, start: Callable[[Progress, float | None], Any], cancel: Callable[[str], Awaitable[object]]) -> None:
        self._begin = begin
        self._start = start
        self._cancel = cancel
        self._progress: Progress | None = None
        self._call: Any = None
        self._closed = False

    @property
    def name(self) -> str | None:
        """The run's name, once it is accepted."""
        return self._progress.name if self._progress else None

    @property
    def result(self) -> RunResult | None:
        """The result, once it is there."""
        return self._progress.result if self._progress else None

    async def _begun(self) -> Progress:
        if self._progress is None:
            self._progress = await self._begin()
            await self._restart(self._progress)
        return self._progress

    async def _restart(self, progress: Progress) -> None:
        self._call = self._start(progress, progress.deadline.left())

    async def __aenter__(self) -> Self:
        await self._begun()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        progress = await self._begun()
        while True:
            try:
                message = await self._call.read()
                event = None if message is AIO.EOF else progress.accept(message)
            except grpc.RpcError as error:
                if progress.result is not None:
                    raise StopAsyncIteration from None
                await asyncio.sleep(progress.failed(error))
                await self._restart(progress)
                continue
            except asyncio.CancelledError:
                self._call.cancel()
                task = asyncio.current_task()
                if not self._closed or (task is not None and task.cancelling()):
                    raise
                if progress.result is not None:
                    raise StopAsyncIteration from None
                raise progress.closed() from None  # gRPC says so of a call that close() ended: this task was not canceled
            except BaseException:
                self._call.cancel()
                raise
            if message is AIO.EOF:
                progress.ended()
                raise StopAsyncIteration
            if event is not None:
                return event

    async def cancel(self) -> None:
        """Ends the run. Its events go on to a Finished with the verdict CANCELED; before it is accepted the iteration raises
        Canceled instead."""
        if self.name is None:
            self.close()
        else:
            await self._cancel(self.name)

    def close(self) -> None:
        """Ends the call, and with it the run if it is not over."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()


class AsyncSession(AsyncRunStream):
    """An interactive run: an AsyncRunStream that takes input. write() waits while the program does not read, and a program that
    is not read from stops at some point: whoever writes much iterates in another task meanwhile."""

    def __init__(self, begin: Begin, call: Callable[[float | None], Any], cancel: Callable[[str], Awaitable[object]]) -> None:
        super().__init__(begin, lambda progress, left: call(left), cancel)
        self._input: Input | None = None
        self._writing = asyncio.Lock()  # gRPC takes one message at a time

    async def _restart(self, progress: Progress) -> None:
        await super()._restart(progress)
        self._input = Input(progress.plan)
        try:
            await self._send(lambda _: progress.plan.opening())
        except SessionEnded:
            pass  # the iteration says why

    async def _send(self, messages: Callable[[Input], Iterator[run_pb2.InteractRequest]]) -> None:
        await self._begun()
        assert self._input is not None
        async with self._writing:
            for message in messages(self._input):
                try:
                    await self._call.write(message)
                except (grpc.RpcError, asyncio.InvalidStateError) as error:
                    raise SessionEnded("the run is over") from error
                except asyncio.CancelledError:
                    task = asyncio.current_task()
                    if not self._closed or (task is not None and task.cancelling()):
                        raise
                    raise SessionEnded("the run is over") from None

    async def write(self, data: bytes) -> None:
        """Standard input, or what is typed at the terminal. SessionEnded if the run is over."""
        await self._send(lambda sending: sending.stdin(data))

    async def close_stdin(self) -> None:
        """The end of standard input. At a terminal its end-of-file character, which counts at the beginning of a line only."""
        await self._send(lambda sending: sending.eof())

    async def signal(self, which: str | signals.Signals) -> None:
        """To the main process: "HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "TERM", "CONT", "TSTP" or "WINCH"."""
        await self._send(lambda sending: sending.signal(which))

    async def resize(self, rows: int, columns: int) -> None:
        """Gives the terminal another size, 1 to 1,000 each."""
        await self._send(lambda sending: sending.resize(rows, columns))


class AsyncCaisson:
    """Caisson for asyncio: the same calls and the same contracts, awaited. It belongs to the event loop of its first call."""

    def __init__(self, address: str | None = None, *, token: str | None = None, call_timeout_seconds: float = 10.0,
                 retry: Retry = Retry()) -> None:
        self.address = _address.resolve(address)
        self._token = _token.resolve(token)
        self._call_timeout_seconds = call_timeout_seconds
        self._retry = retry
        self._usual_names: dict[str, str] = {}
        self._channel: Any = None
        self._open_stub: Any = None

    @property
    def _stub(self) -> Any:
        if self._open_stub is None:
            self._channel = AIO.insecure_channel(self.address, options=_address.CHANNEL_OPTIONS)
            self._open_stub = _token.shown_by(STUB(self._channel), self._token)
        return self._open_stub

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection; runs that are not over are canceled."""
        if self._channel is not None:
            await self._channel.close()

    async def run(self, profile: str, source: Content | None = None, /, **options: Unpack[Options]) -> Result:
        """Caisson.run(). A canceled task ends the run."""
        return await self._gather(self.stream(profile, source, **options))

    async def _gather(self, stream: AsyncRunStream) -> Result:
        gathering = Gathering()
        async with stream:
            async for event in stream:
                gathering.add(event)
            return gathering.result(stream.name, stream.result)

    def stream(self, profile: str, source: Content | None = None, /, **options: Unpack[Options]) -> AsyncRunStream:
        """Caisson.stream()."""
        async def begin() -> Progress:
            usual = await self._usual_name(profile, source, options)
            return Progress(await asyncio.to_thread(_request.prepare, profile, source, usual, options), self.address, self._retry)

        def start(progress: Progress, left: float | None) -> Any:
            plan = progress.plan
            return (self._stub.Execute(plan.request, timeout=left) if plan.open is None
                    else self._stub.Interact(plan.opening(), timeout=left))

        return AsyncRunStream(begin, start, self.cancel)

    def interact(self, profile: str, source: Content | None = None, /, *, terminal: Terminal | None = None,
                 **options: Unpack[Options]) -> AsyncSession:
        """Caisson.interact()."""
        async def begin() -> Progress:
            usual = await self._usual_name(profile, source, options)
            plan = await asyncio.to_thread(_request.prepare, profile, source, usual, options, interactive=True, terminal=terminal)
            return Progress(plan, self.address, Retry(attempts=1))

        return AsyncSession(begin, lambda left: self._stub.Interact(timeout=left), self.cancel)

    async def create(self, profile: str, source: Content | None = None, /, **options: Unpack[Options]) -> Run:
        """Caisson.create()."""
        usual = await self._usual_name(profile, source, options)
        plan = await asyncio.to_thread(_request.prepare_create, profile, source, usual, options)
        timeout = self._call_timeout_seconds if plan.timeout_seconds is None else plan.timeout_seconds
        attempts = Attempts(self.address, self._retry, timeout, repeatable=True)
        return _convert.run(await self._unary(self._stub.CreateRun, plan.request, attempts))

    def follow(self, name: str, *, timeout_seconds: float | None = None) -> AsyncRunStream:
        """Caisson.follow()."""
        following = Following(_address.run_name(name), timeout_seconds, self.address, self._retry)

        async def begin() -> Progress:
            return following

        return AsyncRunStream(begin, lambda _, left: self._stub.FollowRun(following.request(), timeout=left), self.cancel)

    async def wait(self, name: str, *, timeout_seconds: float | None = None) -> Result:
        """Caisson.wait()."""
        return await self._gather(self.follow(name, timeout_seconds=timeout_seconds))

    async def ps(self, *, all: bool = False, filter: str = "", most: int = 10_000) -> list[Run]:  # pylint: disable=redefined-builtin
        """Caisson.ps()."""
        page = runs_page(all, filter, most)
        while page.add(await self._unary(self._stub.ListRuns, page.request)):
            pass
        return [_convert.run(entry) for entry in page.entries]

    async def get(self, name: str) -> Run:
        """Caisson.get()."""
        return _convert.run(await self._unary(self._stub.GetRun, run_pb2.GetRunRequest(name=_address.run_name(name))))

    async def cancel(self, name: str) -> Run:
        """Caisson.cancel()."""
        return _convert.run(await self._unary(self._stub.CancelRun, run_pb2.CancelRunRequest(name=_address.run_name(name))))

    async def profiles(self) -> list[Profile]:
        """Caisson.profiles()."""
        page = profiles_page()
        while page.add(await self._unary(self._stub.ListProfiles, page.request)):
            pass
        return [_convert.profile(entry) for entry in page.entries]

    async def server_info(self) -> ServerInfo:
        """Caisson.server_info()."""
        return _convert.server_info(await self._unary(self._stub.GetServerInfo, run_pb2.GetServerInfoRequest()))

    async def _unary(self, method: Any, request: Any, attempts: Attempts | None = None) -> Any:
        attempts = attempts or Attempts(self.address, self._retry, self._call_timeout_seconds, repeatable=True)
        while True:
            try:
                return await method(request, timeout=attempts.deadline.left())
            except grpc.RpcError as error:
                await asyncio.sleep(attempts.failed(error))

    async def _usual_name(self, profile: str, source: Content | None, options: Options) -> str | None:
        if not _request.needs_usual_name(source, options):
            return None
        if profile not in self._usual_names:
            self._usual_names = {entry.name: entry.default_main_file for entry in await self.profiles()}
        return self._usual_names.get(profile) or "main"
