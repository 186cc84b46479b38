#!/bin/bash
# clang-tidy over the code that has authority or reads hostile bytes: the leaf, the boundary, the policy, the outside of the
# sandbox and caissond. A file that passed is not looked at again until it, a header or the rules change.
# Needs a configured build in build/ (compile_commands.json) and clang-tidy-14.
set -euo pipefail
cd "$(dirname "$0")/.."

stamps=build/lint/tidy
mkdir -p "$stamps"
mapfile -t sources < <(ls src/common/*.cc src/ipc/*.cc src/policy/*.cc src/sandbox/*.cc src/orchestrator/*.cc)
newest_header=$(find src build/proto -name '*.h' -newer .clang-tidy -printf '%T@\n' 2> /dev/null | sort -n | tail -n 1)

check() {
  local source=$1 stamp=$2
  if clang-tidy-14 -p build --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-Wno-unused-command-line-argument \
    --extra-arg=-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang \
    "$source" > "$stamp.log" 2>&1; then
    touch "$stamp"
  else
    grep -E 'error:|warning:' "$stamp.log" || cat "$stamp.log"
    return 1
  fi
}
export -f check

todo=()
for source in "${sources[@]}"; do
  stamp=$stamps/${source//\//_}
  if [[ ! -e $stamp || $source -nt $stamp || .clang-tidy -nt $stamp ]] ||
    awk -v header="${newest_header:-0}" -v stamp="$(stat -c %Y "$stamp")" 'BEGIN { exit !(header > stamp + 1) }'; then
    todo+=("$source" "$stamp")
  fi
done
echo "caisson tidy: $((${#todo[@]} / 2)) of ${#sources[@]} files to look at"
if [[ ${#todo[@]} -gt 0 ]]; then
  printf '%s\0' "${todo[@]}" | xargs -0 -n 2 -P "$(nproc)" bash -c 'check "$0" "$1"'
fi
echo "caisson tidy: clean"
