/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A spec, read: NAME.container with its drop-ins, checked, expanded and typed, one SpecProcess for each kind of
 * process; or NAME.image, which has none. Whatever was written in a file keeps its place, so that a later error can name it. */

#include "spec/diag.h"
#include "spec/kind.h"
#include "util/address.h"
#include "util/macro.h"

/* Every quantity that a spec controls. */
#define SPEC_FILE_SIZE_MAX (4U * 1024 * 1024) /* bytes of one file */
#define SPEC_LINE_MAX (1024U * 1024)          /* bytes of one line, continuations joined; systemd's LONG_LINE_MAX */
#define SPEC_FRAGMENTS_MAX 256                /* the spec and its drop-ins */
#define SPEC_ASSIGNMENTS_MAX 16384            /* KEY=VALUE lines of all fragments together */
#define SPEC_LIST_MAX 1024                    /* items of one list of one process */
#define SPEC_WORDS_MAX 4096                   /* words of one command line */
#define SPEC_PROCESSES_MAX 64
#define SPEC_DIRS_MAX 16         /* directories of a search path */
#define SPEC_USERNS_IDS 65536        /* that an app has */
#define SPEC_NAME_MAX 200        /* bytes of an app's name: a unit name has 255, and scope names add to it */
#define SPEC_PROCESS_NAME_MAX 32 /* bytes of X in [Process X] */
#define SPEC_INSTANCES_MAX 1000  /* of one process */
#define SPEC_RELEASES_MAX 1000   /* kept */
#define SPEC_EXPANDED_MAX (128U * 1024) /* bytes of one value after its specifiers; MAX_ARG_STRLEN of the kernel */

#define SPEC_INFINITY UINT64_MAX /* sizes, counts and times without a limit */

/* The app's files, in order of application: the spec, then drop-ins. Spec.fragments[origin.file] is where a value
 * was written; line 0 means that no file says it. Lines and columns count from 1, columns in bytes. */
typedef struct SpecOrigin {
        uint32_t file, line, column;
} SpecOrigin;

/* Typed values. `set` is false, and pointers are NULL, where the spec says nothing (or an empty value took it back). */
typedef struct SpecText {
        char *value;
        SpecOrigin origin;
} SpecText;

typedef struct SpecBool {
        bool set, value;
        SpecOrigin origin;
} SpecBool;

typedef struct SpecNumber {
        bool set;
        uint64_t value; /* bytes, counts, microseconds; SPEC_INFINITY: without limit */
        SpecOrigin origin;
} SpecNumber;

/* A command line, unquoted and with its specifiers expanded; $VAR is still in it: spec_command_expand(). */
typedef struct SpecCommand {
        bool set;     /* true with no words: `Entrypoint=[]`, there shall be none */
        char **words; /* NULL when unset or empty */
        SpecOrigin origin;
} SpecCommand;

/* A number, or a share of another. */
typedef struct SpecShare {
        bool set, percent;
        bool up;        /* how a part of one is rounded */
        uint64_t value; /* percent: hundredths */
        SpecOrigin origin;
} SpecShare;

typedef struct SpecPair {
        char *name, *value;
        SpecOrigin origin;
} SpecPair;

typedef struct SpecEnvFile {
        char *path;    /* absolute: a relative one was taken from the directory of its fragment */
        bool optional; /* "-PATH" */
        SpecOrigin origin;
} SpecEnvFile;

typedef enum SpecMountType {
        SPEC_MOUNT_BIND,   /* source: an absolute path of the host */
        SPEC_MOUNT_VOLUME, /* source: the volume's name, NULL: anonymous, it lives as long as the instance */
        SPEC_MOUNT_TMPFS,  /* no source */
        SPEC_MOUNT_IMAGE,  /* source: an image's name */
        _SPEC_MOUNT_TYPE_MAX,
        _SPEC_MOUNT_TYPE_INVALID = -EINVAL,
} SpecMountType;

