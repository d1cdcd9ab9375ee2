# SPDX-License-Identifier: GPL-2.0-or-later
# Messages and progress for the build scripts; sourced, never run.
# Everything goes to standard error, so that a function's standard output
# stays free for its result.

say() { printf '%s\n' "== $*" >&2; }
die() { printf '%s\n' "error: $*" >&2; exit 1; }

# script_usage LEAST ARG...: prints what stands from "# usage:" on at the top of the
# script, and ends it, when the first ARG asks for help or there are too few.
script_usage() {
    local least=$1
    shift
    case ${1-} in
    -h | --help) ;;
    *) [ $# -lt "$least" ] || return 0 ;;
    esac
    sed -n '/^# usage:/,/^[^#]/s/^# //p' "$0"
    case ${1-} in
    -h | --help) exit 0 ;;
    esac
    exit 2
}

# run_logged LABEL LOG COMMAND...: runs COMMAND with its output in LOG. Every
# 15 seconds one line tells that it is alive and what it does; when it fails
# the end of the log is shown and its exit status returned.
run_logged() {
    local label=$1 log=$2 started=$SECONDS told=$SECONDS pid status
    shift 2
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        if [ $((SECONDS - told)) -ge 15 ]; then
            told=$SECONDS
            say "$label: $((SECONDS - started)) s," \
                "$(wc -l <"$log") lines, $(tail -n 1 "$log" | cut -c 1-60)"
        fi
    done
    wait "$pid" && return 0
    status=$?
    tail -n 40 "$log" >&2
    say "$label failed; the whole log is $log"
    return "$status"
}

# run_ninja DIR TARGET...: ninja's own display on a terminal. Elsewhere (a
# file, CI) one status line in 15 seconds, and everything that is not status.
run_ninja() {
    local dir=$1 told=-15 line
    shift
    if [ -t 1 ]; then
        ninja -C "$dir" "$@"
        return
    fi
    ninja -C "$dir" "$@" | while IFS= read -r line; do
        case $line in
        "["*/*"] "*)
            [ $((SECONDS - told)) -ge 15 ] || continue
            told=$SECONDS
            printf '%s\n' "${line:0:78}" ;;
        "ninja: Entering directory"*) ;;
        *)
            printf '%s\n' "$line" ;;
        esac
    done
    return "${PIPESTATUS[0]}"
}
