#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The story of a pool: two Linux guests in two QEMUs, and a Fabric Manager on
# this machine who moves memory from one to the other and lets them share some.
# usage: tools/demo-pool.sh BUILD
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 1 "$@"
build=$1
cd "$top"
exec /usr/bin/python3 scripts/run-pool.py --story \
    --qemu "$build/qemu/qemu-system-x86_64" --kernel build/bzImage \
    --init "$build/own/tests/guest/guest-init" \
    --fm "$build/own/tools/cxl-fm/cxl-fm" \
    --poold "$build/qemu/tools/cxl-poold/cxl-poold"
