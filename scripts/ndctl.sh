#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs of ndctl, and what makes a file system and sets PCI registers, for the
# guest: Debian's packages of the suite that the base comes from, or the newest
# ones. build/ndctl or build/ndctl-newest is their tree.
# usage: scripts/ndctl.sh [newest]
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 0 "$@"
. "$top/scripts/archive.sh"
. "$top/scripts/guest-tree.sh"

cd "$top"
name=ndctl suite=$GUEST_SUITE
[ "${1:-}" != newest ] || name=ndctl-newest suite=unstable
guest_tree $name "cxl daxctl ndctl e2fsprogs pciutils" \
    "bin/cxl bin/daxctl bin/ndctl sbin/mkfs.ext4 bin/lspci bin/setpci" $suite
