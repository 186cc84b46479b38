#!/bin/bash
# Every test that needs no virtual machine and does not take minutes. Expects a finished build in build/. Ends with the
# runners' own closing lines and the time each part took.
# CAISSON_REQUIRE_PRIVILEGED=1 turns a skipped privileged test into a failure.
# CAISSON_TEST_WORKERS: how many processes share the tests that may run side by side; three for each CPU, since most
# tests wait rather than compute.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/pytest_pass.sh

workers=${CAISSON_TEST_WORKERS:-$((3 * $(nproc)))}
result=0

say "unit tests, lint and the replay of the fuzzers' corpus"
ctest --test-dir build --output-on-failure --parallel $((2 * $(nproc))) --progress 2>&1 | tee "$log/ctest" || result=1

# A skip for the kind of host (this one has cgroup v1, say) is fine: make test-vm has the other kind. One for want of
# rights is not.
if [[ $require_privileged == 1 ]] && grep -F 'needs root' build/Testing/Temporary/LastTest.log; then
  say "tests that skip for want of root are failures here (CAISSON_REQUIRE_PRIVILEGED=1)" >&2
  result=1
fi

tools/ensure_user.sh || result=1
say "integration, attack and installation tests, with the real daemon, as root: side by side, then those that need the machine alone"
pytest_pass parallel -m 'not serial and not long' --numprocesses "$workers" --dist loadgroup || result=1
pytest_pass serial -m 'serial and not long' || result=1
# Not beside the others: a browser takes so much of two CPUs that limits strike late and their tests fail.
if [[ $EUID -eq 0 ]] || sudo -n true 2> /dev/null; then
  say "the TypeScript client in Node.js, and the playground in Chromium"
  tools/as_root.sh "running sandboxes" /usr/bin/python3 tests/web/run_tests.py 2>&1 | tee "$log/node" || result=1
fi

say "results, $SECONDS s"
grep -E 'tests passed|tests failed|Total Test time' "$log/ctest" || result=1
pytest_last_lines parallel serial
if [[ -e $log/node ]]; then
  grep -E '^(# |ℹ )(tests|pass|fail) ' "$log/node" || result=1
fi
exit "$result"
