#!/usr/bin/python3
"""make_openapi.py [--check] [FILE]: the gateway's OpenAPI 3.1 document (docs/openapi.json), from what says the same already.

Messages, fields and their words come from proto/caisson/v1/run.proto; routes and refusals from the tables of docs/http.md, which a unit
test holds to the gateway's own. --check: only whether the file is what would be written now.
"""

import argparse
import difflib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "http.md"
PROTO = ROOT / "proto"
FILE = "caisson/v1/run.proto"
REF = "#/components/schemas/"

Field = descriptor_pb2.FieldDescriptorProto
INT64 = {Field.TYPE_INT64, Field.TYPE_UINT64}
UNSIGNED = {Field.TYPE_UINT32, Field.TYPE_UINT64}
WELL_KNOWN = {
    ".google.protobuf.Duration": {"type": "string", "pattern": r"^-?\d+(\.\d{1,9})?s$"},
    ".google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
}
# The gateway's additions to requests: text beside bytes.
TEXT_FOR = {"InputFile": ("content", "text"), "ExecuteRequest": ("stdin", "stdin_text")}

# What each call of the API answers with, and what of a request stands in the query.
ANSWERS = {"CreateRun": "Run", "ListRuns": "ListRunsResponse", "GetRun": "Run", "CancelRun": "Run", "ListProfiles": "ListProfilesResponse",
           "GetServerInfo": "ServerInfo"}
PAGE_QUERY = {
    "page_size": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "description": "0: the service's own choice; more than 1,000: 1,000"},
    "page_token": {"type": "string", "description": "next_page_token of the page before"},
}
OFFSET = {"type": "integer", "minimum": 0, "description": "how many bytes of this stream the client has already"}
QUERIES = {
    "ListRuns": {**PAGE_QUERY, "filter": {"type": "string", "maxLength": 1024, "examples": ['state = FINISHED AND profile = "python"']}},
    "ListProfiles": PAGE_QUERY,
    "FollowRun": {name: OFFSET for name in ("stdout", "stderr", "compile_stdout", "compile_stderr")},
}
# Fields of an ExecuteRequest that a call refuses as UNIMPLEMENTED, whatever stands in them.
REFUSED = {"Execute": ("minimum_isolation", "request_id"), "CreateRun": ("minimum_isolation",)}


class Proto:
    """The API's messages and enums by their names within the package ("LimitHit", "RefusedOutput.Reason"), with their comments."""

    def __init__(self):
        with tempfile.NamedTemporaryFile() as out:
            subprocess.run(["protoc", f"--proto_path={PROTO}", "--include_source_info", f"--descriptor_set_out={out.name}", FILE], check=True)
            (file,) = descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(out.name).read_bytes()).file
        self._comments = {tuple(place.path): self._text(place) for place in file.source_code_info.location}
        self.messages, self.enums = {}, {}
        for index, message in enumerate(file.message_type):
            self._add(message, (4, index), "")
        for index, enum in enumerate(file.enum_type):
            self.enums[enum.name] = (enum, (5, index))
        self.calls = {}
        for index, method in enumerate(file.service[0].method):
            self.calls[method.name] = self._comments.get((6, 0, 2, index), "")

    @staticmethod
    def _text(place):
        """Leading and trailing comments as one paragraph."""
        lines = (place.leading_comments + " " + place.trailing_comments).split("\n")
        return re.sub(r"\s+", " ", " ".join(lines)).strip()

    def _add(self, message, path, prefix):
        name = prefix + message.name
        self.messages[name] = (message, path)
        for index, nested in enumerate(message.nested_type):
            if not nested.options.map_entry:
                self._add(nested, (*path, 3, index), name + ".")
        for index, enum in enumerate(message.enum_type):
            self.enums[f"{name}.{enum.name}"] = (enum, (*path, 4, index))

    def comment(self, path):
        return self._comments.get(path, "")

    def field_comment(self, path, index):
        return self.comment((*path, 2, index))

    def map_of(self, message, field):
        """The entry type of a map field, or None."""
        name = field.type_name.rsplit(".", 1)[-1]
        return next((nested for nested in message.nested_type if nested.name == name and nested.options.map_entry), None)


def local(type_name):
    return type_name.removeprefix(".caisson.v1.")


