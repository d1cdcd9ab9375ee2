#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A shell in the test guest, with cxl-fm, cxl-dc-host and mctp-up in its path,
# with cxl, daxctl and ndctl if they can be had, and with mctp and mctpd if this
# machine has them. BUILD/fm.sock leads a Fabric Manager on this machine to the
# device, BUILD/qmp.sock to the monitor.
# usage: tools/shell.sh BUILD [argument of run-guest.py]...
#        tools/shell.sh --needs: is there what it takes?
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 1 "$@"
build=$1
shift
busybox=$(command -v busybox) && ! ldd "$busybox" >/dev/null 2>&1 || {
    echo "a static busybox is missing: apt-get install busybox-static" >&2
    exit 1
}
[ "$build" != --needs ] || exit 0
cd "$top"
own=$build/own
if scripts/ndctl.sh; then
    set -- --tree build/ndctl --tree build/modules "$@"
fi
if scripts/mctpd.sh && [ -d build/mctpd ]; then
    set -- --tree build/mctpd --tree tests/guest/mctpd "$@"
fi
cat <<EOF
In another terminal, in $top:
  export CXL_FM=unix:$build/fm.sock; $own/tools/cxl-fm/cxl-fm info
  build/src/scripts/qmp/qmp-shell $build/qmp.sock
EOF
exec /usr/bin/python3 scripts/run-guest.py --scenario shell --sockets "$build" \
    --qemu "$build/qemu/qemu-system-x86_64" --kernel build/bzImage \
    --init "$own/tests/guest/guest-init" \
    --add "bin/busybox=$busybox" --add "bin/sh=$busybox" \
    --add "bin/cxl-fm=$own/tools/cxl-fm/cxl-fm-static" \
    --add "bin/cxl-dc-host=$own/tests/guest/cxl-dc-host" \
    --add "bin/mctp-up=$own/tests/guest/mctp-up" "$@"
