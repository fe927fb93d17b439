/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The commands of `berth image`, and what they share. */

#include "cli/cli.h"
#include "image/store.h"

int cmd_image_check(int argc, char *argv[]);
int cmd_image_diff(int argc, char *argv[]);
int cmd_image_history(int argc, char *argv[]);
int cmd_image_inspect(int argc, char *argv[]);
int cmd_image_mount(int argc, char *argv[]);
int cmd_image_unmount(int argc, char *argv[]);

#define SHORT_ID_LENGTH 12 /* digits, as Docker and Podman show */

/* strftime(3) of t in UTC; "" for 0, which images say for "not known". */
void image_time_text(uint64_t t, const char *format, char ret[static 64]);

/* Opens an image and takes locks that keep its layers in the store meanwhile, which end with the process. 0 or the exit code,
 * after saying why. */
int image_open_held(Store *store, const char *text, Image **ret);
