# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by the tests that want registries: a network namespace and an /etc/containers of their own, docker-registry and what
# stands before it.

# The test anew, where nothing is the machine's.
if [ -z "${BERTH_TEST_APART:-}" ]; then
        [ "$(id -u)" = 0 ] || { echo "skipped: namespaces can be made by root alone"; exit 77; }
        export BERTH_TEST_APART=1
        exec unshare --net --mount --pid --fork --mount-proc --kill-child --propagation private "$0" "$@"
fi
ip link set lo up
unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY all_proxy XDG_RUNTIME_DIR REGISTRY_AUTH_FILE
. "$(dirname "$0")/lib.sh"
here=$(realpath "$(dirname "$0")")
need skopeo docker-registry umoci python3 setcap busybox zstd openssl htpasswd curl
export HOME=$scratch/home
mkdir "$HOME"
# An /etc that may be changed.
mount -t tmpfs tmpfs /mnt
mkdir /mnt/{upper,work}
mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work /etc
rm -rf /etc/containers /etc/docker
mkdir /etc/containers
mount -t tmpfs tmpfs /run/containers 2>/dev/null || :
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json

# registry PORT [CONFIGURATION]: a registry, once it answers. CONFIGURATION is more YAML for "http:" and "auth:".
registry() {
        local port=$1 directory=$scratch/registry-$1
        mkdir -p "$directory"
        cat >"$directory/config.yml" <<YAML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $directory/data}, delete: {enabled: true}}
http:
  addr: 127.0.0.1:$port
${2:-}
YAML
        docker-registry serve "$directory/config.yml" >"$directory/log" 2>&1 &
        timeout 20 sh -c "until curl -ks -o /dev/null --retry 0 http://127.0.0.1:$port/v2/ || curl -ks -o /dev/null https://127.0.0.1:$port/v2/; do :; done" ||
                { cat "$directory/log"; fail "the registry on port $port does not start"; }
}

# middleman PORT OPTION…: what stands before a registry; its log is $scratch/log-PORT, its rules $scratch/rules-PORT.
middleman() {
        local port=$1 ready
        shift
        echo '[]' >"$scratch/rules-$port"
        : >"$scratch/log-$port"
        # Its standard error must not keep the caller's pipe open.
        exec {ready}< <(exec "$here/middleman" --port "$port" --log "$scratch/log-$port" --rules "$scratch/rules-$port" "$@" 2>"$scratch/errors-$port")
        read -r -t 20 -u "$ready" || { cat "$scratch/errors-$port"; fail "the middleman on port $port does not start"; }
}
rules() { cat >"$scratch/rules-$1"; }
asked() { grep -c "$2" "$scratch/log-$1" || :; } # asked PORT PATTERN: how many requests there were
forget() { : >"$scratch/log-$1"; }

fill() { skopeo copy -q --dest-tls-verify=false "$@"; }
pull() { timeout 120 "$BERTH" pull --store "$store" --quiet --retry-delay 0.05 "$@"; }
push() { timeout 120 "$BERTH" push --store "$store" --quiet --retry-delay 0.05 "$@"; }
fresh() { rm -rf "$store"; }

# whole: the pulled image has the layers and files that the layout has.
layers() { find "$store/layer" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort; }
nothing_visible() {
        [ -z "$(ls "$store/name" "$store/image" 2>/dev/null | grep -v ':$')" ] || fail "$1: something is visible"
        [ -z "$(ls "$store/tmp" 2>/dev/null)" ] || fail "$1: something is left in tmp"
}
