#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Packs statically linked programs into a compressed initramfs.
# usage: scripts/initramfs.sh OUT INIT [PROGRAM | GUESTPATH=FILE]...
# INIT becomes /init, a PROGRAM /bin/<its name>, a FILE its GUESTPATH. The
# folders /dev /proc /sys /tmp are there, empty. The same files give the same
# archive, byte for byte.
set -euo pipefail
[ $# -ge 2 ] || { sed -n 's/^# usage: //p' "$0" >&2; exit 2; }
out=$(realpath -m "$1")
init=$2
shift 2

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,dev,proc,sys,tmp}
install -m 755 "$init" "$root/init"
for item in "$@"; do
    case $item in
    *=*) install -D -m 755 "${item#*=}" "$root/${item%%=*}" ;;
    *) install -m 755 "$item" "$root/bin/" ;;
    esac
done
find "$root" -exec touch -h -d @0 {} +
mkdir -p "$(dirname "$out")"
(cd "$root" && find . -mindepth 1 | LC_ALL=C sort |
    cpio --quiet -o -H newc --reproducible -R 0:0) | gzip -9n >"$out.part"
mv "$out.part" "$out"
