# The second kind of test machine: a clean Debian with systemd as its init, on which the package is installed, upgraded
# and purged. Its root disk is made by mmdebstrap (root and a package mirror are needed, once), with everything the package
# depends on, so that the machine itself needs no network. Sourced by run.sh.

readonly systemd_packages=(systemd-sysv init-system-helpers procps python3 python3-pytest util-linux)

# Prints the newest package in build/, or nothing.
built_package() {
    ls -t "$repository"/build/caisson_*_amd64.deb 2>/dev/null | head -n 1
}

# Prints the names that the package depends on: of alternatives the first, versions left out.
package_dependencies() {
    dpkg-deb --field "$1" Depends | tr ',' '\n' | sed -E 's/\|.*//; s/\(.*\)//; s/[[:space:]]//g' | sort -u
}

# Sets root_image.
build_systemd_root_image() {
    local package="$1" directory="$cache/systemd-root" key wanted sources=/etc/apt/sources.list.d/debian.sources
    root_image="$cache/systemd-root.ext4"
    wanted="$({ printf '%s\n' "${systemd_packages[@]}" && package_dependencies "$package"; } | sort -u | paste -sd,)"
    key="$({
        echo "$wanted"
        cat "$here/lib/systemd.sh" "$here/guest/test" "$here/systemd/caisson-vm-test.service"
    } | hash_input)"
    if is_current "$root_image" "$key"; then
        return 0
    fi
    [ "$(id -u)" = 0 ] || die "build the systemd machine's root disk: mmdebstrap needs root here"
    say "builds the systemd machine's root disk with mmdebstrap"
    [ -e "$sources" ] || sources=/etc/apt/sources.list
    rm -rf "$directory" "$root_image.stamp"
    mmdebstrap --quiet --mode=root --variant=minbase --include="$wanted" bookworm "$directory" "$sources" ||
        die "build the systemd machine's root disk: mmdebstrap failed"
    install -D -m 755 "$here/guest/test" "$directory/usr/lib/caisson-vm/test"
    install -m 644 "$here/systemd/caisson-vm-test.service" "$directory/etc/systemd/system/"
    mkdir -p "$directory/caisson" "$directory/etc/systemd/system/multi-user.target.wants"
    ln -s ../caisson-vm-test.service "$directory/etc/systemd/system/multi-user.target.wants/"
    # Nobody logs in, and without udev a terminal's unit would wait for its device. A first boot would ask questions.
    local unit
    for unit in getty@.service serial-getty@.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer; do
        ln -sf /dev/null "$directory/etc/systemd/system/$unit"
    done
    echo 0123456789abcdef0123456789abcdef >"$directory/etc/machine-id"
    echo caisson-vm >"$directory/etc/hostname"
    rm -rf "$directory"/var/cache/apt/* "$directory"/var/lib/apt/lists/* "$directory"/usr/share/{doc,locale,man}/*
    make_image "$directory" "$root_image" root 256
    rm -rf "$directory"
    echo "$key" >"$root_image.stamp"
}

# Sets project_image: the package twice, the second time as a later version, the tests and leakcheck, at /caisson.
build_systemd_project_image() {
    local package="$1" directory="$cache/systemd-project" version
    project_image="$cache/systemd-project.ext4"
    rm -rf "$directory"
    mkdir -p "$directory/tests/vm" "$directory/tools" "$directory/packages"
    cp -r "$here/systemd" "$directory/tests/vm/"
    cp "$repository/tools/leakcheck" "$directory/tools/"
    mkdir "$directory/docs"
    cp "$repository/docs/operations.md" "$directory/docs/"
    cp "$package" "$directory/packages/first.deb"
    version="$(dpkg-deb --field "$package" Version)"
    dpkg-deb --raw-extract "$package" "$directory/next"
    sed -i "s/^Version: .*/Version: $version+next/" "$directory/next/DEBIAN/control"
    dpkg-deb --root-owner-group --build "$directory/next" "$directory/packages/next.deb" >/dev/null ||
        die "make the later version of $package: dpkg-deb failed"
    rm -rf "$directory/next"
    make_image "$directory" "$project_image" project 16
    rm -rf "$directory"
}
