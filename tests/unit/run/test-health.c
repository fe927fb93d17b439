/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>

#include "run/health-log.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"
#include "util/strv.h"

#define SECOND UINT64_C(1000000)
#define TAKES (SECOND / 2) /* an attempt */

static const HealthRules plain = { .interval_usec = 30 * SECOND, .retries = 3 };

static HealthSchedule s;
static uint64_t now;

/* The next attempt, when it is due. */
static HealthNews attempt(const HealthRules *rules, bool well) {
        uint64_t begun = health_schedule_next(&s);

        ck_assert_uint_ne(begun, UINT64_MAX);
        ck_assert_uint_ge(begun, now);
        now = begun + TAKES;
        return health_schedule_result(&s, rules, well, begun, now);
}

static void begin(const HealthRules *rules) {
        now = 1000 * SECOND;
        health_schedule_begin(&s, rules, now);
}

static void phase_is(const char *wanted) {
        ck_assert_str_eq(health_phase_to_string(s.phase), wanted);
}

START_TEST(the_first_attempt_is_at_once_and_the_next_an_interval_after_its_end) {
        begin(&plain);
        phase_is("starting");
        ck_assert_uint_eq(health_schedule_next(&s), now);
        ck_assert_int_eq(attempt(&plain, true), HEALTH_NEWS_HEALTHY);
        phase_is("healthy");
        ck_assert_uint_eq(health_schedule_next(&s), now + 30 * SECOND);
        ck_assert_int_eq(attempt(&plain, true), HEALTH_NEWS_NONE);
        ck_assert_uint_eq(health_schedule_next(&s), now + 30 * SECOND);
}
END_TEST

START_TEST(so_many_failures_in_a_row_make_it_unhealthy_once) {
        begin(&plain);
        (void) attempt(&plain, true);
        ck_assert_int_eq(attempt(&plain, false), HEALTH_NEWS_NONE);
        ck_assert_int_eq(attempt(&plain, false), HEALTH_NEWS_NONE);
        ck_assert_int_eq(attempt(&plain, true), HEALTH_NEWS_NONE);
        ck_assert_int_eq(attempt(&plain, false), HEALTH_NEWS_NONE);
        ck_assert_int_eq(attempt(&plain, false), HEALTH_NEWS_NONE);
        phase_is("healthy");
        ck_assert_int_eq(attempt(&plain, false), HEALTH_NEWS_UNHEALTHY);
        phase_is("unhealthy");
        ck_assert_int_eq(attempt(&plain, false), HEALTH_NEWS_NONE);
        ck_assert_int_eq(attempt(&plain, true), HEALTH_NEWS_HEALTHY);
        phase_is("healthy");
}
END_TEST

START_TEST(the_attempt_at_the_start_may_fail) {
        begin(&plain);
        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(attempt(&plain, false), HEALTH_NEWS_NONE);
        phase_is("starting");
        ck_assert_int_eq(attempt(&plain, false), HEALTH_NEWS_UNHEALTHY);
}
END_TEST

START_TEST(failures_in_the_start_period_do_not_count) {
        const HealthRules rules = { .interval_usec = 10 * SECOND, .retries = 1, .start_period_usec = 35 * SECOND };
        uint64_t began;

        begin(&rules);
        began = now;
        while (health_schedule_next(&s) < began + rules.start_period_usec)
                ck_assert_int_eq(attempt(&rules, false), HEALTH_NEWS_NONE);
        ck_assert_int_eq(attempt(&rules, false), HEALTH_NEWS_UNHEALTHY);
        ck_assert_uint_gt(now, began + 40 * SECOND);
}
END_TEST

START_TEST(a_success_in_the_start_period_is_health) {
        const HealthRules rules = { .interval_usec = 10 * SECOND, .retries = 1, .start_period_usec = 300 * SECOND };

        begin(&rules);
        (void) attempt(&rules, false);
        ck_assert_int_eq(attempt(&rules, true), HEALTH_NEWS_HEALTHY);
}
END_TEST

START_TEST(the_startup_check_comes_first_and_has_to_pass_as_often_as_is_said) {
        const HealthRules rules = { .interval_usec = 30 * SECOND, .retries = 1, .startup = true, .startup_interval_usec = 2 * SECOND,
                .startup_success = 2 };

        begin(&rules);
        ck_assert_int_eq(s.phase, HEALTH_STARTUP);
        for (int i = 0; i < 100; i++)
                ck_assert_int_eq(attempt(&rules, false), HEALTH_NEWS_NONE);
        ck_assert_uint_eq(health_schedule_next(&s), now + 2 * SECOND);
        (void) attempt(&rules, true);
        (void) attempt(&rules, false);
        (void) attempt(&rules, true);
        ck_assert_int_eq(s.phase, HEALTH_STARTUP);
        ck_assert_int_eq(attempt(&rules, true), HEALTH_NEWS_NONE);
        ck_assert_int_eq(s.phase, HEALTH_STARTING);
        /* The regular one follows at once. */
        ck_assert_uint_eq(health_schedule_next(&s), now);
        ck_assert_int_eq(attempt(&rules, true), HEALTH_NEWS_HEALTHY);
        ck_assert_uint_eq(health_schedule_next(&s), now + 30 * SECOND);
}
END_TEST

