/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <curl/curl.h>
#include <strings.h>

#include "image/registry/url.h"
#include "util/strv.h"

static inline void url_cleanup(CURLU **u) {
        curl_url_cleanup(*u);
}
#define _cleanup_url_ _cleanup_(url_cleanup)

static inline void text_cleanup(char **text) {
        curl_free(*text);
}
#define _cleanup_text_ _cleanup_(text_cleanup)

typedef struct Server {
        char *scheme, *host, *port;
} Server;

static void server_clear(Server *s) {
        curl_free(s->scheme);
        curl_free(s->host);
        curl_free(s->port);
}

static int server_of(const char *url, Server *ret) {
        _cleanup_url_ CURLU *u = curl_url();

        if (!u)
                return -ENOMEM;
        if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
                curl_url_get(u, CURLUPART_SCHEME, &ret->scheme, 0) != CURLUE_OK ||
                curl_url_get(u, CURLUPART_HOST, &ret->host, 0) != CURLUE_OK ||
                curl_url_get(u, CURLUPART_PORT, &ret->port, CURLU_DEFAULT_PORT) != CURLUE_OK)
                return -EINVAL;
        return 0;
}

int url_resolve(const char *base, const char *location, char **ret, Error *reterr) {
        _cleanup_text_ char *whole = NULL, *scheme = NULL, *user = NULL;
        _cleanup_url_ CURLU *u = curl_url();

        if (!u)
                return -ENOMEM;
        if (strlen(location) > URL_LENGTH_MAX)
                return error_set(reterr, -E2BIG, "an address has more than %d bytes", URL_LENGTH_MAX);
        if (curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK || curl_url_set(u, CURLUPART_URL, location, 0) != CURLUE_OK ||
                curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
                curl_url_get(u, CURLUPART_URL, &whole, 0) != CURLUE_OK)
                return error_set(reterr, -EBADMSG, "'%.200s' is no address", location);
        if (!streq(scheme, "https") && !streq(scheme, "http"))
                return error_set(reterr, -EBADMSG, "'%.200s' is neither an https nor an http address", location);
        if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
                return error_set(reterr, -EBADMSG, "an address has a user in it");
        *ret = strdup(whole);
        return *ret ? 0 : -ENOMEM;
}

bool url_same_server(const char *a, const char *b) {
        _cleanup_(server_clear) Server x = { 0 }, y = { 0 };

        return server_of(a, &x) >= 0 && server_of(b, &y) >= 0 && strcasecmp(x.scheme, y.scheme) == 0 &&
                strcasecmp(x.host, y.host) == 0 && streq(x.port, y.port);
}

char *url_server(const char *url) {
        _cleanup_(server_clear) Server s = { 0 };

        if (server_of(url, &s) < 0)
                return strdup("?");
        if (streq(s.port, streq(s.scheme, "https") ? "443" : "80"))
                return str_format("%s://%s", s.scheme, s.host);
        return str_format("%s://%s:%s", s.scheme, s.host, s.port);
}

int url_add_query(char **url, const char *key, const char *value) {
        _cleanup_text_ char *escaped = curl_easy_escape(NULL, value, 0);
        char *longer;

        if (!escaped)
                return -ENOMEM;
        longer = str_format("%s%c%s=%s", *url, strchr(*url, '?') ? '&' : '?', key, escaped);
        if (!longer)
                return -ENOMEM;
        free(*url);
        *url = longer;
        return 0;
}
