/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* with-notifier CMD…: runs it below a seccomp filter that notifies (of swapoff(2)), as a container manager around berth may have one: there
 * can be no other then, and bind(2) cannot be answered. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
        struct sock_filter filter[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_swapoff, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { .len = sizeof(filter) / sizeof(*filter), .filter = filter };
        int listener = (int) syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);

        /* It has to stay open: without its listener the filter is none that notifies. */
        if (argc < 2 || listener < 0 || dup(listener) < 0) {
                perror("with-notifier");
                return 1;
        }
        execv(argv[1], argv + 1);
        perror(argv[1]);
        return 1;
}
