/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <strings.h>

#include "image/registry/challenge.h"
#include "util/buf.h"

#define TOKEN "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define TOKEN68 "-._~+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define SPACE " \t"

void challenge_clear(Challenge *c) {
        free(c->realm);
        free(c->service);
        free(c->scope);
        free(c->error);
        *c = (Challenge){ 0 };
}

static ChallengeScheme scheme_of(const char *s, size_t n) {
        if (n == STRLEN("Bearer") && strncasecmp(s, "Bearer", n) == 0)
                return CHALLENGE_BEARER;
        if (n == STRLEN("Basic") && strncasecmp(s, "Basic", n) == 0)
                return CHALLENGE_BASIC;
        return CHALLENGE_NONE;
}

/* "quoted \"text\"" or a token. */
static int parse_value(const char **p, char **ret, Error *reterr) {
        _cleanup_buf_ Buf value = BUF_INIT;
        const char *s = *p;
        int r = 0;

        if (*s != '"') {
                size_t n = strspn(s, TOKEN);

                if (n == 0)
                        return error_set(reterr, -EBADMSG, "a parameter has no value before '%.40s'", s);
                r = buf_append(&value, s, n);
                s += n;
        } else {
                for (s++; r >= 0 && *s != '"'; s++) {
                        if (*s == '\\' && s[1])
                                s++;
                        if (!*s)
                                return error_set(reterr, -EBADMSG, "a quotation mark is not closed");
                        r = buf_putc(&value, *s);
                }
                s++;
        }
        if (r < 0)
                return r;
        *ret = buf_steal(&value);
        if (!*ret)
                return -ENOMEM;
        *p = s;
        return 0;
}

static int keep(Challenge *c, const char *key, size_t n, char *value, Error *reterr) {
        const struct {
                const char *name;
                char **value;
        } known[] = {
                { "realm",   &c->realm   },
                { "service", &c->service },
                { "scope",   &c->scope   },
                { "error",   &c->error   },
        };

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (strlen(known[i].name) == n && strncasecmp(known[i].name, key, n) == 0) {
                        if (*known[i].value) {
                                free(value);
                                return error_set(reterr, -EBADMSG, "'%s' is there twice", known[i].name);
                        }
                        *known[i].value = value;
                        return 0;
                }
        free(value);
        return 0;
}

/* Some schemes have one lone word behind them instead of parameters: its length, 0 where there is none. */
static size_t lone_word(const char *s) {
        size_t n = strspn(s, TOKEN68);

        if (n == 0)
                return 0;
        n += strspn(s + n, "=");
        s += n + strspn(s + n, SPACE);
        return !*s || *s == ',' ? n : 0;
}

/* "key=value" pairs up to the next scheme or the end. */
static int parse_parameters(const char **p, Challenge *c, Error *reterr) {
        const char *s = *p + strspn(*p, SPACE);

        s += lone_word(s);
        for (;;) {
                const char *key = s + strspn(s, SPACE ","), *after;
                size_t n = strspn(key, TOKEN);
                char *value = NULL;
                int r;

                after = key + n + strspn(key + n, SPACE);
                if (n == 0 || *after != '=') {
                        *p = key;
                        return 0;
                }
                s = after + 1 + strspn(after + 1, SPACE);
                r = parse_value(&s, &value, reterr);
                if (r >= 0)
                        r = keep(c, key, n, value, reterr);
                if (r < 0)
                        return r;
        }
}

int challenge_parse(const char *text, Challenge *ret, Error *reterr) {
        _cleanup_challenge_ Challenge best = { 0 };
        const char *s = text;

        for (;;) {
                _cleanup_challenge_ Challenge c = { 0 };
                size_t n;
                int r;

                s += strspn(s, SPACE ",");
                if (!*s)
                        break;
                n = strspn(s, TOKEN);
                if (n == 0)
                        return error_set(reterr, -EBADMSG, "'%.40s' is no scheme", s);
                c.scheme = scheme_of(s, n);
                s += n;
                r = parse_parameters(&s, &c, reterr);
                if (r < 0)
                        return r;
                if (c.scheme > best.scheme) {
                        Challenge worse = best;

                        best = c;
                        c = worse;
                }
        }
        if (best.scheme == CHALLENGE_BEARER && !best.realm)
                return error_set(reterr, -EBADMSG, "'Bearer' has no realm");
        *ret = best;
        best = (Challenge){ 0 };
        return 0;
}
