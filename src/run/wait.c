/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/health.h"
#include "run/listening.h"
#include "run/wait.h"
#include "util/log.h"

#define WAIT_LINES 20

static int waited_for(const Instance *i, Buf *b) {
        const SpecProcess *p = i->process->spec;
        double seconds = (double) spec_start_timeout(i->process->release->spec, p) / 1e6;
        int r;

        if (spec_is_release(p))
                return buf_printf(b, "did not end in %.6g s", seconds);
        if (p->notify == SPEC_NOTIFY_YES)
                return buf_printf(b, "did not say READY=1 in %.6g s", seconds);
        if (!health_gates(i))
                return buf_printf(b, "did not listen on its published port %u in %.6g s", p->ports.items[0].container, seconds);
        r = buf_printf(b, "did not become healthy in %.6g s; the last answer of its health check: ", seconds);
        return r < 0 ? r : buf_puts(b, *health_answer(i) ? health_answer(i) : "none");
}

static int text_make(const Instance *i, Buf *b) {
        _cleanup_buf_ Buf listening = BUF_INIT;
        int r = waited_for(i, b);

        if (r < 0)
                return r;
        /* Without it the rest is still worth saying. */
        if (listening_text(i->pid, &listening) < 0)
                return 0;
        return buf_printf(b, "; it listens on %s", listening.size > 0 ? listening.data : "no TCP port");
}

static void tail_log(const Instance *i) {
        const char *line = relay_tail(i->relay, WAIT_LINES);

        if (!*line) {
                log_error("Instance '%s' of app '%s': it has written nothing", i->name, i->sv->name);
                return;
        }
        log_error("Instance '%s' of app '%s': its last lines:", i->name, i->sv->name);
        while (*line) {
                int size = (int) strcspn(line, "\n");

                log_error("    %.*s", size, line);
                line += size + 1;
        }
}

void wait_explain(Instance *i) {
        _cleanup_buf_ Buf b = BUF_INIT;

        if (text_make(i, &b) >= 0)
                (void) error_set(&i->error, -ETIMEDOUT, "%s", b.data);
        else
                (void) error_set(&i->error, -ETIMEDOUT, "did not become ready in time");
        log_error("Instance '%s' of app '%s': %s", i->name, i->sv->name, i->error.text);
        tail_log(i);
}