typedef enum SpecPropagation {
        SPEC_PROPAGATION_PRIVATE,
        SPEC_PROPAGATION_SLAVE,
        SPEC_PROPAGATION_SHARED,
        _SPEC_PROPAGATION_MAX,
        _SPEC_PROPAGATION_INVALID = -EINVAL,
} SpecPropagation;

/* Volume=, Mount= and Tmpfs=, with Podman's defaults filled in. */
typedef struct SpecMount {
        SpecMountType type;
        const char *key;  /* "Volume", "Mount" or "Tmpfs": where it was said */
        char *source;
        char *source_raw; /* BIND only: the source as written, specifiers not expanded */
        char *target;     /* absolute, normalized (no "//", ".", ".." or trailing slash), not "/" */
        char *subpath;    /* relative, below source; NULL: source itself */
        char *data;       /* TMPFS: what tmpfs(5) shall read, "size=64m,mode=1777"; NULL: nothing */
        bool read_only, nosuid, nodev, noexec, noatime;
        bool recursive;   /* BIND: rbind */
        bool own;         /* U: the source is given to the payload's user */
        bool copy;        /* VOLUME: a new one starts as a copy of what the image has at target */
        bool tmpcopyup;   /* TMPFS: likewise */
        SpecPropagation propagation;
        bool recursive_propagation;
        SpecOrigin origin;
} SpecMount;

typedef struct SpecDevice {
        char *source, *target; /* absolute; source may be a directory */
        bool read, write, mknod;
        bool optional; /* "-PATH": only if it is there */
        SpecOrigin origin;
} SpecDevice;

typedef struct SpecUlimit {
        int resource; /* RLIMIT_* */
        uint64_t soft, hard; /* SPEC_INFINITY: none */
        bool host; /* the supervisor's own limit, soft and hard are unused */
        SpecOrigin origin;
} SpecUlimit;

typedef struct SpecIdMap {
        uint32_t inside, outside, count;
        SpecOrigin origin;
} SpecIdMap;

typedef struct SpecHost {
        char **names; /* at least one */
        char *address; /* IPv4 or IPv6, without brackets; NULL: of the host, as the instance reaches it */
        SpecOrigin origin;
} SpecHost;

typedef enum SpecProtocol {
        SPEC_PROTOCOL_TCP,
        SPEC_PROTOCOL_UDP,
        _SPEC_PROTOCOL_MAX,
        _SPEC_PROTOCOL_INVALID = -EINVAL,
} SpecProtocol;

/* One published port; a range is many. */
typedef struct SpecPort {
        int family;          /* AF_INET or AF_INET6 where the line names an address; 0: all of the host's, of both */
        uint8_t address[16]; /* in network order; an IPv4 one has the first four bytes */
        uint16_t host;       /* 0: any that is free, or unknown yet */
        char unknown[64];    /* "80%i": ADDRESS:HOST for systemd to expand, where it depends on a template's instance or the machine; else "" */
        uint16_t container;
        SpecProtocol protocol;
        SpecOrigin origin;
} SpecPort;

/* How the container's ports are reached. */
typedef enum SpecPublishBy {
        SPEC_PUBLISH_BY_UNSET,    /* as AUTO */
        SPEC_PUBLISH_BY_AUTO,     /* takeover of bind(2), and what its payload does not let be taken over by address translation */
        SPEC_PUBLISH_BY_TAKEOVER,
        SPEC_PUBLISH_BY_NAT,
        _SPEC_PUBLISH_BY_MAX,
        _SPEC_PUBLISH_BY_INVALID = -EINVAL,
} SpecPublishBy;

/* An item of IPAddressAllow= and IPAddressDeny=. */
typedef struct SpecAccess {
        Subnet subnet;
        SpecOrigin origin;
} SpecAccess;

