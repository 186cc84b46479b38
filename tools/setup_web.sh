#!/bin/bash
# Installs what clients/ needs from npm, exactly as clients/package-lock.json has it. Silent about what is already there;
# needs no network then. No script of any package is run.
#
# setup_web.sh [DIRECTORY]: another directory with a package-lock.json.
# setup_web.sh --fuzzer: the fuzzer of the HTTP API, from PyPI as tests/gateway/openapi/requirements.txt has it, into build/fuzzer.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "caisson setup: $*"; }

if [[ ${1:-} == --fuzzer ]]; then
  requirements=tests/gateway/openapi/requirements.txt
  digest=$(sha256sum < "$requirements")
  if [[ $(cat build/fuzzer/.caisson-requirements 2> /dev/null) != "$digest" ]]; then
    say "installing the packages of $requirements from PyPI"
    rm -rf build/fuzzer
    /usr/bin/python3 -m venv build/fuzzer
    build/fuzzer/bin/pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --requirement "$requirements"
    echo "$digest" > build/fuzzer/.caisson-requirements
  fi
  exit 0
fi

# Node.js from elsewhere than Debian brings an npm of its own, and cannot stand beside Debian's.
if ! command -v node > /dev/null || ! command -v npm > /dev/null; then
  tools/setup.sh web
fi

directory=${1:-clients}
digest=$(sha256sum < "$directory/package-lock.json")
stamp=$directory/node_modules/.caisson-lock
if [[ $(cat "$stamp" 2> /dev/null) != "$digest" ]]; then
  say "installing the packages of $directory/package-lock.json from npm"
  npm ci --prefix "$directory" --ignore-scripts --no-audit --no-fund --loglevel=error
  echo "$digest" > "$stamp"
fi
