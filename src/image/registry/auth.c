/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <pthread.h>

#include "image/json.h"
#include "image/registry/answer.h"
#include "image/registry/auth.h"
#include "image/registry/base64.h"
#include "image/registry/challenge.h"
#include "image/registry/url.h"
#include "util/strv.h"

#define CLIENT_ID "berth"

typedef struct Token {
        char *scope, *header;
} Token;

struct Auth {
        Http *http;
        char *host;
        CredentialSources sources;
        pthread_mutex_t lock; /* of all below; held while a token is fetched, so that it is fetched once */
        char *basic;          /* header for all scopes */
        Token *tokens;
        size_t n_tokens;
};

Auth *auth_new(Http *http, const char *host, const CredentialSources *sources) {
        Auth *a = calloc(1, sizeof(*a));

        if (!a)
                return NULL;
        a->http = http;
        a->sources = *sources;
        (void) pthread_mutex_init(&a->lock, NULL);
        a->host = strdup(host);
        return a->host ? a : auth_free(a);
}

Auth *auth_free(Auth *a) {
        if (!a)
                return NULL;
        (void) pthread_mutex_destroy(&a->lock);
        for (size_t i = 0; i < a->n_tokens; i++) {
                free(a->tokens[i].scope);
                free(a->tokens[i].header);
        }
        free(a->tokens);
        free(a->basic);
        free(a->host);
        free(a);
        return NULL;
}

static const char *current(const Auth *a, const char *scope) {
        for (size_t i = 0; i < a->n_tokens; i++)
                if (streq(a->tokens[i].scope, scope))
                        return a->tokens[i].header;
        return a->basic;
}

int auth_header(Auth *a, const char *scope, char **ret) {
        const char *header;
        int r = 0;

        (void) pthread_mutex_lock(&a->lock);
        header = current(a, scope);
        *ret = header ? strdup(header) : NULL;
        if (header && !*ret)
                r = -ENOMEM;
        (void) pthread_mutex_unlock(&a->lock);
        return r;
}

/* Takes header. */
static int keep_token(Auth *a, const char *scope, char *header) {
        Token *tokens;

        for (size_t i = 0; i < a->n_tokens; i++)
                if (streq(a->tokens[i].scope, scope)) {
                        free(a->tokens[i].header);
                        a->tokens[i].header = header;
                        return 0;
                }
        tokens = reallocarray(a->tokens, a->n_tokens + 1, sizeof(*tokens));
        if (!tokens) {
                free(header);
                return -ENOMEM;
        }
        a->tokens = tokens;
        tokens[a->n_tokens] = (Token){ .scope = strdup(scope), .header = header };
        if (!tokens[a->n_tokens].scope) {
                free(header);
                return -ENOMEM;
        }
        a->n_tokens++;
        return 0;
}

static char *basic_header(const Credentials *c) {
        _cleanup_free_ char *plain = str_format("%s:%s", c->user, c->password);
        _cleanup_free_ char *encoded = plain ? base64_encode(plain, strlen(plain)) : NULL;

        return encoded ? str_format("Authorization: Basic %s", encoded) : NULL;
}

static int no_credentials(const Auth *a, Error *reterr) {
        _cleanup_free_ char *files = credentials_files(&a->sources);

        return error_set(reterr, -EACCES, "authentication is required, and there are no credentials for %s in %s", a->host,
                files ? files : "any file");
}

static int refused(const Auth *a, const Credentials *c, const char *by, Error *reterr) {
        return error_set(reterr, -EACCES, "%s refused the credentials for %s from %s", by, a->host, c->from);
}

/* "TOKEN" or what a token server says instead. */
static int read_token(const char *body, size_t size, char **ret, Error *reterr) {
        _cleanup_json_ json_t *root = NULL;
        _cleanup_free_ char *token = NULL;
        int r = json_parse(body, size, AUTH_ANSWER_MAX, &root, reterr);

        if (r < 0)
                return r;
        r = json_member_string(root, "token", &token, reterr);
        if (r >= 0 && (!token || !*token)) {
                free(TAKE_PTR(token));
                r = json_member_string(root, "access_token", &token, reterr);
        }
        if (r < 0)
                return r;
        if (!token || !*token)
                return error_set(reterr, -EBADMSG, "it has neither 'token' nor 'access_token'");
        if (strlen(token) > AUTH_TOKEN_MAX)
                return error_set(reterr, -E2BIG, "its token is longer than %d bytes", AUTH_TOKEN_MAX);
        for (const char *p = token; *p; p++)
                if (*p <= ' ' || *p >= 0x7f)
                        return error_set(reterr, -EBADMSG, "its token has a character that no header can have");
        *ret = TAKE_PTR(token);
        return 0;
}

/* "service=…&scope=…" behind the address, or as a form when an identity token is changed for another. */
static int add_parameters(char **text, const Challenge *c, const char *scopes) {
        _cleanup_free_ char *copy = strdup(scopes);
        char *rest = copy, *scope;
        int r = copy ? 0 : -ENOMEM;

        if (r >= 0 && c->service)
                r = url_add_query(text, "service", c->service);
        while (r >= 0 && (scope = strsep(&rest, " ")))
                if (*scope)
                        r = url_add_query(text, "scope", scope);
        return r;
}

static int make_form(const Challenge *c, const char *scopes, const Credentials *credentials, char **ret) {
        /* The first character is a question mark of no meaning here. */
        _cleanup_free_ char *text = strdup(""), *scope = strdup(scopes);
        int r = text && scope ? url_add_query(&text, "grant_type", "refresh_token") : -ENOMEM;

        if (r >= 0 && c->service)
                r = url_add_query(&text, "service", c->service);
        if (r >= 0)
                r = url_add_query(&text, "scope", scope);
        if (r >= 0)
                r = url_add_query(&text, "client_id", CLIENT_ID);
        if (r >= 0)
                r = url_add_query(&text, "refresh_token", credentials->identity_token);
        if (r < 0)
                return r;
        *ret = strdup(text + 1);
        return *ret ? 0 : -ENOMEM;
}

