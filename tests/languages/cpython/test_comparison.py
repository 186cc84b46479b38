"""What suite.py makes of results: which tests differ, which explanation fits, what the document says. Nothing is run here."""

import json
import re

import document
import known
import outcomes
import pytest
import suite

M = "test_m"


def lines(*records, end=True):
    return "\n".join(json.dumps(list(record)) for record in [*records, *([("", "end", "", 0)] if end else [])]) + "\n"


def side(*records, ended="", module=M):
    return outcomes.parsed(module, lines(*records, end=not ended), ended)


def found(outside, inside):
    return [(d.test, d.outside, d.inside, d.reason) for d in outcomes.differences(M, outside, inside)]


def explanations(*entries, layers="x = 'the layer x'"):
    return known.Known(f"[layers]\n{layers}\n" + "".join(f"[[known]]\n{entry}\n" for entry in entries))


def difference(test="test.test_m.C.test_a", outside="passed", inside="error", reason="OSError: [Errno 1] no"):
    return outcomes.Difference(test, outside, inside, reason)


def test_a_test_that_ends_the_same_is_no_difference_whatever_it_says():
    assert not found(side(("test.test_m.C.a", "failed", "this", 1)), side(("test.test_m.C.a", "failed", "that", 2)))


def test_the_last_line_of_the_side_that_did_not_pass_is_the_reason():
    outside, inside = side(("a", "passed", "", 0)), side(("a", "error", "Traceback\n  line\nOSError: no\n", 0))
    assert found(outside, inside) == [("a", "passed", "error", "OSError: no")]
    assert found(inside, outside) == [("a", "error", "passed", "OSError: no")]


def test_a_test_that_never_began_is_absent():
    assert found(side(("a", "passed", "", 0), ("b", "passed", "", 0)), side(("a", "passed", "", 0))) == [("b", "passed", "absent", "")]


def test_of_several_outcomes_the_worst_counts():
    parts = side(("a", "started", "", 0), ("a", "failed", "AssertionError: one part", 0), ("a", "passed", "", 0))
    assert found(side(("a", "passed", "", 0)), parts) == [("a", "passed", "failed", "AssertionError: one part")]


def test_what_befalls_a_class_or_a_module_befalls_its_tests():
    outside = side(("test.test_m.C.a", "passed", "", 0), ("test.test_m.D.b", "skipped", "no", 0))
    of_class = side(("setUpClass (test.test_m.C)", "error", "OSError: no", 0), ("test.test_m.D.b", "skipped", "no", 0))
    assert found(outside, of_class) == [("test.test_m.C.a", "passed", "error", "OSError: no")]
    of_module = side(("setUpModule (test.test_m)", "skipped", "no disk", 0))
    assert found(outside, of_module) == [("test.test_m.C.a", "passed", "skipped", "no disk")]


def test_a_file_that_is_skipped_or_cannot_be_imported_inside_is_one_difference():
    inside = side((M, "error", "cannot be imported: KeyError: 0", 0), ended="exit code 0")
    assert found(side(("a", "passed", "", 0)), inside) == [
        ("test.test_m", "complete", "error: cannot be imported: KeyError: 0", "error: cannot be imported: KeyError: 0")]
    assert not found(inside, side((M, "error", "cannot be imported: KeyError: 0", 0), ended="exit code 0"))


def test_a_process_that_ends_early_is_a_difference_and_its_tests_are_compared():
    outside, inside = side(("a", "passed", "", 0), ("b", "passed", "", 0)), side(("a", "passed", "", 0), ended="Stopped: time.")
    assert found(outside, inside) == [("test.test_m", "complete", "Stopped: time.", "Stopped: time."), ("b", "passed", "absent", "")]


@pytest.mark.parametrize("line", [
    "", "no JSON", "3", "null", "[1, 2]", '["a", "passed"]', '["a", "conquered", "", 0]', '[["a"], "passed", "", 0]',
    '{"a": 1, "b": 2, "c": 3, "d": 4}', '["a", ["passed"], "", 0]', '["a", "ended the run", "", 0]', pytest.param("[" * 100_000, id="nested")])
