/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The one table of keys: it feeds the parser, `berth verify`, `berth keys`, the check of the man page and the fuzzer's
 * dictionary. */

#include "spec/kind.h"
#include "util/macro.h"

typedef struct SpecParse SpecParse; /* spec/parse.h */

typedef enum SpecSection {
        SECTION_UNIT,
        SECTION_SERVICE,
        SECTION_SLICE,     /* of an app alone */
        SECTION_INSTALL,
        SECTION_CONTAINER, /* also what [Process NAME] has */
        SECTION_IMAGE,
        SECTION_NETWORK,
        SECTION_QUADLET,
        _SPEC_SECTION_MAX,
        _SPEC_SECTION_INVALID = -EINVAL,
} SpecSection;

typedef enum SpecKeyState {
        KEY_SUPPORTED, /* Quadlet's, with Podman's meaning */
        KEY_OWN,       /* berth's own */
        KEY_QUADLET,   /* Quadlet's, refused until its time comes */
        KEY_PASSED,    /* systemd's, goes into the unit as it is written */
        KEY_READ,      /* systemd's, applied by the supervisor to its instances */
        KEY_REFUSED,   /* systemd's, means nothing for a container; help says what does */
        _SPEC_KEY_STATE_MAX,
        _SPEC_KEY_STATE_INVALID = -EINVAL,
} SpecKeyState;

/* How a key's value is kept; so an empty value can take it back, and a process can be freed, without knowing the key. */
typedef enum SpecStore {
        STORE_NONE,
        STORE_TEXT,
        STORE_BOOL,
        STORE_NUMBER,
        STORE_SHARE,
        STORE_COMMAND,
        STORE_ENUM, /* an int; 0 is unset */
        STORE_MASK, /* uint64_t */
        STORE_TEXTS,
        STORE_PAIRS,
        STORE_ENV_FILES,
        STORE_MOUNTS, /* of three keys: only those of the key at hand are taken back */
        STORE_DEVICES,
        STORE_ULIMITS,
        STORE_ID_MAPS,
        STORE_HOSTS,
        STORE_PORTS,
        STORE_SECRETS,
        STORE_ACCESS,
        STORE_SOCKET_BINDS,
        STORE_EXIT_SET,
        _SPEC_STORE_MAX,
        _SPEC_STORE_INVALID = -EINVAL,
} SpecStore;

typedef struct SpecKey {
        const char *name; /* "Condition*" stands for all that begin so */
        SpecSection section;
        SpecKeyState state;
        const char *kind; /* of value, for people: "size", "list of words" */
        SpecStore store;
        bool app;      /* of [Container], and never of [Process NAME]: what the app has as a whole */
        size_t offset; /* in SpecProcess for [Container] without app, else in Spec */
        /* Takes the value of c->line into the place; complains with spec_complain(). Called with an empty value only where
         * store is STORE_NONE. 0 or 1, or a negative errno that ends the reading. NULL: nothing to take. */
        int (*parse)(SpecParse *c, void *place);
        const char *help; /* one line; KEY_REFUSED: what to use instead */
} SpecKey;

extern const SpecKey spec_keys[];
extern const size_t spec_n_keys;

const SpecKey *spec_key_find(SpecSection section, const char *name);

/* The nearest key of the section that can be used, or NULL where none is near. */
const SpecKey *spec_key_near(SpecSection section, const char *name);

/* The section of such a file, other than this one, that has exactly this key; NULL: none has. */
const SpecKey *spec_key_elsewhere(SpecKind kind, SpecSection not_this, const char *name);

const char *spec_section_name(SpecSection section);
bool spec_section_is_own(SpecSection section);   /* of one kind of file alone */
SpecSection spec_kind_section(SpecKind kind);    /* that one */
bool spec_section_is_of(SpecSection section, SpecKind kind);
const char *spec_key_state_name(SpecKeyState state);

/* Does a later assignment go on with the list, where it would else replace the value? */
bool spec_key_is_list(const SpecKey *k);

/* The one sentence on why a key cannot be used, NULL where it can. */
const char *spec_key_refusal(const SpecKey *k);
