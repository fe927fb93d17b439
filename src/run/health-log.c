/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>

#include "run/health-log.h"
#include "util/fd.h"
#include "util/strv.h"
#include "util/text.h"

void health_log_clear(HealthLog *l) {
        free(l->path);
        strv_free(l->items);
        *l = (HealthLog){ 0 };
}

/* RFC 3339 */
static void time_put(uint64_t usec, char ret[static 64]) {
        time_t seconds = (time_t) (usec / 1000000);
        struct tm tm;
        size_t n;

        if (!gmtime_r(&seconds, &tm))
                tm = (struct tm){ .tm_mday = 1 };
        n = strftime(ret, 64, "%FT%T", &tm);
        (void) snprintf(ret + n, 64 - n, ".%06uZ", (unsigned) (usec % 1000000));
}

static int item_make(const ProbeResult *result, uint64_t begun_usec, uint64_t ended_usec, char **ret) {
        _cleanup_free_ char *output = strndup(result->output, result->size);
        _cleanup_buf_ Buf b = BUF_INIT;
        char begun[64], ended[64];
        int r;

        if (!output)
                return -ENOMEM;
        time_put(begun_usec, begun);
        time_put(ended_usec, ended);
        r = buf_printf(&b, "{\"Start\":\"%s\",\"End\":\"%s\",\"ExitCode\":%d,\"Output\":", begun, ended, result->well ? 0 : result->status);
        if (r >= 0)
                r = json_quote(&b, output);
        if (r >= 0)
                r = buf_putc(&b, '}');
        if (r < 0)
                return r;
        *ret = buf_steal(&b);
        return *ret ? 0 : -ENOMEM;
}

static void oldest_drop(HealthLog *l) {
        size_t n = strv_length(l->items);

        l->bytes -= strlen(l->items[0]);
        free(l->items[0]);
        memmove(l->items, l->items + 1, n * sizeof(*l->items));
}

int health_log_add(HealthLog *l, const ProbeResult *result, uint64_t begun_usec, uint64_t ended_usec, const HealthSchedule *s) {
        _cleanup_free_ char *item = NULL, *list = NULL;
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = item_make(result, begun_usec, ended_usec, &item);

        if (r < 0)
                return r;
        l->bytes += strlen(item);
        r = strv_consume(&l->items, TAKE_PTR(item));
        if (r < 0)
                return r;
        while (strv_length(l->items) > 1 && ((l->max > 0 && strv_length(l->items) > l->max) || l->bytes > HEALTH_LOG_BYTES_MAX))
                oldest_drop(l);
        list = strv_join(l->items, ",\n");
        if (!list)
                return -ENOMEM;
        r = buf_printf(&b, "{\"Status\":\"%s\",\"FailingStreak\":%u,\"Log\":[\n", health_phase_to_string(s->phase), s->failures);
        if (r >= 0)
                r = buf_puts(&b, list);
        if (r >= 0)
                r = buf_puts(&b, "\n]}\n");
        return r < 0 ? r : write_file(AT_FDCWD, l->path, b.data, b.size, 0600, false);
}
