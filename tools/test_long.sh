#!/bin/bash
# The tests that take minutes (pytest marker `long`), one after the other, and what each took; then the report on CPython's own
# test-suite, whose differences are shown and fail nothing. Expects a finished build in build/. CAISSON_REQUIRE_PRIVILEGED=1 turns
# a skipped test into a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/pytest_pass.sh

result=0
tools/ensure_user.sh
say "long tests, as root, each alone"
pytest_pass long -m long --durations=0 --durations-min=1 -rP || result=1
cpython=0
say "CPython's own test-suite, in the python sandbox and outside: a report of 8 to 16 minutes"
begin=$SECONDS
tools/as_root.sh "running sandboxes" /usr/bin/python3 tests/languages/cpython/suite.py 2>&1 | tee "$log/cpython" || cpython=$?
say "CPython's own test-suite: $((SECONDS - begin)) s"
case $cpython in
  0 | 77) ;;
  1) say "differences WITHOUT AN EXPLANATION: the lines that begin with NEW; explain or mend them, then make cpython-report" ;;
  *) result=1 ;;
esac
say "results, $SECONDS s"
pytest_last_lines long cpython
exit "$result"
