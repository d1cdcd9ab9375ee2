#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs of ndctl, and what makes a file system, for the guest tests: Debian's
# packages of the suite that the base comes from, with the libraries they load
# and nothing else.
# What was fetched once stays in the cache; build/ndctl is a link to a tree that
# scripts/run-guest.py lays into the guest.
# usage: scripts/ndctl.sh
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
. "$top/scripts/archive.sh"

SUITE=trixie
PACKAGES="cxl daxctl ndctl e2fsprogs"
PROGRAMS="bin/cxl bin/daxctl bin/ndctl sbin/mkfs.ext4"
cd "$top"
[ -e build/cache ] || ./configure --again
cache=$(realpath build/cache)

# pack TREE: unpacks what the programs depend on beside TREE and moves what the
# loader asks for into it, under the names that the loader looks for.
pack() {
    local tree=$1 all=$1.all deb path name libs loader file found
    rm -rf "$tree" "$all"
    mkdir -p "$tree/bin" "$tree/lib64" "$all/debs"
    # shellcheck disable=SC2086
    archive_closure "$cache" $SUITE "$all/debs" $PACKAGES
    for deb in "$all/debs"/*.deb; do
        dpkg-deb -x "$deb" "$all"
    done
    loader=$(find "$all" -name 'ld-linux-*.so.*' | head -n 1)
    [ -n "$loader" ] || die "there is no loader among the packages"
    libs=$(dirname "$loader")
    cp -L "$loader" "$tree/lib64/"
    mkdir -p "$tree/lib/$(basename "$libs")"
    for path in $PROGRAMS; do
        name=${path##*/}
        cp -L "$all/usr/$path" "$tree/bin/$name"
        found=$("$loader" --library-path "$libs" --list "$tree/bin/$name") ||
            die "$name lacks a library: $found"
        for file in $(awk '$2 == "=>" { print $3 }' <<<"$found"); do
            case $file in
            "$libs"/*) cp -L "$file" "$tree/lib/$(basename "$libs")/" ;;
            *) die "$name would load $file of this machine" ;;
            esac
        done
    done
    rm -rf "$all"
}

# a tree of other programs has another name
tree=$cache/ndctl-$(sha256sum <<<"$PACKAGES $PROGRAMS" | cut -c 1-12)
if [ ! -d "$tree" ]; then
    exec 9>"$cache/lock"
    flock -n 9 || { say "waiting for another run that uses $cache"; flock 9; }
    pack "$tree.part"
    mv -T "$tree.part" "$tree"
fi
ln -sfn "$tree" build/ndctl
