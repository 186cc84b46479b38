"""The checks find what they are for: each gets a small case that is wrong and one that is right."""
import pathlib

import check_docs
import check_includes
import check_no_switches
import pytest


def include_complaint(path, name, quoted=True):
    return check_includes.complaint(pathlib.PurePosixPath(path), name, quoted)


@pytest.mark.parametrize("path, name, quoted", [
    ("common/a.cc", "policy/limits.h", True),
    ("ipc/a.cc", "policy/profile_loader.h", True),
    ("ipc/a.cc", "sandbox/plan.h", True),
    ("sandbox/a.cc", "ipc/codec.h", True),
    ("sandbox/a.cc", "sandbox/init/lock.h", True),
    ("orchestrator/a.cc", "dispatcher/admission.h", True),
    ("orchestrator/a.cc", "caisson/v1/run.pb.h", True),
    ("orchestrator/a.cc", "caisson/admin/v1/admin.pb.h", True),
    ("gateway/a.cc", "caisson/admin/v1/admin.grpc.pb.h", True),
    ("orchestrator/a.cc", "grpcpp/grpcpp.h", False),
    ("dispatcher/a.cc", "sandbox/plan.h", True),
    ("dispatcher/a.cc", "orchestrator/verdict.h", True),
    ("cli/a.cc", "ipc/codec.h", True),
    ("policy/a.cc", "spdlog/spdlog.h", False),
    ("orchestrator/a.cc", "lockdown/landlock.h", True),
    ("lockdown/a.cc", "policy/limits.h", True),
    ("tls_door/a.cc", "gateway/server.h", True),
    ("gateway/a.cc", "policy/limits.h", True),
    ("gateway/a.cc", "dispatcher/errors.h", True),
    ("ipc/a.cc", "nlohmann/json.hpp", False),
    ("sandbox/init/a.cc", "string.h", False),
    ("sandbox/init/a.cc", "sys/mman.h", False),
    ("sandbox/init/a.cc", "common/status.h", True),
    ("sandbox/plan.h", "string", False),
    ("strange/a.cc", "common/status.h", True),
])
def test_a_forbidden_include_is_found(path, name, quoted):
    assert include_complaint(path, name, quoted)


@pytest.mark.parametrize("path, name, quoted", [
    ("common/a.cc", "common/status.h", True),
    ("common/a.cc", "absl/status/status.h", True),
    ("policy/a.cc", "nlohmann/json.hpp", False),
    ("ipc/a.cc", "policy/limits.h", True),
    ("orchestrator/a.cc", "sandbox/plan.h", True),
    ("dispatcher/a.cc", "caisson/v1/run.grpc.pb.h", True),
    ("cli/a.cc", "caisson/admin/v1/admin.grpc.pb.h", True),
    ("dispatcher/a.cc", "grpcpp/grpcpp.h", False),
    ("cli/a.cc", "google/rpc/error_details.pb.h", True),
    ("sandbox/init/a.cc", "linux/seccomp.h", False),
    ("sandbox/init/a.cc", "sandbox/init/lock.h", True),
    ("sandbox/init/a.cc", "ipc/run_streams.h", True),
])
def test_a_permitted_include_passes(path, name, quoted):
    assert include_complaint(path, name, quoted) is None


def test_a_planted_switch_is_found():
    check_no_switches.prove_sight()
    assert check_no_switches.findings(b"\x7fELF CAISSON_SKIP_CAPS \0") == ["CAISSON_SKIP_CAPS"]


def test_a_released_unit_with_a_layer_left_out_is_found(tmp_path):
    (tmp_path / "compile_commands.json").write_text(
        '[{"file": "a.cc", "command": "g++ -DCAISSON_WITHOUT_LANDLOCK -o x/CMakeFiles/caissond.dir/a.cc.o"},'
        ' {"file": "b.cc", "command": "g++ -DCAISSON_WITHOUT_LANDLOCK -o x/CMakeFiles/caissond-without.dir/b.cc.o"}]')
    errors = []
    assert check_no_switches.check_compile_commands(tmp_path, errors) == 2
    assert len(errors) == 1 and errors[0].startswith("a.cc in caissond")


def test_a_dangling_path_and_a_dangling_link_are_found(tmp_path):
    document = tmp_path / "a.md"
    document.write_text("# One heading\n[good](#one-heading) [bad](#two) [gone](b.md)\n")
    assert check_docs.link_complaint(document, "#one-heading") is None
    assert check_docs.link_complaint(document, "https://example.org/x") is None
    assert check_docs.link_complaint(document, "#two")
    assert check_docs.link_complaint(document, "b.md")
    assert check_docs.exists("src/ipc/codec") and check_docs.exists("src/ipc/*.h")
    assert not check_docs.exists("src/ipc/nothing.h")