class Schemas:
    """JSON Schemas of messages. A message that both directions use has two: what is always there in an answer may be left out of a
    request, and 64-bit numbers, which answers write as strings, may be numbers there."""

    def __init__(self, proto):
        self._proto = proto
        self.made = {}

    def message(self, name, request, call=""):
        title = name.replace(".", "") + ("Input" if request and name == "Limits" else "")
        if call == "CreateRun":
            title = "CreateRunRequest"
        if title not in self.made:
            self.made[title] = {}  # a message may hold itself
            self.made[title].update(self._message(name, request, REFUSED.get(call, ())))
        return {"$ref": REF + title}

    def _message(self, name, request, refused):
        message, path = self._proto.messages[name]
        properties, required = {}, []
        for index, field in enumerate(message.field):
            if field.name in refused:
                continue
            properties[field.name] = described(self._field(message, field, request), self._proto.field_comment(path, index))
            is_optional = field.proto3_optional or field.HasField("oneof_index") or (
                field.type == Field.TYPE_MESSAGE and field.label != Field.LABEL_REPEATED)
            if not request and not is_optional:
                required.append(field.name)
        schema = described({"type": "object", "properties": properties}, self._proto.comment(path))
        if request:
            schema["additionalProperties"] = False
            if name == "ExecuteRequest":
                schema["required"] = ["profile"]
                properties["profile"]["minLength"] = 1
            if name in TEXT_FOR:
                of, text = TEXT_FOR[name]
                properties[text] = {"type": "string", "description": f"Instead of {of}: the same as text, in UTF-8."}
                schema["not"] = {"required": [of, text]}
        if required:
            schema["required"] = required
        return schema

    def _field(self, message, field, request):
        entry = self._proto.map_of(message, field) if field.type == Field.TYPE_MESSAGE else None
        if entry is not None:
            return {"type": "object", "additionalProperties": self._single(entry.field[1], request)}
        if field.label == Field.LABEL_REPEATED:
            return {"type": "array", "items": self._single(field, request)}
        return self._single(field, request)

    def _single(self, field, request):
        if field.type == Field.TYPE_MESSAGE:
            known = WELL_KNOWN.get(field.type_name)
            return dict(known) if known else self.message(local(field.type_name), request)
        if field.type == Field.TYPE_ENUM:
            return self._enum(local(field.type_name))
        if field.type in INT64:
            digits = {"type": "string", "pattern": r"^\d+$" if field.type in UNSIGNED else r"^-?\d+$", "format": "int64"}
            number = {"type": "integer", **({"minimum": 0} if field.type in UNSIGNED else {})}
            return {"oneOf": [digits, number]} if request else digits
        if field.type in (Field.TYPE_INT32, Field.TYPE_UINT32):
            bounds = (0, 2**32 - 1) if field.type in UNSIGNED else (-(2**31), 2**31 - 1)
            return {"type": "integer", "minimum": bounds[0], "maximum": bounds[1]}
        if field.type == Field.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        return {"type": {Field.TYPE_BOOL: "boolean", Field.TYPE_STRING: "string"}[field.type]}

    def _enum(self, name):
        title = name.replace(".", "")
        enum, path = self._proto.enums[name]
        if title not in self.made:
            self.made[title] = described({"type": "string", "enum": [value.name for value in enum.value]}, self._proto.comment(path))
        return {"$ref": REF + title}


def described(schema, text):
    if not text:
        return schema
    # Beside a $ref siblings hold from 3.1 on.
    return {**schema, "description": text}


BYTES = "Where the bytes are UTF-8. Where they are not, the same in base64 stands under the other name."


def text_or_base64(text, base64):
    return {text: {"type": "string", "description": BYTES}, base64: {"type": "string", "contentEncoding": "base64"}}


def own_schemas(reasons):
    """What the gateway adds to the API's messages (docs/http.md)."""
    streams = {**text_or_base64("stdout", "stdout_base64"), **text_or_base64("stderr", "stderr_base64")}
    return {
        "Answer": {
            "type": "object", "description": "A whole run.", "required": ["name", "output_files", "result"],
            "properties": {
                "name": {"type": "string", "pattern": "^runs/[0-9a-f]{32}$"}, **streams,
                "compile": {"type": "object", "description": "What the compile step put out, where there was one.", "properties": streams},
                "output_files": {"type": "array", "items": {
                    "type": "object", "required": ["path", "executable"],
                    "properties": {"path": {"type": "string"}, "executable": {"type": "boolean"}, **text_or_base64("text", "base64")}}},
                "result": {"$ref": REF + "RunResult"},
            },
        },
        "Health": {"type": "object", "required": ["status"], "properties": {"status": {"const": "SERVING"}}},
        "Problem": {
            "type": "object", "description": "RFC 9457.", "required": ["type", "title", "status", "detail", "instance", "code"],
            "properties": {
                "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"}, "detail": {"type": "string"},
                "instance": {"type": "string", "description": "the request's id"},
                "code": {"type": "string", "description": "gRPC's name for the kind"},
                "reason": {"type": "string", "description": "Of the domain gateway.caisson.dev: " + ", ".join(reasons) + ". Of caisson.dev: docs/errors.md."},
                "domain": {"enum": ["caisson.dev", "gateway.caisson.dev"]},
                "violations": {"type": "array", "items": {"type": "object", "required": ["field", "description"], "properties": {
                    "field": {"type": "string"}, "description": {"type": "string"}}}},
                "metadata": {"type": "object", "additionalProperties": {"type": "string"}},
                "retry_after_ms": {"type": "integer", "minimum": 0},
            },
        },
    }


