# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by the tests of this directory: a scratch directory, and images made by other people's tools.

set -euo pipefail
: "${BERTH:?path of the berth program}"

need() {
        for tool; do
                command -v "$tool" >/dev/null || { echo "skipped: there is no $tool"; exit 77; }
        done
        [ "$(id -u)" = 0 ] || { echo "skipped: owners and devices can be made by root alone"; exit 77; }
}

fail() {
        echo "FAIL: $*" >&2
        exit 1
}

scratch=$(mktemp -d /tmp/berth-image-XXXXXX)
trap 'rm -rf "$scratch"' EXIT
store=$scratch/store

load() { "$BERTH" load --store "$store" "$@"; }
images() { "$BERTH" images --store "$store" --json "$@"; }

# field EXPRESSION: of the images' JSON on standard input, bound to `i`.
field() { python3 -c "import json, sys; i = json.load(sys.stdin); print($1)"; }

# refused WORDS CMD…: the command fails, and its complaint has WORDS in it.
refused() {
        local words=$1 said
        shift
        if said=$("$@" 2>&1); then fail "'$*' was not refused"; fi
        case $said in *"$words"*) ;; *) fail "'$*' says: $said" ;; esac
}

# An OCI layout of three layers in $scratch/oci: files of all kinds, then whiteouts and an opaque directory.
make_layout() {
        local root=$scratch/root bundle=$scratch/bundle
        mkdir -p "$root"/{bin,etc,tmp,var/old,opaque}
        cp "$(command -v busybox)" "$root/bin/busybox"
        for applet in sh cat ls sleep; do ln -s busybox "$root/bin/$applet"; done
        ln "$root/bin/busybox" "$root/bin/hard"
        chmod 4755 "$root/bin/busybox"
        chmod 1777 "$root/tmp"
        echo 'root:x:0:0::/:/bin/sh' >"$root/etc/passwd"
        chown 33:44 "$root/etc/passwd"
        setcap cap_net_raw+ep "$root/bin/hard"
        python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.kept", b"1")' "$root/etc/passwd"
        head -c 3000000 /dev/urandom >"$root/var/data"
        touch "$root"/var/old/{a,b} "$root"/opaque/{a,b} "$root/etc/gone"
        mkfifo "$root/var/pipe"
        printf x >"$root/$(printf 'na\303\257ve')"
        touch -d '2001-02-03 04:05:06.789' "$root/etc/passwd" "$root/var"

        umoci init --layout "$scratch/oci"
        umoci new --image "$scratch/oci:example"
        umoci unpack --image "$scratch/oci:example" "$bundle"
        cp -a "$root/." "$bundle/rootfs/"
        umoci repack --image "$scratch/oci:example" "$bundle"
        rm -rf "$bundle"
        umoci unpack --image "$scratch/oci:example" "$bundle"
        rm -r "$bundle/rootfs/etc/gone" "$bundle/rootfs/var/old"
        echo new >"$bundle/rootfs/etc/new"
        umoci repack --image "$scratch/oci:example" "$bundle"
        umoci insert --image "$scratch/oci:example" --opaque "$root/bin" /opaque
        umoci config --image "$scratch/oci:example" --config.cmd /bin/sh --config.cmd -c --config.env GREETING=hello \
                --config.user 1000:1000 --config.workingdir /var --config.stopsignal SIGINT
        rm -rf "$bundle"
} >/dev/null
