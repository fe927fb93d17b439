/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A World is everything that the helper needs to know to make one instance. The supervisor (or `berth
 * exec`) fills it in, writes it to a memfd, and the helper reads it back; the helper sees no spec and no image. */

#include <sys/types.h>

#include "util/error.h"

/* File descriptors that berth-helper is started with; standard input, output and error are the payload's. */
enum {
        HELPER_FD_WORLD = 3,   /* memfd: world_write() */
        HELPER_FD_CONTROL = 4, /* SOCK_SEQPACKET: HelperMessage both ways; end of file after execve */
        HELPER_FD_SECCOMP = 5, /* struct sock_filter[] of the compiled profile; absent where World.seccomp is false */
        HELPER_FD_LEADER = 6,  /* `berth-helper join`: pidfd of the instance's first process; else with World.network_joined: a network namespace */
};

typedef enum HelperMessageType {
        HELPER_PID,    /* helper -> parent: the payload's process, as the parent's PID namespace numbers it. It is the parent's
                        * own child (CLONE_PARENT), waiting for HELPER_GO; the process that was exec'd exits by itself with 0 */
        HELPER_GO,     /* parent -> helper: it is in its scope now; finish and execve */
        HELPER_ERROR,  /* helper -> parent: it failed with error, before execve */
        HELPER_BINDS,  /* helper -> parent, World.takeover, just before execve: SCM_RIGHTS carries the listener of a seccomp filter that
                        * asks the parent about each bind(2), seccomp_unotify(2) */
        HELPER_NETWORK, /* helper -> parent, World.network_links, after HELPER_PID: SCM_RIGHTS carries a NETLINK_ROUTE socket of the new network
                        * namespace, through which the parent gives it links before it says HELPER_GO */
        HELPER_MASTER, /* helper -> parent, `join` with a terminal: SCM_RIGHTS carries the master of the new pty */
        _HELPER_MESSAGE_MAX,
        _HELPER_MESSAGE_INVALID = -EINVAL,
} HelperMessageType;

typedef struct HelperMessage {
        HelperMessageType type;
        pid_t pid;
        Error error;
} HelperMessage;

/* user_namespaces(7): ids inside..inside+count-1 are ids outside.. on the host. */
typedef struct IdMap {
        uint32_t inside, outside, count;
} IdMap;
#define WORLD_ID_MAPS_MAX 340 /* the kernel's own limit, Linux 4.15 */

typedef enum WorldMountType {
        WORLD_MOUNT_BIND,  /* source is a path of the host, directory or file */
        WORLD_MOUNT_TMPFS, /* options is tmpfs(5)'s data; source is unused */
        WORLD_MOUNT_IMAGE, /* layers of another image, read-only */
        _WORLD_MOUNT_TYPE_MAX,
        _WORLD_MOUNT_TYPE_INVALID = -EINVAL,
} WorldMountType;

typedef struct WorldMount {
        WorldMountType type;
        char *source;
        char *target;    /* absolute, inside; resolved in the root, made where it is missing */
        char *subpath;   /* below source, never leading out of it; NULL: source itself */
        char *options;   /* tmpfs(5): "size=64m,mode=1777"; NULL: none */
        char **layers;   /* WORLD_MOUNT_IMAGE: as World.layers */
        uint64_t attributes;  /* MOUNT_ATTR_RDONLY, _NOSUID, _NODEV, _NOEXEC, mount_setattr(2) */
        bool recursive;  /* rbind */
        bool idmap;      /* ids on disk are the container's; without it they are the host's as they are */
        bool idmap_optional; /* a file system that cannot map ids keeps those of the host, and standard error is told */
        bool own;        /* the U option: the tree is given to the payload's user, on disk */
        bool copy_up;    /* the volume is new: fill it from what the image has at target (empty it first); without that it is the payload's user's */
        bool tmpcopyup;  /* WORLD_MOUNT_TMPFS: starts as a copy of what the image has at target */
        uint64_t propagation; /* MS_PRIVATE, MS_SLAVE or MS_SHARED, with MS_REC for what is mounted below too; 0 is private */
} WorldMount;

typedef struct WorldDevice {
        char *source, *target; /* a device node of the host, and where it is inside */
        bool read, write, mknod;
} WorldDevice;

/* A file that berth writes into the root (hosts, resolv.conf, secrets): a bind mount of a tmpfs file, so that neither the
 * image nor the upper is changed. */
typedef struct WorldFile {
        char *target;
        char *content;
        size_t size;
        mode_t mode;
        uint32_t uid, gid; /* inside */
        bool writable;
} WorldFile;

