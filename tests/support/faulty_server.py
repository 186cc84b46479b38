"""A real gRPC server on a Unix socket that answers whatever a test wants: `caisson` must not take harm from it."""

import concurrent.futures
import contextlib
import threading

import grpc

from support import protos


def numbered(events):
    """The events with the sequence numbers a good server gives them."""
    for sequence, event in enumerate(events, 1):
        event.sequence = sequence
        yield event


class FaultyServer:
    """`events` is called for each run and returns an iterable of RunEvents; `answers` has the others by method."""

    def __init__(self, directory):
        self.address = f"unix:{directory}/faulty.sock"
        self.api = protos.load()
        self.events = lambda: []
        self.answers = {}  # method → function of the request
        self.requests = []
        self.ended = threading.Event()  # a stream of events is over, whoever ended it

    @contextlib.contextmanager
    def running(self):
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=4))
        self.api.run_grpc.add_RunServiceServicer_to_server(self._servicer(), server)
        server.add_insecure_port(self.address)
        server.start()
        try:
            yield self
        finally:
            server.stop(grace=None).wait()

    def _stream(self, request, context):
        self.requests.append(request)
        context.add_callback(self.ended.set)
        yield from self.events()

    def _servicer(self):
        outer = self

        class Servicer(self.api.run_grpc.RunServiceServicer):
            def Execute(self, request, context):  # pylint: disable=invalid-name
                yield from outer._stream(request, context)  # pylint: disable=protected-access

            def Interact(self, request_iterator, context):  # pylint: disable=invalid-name
                yield from outer._stream(next(request_iterator).open.request, context)  # pylint: disable=protected-access

        def answer(method):
            return lambda _self, request, _context: outer.answers[method](request)

        for method in ("ListRuns", "ListProfiles", "GetServerInfo", "CancelRun"):
            setattr(Servicer, method, answer(method))
        return Servicer()
