/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "run/detacher.h"
#include "suite.h"
#include "util/strv.h"

static sem_t may_go;
static atomic_int gone;

static int detach(const char *app, const char *instance) {
        ck_assert_int_eq(sem_wait(&may_go), 0);
        ck_assert_str_eq(app, "shop");
        /* In the order in which they came. */
        ck_assert_int_eq(atoi(instance), ++gone);
        return 0;
}

static Detacher *begun(void) {
        Detacher *d = detacher_new("shop", detach);

        ck_assert_ptr_nonnull(d);
        ck_assert_int_eq(sem_init(&may_go, 0, 0), 0);
        gone = 0;
        return d;
}

START_TEST(nobody_waits_who_does_not_want_to) {
        _cleanup_(detacher_freep) Detacher *d = begun();

        detacher_add(d, "1");
        detacher_add(d, "2");
        detacher_add(d, "3");
        ck_assert_int_eq(gone, 0);
        detacher_wait(d, "4"); /* it is on no network */
        (void) sem_post(&may_go);
        detacher_wait(d, "1");
        ck_assert_int_ge(gone, 1);
        (void) sem_post(&may_go);
        (void) sem_post(&may_go);
        detacher_wait(d, NULL);
        ck_assert_int_eq(gone, 3);
        /* And again, when the thread may have come to its end or not. */
        for (int i = 4; i < 200; i++) {
                _cleanup_free_ char *name = str_format("%d", i);

                (void) sem_post(&may_go);
                detacher_add(d, name);
                if (i % 2)
                        detacher_wait(d, name);
        }
        detacher_wait(d, NULL);
        ck_assert_int_eq(gone, 199);
}
END_TEST

START_TEST(the_end_waits_for_all) {
        Detacher *d = begun();

        for (int i = 1; i <= 5; i++) {
                _cleanup_free_ char *name = str_format("%d", i);

                detacher_add(d, name);
                (void) sem_post(&may_go);
        }
        ck_assert_ptr_null(detacher_free(d));
        ck_assert_int_eq(gone, 5);
        ck_assert_ptr_null(detacher_free(NULL));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("detacher");
        TCase *t = tcase_create("detacher");

        suite_add_tcase(suite, t);
        tcase_add_test(t, nobody_waits_who_does_not_want_to);
        tcase_add_test(t, the_end_waits_for_all);
        return suite_run(suite);
}
