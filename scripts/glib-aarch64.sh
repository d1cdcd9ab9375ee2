#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# glib for programs of the guest on 64-bit Arm: the static library and headers
# of the machine's own Debian, which fit its cross compiler's C library.
# build/glib-aarch64 is the tree.
# usage: scripts/glib-aarch64.sh
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 0 "$@"
. "$top/scripts/archive.sh"

cd "$top"
[ ! -d build/glib-aarch64/usr ] || exit 0
[ -e build/cache ] || ./configure --again
cache=$(realpath build/cache)
# shellcheck source=/dev/null
suite=$(. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-}")
tree=$cache/glib-aarch64-$suite
if [ ! -d "$tree" ]; then
    exec 9>"$cache/lock"
    flock -n 9 || { say "waiting for another run that uses $cache"; flock 9; }
    rm -rf "$tree.part"
    mkdir -p "$tree.part"
    archive_foreign "$cache" arm64 "$suite" "$tree.part" \
        libglib2.0-dev libpcre2-dev
    for deb in "$tree.part"/*.deb; do
        dpkg-deb -x "$deb" "$tree.part"
    done
    rm -f "$tree.part"/*.deb
    mv -T "$tree.part" "$tree"
fi
ln -sfn "$tree" build/glib-aarch64
