/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The pieces that units of all kinds have. They return 0 or -ENOMEM. */

#include "unit/text.h"

int unit_put_comment(Buf *b);

/* A value of ours, not of a person: what specifiers and quoting would make of it is undone. */
int unit_put_escaped(Buf *b, const char *text, bool quoted);

/* What a command line needs before the spec's name: "-- " where that looks like an option. */
const char *unit_end_of_options(const Spec *s);

/* The spec's name as a value; a template's is completed by systemd. */
int unit_put_name(Buf *b, const Spec *s, bool quoted);

/* [Unit] with what people read. */
int unit_put_head(Buf *b, const Spec *s);

/* The same, and an empty line, of a unit that an app has beside its service: "Sockets of app shop". */
int unit_put_part_head(Buf *b, const Spec *s, const char *what);

/* All lines of a list of SpecPassed. */
int unit_put_passed(Buf *b, const void *list);

/* [Install], for people: the links are made already. */
int unit_put_install(Buf *b, const Spec *s, UnitInstall install);

/* Does [Install] say what starts the app? */
bool unit_socket_is_wanted(const Spec *s);