def test_lines_that_are_no_results_are_passed_over(line):
    read = outcomes.parsed(M, line + "\n" + lines(("b", "passed", "", 0)), "")
    assert list(read.tests) == ["b"] and read.ended == ""


def test_a_result_whose_parts_are_of_other_types_is_harmless():
    read = side(("a", "failed", ["not", "text"], "not a number"))
    assert read.tests == {"a": ("failed", "['not', 'text']")} and read.seconds == {"a": 0.0}


def test_no_more_is_read_than_the_bound():
    text = lines(("a", "passed", "", 0), end=False) + " " * outcomes.MAX_RESULT_BYTES + "\n" + lines(("b", "passed", "", 0))
    read = outcomes.parsed(M, text, "")
    assert list(read.tests) == ["a"] and read.ended == "ended early"


def test_what_ends_the_run_is_left_out_of_the_next_attempt_and_hides_nothing():
    asked = []

    def run(without):
        asked.append(without)
        records = [("a", "passed", "", 0)]
        for test in ("b", "c"):
            records.append((test, "started", "", 0))
            if test not in without:
                return side(*records, ended=f"Stopped in {test}.")
            records.pop()
        return side(*records, ("d", "passed", "", 0))

    came = outcomes.completed(run)
    assert asked == [[], ["b"], ["b", "c"]]
    assert came.ended == "" and came.tests == {"a": ("passed", ""), "d": ("passed", ""), "b": ("ended the run", "Stopped in b."),
                                               "c": ("ended the run", "Stopped in c.")}


def test_attempts_end():
    asked = []

    def run(without):
        asked.append(without)
        return side((f"test {len(without)}", "started", "", 0), ended="Stopped.")

    assert outcomes.completed(run, attempts=3).ended == "Stopped."
    assert len(asked) == 4


def test_the_first_explanation_that_fits_explains():
    entries = explanations("layer = 'x'\nwhy = 'w'\ntests = ['test_m.C.test_b', 'test_n.*']",
                           "layer = 'x'\nwhy = 'w'\ntests = ['test_m.*']\ninside = ['skipped']",
                           "layer = 'x'\nwhy = 'w'\ntests = ['test_m.*']\noutside = ['failed']",
                           "layer = 'x'\nwhy = 'w'\ntests = ['test_m.*']\nreason = 'Errno 2\\b'",
                           "layer = 'x'\nwhy = 'w'\ntests = ['test_m.*']\nreason = '^OSError.*Errno 1\\b'",
                           "layer = 'x'\nwhy = 'w'\ntests = ['*']")
    assert entries.index(difference()) == 4
    assert entries.index(difference(test="test.test_m.C.test_b")) == 0
    assert entries.index(difference(inside="skipped")) == 1
    assert entries.index(difference(outside="failed")) == 2
    assert entries.index(difference(reason="[Errno 2]")) == 3
    assert entries.index(difference(test="test.test_o.C.a")) == 5
    assert explanations("layer = 'x'\nwhy = 'w'\ntests = ['test_m']").index(difference()) is None


@pytest.mark.parametrize("entry", [
    "layer = 'y'\nwhy = 'w'\ntests = ['*']", "layer = 'x'\nwhy = ' '\ntests = ['*']", "layer = 'x'\ntests = ['*']",
    "layer = 'x'\nwhy = 'w'", "layer = 'x'\nwhy = 'w'\ntests = ['*']\nsince = '1'"])
def test_an_explanation_without_a_layer_a_reason_or_tests_is_refused(entry):
    with pytest.raises(ValueError):
        explanations(entry)


