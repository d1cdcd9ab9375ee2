#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the programs that measure, then runs them all, or only some sections.
# usage: scripts/bench.sh BUILD [SECTION...]
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
cd "$top"
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$top}
run_ninja "$1/qemu" qemu-system-x86_64 tests/bench/cxl/cxl-bench-model \
    tests/bench/cxl/cxl-bench-commands >&2
exec /usr/bin/python3 scripts/bench.py "$@"
