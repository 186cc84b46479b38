#!/bin/bash
# Runs the integration tests on pure cgroup v2: boots Debian's cloud kernel under QEMU's emulation (no KVM, no
# mounts, root only for apt) with the built programs, and runs pytest inside as root. See README.md here.
#
# Usage: tests/vm/run.sh [--selftest | --command COMMAND | --systemd [--command COMMAND] | --languages] [PYTEST-ARGUMENT...]
# Exit code: pytest's own; 1 when the machine failed.
set -u -o pipefail
# The disks hold files as root would have them, whatever the umask of the caller.
umask 022

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
repository="$(cd "$here/../.." && pwd)"
programs="${CAISSON_BIN_DIR:-$repository/build/bin}"
cache="${CAISSON_VM_CACHE:-$repository/build/vm}"
output="$cache/last"
cpus="${CAISSON_VM_CPUS:-2}"
# Enough for 50 runs at once under the daemon's default budget, three quarters of the memory; with less the
# tests of many runs wait in the queue. The host pays only for what is touched.
memory_mb="${CAISSON_VM_MEMORY_MB:-5120}"
time_limit_s="${CAISSON_VM_TIME_LIMIT_S:-1800}"
boot_limit_s="${CAISSON_VM_BOOT_LIMIT_S:-60}"
time_scale="${CAISSON_TEST_TIME_SCALE:-10}"
readonly boot_attempts=3
readonly host_packages=(apt binutils busybox-static cpio e2fsprogs gzip kmod qemu-system-x86)

source "$here/lib/common.sh"
source "$here/lib/kernel.sh"
source "$here/lib/disks.sh"
source "$here/lib/machine.sh"
source "$here/lib/systemd.sh"

