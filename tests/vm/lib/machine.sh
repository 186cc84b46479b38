# Starts QEMU (TCG: no KVM is needed), follows its console, watches the clock. Sourced by run.sh.

# Sets tsc_khz: the rate of this host's time stamp counter, which is the guest's too.
measure_tsc() {
    g++ -x c -O1 -o "$cache/tsc_khz" "$here/lib/tsc_khz.c" && tsc_khz="$("$cache/tsc_khz")" ||
        die "measure the time stamp counter: the program that does it does not compile or run"
}

# Prints QEMU's arguments, one a line. q35 rather than microvm: its PM timer and HPET let the kernel measure
# the TSC by itself, where a microvm must be told the host's rate or hangs in one start of a few.
machine_arguments() {
    # tsc=reliable: under TCG every virtual CPU's TSC is the host's; without it the kernel distrusts them and
    # reads the HPET instead, a slow exit to QEMU for each look at the clock.
    local append="console=ttyS0 panic=-1 reboot=t random.trust_cpu=on mitigations=off cgroup_no_v1=all"
    # tsc_early_khz: a guest that measures it while its CPUs wait for a busy host is wrong by factors.
    append+=" tsc=reliable tsc_early_khz=$tsc_khz${kernel_parameters:+ $kernel_parameters}"
    printf '%s\n' -M q35 -accel tcg,thread=multi -cpu max,-la57 -m "${memory_mb}M" -smp "$cpus" \
        -nodefaults -no-user-config -display none -no-reboot -serial stdio \
        -kernel "$kernel_image" -initrd "$initramfs" -append "$append" \
        -device virtio-rng-pci
    local disk
    # snapshot=on: the guest's writes go to a temporary file, so the cached images never change.
    for disk in "root:$root_image" "project:$project_image" "job:$job_image"; do
        printf '%s\n' -drive "if=none,format=raw,snapshot=on,cache=unsafe,id=${disk%%:*},file=${disk#*:}" \
            -device "virtio-blk-pci,drive=${disk%%:*},serial=${disk%%:*}"
    done
    printf '%s\n' -device virtio-serial-pci \
        -chardev "file,id=exit,path=$output/exit" -device virtserialport,chardev=exit,name=org.caisson.exit \
        -chardev "file,id=results,path=$output/results.tar" \
        -device virtserialport,chardev=results,name=org.caisson.results \
        -sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
}

stop_machine() {
    if [ -n "$qemu_pid" ]; then
        kill -KILL "$qemu_pid" 2>/dev/null
        wait "$qemu_pid" 2>/dev/null
        qemu_pid=
    fi
}

# Shows one console line: before the machine is up only in the log.
show_line() {
    local line="${1//$'\r'/}"
    printf '%s\n' "$line" >>"$output/console.log"
    if [ "$line" = VM-BOOTED ]; then
        booted_at=$SECONDS
        say "the machine is up after $((SECONDS - started_at)) s"
    elif [ -n "$booted_at" ]; then
        printf 'vm| %s\n' "$line"
    fi
}

# One start. Returns 0 when the guest reported an exit code (left in guest_exit), 2 when it never came up,
# 1 when it came up and then neither finished in time nor reported.
run_machine() {
    local arguments=() partial="" line status
    mapfile -t arguments < <(machine_arguments)
    rm -rf "$output"
    mkdir -p "$output"
    mkfifo "$output/console"
    booted_at=
    started_at=$SECONDS
    # Opened for both directions, so that neither side waits for the other to open it.
    exec 9<>"$output/console"
    qemu-system-x86_64 "${arguments[@]}" </dev/null >&9 2>&1 9>&- &
    qemu_pid=$!
    while true; do
        status=0
        IFS= read -r -t 1 line <&9 || status=$?
        # After a time-out `line` holds the beginning of a line; the rest comes with the next read.
        partial+="$line"
        if [ "$status" = 0 ]; then
            show_line "$partial"
            partial=""
        elif ! kill -0 "$qemu_pid" 2>/dev/null; then
            break
        fi
        if [ -z "$booted_at" ] && [ $((SECONDS - started_at)) -ge "$boot_limit_s" ]; then
            break
        fi
        if [ $((SECONDS - started_at)) -ge "$time_limit_s" ]; then
            break
        fi
    done
    [ -z "$partial" ] || show_line "$partial"
    exec 9<&-
    rm -f "$output/console"
    local was_running=no
    if kill -0 "$qemu_pid" 2>/dev/null; then
        was_running=yes
    fi
    stop_machine
    if [ -z "$booted_at" ]; then
        return 2
    fi
    guest_exit="$(cat "$output/exit" 2>/dev/null)"
    if [[ "$guest_exit" =~ ^[0-9]+$ ]]; then
        return 0
    fi
    if [ "$was_running" = yes ]; then
        say "ended the machine: not finished after $time_limit_s s"
    else
        say "the machine ended without an exit code"
    fi
    return 1
}