/* An item of SocketBindAllow= and SocketBindDeny=, with systemd's zeroes for "any". */
typedef struct SpecSocketBind {
        int family;       /* AF_INET, AF_INET6, AF_UNSPEC: any */
        int protocol;     /* IPPROTO_TCP, IPPROTO_UDP, 0: any */
        uint16_t count;   /* of ports; 0: any */
        uint16_t first;
        SpecOrigin origin;
} SpecSocketBind;

typedef struct SpecSecret {
        char *name;
        bool env;       /* in the environment; else a file */
        char *target;   /* env: the variable; else an absolute path */
        uint32_t uid, gid, mode; /* the file's, inside */
        SpecOrigin origin;
} SpecSecret;

typedef enum SpecNetwork {
        SPEC_NETWORK_UNSET,   /* as PRIVATE */
        SPEC_NETWORK_PRIVATE, /* a namespace of its own on the default bridge */
        SPEC_NETWORK_NONE,    /* a namespace of its own, with loopback */
        SPEC_NETWORK_HOST,
        SPEC_NETWORK_FILE,    /* on the bridge that NAME.network describes */
        SPEC_NETWORK_CONTAINER, /* the namespace of another app's first instance */
        _SPEC_NETWORK_MAX,
        _SPEC_NETWORK_INVALID = -EINVAL,
} SpecNetwork;

typedef enum SpecUserns {
        SPEC_USERNS_UNSET, /* as AUTO; with uid_map or gid_map, those */
        SPEC_USERNS_AUTO,  /* an id range of the app's own */
        SPEC_USERNS_HOST,  /* none */
        _SPEC_USERNS_MAX,
        _SPEC_USERNS_INVALID = -EINVAL,
} SpecUserns;

typedef enum SpecPull {
        SPEC_PULL_MISSING, /* when it is not in the store */
        SPEC_PULL_ALWAYS,
        SPEC_PULL_NEWER,   /* as always, but what is there will do where the registry cannot be asked */
        SPEC_PULL_NEVER,
        _SPEC_PULL_MAX,
        _SPEC_PULL_INVALID = -EINVAL,
} SpecPull;

typedef enum SpecAutoUpdate {
        SPEC_AUTO_UPDATE_NO,
        SPEC_AUTO_UPDATE_REGISTRY, /* the registry has another image under this name */
        SPEC_AUTO_UPDATE_LOCAL,    /* the store has */
        _SPEC_AUTO_UPDATE_MAX,
        _SPEC_AUTO_UPDATE_INVALID = -EINVAL,
} SpecAutoUpdate;

typedef enum SpecNotify {
        SPEC_NOTIFY_NO,
        SPEC_NOTIFY_YES,     /* ready when the payload says READY=1 */
        SPEC_NOTIFY_HEALTHY, /* ready when its health check passes */
        _SPEC_NOTIFY_MAX,
        _SPEC_NOTIFY_INVALID = -EINVAL,
} SpecNotify;

/* How instances are replaced; see spec_recreates(). */
typedef enum SpecUpdate {
        SPEC_UPDATE_UNSET,
        SPEC_UPDATE_ROLLING,  /* the new ones are ready before the old ones end */
        SPEC_UPDATE_RECREATE, /* the old ones have ended before the new ones begin */
        _SPEC_UPDATE_MAX,
        _SPEC_UPDATE_INVALID = -EINVAL,
} SpecUpdate;

/* HealthOnFailure=: what is done with an instance that is unhealthy. */
typedef enum SpecHealthAction {
        SPEC_HEALTH_NONE,
        SPEC_HEALTH_KILL,    /* SIGKILL; then what Restart= says */
        SPEC_HEALTH_RESTART, /* stopped, and begun again whatever Restart= says */
        SPEC_HEALTH_STOP,    /* stopped; then what Restart= says */
        _SPEC_HEALTH_ACTION_MAX,
        _SPEC_HEALTH_ACTION_INVALID = -EINVAL,
} SpecHealthAction;

