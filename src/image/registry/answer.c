/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <strings.h>

#include "image/json.h"
#include "image/registry/answer.h"

#define WORDS_MAX 300 /* bytes of what a registry says that are shown */
#define ERRORS_SHOWN 3

static const struct {
        int status;
        const char *text;
} texts[] = {
        { 400, "400 Bad Request"           }, { 401, "401 Unauthorized"         }, { 403, "403 Forbidden"            },
        { 404, "404 Not Found"             }, { 405, "405 Method Not Allowed"   }, { 406, "406 Not Acceptable"       },
        { 408, "408 Request Timeout"       }, { 409, "409 Conflict"             }, { 410, "410 Gone"                 },
        { 413, "413 Content Too Large"     }, { 415, "415 Unsupported Media Type" }, { 416, "416 Range Not Satisfiable" },
        { 429, "429 Too Many Requests"     }, { 500, "500 Internal Server Error" }, { 501, "501 Not Implemented"     },
        { 502, "502 Bad Gateway"           }, { 503, "503 Service Unavailable"  }, { 504, "504 Gateway Timeout"      },
};

const char *answer_status_text(int status) {
        static _Thread_local char other[32];

        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (texts[i].status == status)
                        return texts[i].text;
        (void) snprintf(other, sizeof(other), "status %d", status);
        return other;
}

int answer_errno(int status) {
        if (status == 401 || status == 403)
                return -EACCES;
        if (status == 404 || status == 410)
                return -ENOENT;
        if (status == 429)
                return -EBUSY;
        if (status == 408 || (status >= 500 && status != 501 && status != 505))
                return -EREMOTEIO;
        return -EINVAL;
}

/* Words of somebody else's go to a terminal: no control characters, and not too many. */
static int append_clean(Buf *out, const char *text) {
        bool space = false;
        int r = 0;

        for (; *text && out->size < WORDS_MAX && r >= 0; text++) {
                unsigned char c = (unsigned char) *text;

                if (c <= 0x20 || c == 0x7f) {
                        space = out->size > 0;
                        continue;
                }
                if (space)
                        r = buf_putc(out, ' ');
                space = false;
                /* The second byte of U+0080 to U+009F, which are control characters too. */
                if (r >= 0 && !(c == 0xc2 && (unsigned char) text[1] < 0xa0))
                        r = buf_putc(out, *text);
                else if (r >= 0)
                        text++;
        }
        return r;
}

static json_t *errors_of(const char *body, json_t **ret_document) {
        json_t *document = json_loads(body, 0, NULL);

        *ret_document = document;
        return json_object_get(document, "errors");
}

int answer_words(const char *content_type, const char *body, Buf *out) {
        _cleanup_json_ json_t *document = NULL;
        json_t *errors = errors_of(body, &document), *e;
        bool any = false;
        size_t i;
        int r = 0;

        json_array_foreach(errors, i, e) {
                const char *code = json_string_value(json_object_get(e, "code"));
                const char *message = json_string_value(json_object_get(e, "message"));

                if (i >= ERRORS_SHOWN || r < 0)
                        break;
                if (!code && !message)
                        continue;
                r = any ? buf_puts(out, "; ") : 0;
                if (r >= 0 && code)
                        r = append_clean(out, code);
                if (r >= 0 && code && message && *message)
                        r = buf_puts(out, ": ");
                if (r >= 0 && message)
                        r = append_clean(out, message);
                any = true;
        }
        if (r < 0 || any)
                return r;
        if (document) {
                static const char *const keys[] = { "message", "error_description", "error", "details", "detail" };

                for (i = 0; i < ELEMENTSOF(keys); i++) {
                        const char *text = json_string_value(json_object_get(document, keys[i]));

                        if (text && *text)
                                return append_clean(out, text);
                }
                return 0;
        }
        return content_type && strncasecmp(content_type, "text/plain", STRLEN("text/plain")) == 0 ? append_clean(out, body) : 0;
}

void answer_code(const char *body, char ret[static 64]) {
        _cleanup_json_ json_t *document = NULL;
        const char *code = json_string_value(json_object_get(json_array_get(errors_of(body, &document), 0), "code"));

        (void) snprintf(ret, 64, "%s", code ? code : "");
}
