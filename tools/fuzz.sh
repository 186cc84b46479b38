#!/bin/bash
# fuzz.sh SECONDS JOBS [NAME...]: builds the libFuzzer targets in build-fuzz/ and runs each, or those named, for SECONDS. New inputs stay
# in build-fuzz/corpus/; what finds a bug is left beside it and belongs into tests/fuzz/corpus/ together with the mend.
# First the committed corpus alone must reach as many edges as tests/fuzz/floors.txt says: less means that seeds are no longer understood.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=$1 jobs=$2
shift 2
names=("$@")
if [[ ${#names[@]} -eq 0 ]]; then
  for source in tests/fuzz/*_fuzz.cc; do
    names+=("$(basename "$source" _fuzz.cc)")
  done
fi

# edges NAME: how many the committed corpus reaches.
edges() {
  "build-fuzz/bin/${1}_fuzz" -runs=0 "tests/fuzz/corpus/$1" 2>&1 | sed -n 's/.*INITED cov: \([0-9]*\).*/\1/p'
}

below=()
for name in "${names[@]}"; do
  ninja -C build-fuzz -j"$jobs" "${name}_fuzz"
  reached=$(edges "$name")
  floor=$(awk -v name="$name" '$1 == name { print $2 }' tests/fuzz/floors.txt)
  echo "caisson fuzz: $name: the committed corpus reaches $reached edges, its floor is ${floor:-not recorded}"
  if [[ -n $floor && $reached -lt $floor ]]; then
    below+=("$name")
  fi
  mkdir -p "build-fuzz/corpus/$name"
  echo "caisson fuzz: $name for $seconds seconds"
  "build-fuzz/bin/${name}_fuzz" -max_total_time="$seconds" -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="build-fuzz/$name-" "build-fuzz/corpus/$name" "tests/fuzz/corpus/$name"
done
if [[ ${#below[@]} -ne 0 ]]; then
  echo "caisson fuzz: below their floor: ${below[*]}: mend the seeds (tests/fuzz/make_seeds.py), or lower tests/fuzz/floors.txt and say why" >&2
  exit 1
fi
