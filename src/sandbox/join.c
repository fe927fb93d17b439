/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sandbox/helper.h"

int join_start(Helper *h, Error *reterr) {
        return error_set(reterr, -EOPNOTSUPP, "joining is not supported yet");
}
