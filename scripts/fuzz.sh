#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the fuzzer and what it runs against, and runs it.
# usage: scripts/fuzz.sh BUILD [OPTION-OF-CXL-FUZZ]...
#        --seconds=N, --jobs=N, --seed=N, --ops=N, --from=N, --echo, --minimise:
#        see "Fuzzing" in docs/contributing.md
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 1 "$@"
build=$1
shift
cd "$top"

scripts/build.sh "$build"
run_ninja "$build/qemu" tests/fuzz/cxl-fuzz \
    tests/unit/cxl/test-cxl-command-table
# as in tests/fuzz/meson.build
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0:handle_abort=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:abort_on_error=1:print_stacktrace=1}
export QTEST_QEMU_BINARY=./qemu-system-x86_64
# snapshots are synchronized with what they are kept on
[ ! -w /dev/shm ] || export TMPDIR=${TMPDIR:-/dev/shm}
cd "$build/qemu"
exec tests/fuzz/cxl-fuzz "--jobs=$(nproc)" "$@"
