/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/helper.h"
#include "util/fd.h"

#ifdef __x86_64__
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000U
#else
#error "the number of bind(2) and the architecture's name are to be added here"
#endif

/* bind(2) of 64-bit and of x32 programs. A 32-bit one's mostly goes by socketcall(2), whose arguments are in memory: its ports
 * are not taken over, but reached by NAT. */
static const struct sock_filter bind_filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bind, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, X32_BIT | SYS_bind, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

int takeover_begin(Error *reterr) {
        struct sock_fprog program = { .len = ELEMENTSOF(bind_filter), .filter = (struct sock_filter *) bind_filter };
        HelperMessage m = { .type = HELPER_BINDS };
        _cleanup_close_ int listener = -EBADF;
        int r;

        /* Once the parent has seen a call, a signal that does not kill must not let it begin again: bind(2) knows no EINTR. */
        listener = (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
        /* A container manager around berth has such a filter already, of which there can be one: the parent finds another way. */
        if (listener < 0 && errno == EBUSY)
                return 0;
        if (listener < 0)
                return error_set_errno(reterr, -errno, "cannot install the filter that takes ports over");
        r = control_send(&m, listener);
        return r < 0 ? error_set_errno(reterr, r, "cannot hand over the filter that takes ports over") : 0;
}
