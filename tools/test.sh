#!/bin/bash
# Every test that needs no virtual machine. Expects a finished build in build/. Ends with the runners' own closing lines.
# CAISSON_REQUIRE_PRIVILEGED=1 turns a skipped privileged test into a failure.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "caisson test: $*"; }
require_privileged=${CAISSON_REQUIRE_PRIVILEGED:-0}
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
result=0

say "unit tests, lint and the replay of the fuzzers' corpus"
ctest --test-dir build --output-on-failure --parallel "$(nproc)" --progress 2>&1 | tee "$log/ctest" || result=1

# A skip for the kind of host (this one has cgroup v1, say) is fine: make test-vm has the other kind. One for want of
# rights is not.
if [[ $require_privileged == 1 ]] && grep -F 'needs root' build/Testing/Temporary/LastTest.log; then
  say "tests that skip for want of root are failures here (CAISSON_REQUIRE_PRIVILEGED=1)" >&2
  result=1
fi

python_folders=()
for folder in tests/integration tests/attack tests/package; do
  if compgen -G "$folder/test_*.py" > /dev/null || compgen -G "$folder/**/test_*.py" > /dev/null; then
    python_folders+=("$folder")
  fi
done

if [[ ${#python_folders[@]} -gt 0 ]]; then
  tools/ensure_user.sh || result=1
  say "integration, attack and installation tests, with the real daemon, as root"
  status=0
  tools/as_root.sh "running sandboxes" \
    /usr/bin/python3 -m pytest -p no:cacheprovider -q "${python_folders[@]}" 2>&1 | tee "$log/pytest" || status=$?
  if [[ $status -eq 77 && $require_privileged != 1 ]]; then
    say "SKIPPED: the integration, attack and installation tests (no root)"
  elif [[ $status -ne 0 ]]; then
    result=1
  fi
  if [[ $require_privileged == 1 ]] && grep -qE '[0-9]+ skipped' "$log/pytest"; then
    say "skipped tests are failures here (CAISSON_REQUIRE_PRIVILEGED=1)" >&2
    result=1
  fi
elif [[ $require_privileged == 1 ]]; then
  say "no integration test was found" >&2
  result=1
fi

say "results"
grep -E 'tests passed|tests failed|Total Test time' "$log/ctest" || result=1
if [[ -f $log/pytest ]]; then
  tail -n 1 "$log/pytest"
fi
exit "$result"
