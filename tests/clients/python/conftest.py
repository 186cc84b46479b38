"""Fixtures of the Python client's tests. What holds for one client holds for the other, so most tests run with both."""

import asyncio
import functools
import inspect

import pytest

from support import python_client


class Blocking:
    """AsyncCaisson, its streams and its sessions, called as their synchronous twins are."""

    def __init__(self, runner, inner):
        self._runner = runner
        self._inner = inner

    def _wait(self, awaitable):
        async def wait():
            return await awaitable
        return self._runner.run(wait())

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        return functools.partial(self._call, found) if inspect.ismethod(found) else found

    def _call(self, method, *args, **kwargs):
        given = method(*args, **kwargs)
        if inspect.isawaitable(given):
            return self._wait(given)
        return Blocking(self._runner, given) if hasattr(given, "__anext__") else given

    def __enter__(self):
        self._wait(self._inner.__aenter__())
        return self

    def __exit__(self, *error):
        self._wait(self._inner.__aexit__(*error))

    def __iter__(self):
        return self

    def __next__(self):
        try:
            return self._wait(self._inner.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None


@pytest.fixture(scope="session")
def caisson():
    """The package as it is installed."""
    return python_client.load()


@pytest.fixture(params=["Caisson", "AsyncCaisson"])
def connect(request, caisson):  # pylint: disable=redefined-outer-name
    """connect(address, ...): a client, synchronous or not, closed at the end."""
    with asyncio.Runner() as runner:
        clients = []

        def make(address, **fields):
            client = getattr(caisson, request.param)(address, **fields)
            clients.append(client if request.param == "Caisson" else Blocking(runner, client))
            return clients[-1]

        yield make
        for client in clients:
            client.close()


@pytest.fixture
def connection(connect, daemon):  # pylint: disable=redefined-outer-name
    """A client of the shared daemon."""
    return connect(daemon.address)
