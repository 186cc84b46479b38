#!/bin/bash
# The tests that take minutes (pytest marker `long`), one after the other, and what each took. Expects a finished build
# in build/. CAISSON_REQUIRE_PRIVILEGED=1 turns a skipped test into a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/pytest_pass.sh

result=0
tools/ensure_user.sh
say "long tests, as root, each alone"
pytest_pass long -m long --durations=0 --durations-min=1 -rP || result=1
say "results, $SECONDS s"
pytest_last_lines long
exit "$result"