/* Podman's defaults, podman-run(1). */
#define SPEC_HEALTH_INTERVAL_DEFAULT_USEC (30U * 1000 * 1000)
#define SPEC_HEALTH_TIMEOUT_DEFAULT_USEC (30U * 1000 * 1000)
#define SPEC_HEALTH_RETRIES_DEFAULT 3
#define SPEC_HEALTH_LOG_COUNT_DEFAULT 5
#define SPEC_HEALTH_LOG_SIZE_DEFAULT 500
#define SPEC_HEALTH_LOG_LOCAL "local"           /* the supervisor's state */
#define SPEC_HEALTH_LOG_EVENTS "events_logger"  /* the journal */

/* The regular check. cmd.words are the arguments of execve(2), with nothing in them to expand; "none" is set without words:
 * there shall be no check, whatever the image says. Times are microseconds. */
typedef struct SpecHealth {
        SpecCommand cmd;
        SpecNumber interval; /* SPEC_INFINITY: only when asked for ("disable") */
        SpecNumber timeout;
        SpecNumber retries;      /* at least 1: failures in a row that make it unhealthy */
        SpecNumber start_period; /* in which failures do not count; default 0 */
} SpecHealth;

/* The check until it has passed `success` times; the regular one begins then. There is none without words. */
typedef struct SpecHealthStartup {
        SpecCommand cmd;
        SpecNumber interval, timeout;
        SpecNumber retries; /* failures after which the instance is begun again; default 0: never */
        SpecNumber success; /* default 0, which is as 1 */
} SpecHealthStartup;

typedef enum SpecActivation {
        SPEC_ACTIVATION_UNSET,  /* the app is started as any service */
        SPEC_ACTIVATION_SOCKET, /* the first connection starts it */
        _SPEC_ACTIVATION_MAX,
        _SPEC_ACTIVATION_INVALID = -EINVAL,
} SpecActivation;

#define SPEC_LIST(type)         \
        struct {                \
                type *items;    \
                size_t n;       \
        }

/* One kind of process: [Container] with [Process NAME] laid over it (a single value replaces, a list goes on, an
 * empty value takes back). Lists keep the order of the files. */
