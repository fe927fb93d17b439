/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "run/exit.h"

/* linux/pidfd.h of Linux 6.15; Debian 12's headers are older. */
struct pidfd_exit_info {
        uint64_t mask;
        uint64_t cgroupid;
        uint32_t ids[11];
        int32_t exit_code; /* as wait(2) */
};
#define PIDFD_EXIT_INFO_ASK (UINT64_C(1) << 3)
#define PIDFD_EXIT_INFO_IOCTL _IOWR(0xFF, 11, struct pidfd_exit_info)
_Static_assert(sizeof(struct pidfd_exit_info) == 64, "PIDFD_INFO_SIZE_VER0");

void exit_status_read(int pidfd, bool adopted, int *ret_code, int *ret_status) {
        struct pidfd_exit_info asked = { .mask = PIDFD_EXIT_INFO_ASK };
        siginfo_t info = { 0 };

        *ret_code = EXIT_CODE_UNKNOWN;
        *ret_status = 0;
        if (!adopted) {
                if (waitid(P_PIDFD, (id_t) pidfd, &info, WEXITED) >= 0 && info.si_pid != 0) {
                        *ret_code = info.si_code;
                        *ret_status = info.si_status;
                }
                return;
        }
        if (ioctl(pidfd, PIDFD_EXIT_INFO_IOCTL, &asked) < 0 || !(asked.mask & PIDFD_EXIT_INFO_ASK))
                return;
        if (WIFEXITED(asked.exit_code)) {
                *ret_code = CLD_EXITED;
                *ret_status = WEXITSTATUS(asked.exit_code);
        } else if (WIFSIGNALED(asked.exit_code)) {
                *ret_code = WCOREDUMP(asked.exit_code) ? CLD_DUMPED : CLD_KILLED;
                *ret_status = WTERMSIG(asked.exit_code);
        }
}

bool exit_wait_for_hangup(int pidfd) {
        struct pidfd_exit_info asked = { .mask = PIDFD_EXIT_INFO_ASK };

        /* The ioctl is younger (6.13) than the hangup (6.9). */
        return ioctl(pidfd, PIDFD_EXIT_INFO_IOCTL, &asked) >= 0 && !(asked.mask & PIDFD_EXIT_INFO_ASK);
}
