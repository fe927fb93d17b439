/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What outer gives to inner over their socket pair: word that the id maps are written, then the user and the mounts. */

#include "sandbox/helper.h"

int handover_ids(int inner, Error *reterr);
int handover_send(Helper *h, int inner, Error *reterr);

/* Both return 1 when it came, and 0 when outer has gone: it has said why already. */
int handover_wait_ids(int outer);
int handover_receive(Helper *h, int outer, Error *reterr);
