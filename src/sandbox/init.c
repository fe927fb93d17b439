/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sandbox/helper.h"

int init_run(Helper *h, Error *reterr) {
        return error_set(reterr, -EOPNOTSUPP, "an init is not supported yet");
}
