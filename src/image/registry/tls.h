/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Certificates for a registry, where Podman and Docker look for them: in /etc/containers/certs.d/HOST, else in
 * /etc/docker/certs.d/HOST, *.crt is trusted, and one pair of *.cert and *.key shows who one is. */

#include "image/registry/http.h"

#define TLS_CA_SIZE_MAX (4U << 20) /* of all together */
#define TLS_FILES_MAX 256

/* host may have a port, as in the directory's name. directory: in place of those; NULL: those. Fills ca, cert and key of *ret, which
 * was empty. */
int tls_load(const char *host, const char *directory, HttpTls *ret, Error *reterr);

/* The same from one directory; -ENOENT without a sentence when it is not there. */
int tls_load_directory(const char *path, HttpTls *ret, Error *reterr);

void tls_clear(HttpTls *tls);