def table(page, heading):
    """The rows of the first table below the heading, without its head."""
    body = page.split(f"\n## {heading}\n", 1)[1]
    rows = re.findall(r"^\| (.*) \|$", body.split("\n## ", 1)[0], re.MULTILINE)
    return [[cell.strip() for cell in re.split(r" ?\| ", row + " ")] for row in rows[2:]]


def operation(proto, schemas, method, path, words, call):
    """One route. `call`: the API's name for it; empty for what is the gateway's own."""
    request_id = {"name": "X-Request-Id", "in": "header", "schema": {"type": "string"},
                  "description": "1 to 64 of [A-Za-z0-9_.-]; anything else is replaced by one of the gateway's"}
    parameters = [request_id]
    if "{run}" in path:
        parameters.append({"name": "run", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}})
    parameters += [{"name": name, "in": "query", "schema": schema} for name, schema in QUERIES.get(call, {}).items()]
    events = {"schema": {"type": "string"}}
    if call == "Execute":
        content = {"application/json": {"schema": {"$ref": REF + "Answer"}}, "text/event-stream": events}
    elif call == "FollowRun":
        parameters.append({"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}})
        content = {"text/event-stream": events}
    else:
        schema = schemas.message(ANSWERS[call], False) if call else {"$ref": REF + "Health"}
        content = {"application/json": {"schema": schema}}
    made = {
        "operationId": call[0].lower() + call[1:] if call else "health",
        "summary": re.sub(r"`", "", words) or proto.calls.get(call, ""),
        "parameters": parameters,
        "responses": {"200": {"description": "OK", "content": content}, "default": {"$ref": "#/components/responses/Problem"}},
    }
    if proto.calls.get(call):
        made["description"] = proto.calls[call]
    if call in ("Execute", "CreateRun"):
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": schemas.message("ExecuteRequest", True, call)}}}
    if call == "FollowRun":
        made["responses"]["204"] = {"description": "The client has the end of the run already (Last-Event-ID: end)."}
    return method.lower(), made


def document():
    page = PAGE.read_text(encoding="utf-8")
    proto = Proto()
    schemas = Schemas(proto)
    paths = {}
    for route, words, call in table(page, "Routes"):
        method, path = re.fullmatch(r"`(\w+) (\S+)`", route).groups()
        if call == "Interact" or path.startswith("/api/"):
            continue  # a WebSocket, which OpenAPI has no words for; Piston's, which has a document of its own
        name, made = operation(proto, schemas, method, path, words, call)
        paths.setdefault(path, {})[name] = made
    schemas.message("RunResult", False)
    reasons = [row[0].strip("`") for row in table(page, "Problems")]
    version = re.search(r"^project\(\w+\s+VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.MULTILINE)[1]
    return {
        "openapi": "3.1.0",
        "info": {"title": "Caisson over HTTP", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
                 "description": "Runs other people's code, each run in a sandbox of its own. docs/http.md tells the rest: events, bounds, who may call."},
        "servers": [{"url": "http://127.0.0.1:8080"}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted({**schemas.made, **own_schemas(reasons)}.items())),
            "responses": {"Problem": {"description": "Refused, or failed.", "content": {
                "application/problem+json": {"schema": {"$ref": REF + "Problem"}}}}},
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("file", nargs="?", type=pathlib.Path, default=ROOT / "docs" / "openapi.json")
    options = parser.parse_args()
    text = json.dumps(document(), indent=1, ensure_ascii=False) + "\n"
    if not options.check:
        options.file.write_text(text, encoding="utf-8")
        return
    held = options.file.read_text(encoding="utf-8")
    if held != text:
        sys.stdout.writelines(difflib.unified_diff(held.splitlines(True), text.splitlines(True), str(options.file), "the code"))
        sys.exit(f"{options.file} is not what the proto and docs/http.md say; run `make docs`")


if __name__ == "__main__":
    main()
