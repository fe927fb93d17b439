/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <unistd.h>

#include "deploy/limits.h"
#include "deploy/slice.h"
#include "run/scope.h"
#include "unit/generate.h"
#include "unit/name.h"
#include "util/fd.h"
#include "util/strv.h"

#define MILLION 1000000U

/* Has the generator made the app's service, or that of its template? */
static bool is_generated(int dir, const Spec *s) {
        _cleanup_free_ char *own = unit_file_name(s), *template = str_format("%s@.service", s->prefix);

        return (own && faccessat(dir, own, F_OK, 0) == 0) || (s->instance && template && faccessat(dir, template, F_OK, 0) == 0);
}

static int forget_unit(int dir, const Spec *s) {
        _cleanup_free_ char *slice = NULL;
        int r = unit_slice_name(s->name, &slice);

        return r < 0 ? r : unlinkat(dir, slice, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int slice_unit_write(const Spec *s, Error *reterr) {
        _cleanup_close_ int dir = open(SLICE_GENERATOR_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_unit_ UnitFile f = { 0 };
        int r;

        if (dir < 0 || !is_generated(dir, s))
                return 0; /* and systemd knows nothing of it */
        f.name = unit_slice_file(s);
        if (!f.name)
                return forget_unit(dir, s);
        r = unit_slice_text(s, &f.text);
        return r < 0 ? r : unit_file_write(dir, &f, reterr);
}

static bool has_changed(const Spec *before, const Spec *now, const Limit *l) {
        return !streq_ptr(unit_passed(&before->slice_keys, l->slice_key), unit_passed(&now->slice_keys, l->slice_key));
}

/* UINT64_MAX is systemd's own word for none. */
static int append_limit(sd_bus_message *m, const Spec *now, const Limit *l, Error *reterr) {
        const char *text = unit_passed(&now->slice_keys, l->slice_key);
        uint64_t value;
        bool share;
        int r = limit_slice_number(l, text, &value, &share);

        if (r < 0 || (share && !l->share))
                return error_set(reterr, -EINVAL, "[Slice] has %s=%s, which is not understood", l->slice_key, text);
        return share ? sd_bus_message_append(m, "(sv)", l->share, "u", (uint32_t) (value * UINT32_MAX / MILLION)) :
                       sd_bus_message_append(m, "(sv)", l->property, "t", value);
}

/* SetUnitProperties leaves a drop-in for each property, which would win over the spec from now on. The slice keeps what it has in memory. */
static void forget_drop_ins(const char *slice) {
        _cleanup_free_ char *directory = str_format(SLICE_CONTROL_DIR "/%s.d", slice);

        for (size_t i = 0; directory && i < LIMITS_N; i++) {
                _cleanup_free_ char *path = str_format("%s/50-%s.conf", directory, limits[i].slice_key);

                if (path)
                        (void) unlink(path);
        }
        if (directory)
                (void) rmdir(directory); /* where nobody else has anything in it */
}

int slice_change(sd_bus *bus, const Spec *before, const Spec *now, Error *reterr) {
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *m = NULL;
        _cleanup_free_ char *slice = NULL;
        bool any = false;
        int r = unit_slice_name(now->name, &slice);

        if (r >= 0)
                r = slice_unit_write(now, reterr);
        if (r >= 0)
                r = sd_bus_message_new_method_call(bus, &m, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "SetUnitProperties");
        if (r >= 0)
                r = sd_bus_message_append(m, "sb", slice, true);
        if (r >= 0)
                r = sd_bus_message_open_container(m, 'a', "(sv)");
        for (size_t i = 0; i < LIMITS_N && r >= 0; i++)
                if (has_changed(before, now, &limits[i])) {
                        any = true;
                        r = append_limit(m, now, &limits[i], reterr);
                }
        if (r >= 0)
                r = sd_bus_message_close_container(m);
        if (r < 0 || !any)
                return r;
        r = sd_bus_call(bus, m, 0, &error, NULL);
        forget_drop_ins(slice);
        return r < 0 ? error_set(reterr, r, "systemd does not change %s: %s", slice, error.message ? error.message : strerror(-r)) : 0;
}
