/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From a Spec to the text of its service, and to the links that its [Install] section asks for. The text depends on
 * what a person wrote in [Unit], [Service] and [Install] and on little of [Container], and never on image, release
 * or scale: those change without a daemon-reload. */

#include "spec/spec.h"
#include "util/buf.h"

/* How many file descriptors the supervisor may leave with systemd; three for each instance, one for each listener. */
#define UNIT_FD_STORE_MAX 16384 /* some ten an instance */
#define UNIT_FILES_MAX 524288    /* LimitNOFILE=: all of them are the supervisor's too; systemd's own hard limit */
/* What systemd waits beyond StopTimeout=, so that the supervisor is never killed while it kills. */
#define UNIT_STOP_MARGIN_USEC (15U * 1000 * 1000)
/* And beyond StartTimeout=, so that the supervisor says why. */
#define UNIT_START_MARGIN_USEC (15U * 1000 * 1000)
/* A supervisor that was killed is back after this; long enough not to spin. */
#define UNIT_RESTART_USEC (20U * 1000)

/* How long an image's service may pull; as Quadlet has it. */
#define UNIT_PULL_SECONDS 900

/* "shop.service". The caller frees; NULL when out of memory. */
char *unit_file_name(const Spec *s);

/* The last value that a person gave to one of systemd's keys in a list of SpecPassed, or NULL. */
const char *unit_passed(const void *list, const char *key);

/* The unit of a good spec. */
int unit_text(const Spec *s, Buf *ret);

/* The unit of a wrong one: its start fails, and says what spec_load() says, until the spec is right. */
int unit_text_broken(const Spec *s, Buf *ret);

/* The unit of NAME.image or NAME.network. broken: without what a person wrote for systemd, for it may be what is wrong; its command says
 * what is. */
int unit_oneshot_text(const Spec *s, bool broken, Buf *ret);

/* "shop.socket", or of a template "web@.socket", of a good spec with Activation=socket, else NULL (also when out of memory). The caller frees. */
char *unit_socket_name(const Spec *s);
int unit_socket_text(const Spec *s, Buf *ret);

/* What [Slice] comes to: "berth-shop.slice", a unit; of a template a drop-in for the slices of all its instances, and of an instance with
 * a file of its own another one, which hides the template's. NULL: none (also when out of memory). The caller frees. */
char *unit_slice_file(const Spec *s);
int unit_slice_text(const Spec *s, Buf *ret);

/* The unit of one whose service belongs to another spec: its start fails with reason. */
int unit_text_refused(const Spec *s, const char *reason, Buf *ret);

/* A link in the generator's directory: path below it, and what it says. */
typedef struct UnitLink {
        char *path;   /* "multi-user.target.wants/shop.service" */
        char *target; /* "../shop.service" */
} UnitLink;

typedef struct UnitLinks {
        UnitLink *items;
        size_t n;
} UnitLinks;

/* Whose links. With a socket the service has its aliases alone, and the socket all else: what wants the app wants that. */
typedef enum UnitInstall {
        UNIT_INSTALL_ALL,     /* of a service without a socket */
        UNIT_INSTALL_SERVICE, /* of one that a socket starts */
        UNIT_INSTALL_SOCKET,
        _UNIT_INSTALL_MAX,
        _UNIT_INSTALL_INVALID = -EINVAL,
} UnitInstall;

int unit_links(const Spec *s, UnitInstall install, UnitLinks *ret);
void unit_links_clear(UnitLinks *l);
#define _cleanup_links_ _cleanup_(unit_links_clear)
