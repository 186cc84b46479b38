# Debian's cloud kernel and an initramfs with the few drivers the test machine needs. The kernel package is
# unpacked into the cache, never installed. Sourced by run.sh; sets kernel_image and initramfs.

readonly kernel_meta_package=linux-image-cloud-amd64
readonly kernel_modules=(virtio_pci virtio_blk virtio_console virtio-rng loop squashfs erofs)

# Sets kernel_release and kernel_image. Uses the network only when the cache holds no kernel.
fetch_kernel() {
    local directory="$cache/kernel" package
    kernel_image="$(compgen -G "$directory/boot/vmlinuz-*" | head -n 1)" || true
    if [ ! -s "$kernel_image" ]; then
        rm -rf "$directory" "$directory.new"
        mkdir -p "$directory.new"
        package="$(kernel_package)"
        if [ -z "$package" ]; then
            as_root "read Debian's package lists" apt-get update -qq
            package="$(kernel_package)"
        fi
        [ -n "$package" ] || die "find Debian's cloud kernel: no $kernel_meta_package in the package lists"
        say "downloads $package (cached in ${directory#"$repository"/})"
        # apt warns that it cannot drop root here; the download is checked against Debian's signed lists.
        (cd "$directory.new" && apt-get download -qq "$package" 2>apt.log) ||
            die "download $package: $(tail -n 1 "$directory.new/apt.log")"
        dpkg-deb --extract "$directory.new/"*.deb "$directory.new" || die "unpack $package: dpkg-deb failed"
        rm -f "$directory.new/"*.deb
        /sbin/depmod -b "$directory.new" "$(ls "$directory.new/lib/modules")" ||
            die "index kernel modules: depmod failed"
        mv "$directory.new" "$directory"
        kernel_image="$(compgen -G "$directory/boot/vmlinuz-*")"
    fi
    kernel_release="${kernel_image##*/vmlinuz-}"
}

# Prints the name of the package that holds the newest cloud kernel, or nothing.
kernel_package() {
    apt-cache depends "$kernel_meta_package" 2>/dev/null | awk '$1 == "Depends:" {print $2; exit}'
}

# Sets initramfs. The module order comes from modprobe, so a new kernel needs no new list.
build_initramfs() {
    local key directory="$cache/initramfs" module order
    initramfs="$cache/initramfs.gz"
    key="$({
        echo "$kernel_release"
        cat "$here/guest/init" "$here/lib/kernel.sh" "$(command -v busybox)"
    } | hash_input)"
    if is_current "$initramfs" "$key"; then
        return 0
    fi
    say "builds the initramfs for $kernel_release"
    rm -rf "$directory"
    mkdir -p "$directory/bin" "$directory/modules"
    cp "$(command -v busybox)" "$directory/bin/busybox"
    install -m 0755 "$here/guest/init" "$directory/init"
    for module in "${kernel_modules[@]}"; do
        order="$(/sbin/modprobe -d "$cache/kernel" -S "$kernel_release" --show-depends "$module")" ||
            die "find kernel module $module: not in $kernel_release"
        # "builtin NAME" lines are drivers that the kernel already has.
        awk '$1 == "insmod" {print $2}' <<<"$order" >>"$directory/paths"
    done
    while read -r module; do
        cp -n "$module" "$directory/modules/"
        basename "$module"
    done < <(awk '!seen[$0]++' "$directory/paths") >"$directory/modules/order"
    rm "$directory/paths"
    (cd "$directory" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1 >"$initramfs.new") ||
        die "pack the initramfs: cpio failed"
    mv "$initramfs.new" "$initramfs"
    echo "$key" >"$initramfs.stamp"
}
