# For what makes systems and images out of this machine's own Debian packages: . "$(dirname "$0")/lib.sh"
# shellcheck shell=bash
set -euo pipefail
umask 022

# debian OUT OPTION…: mmdebstrap with OPTIONs, from where this machine's apt gets its packages, into OUT.
debian() {
        local sources=/etc/apt/sources.list.d/debian.sources options=() line
        [ -f "$sources" ] || sources=/etc/apt/sources.list
        # mmdebstrap does not read the machine's apt configuration by itself.
        while read -r line; do options+=(--aptopt="$line"); done < <(apt-config dump Acquire::http Acquire::https |
                grep -i '::proxy ' || :)
        # In any other mode a package that starts its service would start it on this machine.
        mmdebstrap --quiet --mode=root "${options[@]}" "${@:2}" bookworm "$1" - <"$sources"
}

# keep NAME RECIPE CMD…: $kept is a directory that CMD filled, as its working directory, now or for an earlier call with the
# same NAME and RECIPE (a text). It lives in BERTH_TEST_CACHE (/var/cache/berth-tests): do not change what is in it.
keep() {
        local cache=${BERTH_TEST_CACHE:-/var/cache/berth-tests} name=$1 recipe=$2 lock work
        shift 2
        mkdir -p "$cache"
        kept=$cache/$name-$(sha256sum <<<"$recipe" | cut -c 1-16)
        exec {lock}>"$cache/lock-$name"
        flock "$lock"
        if [ ! -d "$kept" ]; then
                work=$(mktemp -d "$cache/tmp.XXXXXX")
                chmod 755 "$work"
                # A shell of its own: a failure, or the end of it, takes the half-made directory away.
                # shellcheck disable=SC2064
                (trap "rm -rf '$work'" EXIT; cd "$work"; "$@" </dev/null; mv "$work" "$kept") >&2
        fi
        exec {lock}>&-
}
