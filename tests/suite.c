/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>

#include "suite.h"

int suite_run(Suite *s) {
        SRunner *runner = srunner_create(s);
        int failed;

        srunner_run_all(runner, CK_ENV);
        failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