typedef struct SpecProcess {
        char *name; /* NULL: the only, unnamed one */
        SpecOrigin origin; /* of its section; line 0 for the unnamed one */

        /* What runs. Exactly one of image and rootfs is set. */
        SpecText image;
        char *image_file; /* NAME, where Image=NAME.image was written: image is what that says */
        char *image_unit; /* its service, as systemd shall expand it: "NAME-image.service" */
        SpecText rootfs;     /* absolute */
        SpecPull pull;
        SpecAutoUpdate auto_update;
        SpecNumber retry, retry_delay; /* how often a pull is tried again; microseconds before the first of those */
        bool rootfs_overlay; /* Rootfs=PATH:O */
        bool rootfs_idmap;   /* Rootfs=PATH:idmap; off: ids on disk are the host's as they are */
        SpecCommand entrypoint, exec;
        SpecText user, group; /* names or numbers; user has no ":group" part, it was split off */
        SPEC_LIST(SpecText) groups;
        SpecText working_dir;
        SpecBool run_init;

        /* Environment. Later wins: files first, in order, then pairs. */
        SPEC_LIST(SpecPair) environment;
        SPEC_LIST(SpecEnvFile) environment_files;
        SpecBool environment_host;
        SPEC_LIST(SpecSecret) secrets;

        /* Names. */
        SpecText hostname, container_name;
        SPEC_LIST(SpecPair) labels, annotations;

        /* Files. */
        SpecBool read_only, read_only_tmpfs; /* see spec_read_only_tmpfs() */
        SPEC_LIST(SpecMount) mounts;
        SPEC_LIST(SpecDevice) devices;
        SpecNumber shm_size; /* bytes; SPEC_INFINITY: no limit */
        SpecText timezone;   /* "local" or a name below /usr/share/zoneinfo */
        SPEC_LIST(SpecText) mask, unmask; /* absolute paths; unmask also globs, and "ALL" */

        /* Network. */
        SpecNetwork network;
        SpecOrigin network_origin;
        char *network_file;        /* NAME, where Network=NAME.network was written */
        char *network_app;         /* NAME, where it is Network=container:NAME or NAME.container */
        char *network_unit;        /* the service of either, as systemd shall expand it: "NAME-network.service" */
        struct Spec *network_spec; /* what it says */
        SpecText ip, ip6;
        SPEC_LIST(SpecText) network_aliases, expose;
        SPEC_LIST(SpecPort) ports;
        SpecPublishBy publish_by;
        SPEC_LIST(SpecHost) hosts;
        SPEC_LIST(SpecText) dns, dns_option, dns_search; /* dns: addresses; dns_search "." : none */

        /* Privileges. */
        uint64_t add_capabilities, drop_capabilities; /* bit N: capability N; all bits: "all" */
        SpecBool no_new_privileges;
        SpecText seccomp; /* an absolute path or "unconfined"; NULL: the default profile */
        SpecUserns userns;
        uint32_t userns_size; /* ids of SPEC_USERNS_AUTO; 0: SPEC_USERNS_IDS */
        SPEC_LIST(SpecIdMap) uid_map, gid_map; /* outside: as the host numbers them */
        SPEC_LIST(SpecPair) sysctls;
        SPEC_LIST(SpecUlimit) ulimits;

        /* Limits of the scope. */
        SpecNumber memory;     /* bytes: MemoryMax= */
        SpecNumber swap;       /* bytes of swap alone, ready for MemorySwapMax= (MemorySwap= counts memory, too) */
        SpecNumber cpu_quota;  /* microseconds a second: CPUQuotaPerSecUSec */
        SpecNumber cpu_weight; /* 1..10000; 0: "idle" */
        SpecNumber io_weight;  /* 1..10000 */
        SpecNumber pids;       /* TasksMax= */

        /* How many, and how they are replaced. */
        SpecNumber instances; /* see spec_instances() */
        bool instances_cpus;  /* instances.set: as many as the machine has processors, in place of the number */
        SpecUpdate update;    /* see spec_recreates() */
        SpecShare max_surge, max_unavailable; /* see spec_update_shares() */

        /* Life. */
        SpecNotify notify;
        SpecNumber start_timeout; /* microseconds; see spec_start_timeout() */
        SpecNumber stop_signal;  /* signal number */
        SpecNumber stop_timeout; /* microseconds; see spec_stop_timeout() */
        SpecCommand reload_cmd;
        SpecNumber reload_signal;

        /* Health. At most one of health.cmd, with words, and health_http. */
        SpecHealth health;
        SpecHealthStartup health_startup;
        SpecText health_http;      /* a path that answers 200 to 399 while all is well */
        uint16_t health_http_port; /* of the container, with health_http; see spec_health_http_port() */
        SpecHealthAction health_on_failure;
        SpecText health_log;       /* SPEC_HEALTH_LOG_LOCAL (as NULL), SPEC_HEALTH_LOG_EVENTS or an absolute directory of the host */
        SpecNumber health_log_count; /* attempts that are kept; 0: all */
        SpecNumber health_log_size;  /* bytes of an attempt's output that are kept; 0: all */
} SpecProcess;

typedef enum SpecRestart {
        SPEC_RESTART_NO,
        SPEC_RESTART_ON_SUCCESS,
        SPEC_RESTART_ON_FAILURE,
        SPEC_RESTART_ON_ABNORMAL,
        SPEC_RESTART_ON_WATCHDOG,
        SPEC_RESTART_ON_ABORT,
        SPEC_RESTART_ALWAYS,
        _SPEC_RESTART_MAX,
        _SPEC_RESTART_INVALID = -EINVAL,
} SpecRestart;

