#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Brings a build folder up to date: sources, QEMU, our own programs and,
# when asked for, the test programs that live in QEMU's build.
# usage: scripts/build.sh BUILD [tests]
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 1 "$@"
build=$1 what=${2:-}
cd "$top"

export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$top}
./configure --again "--build=$build"
list=$(sed -n 's/^--target-list=//p' "$build/options")
targets=()
for target in ${list//,/ }; do
    targets+=("qemu-system-${target%-softmmu}")
done
[ -n "$list" ] || targets=(qemu-system-x86_64)
if grep -qx -- --enable-fuzzing "$build/options"; then
    targets+=(qemu-fuzz-x86_64)
fi
# what can be built, and the list of tests, are new only when build.ninja is
run_ninja "$build/qemu" --quiet build.ninja
if grep -q '^build tools/cxl-poold/cxl-poold:' "$build/qemu/build.ninja"; then
    targets+=(tools/cxl-poold/cxl-poold)
fi
if [ "$what" = tests ]; then
    mapfile -t -O "${#targets[@]}" targets < <(
        /usr/bin/python3 scripts/base-tests.py "$build/qemu" targets)
    # not run, but they should not fall behind
    targets+=(cxl-bench)
fi
say "building QEMU in $build/qemu (from nothing: 3 minutes on 4 cores)"
run_ninja "$build/qemu" "${targets[@]}"
say "building our own programs in $build/own"
run_ninja "$build/own"
