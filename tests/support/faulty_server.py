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
    """`events` is called for each run and returns an iterable of RunEvents; `answers` has the others by method. What is in
    `refusals` ends the next calls, one each, before that."""

    def __init__(self, directory):
        self.address = f"unix:{directory}/faulty.sock"
        self.api = protos.load()
        self.events = lambda: []
        self.followed = lambda _request: []  # the same for FollowRun; a ConnectionError breaks the call
        self.answers = {}  # method → function of the request
        self.requests = []
        self.refusals = []  # (grpc.StatusCode, message, details)
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
        self._refuse(context)
        yield from self.events()

    def _refuse(self, context):
        if self.refusals:
            code, message, details = self.refusals.pop(0)
            status = self.api.status.Status(code=code.value[0], message=message)
            for detail in details:
                status.details.add().Pack(detail)
            if details:
                context.set_trailing_metadata([("grpc-status-details-bin", status.SerializeToString())])
            context.abort(code, message)

    def _servicer(self):
        outer = self

        class Servicer(self.api.run_grpc.RunServiceServicer):
            def Execute(self, request, context):  # pylint: disable=invalid-name
                yield from outer._stream(request, context)  # pylint: disable=protected-access

            def Interact(self, request_iterator, context):  # pylint: disable=invalid-name
                yield from outer._stream(next(request_iterator).open.request, context)  # pylint: disable=protected-access

            def FollowRun(self, request, context):  # pylint: disable=invalid-name
                outer.requests.append(request)
                try:
                    yield from outer.followed(request)
                except BrokenPipeError:
                    context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
                except ConnectionResetError:
                    context.abort(grpc.StatusCode.CANCELLED, "")

        def answer(method):
            def answered(_self, request, context):
                outer.requests.append(request)
                outer._refuse(context)  # pylint: disable=protected-access
                return outer.answers[method](request)
            return answered

        for method in ("ListRuns", "ListProfiles", "GetServerInfo", "CancelRun", "CreateRun"):
            setattr(Servicer, method, answer(method))
        return Servicer()
