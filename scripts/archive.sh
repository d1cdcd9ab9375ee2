# SPDX-License-Identifier: GPL-2.0-or-later
# Fetches packages of other Debian suites than the machine's own; sourced.
# Needs say.sh.
#
# apt does the work, signature checks included, but over sources, lists and
# caches of our own below the cache folder, so that the machine's setup is
# never touched. The address of the archive is the machine's own: it is read
# from its apt configuration and stands nowhere in this repository.

# archive_address: the first address that serves Debian's main component
# and is not the security archive.
archive_address() {
    apt-get indextargets --no-release-info \
        --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 2>/dev/null |
        awk '$3 == "main" && $1 !~ /^cdrom:/ && ($1 $2) !~ /security/ {
                 print $1; exit }'
}

archive_keyring() {
    local file
    for file in /usr/share/keyrings/debian-archive-keyring.gpg \
                /usr/share/keyrings/debian-archive-keyring.pgp; do
        [ -f "$file" ] && { printf '%s\n' "$file"; return; }
    done
    die "the keyring of Debian's archive is missing;" \
        "install debian-archive-keyring"
}

# archive_apt CACHE COMMAND ARG...: COMMAND (apt-get, apt-cache) over our
# own folders.
archive_apt() {
    local dir=$1/archive command=$2
    shift 2
    "$command" -q -o "Dir::Etc::SourceList=$dir/sources.list" \
        -o "Dir::Etc::SourceParts=$dir/none" \
        -o "Dir::Etc::Preferences=$dir/none" \
        -o "Dir::Etc::PreferencesParts=$dir/none" \
        -o "Dir::State=$dir/state" -o "Dir::State::Lists=$dir/lists" \
        -o "Dir::State::status=$dir/status" \
        -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User= \
        -o APT::Get::List-Cleanup=false "$@"
}

archive_folders() {
    mkdir -p "$1"/{none,lists/partial,state,cache/archives/partial}
    : >"$1/status"
}

# archive_lines TYPE SUITE...: of a source list, for the machine's own archive.
archive_lines() {
    local type=$1 address key
    shift
    command -v apt-get >/dev/null || die "apt-get is needed to fetch sources;" \
        "give a source tree of your own with --base"
    address=$(archive_address)
    [ -n "$address" ] || die "this machine's apt names no Debian archive"
    key=$(archive_keyring) || exit 1
    printf "$type [signed-by=$key] $address %s main\n" "$@"
}

# archive_open CACHE [SUITE]: writes the source list, with all of SUITE, and reads
# the package lists; done once per run of a script, and only when something must
# be fetched.
archive_open() {
    local dir=$1/archive suite=${2:-trixie}
    local binaries=(trixie trixie-backports)
    [ "${ARCHIVE_OPENED:-}" = "$1 $suite" ] && return
    [ "$suite" = trixie ] || binaries+=("$suite")
    if grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
        binaries+=(bookworm-backports)
    fi
    archive_folders "$dir"
    {
        archive_lines deb-src "$suite"
        archive_lines deb "${binaries[@]}"
    } >"$dir/sources.list"
    say "reading the package lists of Debian $suite"
    archive_apt "$1" apt-get update >"$dir/update.log" 2>&1 ||
        { tail "$dir/update.log" >&2; die "apt could not read the archive"; }
    ARCHIVE_OPENED="$1 $suite"
}

# archive_source CACHE NAME RELEASE SUITE: downloads the newest RELEASE.y of a
# source package that SUITE has, prints its .dsc.
archive_source() {
    local dl=$1/dl version
    archive_open "$1" "$4"
    mkdir -p "$dl"
    version=$(archive_apt "$1" apt-cache showsrc --only-source "$2" |
              sed -nE "s/^Version: (([0-9]+:)?$3\\..*)/\\1/p" |
              sort -V | tail -n 1)
    [ -n "$version" ] || die "the archive has no $2 $3.y in $4"
    # what was fetched before is not fetched again
    (cd "$dl" && run_logged "fetching the source of $2 $3" "$dl/$2.log" \
        archive_apt "$1" apt-get source --download-only --only-source \
        "$2=$version") || die "could not fetch the source package $2 $version"
    printf '%s\n' "$dl/$2_${version#*:}.dsc"
}

# archive_binary CACHE NAME SUITE: downloads NAME from SUITE, prints the file.
archive_binary() {
    local dl=$1/dl file
    archive_open "$1"
    mkdir -p "$dl"
    # the file name as apt writes it, epoch and all; old ones stay beside it
    file=$(archive_apt "$1" apt-get download --print-uris "$2/$3" |
           awk '{ print $2; exit }')
    [ -n "$file" ] || die "the archive has no $2 in $3"
    if [ ! -f "$dl/$file" ]; then
        rm -rf "$dl/part" && mkdir "$dl/part"
        (cd "$dl/part" && run_logged "fetching $2" "$dl/$2.log" \
            archive_apt "$1" apt-get download "$2/$3") ||
            die "could not fetch the package $2"
        mv "$dl/part/"*.deb "$dl/$file"
        rmdir "$dl/part"
    fi
    printf '%s\n' "$dl/$file"
}

# archive_closure CACHE SUITE DIR NAME...: downloads the packages and all that
# they depend on into DIR. What this machine has installed is not asked.
archive_closure() {
    local cache=$1 suite=$2 dir=$3 names
    shift 3
    archive_open "$cache" "$suite"
    names=$(archive_apt "$cache" apt-get install --simulate \
                --no-install-recommends --target-release "$suite" "$@" |
            awk -v suite="$suite" '$1 == "Inst" { print $2 "/" suite }')
    [ -n "$names" ] || die "the archive has no $* in $suite"
    # shellcheck disable=SC2086
    (cd "$dir" && run_logged "fetching $*" "$cache/dl/$1.log" \
        archive_apt "$cache" apt-get download $names) ||
        die "could not fetch the packages $*"
}

# archive_foreign CACHE ARCHITECTURE SUITE DIR NAME...: downloads packages for
# another processor into DIR, without what they depend on.
archive_foreign() {
    local cache=$1/$2 suite=$3 dir=$4
    local arch=(-o "APT::Architecture=$2" -o "APT::Architectures::=$2")
    shift 4
    archive_folders "$cache/archive"
    archive_lines deb "$suite" >"$cache/archive/sources.list"
    run_logged "fetching $*" "$cache/archive/update.log" \
        archive_apt "$cache" apt-get "${arch[@]}" update &&
        (cd "$dir" && archive_apt "$cache" apt-get "${arch[@]}" \
            download "$@" >>"$cache/archive/update.log" 2>&1) ||
        die "could not fetch the packages $*; $cache/archive/update.log" \
            "says why"
}
