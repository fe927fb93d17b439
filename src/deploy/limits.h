/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Limits of an app's instances, which are keys of [Container] and [Process NAME], and of the app as a whole, which are systemd's in [Slice]:
 * one table for both, and their words. */

#include "deploy/drop-in.h"

#define LIMITS_DROP_IN "50-limits.conf"
#define LIMIT_TEXT_MAX 32
#define LIMITS_KEYS "Memory, MemorySwap, CPUs, CPUWeight, IOWeight and PidsLimit"

typedef enum LimitKind {
        LIMIT_SIZE,
        LIMIT_SWAP,   /* a size; with the memory in our keys, without it in systemd's */
        LIMIT_CPUS,   /* microseconds a second; a percentage in systemd's */
        LIMIT_NUMBER,
        LIMIT_WEIGHT, /* 0: idle */
        _LIMIT_KIND_MAX,
        _LIMIT_KIND_INVALID = -EINVAL,
} LimitKind;

typedef struct Limit {
        const char *key;
        LimitKind kind;
        size_t offset;         /* of the SpecNumber in SpecProcess */
        const char *member;    /* in JSON */
        const char *slice_key; /* of [Slice]: systemd.resource-control(5) */
        const char *property;  /* of the slice's unit, type t: org.freedesktop.systemd1(5) */
        const char *share;     /* the same as a share of what there is, type u; NULL: no percentages */
} Limit;

#define LIMITS_N 6
extern const Limit limits[LIMITS_N];

/* As a spec would say it; NULL: nothing is set. MemorySwap= is what it leaves for swap. text: where the result may be. */
const char *limit_text(const SpecProcess *p, const Limit *l, char text[static LIMIT_TEXT_MAX]);
/* The same of [Slice]. What is a share of the machine's is as it is written. */
const char *limit_slice_text(const Spec *s, const Limit *l, char text[static LIMIT_TEXT_MAX]);
/* A value as systemd has it (NULL: none is set): a number, or ret_share and millionths of the whole. 0, -EINVAL or -ERANGE. */
int limit_slice_number(const Limit *l, const char *text, uint64_t *ret, bool *ret_share);

/* "KEY=VALUE" each, for all instances or those of a process; without a value the drop-in says nothing more of it. -EINVAL with the sentence. */
int limits_set(DropIn *c, const char *process, char *const *arguments, Error *reterr);
/* The same for the app as a whole. */
int limits_set_slice(DropIn *c, char *const *arguments, Error *reterr);
