# SPDX-License-Identifier: GPL-2.0-or-later
# Where the unmodified QEMU source, the base, comes from; sourced. Needs
# say.sh and archive.sh. Nobody writes into the folder that base_find names.

# The releases that scripts/base-corrections.toml knows, the newest last
BASE_RELEASES="10.0 10.2"
BASE_DEFAULT=10.0

# base_suite RELEASE: the suite of Debian that has its source
base_suite() {
    case $1 in
    10.0) echo trixie ;;
    *) echo unstable ;;
    esac
}

base_is_release() { [[ " $BASE_RELEASES " == *" $1 "* ]]; }

# base_release NAME: the release that --base-release=NAME means
base_release() {
    if base_is_release "$1"; then
        echo "$1"
    elif [ "$1" = newest ]; then
        echo "${BASE_RELEASES##* }"
    else
        die "--base-release=$1: give one of $BASE_RELEASES newest"
    fi
}

# unpack_into DIR COMMAND...: runs "COMMAND... DIR.part" and gives the
# result its name only when it is whole, so that an interrupted run leaves
# nothing that looks finished.
unpack_into() {
    local dir=$1
    shift
    rm -rf "$dir.part"
    "$@" "$dir.part" || return 1
    mv "$dir.part" "$dir"
}

untar_into() { mkdir -p "$2" && tar -xf "$1" -C "$2" --strip-components=1; }

# base_fetched CACHE RELEASE: Debian's source package with Debian's patches
# applied. One that is in the cache already is taken as it is, without the
# network.
base_fetched() {
    local cache=$1 release=$2 dsc dir
    dir=$(find "$cache" -maxdepth 1 -type d -name "qemu_$release.*" \
              ! -name '*.part' 2>/dev/null | sort -V | tail -n 1)
    if [ -z "$dir" ]; then
        dsc=$(archive_source "$cache" qemu "$release" \
                  "$(base_suite "$release")") || exit 1
        dir=$cache/$(basename "$dsc" .dsc)
        unpack_into "$dir" run_logged "unpacking QEMU" "$cache/unpack.log" \
            dpkg-source --no-copy -x "$dsc" || exit 1
    fi
    printf '%s\n' "$dir"
}

# base_find CACHE RELEASE|DIR|TARBALL: prints the folder of the base.
base_find() {
    local cache=$1 given=$2 dir version
    if base_is_release "$given"; then
        dir=$(base_fetched "$cache" "$given") || exit 1
    elif [ -d "$given" ]; then
        dir=$(realpath "$given")
    elif [ -f "$given" ]; then
        dir=$cache/tarball-$(sha256sum "$given" | cut -c 1-16)
        if [ ! -d "$dir" ]; then
            unpack_into "$dir" run_logged "unpacking ${given##*/}" \
                "$cache/unpack.log" untar_into "$given" || exit 1
        fi
    else
        die "--base=$given: no such folder or file"
    fi
    [ -f "$dir/VERSION" ] && [ -f "$dir/qapi/cxl.json" ] ||
        die "$dir is not a QEMU source tree with CXL support"
    # Debian takes out what its packages replace, and patches QEMU for that
    compgen -G "$dir/python/wheels/*.whl" >/dev/null ||
        [ -f "$dir/debian/patches/series" ] || [ -e "$dir/.git" ] ||
        die "--base=$given is Debian's .orig tarball, which does not build" \
            "without Debian's patches: give the folder that" \
            "\"dpkg-source -x qemu_*.dsc\" makes, or QEMU's own release tarball"
    version=$(cat "$dir/VERSION")
    base_is_release "${version%.*}" ||
        say "warning: the base is QEMU $version, this tree is written for" \
            "$BASE_RELEASES"
    printf '%s\n' "$dir"
}

# base_copy FROM TO: a copy that the overlay may change.
base_copy() {
    mkdir -p "$2" &&
        tar -C "$1" --exclude=./.git --exclude=./build -cf - . |
        tar -C "$2" -xf -
}
