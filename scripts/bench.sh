#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the programs that measure, and the unmodified base to compare with,
# then runs all sections of scripts/bench.py or only some.
# usage: scripts/bench.sh BUILD [SECTION...] [--no-base | --base QEMU]
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$top/scripts/say.sh"
script_usage 1 "$@"
cd "$top"
build=$1
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$top}

# build_base: the same sources and options without this tree; once
build_base() {
    local options
    mapfile -t options < <(grep . "$build/options" |
                           grep -v -e '^--base=' -e '^--cache=')
    ./configure --unmodified "--build=$build/base" ${options[@]+"${options[@]}"}
    say "building the unmodified base in $build/base (once: 3 minutes on" \
        "4 cores, the cache of compiled files makes it less)"
    # most of its files are the same as ours but for the folder they are in
    CCACHE_NOHASHDIR=1 run_ninja "$build/base/qemu" qemu-system-x86_64 >&2
}

run_ninja "$build/qemu" qemu-system-x86_64 cxl-bench >&2
case " $* " in
*" --base"* | *" --no-base "*) ;;
*)
    build_base
    set -- "$@" --base "$build/base/qemu/qemu-system-x86_64" ;;
esac
exec /usr/bin/python3 scripts/bench.py "$@"
