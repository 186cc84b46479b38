"""The check of the API finds what breaks clients, and nothing else."""
import check_api_compatible
import pytest

BEFORE = """
syntax = "proto3"; package demo;
message Request { string name = 1; optional uint64 size = 2; repeated string tags = 3; oneof kind { bool a = 4; bool b = 5; } }
message Reply { Colour colour = 1; }
enum Colour { COLOUR_UNSPECIFIED = 0; RED = 1; }
service Demo { rpc Ask(Request) returns (stream Reply); }
"""


def promises_of(directory, text):
    (directory / "demo.proto").write_text(text)
    return check_api_compatible.promises(check_api_compatible.compiled("demo.proto", [directory]))


def broken_by(directory, old, new):
    assert old in BEFORE
    before = promises_of(directory, BEFORE)
    return check_api_compatible.compare(before, promises_of(directory, BEFORE.replace(old, new)))[0]


@pytest.mark.parametrize("old, new", [
    ("string name = 1;", ""),
    ("string name = 1;", "reserved 1;"),
    ("string name = 1;", "string name = 9;"),
    ("string name = 1;", "bytes name = 1;"),
    ("string name = 1;", "string title = 1;"),
    ("string name = 1;", "repeated string name = 1;"),
    ("optional uint64 size", "uint64 size"),
    ("bool b = 5; }", "} bool b = 5;"),
    ("RED = 1;", ""),
    ("RED = 1;", "RED = 2;"),
    ("RED = 1;", "CRIMSON = 1;"),
    ("Colour colour = 1;", "int32 colour = 1;"),
    ("rpc Ask(Request) returns (stream Reply);", ""),
    ("returns (stream Reply)", "returns (Reply)"),
    ("rpc Ask(Request)", "rpc Ask(Reply)"),
    ("rpc Ask(Request)", "rpc Ask(stream Request)"),
])
def test_what_breaks_clients_is_found(tmp_path, old, new):
    assert broken_by(tmp_path, old, new)


@pytest.mark.parametrize("old, new", [
    ("string name = 1;", "string name = 1; string more = 6;"),
    ("RED = 1;", "RED = 1; BLUE = 2;"),
    ("message Reply {", "message Other {} message Reply {"),
    ("(stream Reply);", "(stream Reply); rpc Tell(Request) returns (Reply);"),
    ("string name = 1;", "string name = 1;  /* a comment */"),
])
def test_what_is_added_breaks_nobody(tmp_path, old, new):
    assert broken_by(tmp_path, old, new) == []


def test_what_is_added_is_new(tmp_path):
    before = promises_of(tmp_path, BEFORE)
    now = promises_of(tmp_path, BEFORE.replace("RED = 1;", "RED = 1; BLUE = 2;"))
    assert check_api_compatible.compare(before, now) == ([], ["value demo.Colour.BLUE = 2"])
