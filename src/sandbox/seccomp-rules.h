/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A seccomp profile as rows, whether built in or read from JSON, and the compiler for them. */

#include <seccomp.h>

#include "util/error.h"

#define SECCOMP_ARGS_MAX 6

typedef struct SeccompArg {
        unsigned index;
        enum scmp_compare op;
        uint64_t value, value_two; /* SCMP_CMP_MASKED_EQ: mask, value */
} SeccompArg;

typedef struct SeccompRule {
        const char *names; /* of system calls, separated by spaces */
        uint32_t action;   /* SCMP_ACT_* */
        size_t n_args;
        SeccompArg args[SECCOMP_ARGS_MAX]; /* all must hold; where two have one index, any */
        uint64_t include_caps; /* the row counts only with all of these, bit N is capability N */
        uint64_t exclude_caps; /* and with none of these */
        const char *arches;    /* Go's names, separated by spaces; NULL: all */
        const char *exclude_arches;
} SeccompRule;

typedef struct SeccompProfile {
        uint32_t default_action;
        const char *arches; /* libseccomp's names of the machine's further ABIs, separated by spaces */
        const SeccompRule *rules;
        size_t n_rules;
} SeccompProfile;

extern const SeccompRule seccomp_default[];
extern const size_t seccomp_default_size;

/* Writes the filter for processes with these capabilities. */
int seccomp_profile_compile(const SeccompProfile *p, uint64_t capabilities, int fd, Error *reterr);

/* Reads the JSON and calls compile on it. */
int seccomp_json_compile(const char *text, uint64_t capabilities, int fd, Error *reterr);

/* The ABIs that a machine of this architecture also runs, as SeccompProfile.arches; NULL for none. */
const char *seccomp_sub_arches(uint32_t native);