START_TEST(a_startup_check_that_fails_too_often_ends_it_all) {
        const HealthRules rules = { .interval_usec = 30 * SECOND, .retries = 3, .startup = true, .startup_interval_usec = 2 * SECOND,
                .startup_retries = 2 };

        begin(&rules);
        (void) attempt(&rules, false); /* that at the start */
        ck_assert_int_eq(attempt(&rules, false), HEALTH_NEWS_NONE);
        ck_assert_int_eq(attempt(&rules, false), HEALTH_NEWS_FAILED);
        phase_is("unhealthy");
        ck_assert_uint_eq(health_schedule_next(&s), UINT64_MAX);
}
END_TEST

START_TEST(who_waits_is_told_soon_and_impatience_is_no_failure) {
        HealthRules rules = plain;
        uint64_t began, last = 0;
        int n = 0;

        rules.eager = true;
        begin(&rules);
        began = now;
        while (health_schedule_next(&s) < began + rules.interval_usec) {
                uint64_t delay = health_schedule_next(&s) - now;

                ck_assert_uint_le(delay, 2 * SECOND);
                ck_assert_uint_ge(delay, last);
                last = delay;
                ck_assert_int_eq(attempt(&rules, false), HEALTH_NEWS_NONE);
                n++;
        }
        ck_assert_int_ge(n, 10);
        ck_assert_uint_eq(s.failures, 0);
        ck_assert_int_eq(attempt(&rules, true), HEALTH_NEWS_HEALTHY);
        /* From now on nobody waits. */
        ck_assert_uint_eq(health_schedule_next(&s), now + rules.interval_usec);
}
END_TEST

START_TEST(the_attempts_that_count_come_in_their_time_though_somebody_waits) {
        HealthRules rules = plain;
        HealthNews news = HEALTH_NEWS_NONE;
        uint64_t began;

        rules.eager = true;
        begin(&rules);
        began = now;
        while (news == HEALTH_NEWS_NONE)
                news = attempt(&rules, false);
        ck_assert_int_eq(news, HEALTH_NEWS_UNHEALTHY);
        ck_assert_uint_ge(now - began, 90 * SECOND);
        ck_assert_uint_le(now - began, 100 * SECOND);
}
END_TEST

START_TEST(without_an_interval_there_is_no_attempt) {
        const HealthRules rules = { .interval_usec = UINT64_MAX, .retries = 3 };

        begin(&rules);
        ck_assert_uint_eq(health_schedule_next(&s), UINT64_MAX);
}
END_TEST

START_TEST(times_do_not_wrap) {
        const HealthRules rules = { .interval_usec = UINT64_MAX - 1, .retries = 1, .start_period_usec = UINT64_MAX };

        begin(&rules);
        ck_assert_uint_eq(health_schedule_next(&s), UINT64_MAX);
}
END_TEST

/* Whatever comes, in whatever order: news tell of changes alone, and an attempt is never due before the last has ended. */
START_TEST(a_random_walk_holds_what_is_promised) {
        unsigned seed = (unsigned) _i + 1;

        for (int round = 0; round < 200; round++) {
                const HealthRules rules = { .interval_usec = SECOND * (1 + (unsigned) rand_r(&seed) % 40), .retries = 1 + (unsigned) rand_r(&seed) % 4,
                        .start_period_usec = SECOND * ((unsigned) rand_r(&seed) % 60), .startup = rand_r(&seed) % 2,
                        .startup_interval_usec = SECOND * (1 + (unsigned) rand_r(&seed) % 10),
                        .startup_retries = (unsigned) rand_r(&seed) % 5, .startup_success = (unsigned) rand_r(&seed) % 3, .eager = rand_r(&seed) % 2 };

                begin(&rules);
                for (int i = 0; i < 100 && s.phase != HEALTH_FAILED; i++) {
                        HealthPhase before = s.phase;
                        bool well = rand_r(&seed) % 2;
                        HealthNews news = attempt(&rules, well);

                        ck_assert_int_eq(news == HEALTH_NEWS_HEALTHY, s.phase == HEALTH_HEALTHY && before != HEALTH_HEALTHY);
                        ck_assert_int_eq(news == HEALTH_NEWS_UNHEALTHY, s.phase == HEALTH_UNHEALTHY && before != HEALTH_UNHEALTHY);
                        ck_assert(s.phase != HEALTH_STARTUP || before == HEALTH_STARTUP);
                        ck_assert(news != HEALTH_NEWS_HEALTHY || well);
                        ck_assert(well || s.phase != HEALTH_HEALTHY || before == HEALTH_HEALTHY);
                        if (s.phase != HEALTH_FAILED)
                                ck_assert_uint_lt(health_schedule_next(&s), now + 61 * SECOND);
                }
        }
}
END_TEST

