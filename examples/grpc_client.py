#!/usr/bin/python3
"""A first real use over gRPC, with nothing but grpcio and generated stubs.

    protoc -I proto -I third_party --python_out=stubs --grpc_python_out=stubs \\
        --plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin caisson/v1/run.proto
    PYTHONPATH=stubs /usr/bin/python3 examples/grpc_client.py [unix:/run/caisson/caisson.sock]

It runs a program that counts, prints each line as it arrives, and then what the run came to.
"""

import sys

import grpc

from caisson.v1 import run_pb2, run_pb2_grpc

PROGRAM = b"""
import time
for number in range(1, 4):
    print("line", number, flush=True)
    time.sleep(0.2)
"""


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else "unix:/run/caisson/caisson.sock"
    request = run_pb2.ExecuteRequest(
        profile="python",
        files=[run_pb2.InputFile(path="main.py", content=PROGRAM)],
        limits=run_pb2.Limits(wall_time_ms=5_000, memory_bytes=64 * 1024 * 1024),
    )
    with grpc.insecure_channel(address) as channel:
        service = run_pb2_grpc.RunServiceStub(channel)
        try:
            for event in service.Execute(request, timeout=30):
                kind = event.WhichOneof("event")
                if kind == "accepted":
                    print(f"accepted as {event.accepted.name}")
                elif kind == "output":
                    stream = run_pb2.Stream.Name(event.output.stream).removeprefix("STREAM_").lower()
                    print(f"{stream} at {event.output.offset}: {event.output.data!r}", flush=True)
                elif kind == "finished":
                    result = event.finished
                    print(f"finished: {run_pb2.Verdict.Name(result.verdict)}, exit code {result.exit_code}, "
                          f"{result.usage.memory_peak_bytes // 1024} KiB at most")
                    return 0 if result.verdict == run_pb2.COMPLETED else 1
        except grpc.RpcError as error:
            print(f"refused: {error.code().name}: {error.details()}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
