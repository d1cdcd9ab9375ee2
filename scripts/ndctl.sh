#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Programs of ndctl, and what makes a file system and sets PCI registers, for the
# guest: Debian's packages of the suite that the base comes from. build/ndctl is
# their tree.
# usage: scripts/ndctl.sh
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 0 "$@"
. "$top/scripts/archive.sh"
. "$top/scripts/guest-tree.sh"

cd "$top"
guest_tree ndctl "cxl daxctl ndctl e2fsprogs pciutils" \
    "bin/cxl bin/daxctl bin/ndctl sbin/mkfs.ext4 bin/lspci bin/setpci"
