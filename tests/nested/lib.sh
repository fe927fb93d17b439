# For the tests in this directory: . "$(dirname "$0")/lib.sh"
# Runs inside the nested system (tests/nested/enter), where everything may be changed. Each test begins with no apps.
# shellcheck shell=bash
set -euo pipefail

[ -n "${BERTH_NESTED:-}" ] || { echo "run me by tests/nested/suite inside tests/nested/enter" >&2; exit 1; }
tests=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
scratch=$(mktemp -d)
concerned=()
stopped=()
undone=()
began=$(date +%s.%N)

finish() {
        local status=$?
        trap - EXIT
        if [ "$status" != 0 ] && [ "$status" != 77 ]; then
                for unit in "${concerned[@]}"; do
                        echo "--- systemctl status $unit"
                        systemctl status --no-pager -n 0 "$unit" || :
                        echo "--- journal of $unit"
                        journalctl --no-pager -o short-precise --since "@${began%.*}" -u "$unit" | tail -n 60 || :
                done
        fi
        [ ${#stopped[@]} = 0 ] || systemctl stop "${stopped[@]}" 2>/dev/null || :
        for command in "${undone[@]}"; do eval "$command" || :; done
        exit "$status"
}
trap finish EXIT

fail() { echo "FAILED: $*"; exit 1; }
skip() { echo "skipped: $*"; exit 77; }

# A unit whose journal is shown when the test fails.
concerns() { concerned+=("$@"); }

# A unit of the test's own that is stopped when the test ends. (A trap of the test's own would lose how it ended.)
ends() { stopped+=("$@"); }

# A command that is run when the test ends.
undo() { undone+=("$*"); }

# spec NAME <<EOF: writes /etc/berth/NAME.container and has systemd read it.
spec() {
        cat >"/etc/berth/$1.container"
        concerns "$1.service"
        systemctl daemon-reload
}

# image NAME: the image of tests/images/make is in the store under localhost/NAME.
image() {
        berth images --json | grep -q "localhost/$1:latest" && return
        "$tests/images/make" "$1" "$scratch/layout-$1"
        berth load --name "localhost/$1:latest" "$scratch/layout-$1" >/dev/null
}

# scope APP: the unit of its first instance.
scope() { berth status --json "$1" | grep -o '"scope":"[^"]*"' | head -n 1 | cut -d '"' -f 4; }

# equal WHAT GOT WANTED
equal() { [ "$2" = "$3" ] || fail "$1: got '$2', not '$3'"; }
# contains WHAT TEXT PART
contains() { case $2 in *"$3"*) ;; *) fail "$1: no '$3' in '$2'" ;; esac; }
lacks() { case $2 in *"$3"*) fail "$1: '$3' is in '$2'" ;; esac; }
# refuses WHAT CMD…: the command must fail; its output is in $output.
refuses() { local what=$1; shift; if output=$("$@" 2>&1); then fail "$what: succeeded with '$output'"; fi; }

# eventually WHAT CMD…: polls for up to 10 seconds, or what a slow machine needs.
eventually() {
        local what=$1 patience=${BERTH_PATIENCE:-10} until
        until=$((SECONDS + patience))
        shift
        while [ "$SECONDS" -le "$until" ]; do
                if "$@" >/dev/null 2>&1; then return; fi
                sleep 0.05
        done
        fail "$what: not within $patience seconds"
}

# A property of a unit.
property() { systemctl show --value -p "$2" -- "$1"; }

# Runs a command as another user, who has no rights of their own.
as_nobody() { setpriv --reuid=nobody --regid=nogroup --clear-groups -- "$@"; }
