# Helpers of tests/vm/run.sh: messages, root rights for exactly one command, stamps. Sourced, never run.

say() {
    printf 'test-vm: %s\n' "$*"
}

die() {
    printf 'test-vm: %s\n' "$*" >&2
    exit 1
}

# Runs the command as root: directly, or through sudo with a word about why.
as_root() {
    local reason="$1"
    shift
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        say "needs root to $reason: sudo $*"
        sudo "$@"
    else
        die "$reason: needs root, and sudo is not installed; as root run: $*"
    fi
}

# Succeeds when FILE exists and was made from exactly the inputs that KEY stands for.
is_current() {
    local file="$1" key="$2"
    [ -s "$file" ] && [ -e "$file.stamp" ] && [ "$(cat "$file.stamp")" = "$key" ]
}

# Prints one hash of standard input.
hash_input() {
    sha256sum | cut -d' ' -f1
}

# Makes an ext4 image of DIRECTORY, all of it owned by root, without mounting anything or being root.
# The image has room for what the tests write; it stays sparse.
make_image() {
    local directory="$1" image="$2" label="$3" room_mb="$4" size_mb
    size_mb=$(($(du -sm "$directory" | cut -f1) * 11 / 10 + room_mb))
    local maker=()
    if [ "$(id -u)" != 0 ]; then
        maker=(fakeroot --)
    fi
    rm -f "$image"
    "${maker[@]}" sh -c '
        set -e
        chown -R 0:0 "$1"
        PATH="$PATH:/usr/sbin:/sbin"
        truncate -s "$4M" "$2"
        mke2fs -q -t ext4 -O ^has_journal -m 0 -L "$3" -d "$1" "$2"' \
        make_image "$directory" "$image" "$label" "$size_mb" ||
        die "make the disk image $image: mke2fs failed"
}
