/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/text-internal.h"

#define PULL BERTH_BINDIR "/berth pull --quiet --image-file="

static int put_unit(Buf *b, const Spec *s) {
        int r = unit_put_head(b, s);

        if (r == 0 && !(s->default_dependencies.set && !s->default_dependencies.value))
                r = buf_puts(b, "Wants=network-online.target\nAfter=network-online.target\n");
        return r;
}

static int put_service(Buf *b, const Spec *s) {
        int r;

        r = buf_puts(b, "\n[Service]\nType=oneshot\nRemainAfterExit=yes\nNotifyAccess=main\nExecStart=" PULL);
        if (r == 0)
                r = unit_put_name(b, s, true);
        return r == 0 ? buf_printf(b, "\nTimeoutStartSec=%d\nSyslogIdentifier=%%N\n", UNIT_PULL_SECONDS) : r;
}

int unit_image_text(const Spec *s, bool broken, Buf *ret) {
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
        return r == 0 && !broken ? unit_put_install(ret, s) : r;
}