/* A set of ways to end, as SuccessExitStatus=: exit statuses and signals. */
typedef struct SpecExitSet {
        uint64_t status[4]; /* bit N%64 of status[N/64] */
        uint64_t signals;   /* bit N-1 */
} SpecExitSet;

static inline bool spec_exit_set_has(const SpecExitSet *s, bool by_signal, int status) {
        if (by_signal)
                return status >= 1 && status <= 64 && (s->signals >> (status - 1) & 1);
        return status >= 0 && status <= 255 && (s->status[status / 64] >> (status % 64) & 1);
}

/* One line of a section that is passed on to systemd, as it was written. */
typedef struct SpecPassed {
        char *key, *value;
        SpecOrigin origin;
} SpecPassed;

/* What a file NAME.image says. */
typedef struct SpecImage {
        SpecText name, tag;             /* what is pulled, and one more name for it; see spec_image_name() */
        SpecText arch, os, variant;     /* as Go names them; NULL: this machine's */
        SpecText auth_file, cert_dir;   /* absolute */
        SpecText creds;                 /* "USER:PASSWORD" */
        SpecBool tls_verify;
        SpecNumber policy;              /* a SpecPull; see spec_image_policy() */
        SpecNumber retry, retry_delay;  /* as in SpecProcess */
} SpecImage;

static inline SpecPull spec_image_policy(const SpecImage *i) {
        return i->policy.set ? (SpecPull) i->policy.value : SPEC_PULL_ALWAYS;
}

/* What apps run. */
static inline const char *spec_image_name(const SpecImage *i) {
        return i->tag.value ? i->tag.value : i->name.value;
}

/* What a file NAME.network says; subnets, gateways and ranges at most one of each family. */
typedef struct SpecNetworkFile {
        SpecText name;                                        /* see spec_network_name() */
        SPEC_LIST(SpecText) subnets, gateways, ranges;        /* ranges: a subnet, or FIRST-LAST */
        SPEC_LIST(SpecText) dns;                              /* addresses */
        SpecBool internal, ipv6, disable_dns, delete_on_stop;
        SpecText interface_name, driver, ipam_driver;
        SpecNumber mtu, isolate;                              /* isolate: 1 or 0 */
        SPEC_LIST(SpecPair) labels;
} SpecNetworkFile;

typedef struct Spec {
        SpecKind kind;
        char *name;     /* "shop", "web@a"; a template: "web@" */
        char *prefix;   /* of a template or instance: "web"; else the name */
        char *instance; /* "a"; NULL if there is none */
        bool template;  /* "web@": only good for its unit text, values are not expanded */
        char *path;     /* the spec file: what SourcePath= says */
        char *service;  /* the unit's name without ".service": ServiceName=, or spec_kind_service() */
        char **fragments; /* paths; [0] is path */

        SpecProcess *processes; /* at least one; none but of SPEC_CONTAINER */
        size_t n_processes;
        SpecImage image;        /* SPEC_IMAGE only */
        SpecNetworkFile net;    /* SPEC_NETWORK only */

        /* What [Container] says of the app as a whole. */
        SpecNumber keep_releases;   /* see spec_keep_releases() */
        SpecNumber rollback_window; /* microseconds; 0 and unset: no rollback after a release was ready */
        SpecNumber release;         /* run what this release was; unset: what the files say */
        SpecActivation activation;
        SpecNumber idle_timeout;    /* microseconds without a connection after which it stops; unset: it does not */
        SpecBool maintenance;
        SpecText maintenance_page;  /* an absolute path of the host; NULL: a page of berth's own */

        /* What [Service] and [Unit] say to the supervisor about its instances. */
        bool oneshot; /* Type=oneshot: run once, pass on how it ended */
        bool remain_after_exit;
        SpecRestart restart; /* default: always; no for oneshot */
        SpecNumber restart_sec; /* microseconds; unset: at once */
        SpecNumber start_limit_interval, start_limit_burst; /* unset: no limit */
        SpecNumber timeout_start, timeout_stop; /* microseconds */
        SpecExitSet success, restart_prevent, restart_force;

        /* What [Service] says of the sockets of all instances, for their scopes. */
        SPEC_LIST(SpecAccess) ip_allow, ip_deny;
        SPEC_LIST(SpecSocketBind) bind_allow, bind_deny;

        /* For the unit's text. */
        SPEC_LIST(SpecPassed) unit, service_keys, slice_keys;
        SPEC_LIST(SpecText) alias, wanted_by, required_by, upheld_by; /* unit names, expanded */
        SpecText default_instance;
        SpecBool default_dependencies; /* of [Quadlet] */
        SPEC_LIST(SpecPassed) install; /* as written */
} Spec;

