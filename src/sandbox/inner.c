/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/handover.h"
#include "sandbox/helper.h"
#include "sandbox/mount.h"
#include "util/fd.h"

static int loopback_up(Error *reterr) {
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

        if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
                return error_set_errno(reterr, -errno, "cannot bring the loopback interface up");
        return 0;
}

/* Made here and not by clone3(2), because here it costs no time: outer writes the id maps and mounts the layers. */
static int namespaces_make(const World *w, Error *reterr) {
        int r;

        if (unshare(CLONE_NEWNS | CLONE_NEWUTS | (w->network_namespace ? CLONE_NEWNET : 0)) < 0)
                return error_set_errno(reterr, -errno, "cannot make namespaces");
        r = mounts_make_private();
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make mounts private");
        if (w->hostname && sethostname(w->hostname, strlen(w->hostname)) < 0)
                return error_set_errno(reterr, -errno, "cannot set the host name '%s'", w->hostname);
        return w->network_namespace ? loopback_up(reterr) : 0;
}

/* The parent cannot make such a socket itself without coming here. */
static int links_ask(Error *reterr) {
        const HelperMessage m = { .type = HELPER_NETWORK };
        _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        int r = fd < 0 ? -errno : control_send(&m, fd);

        return r < 0 ? error_set_errno(reterr, r, "cannot ask for links of the network namespace") : 0;
}

/* The scratch tmpfs covers the host's /proc, which nobody needs any more, so that one umount at the end takes all of
 * it away. The root goes on a directory in it. */
static int root_attach(Helper *h, const ApiMounts *api, Error *reterr) {
        _cleanup_close_ int host = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC), target = -EBADF;
        int r;

        if (host < 0)
                return error_set_errno(reterr, -errno, "cannot open '/proc'");
        r = mount_attach(api->scratch, host);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot attach a tmpfs");
        target = mkdirat(api->scratch, "root", 0700) < 0 ? -1 :
                openat(api->scratch, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (target < 0)
                return error_set_errno(reterr, -errno, "cannot make a place for the root");
        r = mount_attach(h->root, target);
        return r < 0 ? error_set_errno(reterr, r, "cannot attach the root") : 0;
}

/* From here on nothing of the host's tree can be reached: it is unmounted, not just hidden. */
static int root_enter(Helper *h, Error *reterr) {
        if (fchdir(h->root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
                return error_set_errno(reterr, -errno, "cannot pivot to the root");
        if (umount2(".", MNT_DETACH) < 0)
                return error_set_errno(reterr, -errno, "cannot leave the host's root");
        if (chdir("/") < 0)
                return error_set_errno(reterr, -errno, "cannot enter the root");
        return 0;
}

static int root_seal(Helper *h, Error *reterr) {
        const World *w = &h->world;
        int r;

        if (w->cwd && !w->cwd_given) {
                r = target_of_user(h, w->cwd, reterr);
                if (r < 0)
                        return error_prefix(reterr, "working directory '%s' of the image", w->cwd);
        }
        if (w->upper && !w->read_only)
                return 0;
        if (w->rootfs && !w->rootfs_overlay && !w->read_only)
                return 0;
        r = mount_set(h->root, MOUNT_ATTR_RDONLY, -EBADF, false);
        return r < 0 ? error_set_errno(reterr, r, "cannot make the root read-only") : 0;
}

static int inner_build(Helper *h, ApiMounts *api, Error *reterr) {
        int r;

        r = root_attach(h, api, reterr);
        if (r < 0)
                return r;
        r = api_attach(h, api, reterr);
        if (r < 0)
                return r;
        r = volumes_attach(h, api->scratch, reterr);
        if (r < 0)
                return r;
        r = files_attach(h, api->scratch, reterr);
        if (r < 0)
                return r;
        r = sysctl_write(h, reterr);
        if (r < 0)
                return r;
        r = mask_apply(h, api->scratch, reterr);
        if (r < 0)
                return r;
        r = root_seal(h, reterr);
        if (r < 0)
                return r;
        return root_enter(h, reterr);
}

static int inner_work(Helper *h, int outer, Error *reterr) {
        ApiMounts api = API_MOUNTS_INIT;
        int r;

        r = namespaces_make(&h->world, reterr);
        if (r < 0)
                return r;
        if (!handover_wait_ids(outer))
                _exit(1);
        r = h->world.network_links ? links_ask(reterr) : 0;
        if (r < 0)
                return r;
        r = root_user_become(reterr);
        if (r < 0)
                return r;
        /* Only now, for whoever makes it owns /dev/mqueue. */
        if (unshare(CLONE_NEWIPC) < 0)
                return error_set_errno(reterr, -errno, "cannot make an IPC namespace");
        r = api_make(h, &api, reterr);
        if (r < 0)
                return r;
        r = handover_receive(h, outer, reterr);
        if (r < 0)
                return r;
        if (r == 0)
                _exit(1);
        r = inner_build(h, &api, reterr);
        if (r < 0)
                return r;
        if (control_wait_go() < 0)
                _exit(1);
        r = cgroup_mount(reterr);
        if (r < 0)
                return r;
        return h->world.run_init ? init_run(h, reterr) : payload_exec(h, reterr);
}

void inner_start(Helper *h, int outer) {
        Error error = { 0 };

        (void) inner_work(h, outer, &error);
        control_fail(&error);
}
