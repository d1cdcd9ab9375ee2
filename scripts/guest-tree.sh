# SPDX-License-Identifier: GPL-2.0-or-later
# Programs with the libraries they load and nothing else, as a tree that
# scripts/run-guest.py lays into the guest; sourced.
# Needs say.sh and archive.sh.

GUEST_SUITE=trixie

# guest_tree_pack CACHE TREE PACKAGES PROGRAMS SUITE: unpacks the packages and
# what they depend on beside TREE and moves what the loader asks for into it, under
# the names that the loader looks for. A program with an absolute path is one
# of this machine, which has to be content with the suite's libraries.
guest_tree_pack() {
    local cache=$1 tree=$2 packages=$3 programs=$4 suite=$5
    local all=$tree.all deb path name libs loader file found
    rm -rf "$tree" "$all"
    mkdir -p "$tree/bin" "$tree/lib64" "$all/debs"
    # shellcheck disable=SC2086
    archive_closure "$cache" "$suite" "$all/debs" $packages
    for deb in "$all/debs"/*.deb; do
        dpkg-deb -x "$deb" "$all"
    done
    loader=$(find "$all" -name 'ld-linux-*.so.*' | head -n 1)
    [ -n "$loader" ] || die "there is no loader among the packages"
    libs=$(dirname "$loader")
    cp -L "$loader" "$tree/lib64/"
    mkdir -p "$tree/lib/$(basename "$libs")"
    for path in $programs; do
        name=${path##*/}
        [ "${path#/}" != "$path" ] || path=$all/usr/$path
        cp -L "$path" "$tree/bin/$name"
        # busctl has a library in a folder of its own
        found=$("$loader" --library-path "$libs:$libs/systemd" \
            --list "$tree/bin/$name") || die "$name lacks a library: $found"
        for file in $(awk '$2 == "=>" { print $3 }' <<<"$found"); do
            case $file in
            "$libs"/*) cp -L "$file" "$tree/lib/$(basename "$libs")/" ;;
            *) die "$name would load $file of this machine" ;;
            esac
        done
    done
    rm -rf "$all"
}

# guest_tree NAME PACKAGES PROGRAMS [SUITE]: makes the link build/NAME to that
# tree. What was fetched once stays in the cache.
guest_tree() {
    local name=$1 cache tree own
    [ -e build/cache ] || ./configure --again
    cache=$(realpath build/cache)
    # a tree of other programs has another name
    # shellcheck disable=SC2086
    own=$(printf '%s\n' $3 | sed -n '/^\//p')
    # shellcheck disable=SC2086
    tree=$cache/$name-$({ printf '%s\n' "$2 $3"; cat /dev/null $own; } |
        sha256sum | cut -c 1-12)
    if [ ! -d "$tree" ]; then
        exec 9>"$cache/lock"
        flock -n 9 || { say "waiting for another run that uses $cache"; flock 9; }
        guest_tree_pack "$cache" "$tree.part" "$2" "$3" \
            "${4:-$GUEST_SUITE}"
        mv -T "$tree.part" "$tree"
    fi
    ln -sfn "$tree" "build/$name"
}
