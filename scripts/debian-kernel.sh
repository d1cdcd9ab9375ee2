#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's own kernel of a suite for a guest test: its newest image, and the
# modules that persistent memory needs, decompressed, with a list of them in
# the order in which they are to be loaded.
# What was fetched once stays in the cache; build/debian-SUITE is a link to
# it. A kernel that cannot be fetched is said and leaves no link: its tests
# are skipped.
# usage: scripts/debian-kernel.sh SUITE
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 1 "$@"
. "$top/scripts/packages.sh"
. "$top/scripts/archive.sh"

# a bus last: its devices find their drivers
MODULES="nd_pmem nd_btt dax_pmem device_dax kmem ext4 cxl_pmem cxl_mem
    cxl_port cxl_pci cxl_acpi"
suite=$1
PATH=$PATH:/sbin:/usr/sbin
cd "$top"
[ -e build/cache ] || ./configure --again
cache=$(realpath build/cache)

# fetch DIR: the packages that the suite's linux-image-amd64 consists of. What
# makes an initramfs or a boot loader's menu is left where it is.
fetch() {
    local file name names
    archive_open "$cache"
    names=$(archive_apt "$cache" apt-get install --simulate \
                --no-install-recommends --target-release "$suite" \
                linux-image-amd64 |
            awk '$1 == "Inst" && $2 ~ /^linux-[a-z]+-[0-9]/ { print $2 }')
    [ -n "$names" ] || die "the archive has no linux-image-amd64 in $suite"
    for name in $names; do
        file=$(archive_binary "$cache" "$name" "$suite") || return 1
        ln -s "$file" "$1/"
    done
}

# pack TREE ALL: TREE gets the image, and below modules/ what a guest needs of
# ALL, where the packages are unpacked.
pack() {
    local tree=$1 all=$2/usr release name path to
    release=$(basename "$all"/lib/modules/*)
    to=$tree/modules/lib/modules/$release
    mkdir -p "$to"
    # the newer packages have no image in /boot
    cp "$2/boot/vmlinuz-$release" "$tree/vmlinuz" 2>/dev/null ||
        cp "$all/lib/modules/$release/vmlinuz" "$tree/"
    depmod -b "$all" "$release"
    for name in $MODULES; do
        modprobe -d "$all" -S "$release" --show-depends "$name"
    done | awk '$1 == "insmod" && !had[$2]++ { print $2 }' >"$2/list"
    while read -r path; do
        name=${path#*/"$release"/}
        mkdir -p "$to/${name%/*}"
        cp "$path" "$to/$name"
        [ "${name%.xz}" = "$name" ] || xz -d "$to/$name"
        echo "/lib/modules/$release/${name%.xz}"
    done <"$2/list" >"$tree/modules/modules.load"
    cp "$all/lib/modules/$release"/modules.{order,builtin*} "$to/"
    depmod -b "$tree/modules" "$release"
}

tree=$cache/debian-$suite
if [ ! -d "$tree" ]; then
    need_packages kmod xz-utils
    exec 9>"$cache/lock"
    flock -n 9 || { say "waiting for another run that uses $cache"; flock 9; }
    part=$tree.part
    rm -rf "$part" "$part.all"
    mkdir -p "$part" "$part.all/debs" "$cache/dl"
    if ! (fetch "$part.all/debs"); then
        rm -rf "$part" "$part.all" "build/debian-$suite"
        say "the tests with Debian's kernel of $suite are skipped"
        exit 0
    fi
    for deb in "$part.all/debs"/*.deb; do
        dpkg-deb -x "$deb" "$part.all"
    done
    pack "$part" "$part.all"
    rm -rf "$part.all"
    mv -T "$part" "$tree"
fi
ln -sfn "$tree" "build/debian-$suite"
say "Debian's kernel of $suite is" "$(basename "$tree"/modules/lib/modules/*)"
