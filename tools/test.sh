#!/bin/bash
# Every test that needs no virtual machine and does not take minutes. Expects a finished build in build/. Ends with the
# runners' own closing lines and the time each part took.
# CAISSON_REQUIRE_PRIVILEGED=1 turns a skipped privileged test into a failure.
# FRESH=1 also runs the parts that passed before and of which nothing has changed since (tools/passed_before.py).
# CAISSON_TEST_WORKERS: how many processes share the tests that may run side by side; three for each CPU, since most
# tests wait rather than compute.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/pytest_pass.sh

workers=${CAISSON_TEST_WORKERS:-$((3 * $(nproc)))}
result=0

unchanged=$(tools/passed_before.py begin)
[[ ${FRESH:-0} != 1 ]] || unchanged=
is_unchanged() { [[ " $unchanged " == *" $1 "* ]]; }
tell_unchanged() {
  [[ -z $unchanged ]] || say "passed before, and nothing has changed since (FRESH=1 runs all): $unchanged"
}

# remember STATUS FILE PART...: of these parts, those passed in which pytest, which ended with STATUS and said FILE, names no failure.
remember() {
  local status=$1 said=$2 part passed=()
  shift 2
  [[ $status -le 1 ]] && tail -n 1 "$said" | grep -q ' passed' || return 0
  for part in "$@"; do
    grep -qE "^(FAILED|ERROR) tests/$part/" "$said" || passed+=("$part")
  done
  tools/passed_before.py passed "${passed[@]}"
}

say "unit tests, lint and the replay of the fuzzers' corpus"
ctest --test-dir build --output-on-failure --parallel $((2 * $(nproc))) --progress 2>&1 | tee "$log/ctest" || result=1

# A skip for the kind of host (this one has cgroup v1, say) is fine: make test-vm has the other kind. One for want of
# rights is not.
if [[ $require_privileged == 1 ]] && grep -F 'needs root' build/Testing/Temporary/LastTest.log; then
  say "tests that skip for want of root are failures here (CAISSON_REQUIRE_PRIVILEGED=1)" >&2
  result=1
fi

tools/ensure_user.sh || result=1
tell_unchanged
say "integration, attack and installation tests, with the real daemon, as root: side by side, then those that need the machine alone"
every_part=("${pytest_parts[@]}")
pytest_parts=()
for part in "${every_part[@]}"; do
  is_unchanged "$part" || pytest_parts+=("$part")
done
status=0
pytest_pass parallel -m 'not serial and not long' --numprocesses "$workers" --dist loadgroup || status=$?
[[ $status -eq 0 ]] || result=1
remember "$status" "$log/parallel" "${pytest_parts[@]}"
pytest_parts=("${every_part[@]}")
pytest_pass serial -m 'serial and not long' || result=1

# Not beside the others: a browser takes so much of two CPUs that limits strike late and their tests fail.
if ! is_unchanged web && { [[ $EUID -eq 0 ]] || sudo -n true 2> /dev/null; }; then
  say "the TypeScript client in Node.js, and the playground in Chromium"
  if tools/as_root.sh "running sandboxes" /usr/bin/python3 tests/web/run_tests.py 2>&1 | tee "$log/node"; then
    tools/passed_before.py passed web
  else
    result=1
  fi
fi

say "results, $SECONDS s"
grep -E 'tests passed|tests failed|Total Test time' "$log/ctest" || result=1
pytest_last_lines parallel serial
if [[ -e $log/node ]]; then
  grep -E '^(# |ℹ )(tests|pass|fail) ' "$log/node" || result=1
fi
tell_unchanged
exit "$result"
