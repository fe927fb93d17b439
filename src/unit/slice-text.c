/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit/name.h"
#include "unit/text-internal.h"
#include "util/strv.h"

/* The slice of an app that has limits as a whole. systemd knows no templates of slices, but a drop-in of "a-.slice" is for all slices
 * whose names begin so: systemd.unit(5). */

#define DROP_IN "50-berth.conf"

char *unit_slice_file(const Spec *s) {
        _cleanup_free_ char *slice = NULL;

        if (s->kind != SPEC_CONTAINER || (s->slice_keys.n == 0 && !s->instance) || unit_slice_name(s->name, &slice) < 0)
                return NULL;
        if (s->template)
                return str_format("%.*s-.slice.d/" DROP_IN, (int) (strlen(slice) - STRLEN(".slice")), slice);
        return s->instance ? str_format("%s.d/" DROP_IN, slice) : TAKE_PTR(slice);
}

int unit_slice_text(const Spec *s, Buf *ret) {
        int r = unit_put_comment(ret);

        if (r == 0 && !s->template && !s->instance)
                r = unit_put_part_head(ret, s, "All");
        if (r == 0)
                r = buf_puts(ret, "[Slice]\n");
        return r == 0 ? unit_put_passed(ret, &s->slice_keys) : r;
}
