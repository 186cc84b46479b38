# The test machine's disks, as ext4 images in the cache: "root" with Debian's programs, "project" with the
# built programs, profiles and tests (at /caisson), and "job", which says what to run. Sourced by run.sh.

# Prints what the project disk holds beside build/bin, as paths below the repository: all of it but builds.
project_paths() {
    find "$repository" -mindepth 1 -maxdepth 1 ! -name .git ! -name build ! -name 'build-*' -printf './%f\n'
    local path
    for path in ./build/mutation ./build/kept-by-tests; do
        [ ! -d "$repository/$path" ] || echo "$path"
    done
}

# Prints the built programs that the tests start: unit tests (caisson_…_test) and fuzz targets stay here.
built_programs() {
    find "$programs" -maxdepth 1 -type f -perm -u+x ! -name 'caisson_*' ! -name '*_fuzz' 2>/dev/null | sort
}

# Prints every program whose libraries the root disk must hold.
all_programs() {
    built_programs
    find "$repository/build/mutation" -type f -perm -u+x ! -name 'caisson_*' 2>/dev/null | sort
}

# build_root_image [GROUP]: sets root_image, which has the packages of packages.txt and of that group of tools/packages.txt.
build_root_image() {
    local key group="${1:-}" directory="$cache/root${1:+-$1}" program arguments=()
    root_image="$directory.ext4"
    [ -z "$group" ] || arguments+=(--group "$group")
    while read -r program; do
        arguments+=(--program "$program")
    done < <(all_programs)
    local inputs
    inputs="$(/usr/bin/python3 "$here/stage.py" inputs "${arguments[@]}")" || exit 1
    key="$({
        echo "$inputs"
        echo "$group"
        cat "$here/stage.py" "$here/packages.txt" "$here/guest/"* "$here/lib/common.sh"
    } | hash_input)"
    if is_current "$root_image" "$key"; then
        return 0
    fi
    say "builds the root disk from this host's Debian packages"
    rm -rf "$directory" "$root_image.stamp"
    mkdir -p "$directory"
    /usr/bin/python3 "$here/stage.py" copy "$directory" "${arguments[@]}" || exit 1
    make_image "$directory" "$root_image" root 128
    rm -rf "$directory"
    echo "$key" >"$root_image.stamp"
}

# Prints name, size and time of every file that goes onto the project disk.
project_listing() {
    local path
    project_paths | while read -r path; do
        # CMake's own files change with every build and no test needs them.
        find "$repository/$path" \( -name CMakeFiles -o -name node_modules -o -name dist \) -prune -o -name '*.o' -o \
            -name '*.a' -o \( -type f -o -type l \) -printf '%P\t%s\t%T@\t%m\t'"$path"'\n'
    done | sort
}

# Sets project_image.
build_project_image() {
    local key directory="$cache/project" listing="$cache/project.files"
    project_image="$cache/project.ext4"
    # Python compiles the tests here, which an emulated CPU does slowly; the machine's Python is this host's.
    (cd "$repository" && env -u PYTHONDONTWRITEBYTECODE /usr/bin/python3 -m pytest -p no:cacheprovider -q --collect-only \
        tests/integration tests/attack tests/languages) >"$cache/collected" 2>&1 || die "stage the project disk: $(tail -n 5 "$cache/collected")"
    key="$({
        # What Python made of a source is no more than the source.
        project_listing | grep -v __pycache__
        built_programs | xargs --no-run-if-empty stat --format '%n %s %y'
        cat "$here/lib/"*.sh
    } | hash_input)"
    if is_current "$project_image" "$key"; then
        return 0
    fi
    say "builds the project disk"
    rm -rf "$directory" "$project_image.stamp"
    mkdir -p "$directory/build/bin"
    built_programs |
        xargs --no-run-if-empty cp --preserve=mode,timestamps --target-directory="$directory/build/bin" ||
        die "stage the project disk: copying the programs failed"
    project_listing | awk -F'\t' '{print $5 ($1 == "" ? "" : "/" $1)}' >"$listing"
    tar -c -C "$repository" --no-recursion --files-from="$listing" | tar -x -p -C "$directory" ||
        die "stage the project disk: tar failed"
    # Debug information would be most of the disk; the host's own copies keep it.
    find "$directory" -path "$directory/build/*" -type f -perm -u+x -exec sh -c '
        for file; do
            if [ "$(head -c 4 "$file" | tail -c 3)" = ELF ]; then
                strip --strip-debug "$file" || exit 1
            fi
        done' strip {} + || die "stage the project disk: strip failed"
    # A checkout may be writable for its group; profiles are refused then, as they are on a real host.
    chmod -R go-w "$directory"
    # What tests keep on it (compiled payloads, generated stubs) comes to some hundred megabytes; the file is sparse.
    make_image "$directory" "$project_image" project 1024
    rm -rf "$directory" "$listing"
    echo "$key" >"$project_image.stamp"
}

# Sets job_image: a shell fragment, padded to whole sectors, that guest/test reads from the raw disk.
build_job_image() {
    local environment_name="$1" command_name="$2" name value
    job_image="$cache/job.img"
    {
        for name in "$environment_name" "$command_name"; do
            local -n list="$name"
            [ "$name" = "$environment_name" ] && printf 'job_environment=(' || printf 'job_command=('
            for value in "${list[@]}"; do
                printf '%q ' "$value"
            done
            printf ')\n'
            unset -n list
        done
    } >"$job_image"
    truncate -s '%4096' "$job_image"
}