typedef struct WorldLimit {
        int resource; /* RLIMIT_* */
        uint64_t soft, hard; /* RLIM_INFINITY as in sys/resource.h */
} WorldLimit;

typedef struct World {
        char *app;      /* "shop" */
        char *instance; /* "web.1" */

        /* Root. Either layers or rootfs. */
        char **layers;   /* directories of unpacked layers on the host, the topmost first; overlay's own whiteouts */
        char *rootfs;    /* a directory of the host used as the root, idmapped */
        char *upper;     /* a directory of the host with `upper` and `work` in it, made by the parent; NULL: no upper,
                          * the root is read-only and missing mount points come from a layer of the instance's own */
        bool rootfs_overlay; /* rootfs is the lower layer below upper (Podman's Rootfs=PATH:O) */
        bool read_only;  /* nothing of the root itself can be written */
        bool read_only_tmpfs; /* with read_only: tmpfs on /run, /tmp and /var/tmp where nothing else is mounted */

        /* Namespaces. Own pid, mount, ipc, uts and cgroup namespaces always. */
        bool user_namespace;
        bool network_namespace; /* else the host's, or: */
        bool network_joined;    /* the one of HELPER_FD_LEADER, which another user namespace may own */
        bool network_links;     /* with network_namespace: the parent gives it links, HELPER_NETWORK; else it has loopback alone */
        IdMap *uid_map, *gid_map; /* with user_namespace */
        size_t n_uid_map, n_gid_map;

        char *hostname;
        WorldMount *mounts;
        size_t n_mounts;
        WorldDevice *devices;
        size_t n_devices;
        WorldFile *files;
        size_t n_files;
        char **mask;     /* more paths to hide */
        char **volumes;  /* directories of the root that the payload writes: where one is missing it is made, and the payload's user's */
        char **unmask;   /* paths of the default masked and read-only lists (globs) to leave alone; "ALL": all */
        char **sysctls;  /* "net.core.somaxconn=1024" */
        uint64_t shm_size; /* bytes; 0: 64 MiB, as Podman */

        /* Process. */
        char **argv;     /* argv[0] without a slash is looked up in PATH of env, inside */
        char **env;      /* HOME is added from the image's passwd file where it is missing */
        char *user;      /* "name", "uid", "name:group", "uid:gid"; NULL: root. Looked up in the image's files */
        char **groups;   /* supplementary, names or numbers, besides those that the image's group file gives */
        char *cwd;       /* NULL: "/"; made, and the payload's user's, where it is missing */
        bool cwd_given;  /* a person named cwd: it has to be there */
        uint64_t capabilities; /* bounding set, bit N is capability N; what a root payload gets effective, too */
        uint64_t ambient; /* for a payload that is not root (AddCapability= given explicitly, as Podman does) */
        bool no_new_privileges;
        bool seccomp;    /* HELPER_FD_SECCOMP is there */
        bool takeover;   /* the parent answers the payload's bind(2) calls: HELPER_BINDS */
        bool run_init;   /* an init of ours stays as process 1: reaps, forwards signals */
        bool terminal;   /* `join`: the payload gets a new pty of the instance's devpts */
        WorldLimit *limits;
        size_t n_limits;
        bool oom_score_adj_set;
        int oom_score_adj;
} World;

void world_clear(World *w);

/* 0 or negative errno. The format is private to this version of berth: both ends are of one build.
 * world_read() trusts nothing: every length is checked against the size of the file (at most 16 MiB). */
int world_write(const World *w, int fd);
int world_read(int fd, World *ret, Error *reterr);

/* Starts the helper (`mode` is "start" or "join") with the fds above at their numbers, nothing else inherited, std_in,
 * std_out and std_err as 0, 1 and 2. The helper binary runs from a read-only mount of its own that nothing can
 * reach (helper_open()), so a payload that finds it under /proc/self/exe cannot write to it.
 * Returns the pid of the outer helper; the caller reaps it. seccomp and leader may be -EBADF. */
int helper_open(Error *reterr); /* fd of berth-helper for helper_spawn(), good for any number of starts */
int helper_spawn(int helper, const char *mode, int world, int control, int seccomp, int leader, const int std[3],
        pid_t *ret_pid, int *ret_pidfd, Error *reterr);
/* The next message of the helper that has the other end of control: 1, or 0 when it has said all, -EAGAIN where flags
 * has MSG_DONTWAIT and there is none yet. What is not a message of ours is passed over. ret_fd gets the fd that came along, or
 * -EBADF; it may be NULL. */
int helper_receive(int control, int flags, HelperMessage *ret, int *ret_fd);
