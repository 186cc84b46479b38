# Sourced by test.sh and test_long.sh: a pass of pytest over the tests that need a daemon, as root, and its closing line.

say() { echo "caisson test: $*"; }
require_privileged=${CAISSON_REQUIRE_PRIVILEGED:-0}
# Each process of a pass would compile every test, where Python may not keep what it compiled.
unset PYTHONDONTWRITEBYTECODE
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT

# What takes longest first: compilers that start last would leave the other workers idle.
pytest_parts=(languages attack integration gateway tls clients package)

# pytest_pass NAME ARGUMENT...: runs pytest on the directories of pytest_parts. Status 1 if anything failed, or was skipped where
# that is a failure; other than 0 and 1 if pytest did not come to its end.
pytest_pass() {
  local name=$1 status=0
  shift
  tools/as_root.sh "running sandboxes" /usr/bin/python3 -m pytest -p no:cacheprovider --strict-markers -q "$@" \
    "${pytest_parts[@]/#/tests/}" 2>&1 | tee "$log/$name" || status=$?
  if [[ $status -eq 77 && $require_privileged != 1 ]]; then
    say "SKIPPED: the integration, attack and installation tests (no root)"
    return 0
  fi
  if [[ $require_privileged == 1 ]] && grep -qE '[0-9]+ skipped' "$log/$name"; then
    say "skipped tests are failures here (CAISSON_REQUIRE_PRIVILEGED=1)" >&2
    status=1
  fi
  return "$status"
}

# pytest_last_lines NAME...: how each pass ended, in pytest's words.
pytest_last_lines() {
  local name
  for name in "$@"; do
    echo "$name: $(tail -n 1 "$log/$name")"
  done
}
