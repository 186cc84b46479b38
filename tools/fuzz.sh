#!/bin/bash
# fuzz.sh SECONDS JOBS: builds the libFuzzer targets in build-fuzz/ and runs each for SECONDS. New inputs stay in
# build-fuzz/corpus/; what finds a bug is left beside it and belongs into tests/fuzz/corpus/ together with the mend.
set -euo pipefail
cd "$(dirname "$0")/.."

for source in tests/fuzz/*_fuzz.cc; do
  target=$(basename "$source" .cc)
  name=${target%_fuzz}
  ninja -C build-fuzz -j"$2" "$target"
  mkdir -p "build-fuzz/corpus/$name"
  echo "caisson fuzz: $name for $1 seconds"
  "build-fuzz/bin/$target" -max_total_time="$1" -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="build-fuzz/$name-" "build-fuzz/corpus/$name" "tests/fuzz/corpus/$name"
done
