#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The guest kernel of the tests and the demo: Linux from Debian's source
# package, configured by tests/guest/kernel.config alone. What was built once
# stays in the cache, named after its version and configuration; build/bzImage
# is a link to it, and build/modules to the names of what is built in, which
# programs as daxctl want to see before they go on. With "nested" or "lines" the
# kernel has tests/guest/nested.config as well, and the link is
# build/bzImage-nested. That of "aarch64" is compiled for 64-bit Arm.
# usage: scripts/kernel.sh [nested|lines|aarch64]
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 0 "$@"
. "$top/scripts/packages.sh"
. "$top/scripts/archive.sh"

LINUX=7.3
what=${1:-}
cd "$top"
fragment=$(mktemp)
trap 'rm -f "$fragment"' EXIT
cat tests/guest/kernel.config ${what:+"tests/guest/$what.config"} >"$fragment"
arch=x86 packages=$PACKAGES_KERNEL compiler='' made=bzImage
if [ "$what" = aarch64 ]; then
    arch=arm64 packages="$packages $PACKAGES_AARCH64" made=Image
    compiler=aarch64-linux-gnu-
fi
[ -e build/cache ] || ./configure --again
cache=$(realpath build/cache)
hash=$(sha256sum <"$fragment" | cut -c 1-12)
mkdir -p "$cache/kernel"
# Building takes minutes: it keeps back only who needs the same kernel.
exec 8>"$cache/kernel/$hash.lock"
flock -n 8 || { say "waiting for another run that builds this kernel"; flock 8; }
image=$(find "$cache/kernel" -path "*/$LINUX*-$hash/bzImage" |
        sort -V | tail -n 1)
if [ -z "$image" ]; then
    # shellcheck disable=SC2086
    need_packages $packages
    exec 9>"$cache/lock"
    flock -n 9 || { say "waiting for another run that uses $cache"; flock 9; }
    deb=$(archive_binary "$cache" "linux-source-$LINUX" trixie-backports) ||
        exit 1
    flock -u 9
    version=$(dpkg-deb -f "$deb" Version | sed 's/-.*//')
    dir=$cache/kernel/$version-$hash
    work=$dir/work
    rm -rf "$dir"
    mkdir -p "$work"
    unpack() {
        dpkg-deb --fsys-tarfile "$deb" |
            tar -xOf - "./usr/src/linux-source-$LINUX.tar.xz" |
            tar -xJf - -C "$work" --strip-components=1
    }
    run_logged "unpacking Linux $version" "$dir/unpack.log" unpack || exit 1
    kmake() {
        make -C "$work" "ARCH=$arch" "CROSS_COMPILE=$compiler" \
            ${kcc:+"CC=$kcc"} "$@"
    }
    kcc=''
    ! command -v ccache >/dev/null || kcc="ccache ${compiler}gcc"
    export KBUILD_BUILD_TIMESTAMP='1970-01-01' KBUILD_BUILD_USER=qemu-cxl \
        KBUILD_BUILD_HOST=qemu-cxl
    run_logged "configuring Linux" "$dir/configure.log" \
        kmake allnoconfig "KCONFIG_ALLCONFIG=$fragment" || exit 1
    say "building Linux $version: once, 4 minutes on 2 cores"
    run_logged "building Linux" "$dir/build.log" \
        kmake "-j$(nproc)" "$made" || exit 1
    mv "$work/.config" "$dir/config"
    # names of the addresses at which a guest hangs
    mv "$work/System.map" "$dir/System.map"
    release=$(cat "$work/include/config/kernel.release")
    names=$dir/modules/lib/modules/$release
    mkdir -p "$names"
    mv "$work"/modules.builtin "$work"/modules.builtin.modinfo "$names/"
    : >"$names/modules.order"
    "$(command -v depmod || echo /sbin/depmod)" -b "$dir/modules" "$release"
    # by one name, whatever it is
    mv "$work/arch/$arch/boot/$made" "$dir/bzImage"
    rm -rf "$work"
    image=$dir/bzImage
fi
ln -sfn "$image" "build/bzImage${what:+-$what}"
ln -sfn "$(dirname "$image")/modules" "build/modules${what:+-$what}"
