/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What `berth prune` goes by: the words of its options and of prune.conf, and the specs on this machine. */

#include "image/prune.h"

#define PRUNE_CONF "/etc/berth/prune.conf"

/* Sets one thing of the policy by its key ("Keep", "OlderThan", "Free", "All") from its text: 0, -EINVAL with a sentence of
 * what would be right, or -ENOENT where there is no such key. */
int prune_set(PrunePolicy *policy, const char *key, const char *text, Error *reterr);

/* The file's [Prune] section over what policy says. -ENOENT without a word. */
int prune_read_conf(const char *path, PrunePolicy *policy, Error *reterr);

/* Ids of the images that specs on this machine name. An error where a spec cannot say: then nobody knows what is needed. */
int prune_spec_images(const char *store, char ***ret_ids, Error *reterr);
