#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# UEFI for a guest on 64-bit Arm: that of the suite which the base comes from.
# Debian 12's own shows its flash as memory of no NUMA node, and Linux gives
# its nodes up over that: no CXL region could become its memory.
# build/uefi-aarch64 is the folder.
# usage: scripts/uefi-aarch64.sh
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 0 "$@"
. "$top/scripts/archive.sh"

cd "$top"
[ ! -f build/uefi-aarch64/QEMU_EFI.fd ] || exit 0
[ -e build/cache ] || ./configure --again
cache=$(realpath build/cache)
deb=$(archive_binary "$cache" qemu-efi-aarch64 trixie)
folder=$cache/$(basename "$deb" .deb)
rm -rf "$folder.part"
mkdir -p "$folder" "$folder.part"
dpkg-deb -x "$deb" "$folder.part"
mv "$folder.part/usr/share/qemu-efi-aarch64/QEMU_EFI.fd" "$folder/"
rm -rf "$folder.part"
ln -sfn "$folder" build/uefi-aarch64
