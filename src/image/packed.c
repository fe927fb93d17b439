/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "image/name.h"
#include "image/packed.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/strv.h"

#define PACKED_FILE "packed"
#define PACKED_SIZE_MAX 65536
#define NO_PLACE "-"

void packed_free(Packed *packed, size_t n) {
        for (size_t i = 0; packed && i < n; i++)
                free(packed[i].place);
        free(packed);
}

/* A line that another version of berth wrote may have what this one does not know. */
static bool parse_line(char *line, Packed *ret) {
        const char *digest = strsep(&line, " "), *size = strsep(&line, " "), *format = strsep(&line, " ");
        uint64_t bytes;

        if (!line || !digest_valid(digest) || parse_u64(size, UINT64_MAX, &bytes) < 0 || pack_format_from_string(format) < 0)
                return false;
        *ret = (Packed){ .blob = { .size = bytes, .format = pack_format_from_string(format) } };
        (void) snprintf(ret->blob.digest, sizeof(ret->blob.digest), "%s", digest);
        if (!streq(line, NO_PLACE))
                ret->place = line;
        return true;
}

int packed_read(int layer, Packed **ret, size_t *ret_n) {
        _cleanup_free_ char *text = NULL;
        char *rest, *line;
        Packed *packed;
        size_t n = 0;
        int r = read_file(layer, PACKED_FILE, PACKED_SIZE_MAX, &text, NULL);

        if (r == -ENOMEM)
                return r;
        packed = calloc(PACKED_MAX, sizeof(*packed));
        if (!packed)
                return -ENOMEM;
        rest = text;
        while ((line = strsep(&rest, "\n")) && n < PACKED_MAX) {
                if (!parse_line(line, packed + n))
                        continue;
                n++;
                if (packed[n - 1].place && !(packed[n - 1].place = strdup(packed[n - 1].place))) {
                        packed_free(packed, n);
                        return -ENOMEM;
                }
        }
        *ret = packed;
        *ret_n = n;
        return 0;
}

static int put_line(Buf *text, const OciLayer *blob, const char *place) {
        return buf_printf(text, "%s %llu %s %s\n", blob->digest, (unsigned long long) blob->size, pack_format_to_string(blob->format),
                place ? place : NO_PLACE);
}

static bool is_said_by(const Packed *old, const OciLayer *blob, const char *place) {
        return streq(old->blob.digest, blob->digest) && (!old->place || streq_ptr(old->place, place));
}

int packed_add(int layer, const OciLayer *blob, const char *place) {
        _cleanup_buf_ Buf text = BUF_INIT;
        Packed *old = NULL;
        size_t n = 0;
        int r = packed_read(layer, &old, &n);

        if (r < 0)
                return r;
        for (size_t i = 0; !place && i < n; i++)
                if (streq(old[i].blob.digest, blob->digest)) {
                        packed_free(old, n);
                        return 0;
                }
        r = put_line(&text, blob, place);
        for (size_t i = 0; r >= 0 && i < n && i < PACKED_MAX - 1; i++)
                if (!is_said_by(old + i, blob, place))
                        r = put_line(&text, &old[i].blob, old[i].place);
        packed_free(old, n);
        return r < 0 ? r : write_file(layer, PACKED_FILE, text.data, text.size, 0600, false);
}