/* ---- the log ---- */

static char directory[] = "/tmp/test-health.XXXXXX";
static HealthLog health_log;

static void log_setup(void) {
        temporary_make(directory);
        health_log = (HealthLog){ .path = str_format("%s/health.json", directory), .max = 2 };
        ck_assert_ptr_nonnull(health_log.path);
}

static void log_teardown(void) {
        health_log_clear(&health_log);
        temporary_remove();
}

static char *logged(bool is_well, int status, const char *output) {
        const HealthSchedule schedule = { .phase = HEALTH_HEALTHY, .failures = 7 };
        const ProbeResult result = { .well = is_well, .status = status, .output = output, .size = strlen(output) };
        char *text = NULL;

        ck_assert_int_eq(health_log_add(&health_log, &result, UINT64_C(1700000000000001), UINT64_C(1700000001500000), &schedule), 0);
        ck_assert_int_eq(read_file(AT_FDCWD, health_log.path, 16 * HEALTH_LOG_BYTES_MAX, &text, NULL), 0);
        return text;
}

START_TEST(the_log_is_what_podman_writes) {
        _cleanup_free_ char *text = logged(false, 3, "not \"well\"\n\xff");

        ck_assert_str_eq(text, "{\"Status\":\"healthy\",\"FailingStreak\":7,\"Log\":[\n"
                               "{\"Start\":\"2023-11-14T22:13:20.000001Z\",\"End\":\"2023-11-14T22:13:21.500000Z\",\"ExitCode\":3,"
                               "\"Output\":\"not \\\"well\\\"\\u000a\xef\xbf\xbd\"}\n]}\n");
}
END_TEST

START_TEST(a_status_of_http_that_is_well_is_no_failure) {
        _cleanup_free_ char *text = logged(true, 204, "HTTP 204");

        ck_assert_ptr_nonnull(strstr(text, "\"ExitCode\":0,"));
}
END_TEST

START_TEST(the_oldest_attempt_goes_first) {
        _cleanup_free_ char *one = logged(true, 0, "one"), *two = logged(true, 0, "two"), *three = logged(true, 0, "three");

        ck_assert_ptr_nonnull(strstr(one, "\"one\""));
        ck_assert_ptr_nonnull(strstr(two, "\"one\""));
        ck_assert_ptr_null(strstr(three, "\"one\""));
        ck_assert_ptr_nonnull(strstr(three, "\"two\""));
        ck_assert_ptr_nonnull(strstr(three, "\"three\""));
}
END_TEST

START_TEST(a_log_without_a_limit_has_one) {
        static char output[PROBE_OUTPUT_MAX + 1];

        memset(output, 'x', sizeof(output) - 1);
        health_log.max = 0;
        for (int i = 0; i < 40; i++) {
                _cleanup_free_ char *text = logged(true, 0, output);

                ck_assert_uint_le(strlen(text), HEALTH_LOG_BYTES_MAX + PROBE_OUTPUT_MAX);
        }
        ck_assert_uint_ge(strv_length(health_log.items), 10);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("health");
        TCase *t = tcase_create("schedule"), *log = tcase_create("log");

        tcase_add_test(t, the_first_attempt_is_at_once_and_the_next_an_interval_after_its_end);
        tcase_add_test(t, so_many_failures_in_a_row_make_it_unhealthy_once);
        tcase_add_test(t, the_attempt_at_the_start_may_fail);
        tcase_add_test(t, failures_in_the_start_period_do_not_count);
        tcase_add_test(t, a_success_in_the_start_period_is_health);
        tcase_add_test(t, the_startup_check_comes_first_and_has_to_pass_as_often_as_is_said);
        tcase_add_test(t, a_startup_check_that_fails_too_often_ends_it_all);
        tcase_add_test(t, who_waits_is_told_soon_and_impatience_is_no_failure);
        tcase_add_test(t, the_attempts_that_count_come_in_their_time_though_somebody_waits);
        tcase_add_test(t, without_an_interval_there_is_no_attempt);
        tcase_add_test(t, times_do_not_wrap);
        tcase_add_loop_test(t, a_random_walk_holds_what_is_promised, 0, 8);
        suite_add_tcase(suite, t);
        tcase_add_checked_fixture(log, log_setup, log_teardown);
        tcase_add_test(log, the_log_is_what_podman_writes);
        tcase_add_test(log, a_status_of_http_that_is_well_is_no_failure);
        tcase_add_test(log, the_oldest_attempt_goes_first);
        tcase_add_test(log, a_log_without_a_limit_has_one);
        suite_add_tcase(suite, log);
        return suite_run(suite);
}
