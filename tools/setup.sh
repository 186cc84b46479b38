#!/bin/bash
# setup.sh GROUP...: installs the missing packages of these groups (tools/packages.txt) and configures the preset
# `release` in build/. Silent about what is already there; needs no network then. Safe to run from any state.
#
# PREFIX      where `make install` will put things (default /usr/local)
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "caisson setup: $*"; }

# The packages of the groups that dpkg does not know as installed.
missing_packages() {
  local wanted
  wanted=$(awk -v groups=" $* " '!/^#/ && NF >= 2 && index(groups, " " $1 " ") { print $2 }' tools/packages.txt)
  comm -23 <(sort -u <<< "$wanted") \
    <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' 2> /dev/null | awk '$1 ~ /^.i/ { print $2 }' | sort -u)
}

apt_install() {
  tools/as_root.sh "installing packages" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "$@"
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [[ ${#missing[@]} -eq 0 ]]; then
    return
  fi
  if ! command -v apt-get > /dev/null; then
    say "these Debian packages are missing, and there is no apt-get; install their equivalents: ${missing[*]}" >&2
    exit 1
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  # A fresh machine has no package lists; an old one has lists that name versions which are gone.
  if ! apt-cache show "${missing[@]}" > /dev/null 2>&1 || ! apt_install "${missing[@]}"; then
    say "refreshing the package lists"
    tools/as_root.sh "refreshing the package lists" apt-get update
    apt_install "${missing[@]}"
  fi
}

configure_once() {
  local launcher=()
  if command -v ccache > /dev/null; then
    launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
  fi
  mkdir -p build
  cmake --preset release "$@" -DCMAKE_INSTALL_PREFIX="${PREFIX:-/usr/local}" "${launcher[@]}" > build/configure.log 2>&1
}

configure() {
  local cached
  cached=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' build/CMakeCache.txt 2> /dev/null || true)
  if [[ -n $cached && $cached != "$PWD" ]]; then
    say "build/ belongs to another checkout ($cached): removing it"
    rm -rf build
  fi
  if configure_once; then
    return
  fi
  if [[ -n $cached ]]; then
    # A cache may name a compiler or a package that has gone since. --fresh keeps what is compiled.
    say "configuring failed with the cache in build/: trying without it"
    if configure_once --fresh; then
      return
    fi
  fi
  cat build/configure.log >&2
  say "configuring failed" >&2
  exit 1
}

install_packages "$@"
configure
