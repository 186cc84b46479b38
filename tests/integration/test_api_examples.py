"""docs/api-examples.md, run as it is printed."""

import sys

from support import protos
from support.document import Reader, sections
from support.environment import REPOSITORY

DOCUMENT = (REPOSITORY / "docs/api-examples.md").read_text()


def test_every_block_prints_what_the_document_says(make_daemon, tmp_path, monkeypatch):
    api = protos.load()
    health = type(sys)("grpc.health.v1")
    health.health_pb2, health.health_pb2_grpc = api.health, api.health_grpc
    monkeypatch.setitem(sys.modules, "grpc.health", type(sys)("grpc.health"))
    monkeypatch.setitem(sys.modules, "grpc.health.v1", health)
    reader = Reader(make_daemon(ready_sandboxes=0), tmp_path)
    assert reader.read(DOCUMENT) >= 18
    reader.names["channel"].close()


def calls():
    return [method.name for method in protos.load().run.DESCRIPTOR.services_by_name["RunService"].methods]


def test_every_call_that_is_served_has_an_example():
    headings = {heading for heading, _ in sections(DOCUMENT)}
    assert set(calls()) <= headings
    for heading, blocks in sections(DOCUMENT):
        if heading in calls():
            assert "python" in dict(blocks), heading