static int send_request(Auth *a, const HttpRequest *q, const Credentials *c, char **ret, size_t *ret_size, Error *reterr) {
        _cleanup_http_transfer_ HttpTransfer *t = NULL;
        _cleanup_buf_ Buf words = BUF_INIT;
        _cleanup_free_ char *body = NULL;
        size_t size = 0;
        int status, r = http_start(a->http, q, &t, reterr);

        if (r < 0)
                return r;
        status = http_status(t, reterr);
        if (status < 0)
                return status;
        r = http_read_all(t, AUTH_ANSWER_MAX, &body, &size, reterr);
        if (r < 0)
                return r;
        if (status == 200) {
                *ret = TAKE_PTR(body);
                *ret_size = size;
                return 0;
        }
        if (status == 401 || status == 403)
                return c->from ? refused(a, c, "it", reterr) : no_credentials(a, reterr);
        if (answer_words(http_header(t, HTTP_CONTENT_TYPE), body, &words) < 0)
                return -ENOMEM;
        return error_set(reterr, answer_errno(status), "%s%s%s%s", answer_status_text(status), words.size > 0 ? " (" : "",
                words.size > 0 ? words.data : "", words.size > 0 ? ")" : "");
}

static int fetch_token(Auth *a, const AuthChallenge *challenge, const Challenge *c, const Credentials *credentials, char **ret,
        Error *reterr) {
        _cleanup_free_ char *url = NULL, *form = NULL, *header = NULL, *body = NULL;
        const char *scopes = challenge->scope;
        char *headers[] = { NULL, NULL };
        HttpRequest q = { .method = "GET", .headers = headers };
        size_t size = 0;
        int r = url_resolve(challenge->base, c->realm, &url, reterr);

        if (r < 0)
                return r;
        if (str_after(challenge->base, "https://") && !str_after(url, "https://"))
                return error_set(reterr, -EPROTO, "it is not https, as the registry is");
        if (credentials->identity_token) {
                r = make_form(c, scopes, credentials, &form);
                q.method = "POST";
                q.body = form;
                q.body_size = form ? strlen(form) : 0;
                headers[0] = (char *) "Content-Type: application/x-www-form-urlencoded";
        } else {
                r = add_parameters(&url, c, scopes);
                if (r >= 0 && credentials->user) {
                        headers[0] = header = basic_header(credentials);
                        if (!header)
                                r = -ENOMEM;
                }
        }
        if (r < 0)
                return r;
        q.url = url;
        q.tls = url_same_server(challenge->base, url) ? challenge->own : challenge->stranger;
        r = send_request(a, &q, credentials, &body, &size, reterr);
        return r < 0 ? r : read_token(body, size, ret, reterr);
}

static int get_token(Auth *a, const AuthChallenge *challenge, const Challenge *c, const Credentials *credentials, Error *reterr) {
        _cleanup_free_ char *token = NULL, *header = NULL;
        int r = fetch_token(a, challenge, c, credentials, &token, reterr);

        if (r < 0) {
                if (r != -ENOMEM)
                        (void) error_prefix(reterr, "its token server %.200s", c->realm);
                return r;
        }
        header = str_format("Authorization: Bearer %s", token);
        return header ? keep_token(a, challenge->scope, TAKE_PTR(header)) : -ENOMEM;
}

static int answer_locked(Auth *a, const AuthChallenge *challenge, Error *reterr) {
        _cleanup_credentials_ Credentials credentials = { 0 };
        const char *now = current(a, challenge->scope);
        _cleanup_challenge_ Challenge c = { 0 };
        int r;

        /* Another thread was here meanwhile. */
        if (now && (!challenge->used || !streq(now, challenge->used)))
                return 0;
        r = challenge_parse(challenge->text, &c, reterr);
        if (r < 0) {
                (void) error_prefix(reterr, "it asks for authentication in a way that cannot be read");
                return r;
        }
        r = credentials_find(&a->sources, a->host, challenge->repository, &credentials, reterr);
        if (r < 0)
                return r;
        switch (c.scheme) {
        case CHALLENGE_BEARER:
                return get_token(a, challenge, &c, &credentials, reterr);
        case CHALLENGE_BASIC:
                if (!credentials.user)
                        return no_credentials(a, reterr);
                if (challenge->used)
                        return refused(a, &credentials, "it", reterr);
                free(a->basic);
                a->basic = basic_header(&credentials);
                return a->basic ? 0 : -ENOMEM;
        case CHALLENGE_NONE:
        case _CHALLENGE_SCHEME_MAX:
        case _CHALLENGE_SCHEME_INVALID:
                break;
        }
        return error_set(reterr, -EACCES, "it asks for authentication by '%.60s', which is neither Basic nor Bearer", challenge->text);
}

int auth_answer(Auth *a, const AuthChallenge *challenge, Error *reterr) {
        int r;

        (void) pthread_mutex_lock(&a->lock);
        r = answer_locked(a, challenge, reterr);
        (void) pthread_mutex_unlock(&a->lock);
        return r;
}

int auth_denied(Auth *a, const char *repository, Error *reterr) {
        _cleanup_credentials_ Credentials c = { 0 };
        int r = credentials_find(&a->sources, a->host, repository, &c, reterr);

        if (r < 0)
                return r;
        return r == 0 ? no_credentials(a, reterr)
                      : error_set(reterr, -EACCES, "the credentials for %s from %s are not enough for %s", a->host, c.from, repository);
}
