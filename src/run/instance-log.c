/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an instance writes to its standard output and error, on its way to the journal. */

#include "run/instance.h"
#include "util/fd.h"
#include "util/strv.h"

void instance_relay(Instance *i) {
        int r;

        if (!i->relay || i->drained)
                return;
        r = relay_process(i->relay, i->sv->journal);
        if (r < 0 && supervisor_journal_reopen(i->sv) >= 0)
                r = relay_process(i->relay, i->sv->journal);
        if (r < 0) {
                /* The journal is gone. The payload will wait, rather than lose what it says. */
                supervisor_wait_for_journal(i->sv);
                r = RELAY_BLOCKED;
        }
        switch ((RelayResult) r) {
        case RELAY_BLOCKED:
                (void) sd_event_source_set_enabled(i->log_source, SD_EVENT_OFF);
                supervisor_wait_for_journal(i->sv);
                return;
        case RELAY_BUSY:
                (void) sd_event_source_set_enabled(i->log_source, SD_EVENT_ON);
                return;
        case RELAY_EOF:
                i->log_source = sd_event_source_disable_unref(i->log_source);
                i->drained = true;
                break;
        case RELAY_DRAINED:
                (void) sd_event_source_set_enabled(i->log_source, SD_EVENT_ON);
                /* All writers are dead; what still holds the pipe open does not write. */
                i->drained = i->state == INSTANCE_REAPING;
                break;
        }
        if (i->drained && i->gone)
                instance_event(i, EVENT_GONE);
}

static int on_log(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        instance_relay(userdata);
        return 0;
}

int instance_log_open(Instance *i, int pipe, int memory) {
        _cleanup_free_ char *fields = NULL;
        const char *process = i->process->spec->name;
        int r;

        fields = str_format(
                "SYSLOG_IDENTIFIER=%s\nBERTH_APP=%s\nBERTH_PROCESS=%s\nBERTH_INSTANCE=%s\nBERTH_RELEASE=v%u\nCONTAINER_NAME=%s\n",
                i->container_name, i->sv->name, process ? process : "", i->name, i->process->release->number, i->container_name);
        if (!fields) {
                fd_close(pipe);
                fd_close(memory);
                return -ENOMEM;
        }
        r = relay_new(pipe, memory, fields, &i->relay);
        if (r < 0)
                return r;
        /* Told where it does not become ready; that is not worth failing for. */
        if (i->state != INSTANCE_READY)
                (void) relay_tail_keep(i->relay);
        i->drained = false;
        return sd_event_add_io(i->sv->event, &i->log_source, relay_pipe(i->relay), EPOLLIN, on_log, i);
}
