#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The story: a Fabric Manager on this machine gives memory to a Linux guest and
# takes it back. Its commands are on the left, the guest's words on the right.
# usage: tools/demo.sh BUILD
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 1 "$@"
build=$1
cd "$top"
exec /usr/bin/python3 scripts/run-guest.py --story --scenario demo \
    --qemu "$build/qemu/qemu-system-x86_64" --kernel build/bzImage \
    --init "$build/own/tests/guest/guest-init" \
    --fm "$build/own/tools/cxl-fm/cxl-fm"
