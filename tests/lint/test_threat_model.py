"""check_threat_model finds what it is for: each rule gets a small document that breaks it, and one that does not."""
import attack_surface
import check_threat_model as check
import known_tests
import pytest

KNOWN = {"Suite.Case", "test_one", "NSP-05", "mutation landlock"}
GOOD = """
## Threats
| threat | by whom | layers | shown by |
| --- | --- | --- | --- |
| a | payload | one; two | [test: test_one] |
## Layers
| layer | against | implemented in | test |
| --- | --- | --- | --- |
| one | x | y | [test: Suite.Case, NSP-05] |
| two | x | y | [test: mutation landlock] |
## Attack surface
| surface | what | worst | held by |
| --- | --- | --- | --- |
| calls | x | y | [test: test_one] |
## Nine invariants
""" + "".join(f"{number}. **x** [test: test_one]\n" for number in range(1, 10))


def complaints(text):
    return check.mark_complaints(text, KNOWN) + check.row_complaints(text) + check.layer_complaints(text)


def test_a_good_document_passes():
    assert complaints(GOOD) == []


@pytest.mark.parametrize("old, new, words", [
    ("Suite.Case", "Suite.Gone", "[test: Suite.Gone]: there is no such test"),
    ("NSP-05", "NSP-99", "[test: NSP-99]: there is no such test"),
    ("mutation landlock", "mutation nothing", "[test: mutation nothing]: there is no such test"),
    ("| one | x | y | [test: Suite.Case, NSP-05] |", "| one | x | y | - |", "Layers: 'one' has no [test: …]"),
    ("| calls | x | y | [test: test_one] |", "| calls | x | y | |", "Attack surface: 'calls' has no [test: …]"),
    ("3. **x** [test: test_one]", "3. **x**", "invariant 3 has no [test: …]"),
    ("9. **x** [test: test_one]\n", "", "8 invariants"),
    ("one; two", "one; three", "a threat names the layer 'three', which is not in the table"),
    ("one; two", "one", "the layer 'two' counters no threat"),
    ("| a | payload", "| a *pending* | payload", "says *pending*"),
])
def test_what_is_wrong_is_found(old, new, words):
    assert old in GOOD
    assert any(complaint.startswith(words) for complaint in complaints(GOOD.replace(old, new, 1)))


def test_a_mark_over_several_lines_is_read_and_one_in_backticks_is_not():
    assert check.marked("[test: test_one,\n   Suite.Case]") == ["test_one", "Suite.Case"]
    assert check.marked("`[test: NAME]`") == []


def test_generated_tables_that_are_old_are_found():
    text = f"x\n{check.BEGIN}{attack_surface.tables()}{check.END}"
    assert check.generated_complaints(text) == []
    assert check.generated_complaints(text.replace("| `bash` | run | 1", "| `bash` | run | 2"))
    assert check.generated_complaints("x")


def test_tests_of_every_kind_are_known():
    known = known_tests.every_test()
    assert {"VerdictTest", "StateTableTest.EveryTypeInEveryStateIsDecided", "test_what_is_wrong_is_found", "NSP-05", "mutation landlock",
            "tests/fuzz/event_fuzz.cc", "tests/lint/check_threat_model.py", "tests/integration/test_verdicts.py",
            "tests/unit/policy/shipped_filters_test.cc"} <= known
    assert not {"VerdictTest.NothingOfTheKind", "test_nothing", "TIM-04", "mutation nothing", "tests/lint/check_nothing.py",
                "tests/support/client.py"} & known


@pytest.mark.parametrize("answer, kind", [
    ("allowed", "allowed"),
    ("allowed if arg0 == 0x1; otherwise EAFNOSUPPORT, reported", "allowed for some arguments"),
    ("EINVAL if arg1 & 0x4000 == 0x4000; allowed if arg1 & 0x4000 == 0", "allowed for some arguments"),
    ("ENOSYS", "answered without being made"),
    ("0, and nothing is done", "answered without being made"),
    ("EAFNOSUPPORT if arg0 == 0x1; otherwise EAFNOSUPPORT, reported", "refused and reported"),
    ("EPERM, reported", "refused and reported"),
    ("ends the run", "end the run"),
])
def test_attack_surface_counts_each_kind_of_answer(answer, kind):
    assert attack_surface.kind(answer) == kind


def test_lines_for_many_numbers_at_once_are_no_calls():
    assert attack_surface.calls_of("    0-600 i386                       ends the run\n        0 read                       allowed\n"
                                   "  457-600 (no such call)             ENOSYS\n") == {"read": "allowed"}
