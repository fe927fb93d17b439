/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>

#include "run/backoff.h"
#include "run/exit.h"
#include "run/instance.h"
#include "run/rollout.h"
#include "run/settle.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/strv.h"

/* systemd.service(5), the table at Restart=, for how the instance ended. */
static bool restart_wanted(const Spec *spec, const Instance *i) {
        bool by_signal = exit_by_signal(i->exit_code), clean, aborted;

        if (i->begin_again)
                return true;
        if (i->exit_code != EXIT_CODE_UNKNOWN && spec_exit_set_has(&spec->restart_prevent, by_signal, i->exit_status))
                return false;
        if (i->exit_code != EXIT_CODE_UNKNOWN && spec_exit_set_has(&spec->restart_force, by_signal, i->exit_status))
                return true;
        clean = !i->start_timed_out && !i->unwell && i->execed && i->exit_code != EXIT_CODE_UNKNOWN &&
                (spec_exit_set_has(&spec->success, by_signal, i->exit_status) || (i->exit_code == CLD_EXITED && i->exit_status == 0) ||
                        (by_signal && (i->exit_status == SIGHUP || i->exit_status == SIGINT || i->exit_status == SIGTERM ||
                                              i->exit_status == SIGPIPE)));
        aborted = by_signal && !clean;
        switch (spec->restart) {
        case SPEC_RESTART_NO:
        case SPEC_RESTART_ON_WATCHDOG:
                return false;
        case SPEC_RESTART_ON_SUCCESS:
                return clean;
        case SPEC_RESTART_ON_FAILURE:
                return !clean;
        case SPEC_RESTART_ON_ABNORMAL:
                return aborted || i->start_timed_out || i->unwell;
        case SPEC_RESTART_ON_ABORT:
                return aborted;
        case SPEC_RESTART_ALWAYS:
                return true;
        case _SPEC_RESTART_MAX:
        case _SPEC_RESTART_INVALID:
                break;
        }
        return false;
}

static void message_set(Instance *i) {
        const char *start = i->execed ? "" : "cannot start: "; /* it ended before it was the payload */
        const char *oom = i->oom_kills > 0 ? ", after the kernel had killed a process of it: out of memory (see Memory=)" : "";
        bool by_signal = exit_by_signal(i->exit_code);

        free(i->message);
        i->message = NULL;
        if (*i->error.text && (!i->execed || i->start_timed_out || i->unwell))
                i->message = strdup(i->error.text);
        else if (i->oom_kills > 0 && by_signal && i->exit_status == SIGKILL && !i->killed)
                i->message = str_format("%swas killed by the kernel: out of memory (see Memory=)", start);
        else if (i->exit_code == EXIT_CODE_UNKNOWN)
                i->message = str_format("has ended, its status is not known: it was started by an earlier supervisor%s", oom);
        else if (by_signal)
                i->message = str_format("%swas killed by signal %d (SIG%s)%s", start, i->exit_status,
                        sigabbrev_np(i->exit_status) ? sigabbrev_np(i->exit_status) : "RT", oom);
        else
                i->message = str_format("%shas ended with status %d%s", start, i->exit_status, oom);
}

static bool ended_well(const Spec *spec, const Instance *i) {
        return i->execed && !i->start_timed_out && !i->unwell && i->exit_code != EXIT_CODE_UNKNOWN &&
                ((i->exit_code == CLD_EXITED && i->exit_status == 0) ||
                        spec_exit_set_has(&spec->success, exit_by_signal(i->exit_code), i->exit_status));
}

/* Nothing is made of an instance that shall show whether a change works. */
static bool is_on_trial(const Supervisor *sv, const Instance *i) {
        return sv->phase == PHASE_RUNNING && rollout_is_on_trial(sv) && !i->ever_ready;
}

InstanceState instance_settle(Supervisor *sv, Instance *i) {
        const Spec *spec = i->process->release->spec;
        uint64_t now = clock_usec(CLOCK_MONOTONIC);
        bool good = ended_well(spec, i);

        if (i->stop_asked)
                return INSTANCE_EXITED;
        message_set(i);
        log_line(good ? LOG_INFO : LOG_ERR, "Instance '%s' of app '%s': %s", i->name, sv->name,
                i->message ? i->message : "has ended");
        if (spec_is_release(i->process->spec))
                return good ? INSTANCE_EXITED : INSTANCE_FAILED;
        /* What ends well and would be begun again does not work, either: it would never be ready. */
        if (is_on_trial(sv, i))
                return good && !restart_wanted(spec, i) ? INSTANCE_EXITED : INSTANCE_FAILED;
        /* What cannot even be started fails the start of the app, which is asking for it to be mended. */
        if ((!i->execed || i->start_timed_out) && sv->phase == PHASE_STARTING)
                return INSTANCE_FAILED;
        if (!good)
                rollout_crashed(sv, i);
        if (!restart_wanted(spec, i))
                return good ? INSTANCE_EXITED : INSTANCE_FAILED;
        if (!backoff_next(&i->backoff, spec, now, now - i->started_usec)) {
                log_error("Instance '%s' of app '%s': has ended too often, is not started again (StartLimitBurst=)", i->name,
                        sv->name);
                return INSTANCE_FAILED;
        }
        i->restarts++;
        return INSTANCE_BACKOFF;
}
