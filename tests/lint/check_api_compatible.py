#!/usr/bin/python3
"""check_api_compatible.py [--update | --accept-breaking]: the API still has everything that it had.

The baseline.txt beside each .proto file lists what that API promises, one promise a line: every field with its number, type and
presence, every enum value, every call with its messages. A promise that is gone or different breaks clients. A new one
must be written down too, or it could break later without a word: --update adds it. --accept-breaking rewrites the lists;
docs/compatibility.md says when that is allowed.
"""
import pathlib
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2
from lint_support import ROOT, finish

SOURCES = ("caisson/v1/run.proto", "caisson/admin/v1/admin.proto")
HEAD = "# What the API promises; see tests/lint/check_api_compatible.py. Made by it, never by hand.\n"
FIELD = descriptor_pb2.FieldDescriptorProto


def compiled(source, folders):
    """The FileDescriptorProto of one .proto file, by protoc."""
    with tempfile.NamedTemporaryFile() as output:
        subprocess.run(["protoc", *(f"-I{folder}" for folder in folders), f"--descriptor_set_out={output.name}", source],
                       check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(output.name).read_bytes()).file[0]


def field_promise(owner, field):
    kind = field.type_name.lstrip(".") or FIELD.Type.Name(field.type).removeprefix("TYPE_").lower()
    presence = "repeated " if field.label == FIELD.LABEL_REPEATED else "optional " if field.proto3_optional else ""
    return f"field {owner}.{field.name} = {field.number}: {presence}{kind}"


def message_promises(owner, message):
    name = f"{owner}.{message.name}"
    yield f"message {name}"
    for field in message.field:
        # A field that moves into or out of a oneof changes generated code, but for the oneof of an optional field.
        choice = ""
        if field.HasField("oneof_index") and not field.proto3_optional:
            choice = f" in oneof {message.oneof_decl[field.oneof_index].name}"
        yield field_promise(name, field) + choice
    for enum in message.enum_type:
        yield from enum_promises(name, enum)
    for nested in message.nested_type:
        yield from message_promises(name, nested)


def enum_promises(owner, enum):
    for value in enum.value:
        yield f"value {owner}.{enum.name}.{value.name} = {value.number}"


def promises(file):
    found = []
    for message in file.message_type:
        found.extend(message_promises(file.package, message))
    for enum in file.enum_type:
        found.extend(enum_promises(file.package, enum))
    for service in file.service:
        for method in service.method:
            takes = "stream " * method.client_streaming + method.input_type.lstrip(".")
            gives = "stream " * method.server_streaming + method.output_type.lstrip(".")
            found.append(f"call {file.package}.{service.name}.{method.name}({takes}) returns {gives}")
    return found


def compare(before, now):
    """(promises broken, promises new), each in order."""
    return [line for line in before if line not in set(now)], [line for line in now if line not in set(before)]


def baseline_of(source):
    return ROOT / "proto" / pathlib.Path(source).parent / "baseline.txt"


def read_baseline(path):
    return [line for line in path.read_text().splitlines() if not line.startswith("#")] if path.exists() else []


def write_baseline(path, lines):
    path.write_text(HEAD + "".join(f"{line}\n" for line in sorted(lines)))


def main():
    checked, errors = 0, []
    for source in SOURCES:
        now = promises(compiled(source, [ROOT / "proto", ROOT / "third_party"]))
        baseline = baseline_of(source)
        broken, new = compare(read_baseline(baseline), now)
        if "--accept-breaking" in sys.argv or ("--update" in sys.argv and not broken):
            write_baseline(baseline, now)
            new, broken = [], []
        checked += len(now)
        errors += [f"breaks clients: no longer so: {line}" for line in broken]
        errors += [f"is not in the baseline (run {pathlib.Path(__file__).relative_to(ROOT)} --update): {line}" for line in new]
    finish("check_api_compatible", checked, errors)


if __name__ == "__main__":
    main()