def test_an_unexplained_difference_that_a_second_run_does_not_show_is_unsteady():
    entries = explanations("layer = 'x'\nwhy = 'w'\ntests = ['test_explained.*']")
    here, gone, explained = difference(), difference(test="test.test_m.C.test_b"), difference(test="test.test_explained.C.a")
    results = {M: (None, None, [here, gone]), "test_explained": (None, None, [explained])}
    asked = []

    def again(names):
        asked.append(names)
        return {M: (None, None, [here])}

    assert suite.unsteady_ones(results, entries, again) == [gone]
    assert asked == [{M}]
    assert suite.unexplained(results, entries) == [here, gone]


def test_what_a_sandbox_says_does_nothing_to_a_terminal():
    assert outcomes.printable("\x1b[2Ja\tb\r\n\x9bc\u202ed") == "?[2Ja?b???c?d"
    assert len(outcomes.printable("x" * 10_000)) == 300


def test_files_that_ask_nothing_are_an_error():
    nothing, something = side(ended="exit code 1"), side(("a", "passed", "", 0))
    suite.require_tests({M: (something, nothing, [])})
    with pytest.raises(RuntimeError, match="test_n; is"):
        suite.require_tests({M: (something, nothing, []), "test_n": (nothing, something, [])})


def test_the_document_lists_every_difference_and_hides_none():
    entries = explanations("layer = 'x'\nwhy = 'It must be so.'\ntests = ['test_m.C.*']")
    outside = side(*((f"test.test_m.{name}", "passed", "", 0) for name in ("C.test_a", "C.test_b", "D.test_c", "D.test_d")))
    inside = side(("test.test_m.C.test_a", "error", "OSError", 0), ("test.test_m.C.test_b", "skipped", "no", 0),
                  ("test.test_m.D.test_c", "failed", "a `b` | <c>", 0), ("test.test_m.D.test_d", "passed", "", 0))
    inside.denials = {"chroot": 1}
    results = {M: (outside, inside, outcomes.differences(M, outside, inside))}
    text = document.generated(results, entries, [], "today", 3.2)
    assert "today: 1 files, 4 tests, of which 4 pass outside. **1 end inside as outside, 3 do not**; 1 of these have no explanation" in text
    assert "| x | 2 | the layer x |" in text and "| no explanation yet | 1 | |" in text
    assert "It must be so. 2: 1 passed → error, 1 passed → skipped." in text and "`test_m`: C (test\\_a, test\\_b)" in text
    assert "- test.test\\_m.D.test\\_c: passed → failed: a 'b' \\| &lt;c>" in text
    assert "| `chroot` | `test_m` |" in text


def test_the_document_names_unsteady_tests_apart():
    entries = explanations("layer = 'x'\nwhy = 'w'\ntests = []")
    outside, inside = side(("a", "passed", "", 0)), side(("a", "failed", "", 0))
    found_ones = outcomes.differences(M, outside, inside)
    text = document.generated({M: (outside, inside, found_ones)}, entries, found_ones, "today", 1)
    assert "**1 end inside as outside, 0 do not**; 0 of these" in text and "### Unsteady" in text and "no explanation yet" not in text


def test_patterns_of_a_file_follow_its_name():
    named = suite.modules()
    assert len(named) >= 100
    assert all(re.fullmatch(r"test_\w+(\.test_\w+)*|test__\w+", name) for name in named)
    assert suite.arguments_of("test_a", [], []) == ["test_a"]
    assert suite.arguments_of("test_a", ["C.*"], ["b"]) == ["test_a", "--only", "C.*", "--without", "b"]


def test_every_explanation_names_files_that_are_run():
    named = suite.modules()
    for entry in known.read().entries:
        for pattern in entry["tests"]:
            assert any(pattern == name or pattern.startswith(f"{name}.") for name in named), pattern


def test_the_document_holds_every_layer():
    text = document.FILE.read_text(encoding="utf-8")
    layers = {entry["layer"] for entry in known.read().entries}
    assert [layer for layer in sorted(layers) if f"\n| {layer} | " not in text] == [], "make it anew: make cpython-report"
