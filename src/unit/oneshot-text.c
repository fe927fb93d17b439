/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/text-internal.h"

/* Services that are there to be done with: of NAME.image and NAME.network. */

#define BERTH BERTH_BINDIR "/berth "

static int put_unit(Buf *b, const Spec *s) {
        int r = unit_put_head(b, s);

        if (r == 0 && s->kind == SPEC_IMAGE && !(s->default_dependencies.set && !s->default_dependencies.value))
                r = buf_puts(b, "Wants=network-online.target\nAfter=network-online.target\n");
        return r;
}

/* end: what ends the options before a name. */
static int put_command(Buf *b, const Spec *s, const char *start, const char *end) {
        int r = buf_printf(b, "%s%s", start, end);

        if (r == 0)
                r = unit_put_name(b, s, true);
        return r == 0 ? buf_putc(b, '\n') : r;
}

static int put_service(Buf *b, const Spec *s) {
        const char *end = unit_end_of_options(s);
        int r = buf_puts(b, "\n[Service]\nType=oneshot\nRemainAfterExit=yes\n");

        if (r == 0 && s->kind == SPEC_IMAGE) {
                r = put_command(b, s, "NotifyAccess=main\nExecStart=" BERTH "pull --quiet --image-file=", "");
                if (r == 0)
                        r = buf_printf(b, "TimeoutStartSec=%d\n", UNIT_PULL_SECONDS);
        } else if (r == 0) {
                r = put_command(b, s, "ExecStart=" BERTH "network create ", end);
                if (r == 0 && s->net.delete_on_stop.value)
                        r = put_command(b, s, "ExecStop=" BERTH "network remove ", end);
        }
        return r == 0 ? buf_puts(b, "SyslogIdentifier=%N\n") : r;
}

int unit_oneshot_text(const Spec *s, bool broken, Buf *ret) {
        int r;

        r = unit_put_comment(ret);
        if (r == 0)
                r = put_unit(ret, s);
        if (r == 0 && !broken)
                r = unit_put_passed(ret, &s->unit);
        if (r == 0)
                r = put_service(ret, s);
        if (r == 0 && !broken)
                r = unit_put_passed(ret, &s->service_keys);
        return r == 0 && !broken ? unit_put_install(ret, s, UNIT_INSTALL_ALL) : r;
}