usage() {
    cat <<END
Usage: tests/vm/run.sh [--selftest | --command COMMAND | --systemd [--command COMMAND] | --languages] [PYTEST-ARGUMENT...]

Boots Debian's cloud kernel under QEMU (TCG) with pure cgroup v2 and runs tests/integration inside, as root.
Arguments go to pytest; paths among them are relative to the repository.

  --selftest         check the machine itself: controllers, Landlock, clock, Python modules, speed
  --systemd          a clean Debian with systemd instead: install, use, upgrade and purge the package that
                     \`make package\` built (tests/vm/systemd)
  --languages        tests/attack and tests/languages instead, in a machine that has the languages too (of this host;
                     \`make test-vm-languages\` installs them)
  --command COMMAND  run COMMAND with bash instead of pytest

Environment: CAISSON_BIN_DIR (the programs to test; default build/bin), CAISSON_TEST_TIME_SCALE (how much
more time the tests allow), CAISSON_VM_WORKERS (of the pass side by side), CAISSON_VM_CPUS, CAISSON_VM_MEMORY_MB, CAISSON_VM_TIME_LIMIT_S,
CAISSON_VM_BOOT_LIMIT_S, CAISSON_VM_CACHE.
END
}

install_packages() {
    local package state missing=() wanted=("${host_packages[@]}")
    [ "$(id -u)" = 0 ] || wanted+=(fakeroot)
    while read -r package; do
        wanted+=("$package")
    done < <(sed -e 's/#.*//' -e '/^ *$/d' "$here/packages.txt")
    for package in "${wanted[@]}"; do
        state="$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null)"
        [ "$state" = installed ] || missing+=("$package")
    done
    if [ "${#missing[@]}" = 0 ]; then
        return 0
    fi
    say "installs ${missing[*]}"
    apt_install "${missing[@]}" ||
        { as_root "read Debian's package lists" apt-get update -qq && apt_install "${missing[@]}"; } ||
        die "install ${missing[*]}: apt-get failed"
}

apt_install() {
    as_root "install packages" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Boots until the machine is up; a start that hangs before that is QEMU's, not the tests'.
run_with_retries() {
    local attempt status
    for attempt in $(seq "$boot_attempts"); do
        say "boots $kernel_release ($cpus CPUs, $memory_mb MiB), attempt $attempt of $boot_attempts"
        status=0
        run_machine || status=$?
        if [ "$status" != 2 ]; then
            return "$status"
        fi
        say "not up after $((SECONDS - started_at)) s; the last lines of its console:"
        tail -n 15 "$output/console.log" 2>/dev/null | sed 's/^/vm| /'
    done
    return 2
}

main() {
    local mode=pytest shell_command=""
    case "${1:-}" in
    --help | -h)
        usage
        return 0
        ;;
    --selftest)
        mode=selftest
        shift
        ;;
    --systemd)
        mode=systemd
        shift
        if [ "${1:-}" = --command ] && [ $# -ge 2 ]; then
            shell_command="$2"
            shift 2
        fi
        ;;
    --languages)
        mode=languages
        shift
        ;;
    --command)
        [ $# -ge 2 ] || { usage >&2 && return 2; }
        mode=command
        shell_command="$2"
        shift 2
        ;;
    esac
    mkdir -p "$cache"
    # One run at a time: a second one would rebuild the images under the first.
    exec 8>"$cache/lock"
    flock -n 8 || die "start: another run uses $cache"

    install_packages
    fetch_kernel
    build_initramfs
    measure_tsc
    local package=""
    if [ "$mode" = systemd ]; then
        package="$(built_package)"
        [ -n "$package" ] || die "test the package: there is none in build/, run: make package"
        # It is about one daemon with few runs; a small machine starts sooner.
        memory_mb="${CAISSON_VM_MEMORY_MB:-2048}"
        kernel_parameters="systemd.show_status=0 quiet"
        build_systemd_root_image "$package"
        build_systemd_project_image "$package"
    else
        if [ "$mode" = languages ]; then
            time_limit_s="${CAISSON_VM_TIME_LIMIT_S:-5400}"
            build_root_image languages
        else
            build_root_image
        fi
        build_project_image
    fi

    local job_environment_list=("CAISSON_TEST_TIME_SCALE=$time_scale" CAISSON_REQUIRE_PRIVILEGED=1
        CAISSON_BIN_DIR=/caisson/build/bin "CAISSON_VM_WORKERS=${CAISSON_VM_WORKERS:-3}")
    local job_command_list=()
    case "$mode" in
    selftest) job_command_list=(/usr/lib/caisson-vm/selftest) ;;
    systemd)
        # Without the tests' own conftest.py, which is about daemons of a test's own.
        [ -z "$shell_command" ] || job_command_list=(/bin/bash -c "$shell_command")
        [ -n "$shell_command" ] || job_command_list=(timeout --signal=INT --kill-after=20 $((time_limit_s - 60))
            /usr/bin/python3 -m pytest -v -x -p no:cacheprovider --noconftest --durations=10
            --junit-xml=/run/results/junit.xml tests/vm/systemd "$@")
        ;;
    command) job_command_list=(/bin/bash -c "$shell_command") ;;
    pytest | languages)
        # The tests end a minute before the machine would be killed, so that their logs still come out.
        [ -x "$programs/caissond" ] ||
            die "run the tests: $programs/caissond is missing, run: make build"
        local tests_limit_s=$((time_limit_s > 120 ? time_limit_s - 60 : time_limit_s))
        job_command_list=(timeout --signal=INT --kill-after=20 "$tests_limit_s" /usr/lib/caisson-vm/tests "$mode" "$@")
        ;;
    esac
    build_job_image job_environment_list job_command_list

    local status=0 closing
    run_with_retries || status=$?
    if [ -s "$output/results.tar" ]; then
        mkdir -p "$output/results"
        tar -x -C "$output/results" -f "$output/results.tar" 2>/dev/null ||
            say "the results' archive is damaged"
    fi
    if [ "$status" = 0 ]; then
        # pytest's "=== 12 passed in 34s ===", one a pass, or the self-test's last line.
        while read -r closing; do
            say "$closing"
        done < <(grep -aE '^(=+ .* in [0-9.]+s.*=+|selftest: .*)$' "$output/console.log")
        status="$guest_exit"
    else
        status=1
    fi
    say "exit code $status; console and results in ${output#"$repository"/}; total time $SECONDS s"
    return "$status"
}

qemu_pid=
trap stop_machine EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
main "$@"