Spec *spec_free(Spec *s);
DEFINE_CLEANUP(Spec *, spec_free);

/* Finds NAME.container (for "web@a" also the template web@.container) in dirs, colon-separated in order of
 * precedence, lays its drop-ins over it, checks and types it. dirs NULL: $BERTH_SPEC_PATH, or else BERTH_SPEC_DIRS.
 * 0, or
 *   -ENOENT    no such spec            (one diagnostic says where it was looked for)
 *   -ERFKILL   masked: a link to /dev/null or an empty file
 *   -EINVAL    not a name of an app, or a template without an instance
 *   -EBADMSG   read, and wrong: diags say all that is wrong
 *   another negative errno on the way to the file.
 * diags (may be NULL) is added to, warnings even on success; what it says is complete sentences. */
int spec_load(const char *name, const char *dirs, SpecDiags *diags, Spec **ret);

/* The same for NAME.image and NAME.network. */
int spec_network_load(const char *name, const char *dirs, SpecDiags *diags, Spec **ret);
int spec_image_load(const char *name, const char *dirs, SpecDiags *diags, Spec **ret);

/* As spec_load() from a directory with copies of a spec's files: origins are the paths that the files had, by fragment, and
 * what the spec names beside itself is looked for there. -ESTALE where there are not as many fragments. */
int spec_load_copy(const char *name, const char *dir, char *const *origins, SpecDiags *diags, Spec **ret);

/* As spec_load(), for who must work on a spec however wrong it is (the generator): *ret is set wherever the result is
 * 0 or -EBADMSG. With SPEC_STATIC nothing of the machine is looked at (host name, machine id, boot id): what depends
 * on that, or on the instance of a template, is not checked and its value is arbitrary. */
typedef enum SpecFlags {
        SPEC_STATIC = 1 << 0,
} SpecFlags;
int spec_read(const char *name, const char *dirs, SpecFlags flags, SpecDiags *diags, Spec **ret);

/* The same through a search path that is open already: spec/document.h. */
struct SpecSearch;
int spec_read_from(const struct SpecSearch *search, const char *name, SpecFlags flags, SpecDiags *diags, Spec **ret);
int spec_read_kind_from(const struct SpecSearch *search, SpecKind kind, const char *name, SpecFlags flags, SpecDiags *diags, Spec **ret);

/* Reads one file of either kind under its own name, without a search and without drop-ins of other directories. */
int spec_read_file(const char *path, SpecFlags flags, SpecDiags *diags, Spec **ret);

/* Names of all specs in dirs (as above), sorted, without masked ones; templates as "web@". */
int spec_list(const char *dirs, char ***ret);

/* May it be an app's name? Letters, digits, ":-_.\" and at most one "@", not at the start; the bytes of unit names. */
bool spec_name_valid(const char *name);

#define SPEC_NETWORK_DEFAULT_NAME "berth" /* of the network without a file */

/* What the network of a file NAME.network is called. */
static inline const char *spec_network_name(const Spec *s) {
        return s->net.name.value ? s->net.name.value : s->name;
}

/* "shop.container:7:1", in a buffer of the caller's; "" for origin line 0. */
const char *spec_origin_text(const Spec *s, SpecOrigin o, char *buffer, size_t size);

/* The process called name (NULL: the unnamed one), or NULL. */
const SpecProcess *spec_process(const Spec *s, const char *name);

/* Podman's defaults where the spec is silent. */
#define SPEC_STOP_TIMEOUT_DEFAULT_USEC (10U * 1000 * 1000)
static inline uint64_t spec_stop_timeout(const SpecProcess *p) {
        return p->stop_timeout.set ? p->stop_timeout.value : SPEC_STOP_TIMEOUT_DEFAULT_USEC;
}
#define SPEC_KEEP_RELEASES_DEFAULT 10
static inline unsigned spec_keep_releases(const Spec *s) {
        return s->keep_releases.set ? (unsigned) s->keep_releases.value : SPEC_KEEP_RELEASES_DEFAULT;
}

/* The process of this name runs once for each new release, before that takes any traffic. */
#define SPEC_RELEASE_PROCESS "release"
static inline bool spec_is_release(const SpecProcess *p) {
        return streq_ptr(p->name, SPEC_RELEASE_PROCESS);
}

/* How many instances shall run on a machine with so many processors online. Of the process `release`: 0, it is no part of what runs on. */
unsigned spec_instances(const SpecProcess *p, unsigned cpus);

/* Must the old instances have ended before new ones begin? */
bool spec_recreates(const SpecProcess *p);

/* What a share of `of` comes to. */
unsigned spec_share(const SpecShare *s, unsigned of, unsigned unless_set);

/* How many instances beyond `of` there may be during a replace, and how many of them may be missing: 1 and 0 unless set. Never both 0. */
void spec_update_shares(const SpecProcess *p, unsigned of, unsigned *ret_surge, unsigned *ret_unavailable);

#define SPEC_SERVICE_START_TIMEOUT_USEC (90U * 1000 * 1000) /* systemd's DefaultTimeoutStartSec= */

/* How long an instance may take to become ready, and a release process to end: microseconds, or SPEC_INFINITY. Where that is
 * TimeoutStartSec= of the service, a little less, so that the reason is told before systemd gives up. */
uint64_t spec_start_timeout(const Spec *s, const SpecProcess *p);

/* Is it for all addresses of the host, of a family or of both? */
bool spec_port_is_any(const SpecPort *p);

/* A container's port may be several of the host's, and a payload has one socket for them: that of the one which this is the index of, whose
 * address is the widest. port itself, where it is the only one. */
size_t spec_port_main(const SpecPort *ports, size_t n, size_t port);

/* Is all that comes to the address of p also for that of main, the number left aside? */
bool spec_port_is_within(const SpecPort *p, const SpecPort *main);

/* The container's port that HealthHttp= asks. */
uint16_t spec_health_http_port(const SpecProcess *p);

static inline bool spec_read_only_tmpfs(const SpecProcess *p) {
        return !p->read_only_tmpfs.set || p->read_only_tmpfs.value;
}

/* Capabilities of the process: defaults with AddCapability= and DropCapability=. Bits past last_cap are cut off. */
uint64_t spec_capabilities(const SpecProcess *p, uint64_t defaults, int last_cap);

/* A command line as systemd.service(5) expands it, with env ("NAME=value"): "$NAME" as a word of its own becomes its
 * value split at white space (quotes respected), "${NAME}" anywhere becomes the value in place, "$$" a dollar; unset
 * is empty. 0, -E2BIG past SPEC_WORDS_MAX words, -ENOMEM. */
int spec_command_expand(char *const *words, char *const *env, char ***ret);

/* An environment file as Podman's --env-file reads it: NAME=VALUE lines, the value as it stands (no quotes, no escapes);
 * "#" begins a comment; NAME alone is taken from the caller's own environment, where that has it. Sets them in *env,
 * replacing. -EBADMSG where a line has no name. text is the whole file. */
int spec_env_parse(const char *text, char ***env);

/* "NAME=value" into *env, replacing. */
int spec_env_set(char ***env, const char *name, const char *value);
