/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image/import.h"
#include "image/prune.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"

static char top[] = "/tmp/berth-prune-XXXXXX";
static char tree[64];
static Store *store;
static Error error;
static Pruned done;
static char **gone; /* names that import_as() gave */
static char **ids;  /* "NAME=ID" of every image that was made */

static void set_up(void) {
        char path[64];

        temporary_make(top);
        (void) snprintf(tree, sizeof(tree), "%s/tree", top);
        (void) snprintf(path, sizeof(path), "%s/store", top);
        ck_assert_int_eq(mkdir(tree, 0755), 0);
        error = (Error){ 0 };
        gone = ids = NULL;
        ck_assert_msg(store_open(path, true, &store, &error) == 0, "%s", error.text);
}

static void tear_down(void) {
        gone = strv_free(gone);
        ids = strv_free(ids);
        store = store_free(store);
        temporary_remove();
}

/* An image called name whose layer has size bytes of letter; the test calls it `what`. */
static const char *make(const char *what, const char *name, char letter, size_t size) {
        ImportOptions o = { .name = name, .changes = (char *const[]){ (char *) "CMD x", NULL }, .created = 1, .message = what };
        _cleanup_close_ int fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        char content[1000], id[72];

        ck_assert_uint_le(size, sizeof(content));
        memset(content, letter, size);
        ck_assert_int_eq(write_file(fd, "file", content, size, 0644, false), 0);
        ck_assert_int_eq(utimensat(fd, "file", (struct timespec[2]){ { 1, 0 }, { 1, 0 } }, 0), 0);
        ck_assert_int_eq(futimens(fd, (struct timespec[2]){ { 1, 0 }, { 1, 0 } }), 0);
        ck_assert_msg(import_image(store, tree, &o, id, &error) == 0, "%s", error.text);
        ck_assert_int_eq(strv_appendf(&ids, "%s=%s", what, id), 0);
        return str_after(ids[strv_length(ids) - 1], what) + 1;
}

/* All that says when the image was needed is so many days ago. */
static void days_ago(const char *id, unsigned days) {
        static const char *const places[] = { "config.json", "was/*", "use/*" };
        char command[512];

        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                (void) snprintf(command, sizeof(command), "find %s/image/%s -path '*/%s' -exec touch -d '%u days ago' {} +", store->path,
                        id + 7, places[i], days);
                ck_assert_int_eq(system(command), 0);
        }
}

static void tell_removed(void *userdata, const StoreImage *image, uint64_t since, uint64_t bytes) {
        for (char **p = ids; *p; p++) {
                char *equals = strchr(*p, '=');

                if (streq(equals + 1, image->image->id))
                        ck_assert_int_eq(strv_appendf(&gone, "%.*s:%llu", (int) (equals - *p), *p, (unsigned long long) bytes), 0);
        }
}

/* What goes, as "a:BYTES b:BYTES", in its order. */
static void prunes(const PrunePolicy *policy, const PruneCalls *more, const char *expected) {
        PruneCalls calls = { .removed = tell_removed, .needed = more ? more->needed : NULL };
        _cleanup_free_ char *said = NULL;

        gone = strv_free(gone);
        ck_assert_msg(store_prune(store, policy, &calls, &done, &error) == 0, "%s", error.text);
        said = strv_join(gone, " ");
        ck_assert_str_eq(gone ? said : "", expected);
        ck_assert_uint_eq(done.images, strv_length(gone));
}

static const PrunePolicy nothing_kept = { 0 };

START_TEST(what_has_no_name_goes_and_what_has_one_stays) {
        (void) make("a", "x", 'a', 100);
        (void) make("b", "x", 'b', 200);
        (void) make("c", "y", 'c', 300);
        prunes(&nothing_kept, NULL, "a:100");
        ck_assert_uint_eq(done.layers, 1);
        ck_assert_uint_eq(done.bytes, 100);
        prunes(&nothing_kept, NULL, "");
}
END_TEST

START_TEST(what_runs_stays) {
        _cleanup_close_ int pin = -EBADF;
        _cleanup_image_ Image *image = NULL;

        (void) make("a", "x", 'a', 100);
        ck_assert_int_eq(image_open(store->path, "x", &image, &error), 0);
        pin = image_pin(image, "shop", &error);
        ck_assert_int_ge(pin, 0);
        (void) make("b", "x", 'b', 200);
        prunes(&nothing_kept, NULL, "");
        pin = fd_close(pin);
        prunes(&nothing_kept, NULL, "a:100");
}
END_TEST

START_TEST(what_a_release_needs_stays) {
        _cleanup_image_ Image *image = NULL;

        (void) make("a", "x", 'a', 100);
        ck_assert_int_eq(image_open(store->path, "x", &image, &error), 0);
        ck_assert_int_eq(image_hold(image, "shop@v1", &error), 0);
        (void) make("b", "x", 'b', 200);
        prunes(&nothing_kept, NULL, "");
        prunes(&(PrunePolicy){ .all = true }, NULL, "b:200");
        ck_assert_int_eq(image_unhold(store->path, image->id, "shop@v1", &error), 0);
        prunes(&nothing_kept, NULL, "a:100");
}
END_TEST

START_TEST(the_last_of_each_repository_stay) {
        days_ago(make("a", "x:1", 'a', 100), 9);
        days_ago(make("b", "x:1", 'b', 100), 8);
        days_ago(make("c", "y:1", 'c', 100), 7);
        days_ago(make("d", "x:1", 'd', 100), 6);
        days_ago(make("e", "y:1", 'e', 100), 5);
        (void) make("f", "x:1", 'f', 100);
        (void) make("g", "y:1", 'g', 100);
        /* When a name went to another is when the image was needed last. */
        for (char **p = ids; *p; p++)
                days_ago(*p + 2, 20 - (unsigned) (p - ids));
        prunes(&(PrunePolicy){ .keep = 2, .dry_run = true }, NULL, "a:100");
        prunes(&(PrunePolicy){ .keep = 1 }, NULL, "a:100 b:100 c:100");
        prunes(&(PrunePolicy){ .keep = 1 }, NULL, "");
}
END_TEST

START_TEST(what_was_needed_lately_stays) {
        days_ago(make("a", "x", 'a', 100), 30);
        (void) make("b", "x", 'b', 100);
        /* It lost its name just now, however old it is. */
        prunes(&(PrunePolicy){ .min_age = 7 * 86400 }, NULL, "");
        days_ago(ids[0] + 2, 8);
        days_ago(ids[1] + 2, 8);
        prunes(&(PrunePolicy){ .min_age = 9 * 86400 }, NULL, "");
        prunes(&(PrunePolicy){ .min_age = 7 * 86400 }, NULL, "a:100");
}
END_TEST

START_TEST(running_counts_as_needed_until_it_was_last_seen) {
        _cleanup_close_ int pin = -EBADF;
        _cleanup_image_ Image *image = NULL;

        (void) make("a", "x", 'a', 100);
        ck_assert_int_eq(image_open(store->path, "x", &image, &error), 0);
        pin = image_pin(image, "shop", &error);
        (void) make("b", "x", 'b', 100);
        days_ago(ids[0] + 2, 30);
        prunes(&nothing_kept, NULL, "");
        pin = fd_close(pin);
        prunes(&(PrunePolicy){ .min_age = 7 * 86400 }, NULL, "");
        prunes(&nothing_kept, NULL, "a:100");
}
END_TEST

START_TEST(no_more_goes_than_has_to) {
        days_ago(make("a", "x", 'a', 100), 3);
        days_ago(make("b", "x", 'b', 100), 2);
        (void) make("c", "x", 'c', 100);
        days_ago(ids[0] + 2, 3);
        days_ago(ids[1] + 2, 2);
        prunes(&(PrunePolicy){ .free_bytes = 1 }, NULL, "");
        prunes(&(PrunePolicy){ .free_percent = 100, .dry_run = true }, NULL, "a:100 b:100");
        prunes(&(PrunePolicy){ .free_bytes = UINT64_C(1) << 60 }, NULL, "a:100 b:100");
}
END_TEST

static int needs_y(void *userdata, const StoreImage *image, Error *reterr) {
        return strv_contains(image->names, "localhost/y:latest");
}

static int does_not_know(void *userdata, const StoreImage *image, Error *reterr) {
        return error_set(reterr, -EIO, "nobody knows");
}

START_TEST(all_is_what_nobody_asks_for) {
        PruneCalls y = { .needed = needs_y }, unknown = { .needed = does_not_know, .removed = tell_removed };
        _cleanup_close_ int pin = -EBADF;
        _cleanup_image_ Image *image = NULL;

        (void) make("a", "x", 'a', 100);
        (void) make("b", "y", 'b', 100);
        (void) make("c", "z", 'c', 100);
        ck_assert_int_eq(image_open(store->path, "z", &image, &error), 0);
        pin = image_pin(image, "shop", &error);
        ck_assert_int_eq(store_prune(store, &(PrunePolicy){ .all = true }, &unknown, &done, &error), -EIO);
        ck_assert_uint_eq(done.images, 0);
        prunes(&(PrunePolicy){ .all = true }, &y, "a:100");
        ck_assert_int_eq(image_open(store->path, "x", &image, &error), -ENOENT);
}
END_TEST

START_TEST(what_is_shared_goes_with_the_last_that_has_it) {
        (void) make("a", "x", 'a', 100);
        (void) make("b", "x", 'a', 100); /* the same layer: only the message differs */
        (void) make("c", "x", 'a', 100);
        days_ago(ids[0] + 2, 3);
        days_ago(ids[1] + 2, 2);
        prunes(&(PrunePolicy){ .dry_run = true }, NULL, "a:0 b:0");
        ck_assert_uint_eq(done.layers, 0);
        prunes(&nothing_kept, NULL, "a:0 b:0");
        prunes(&(PrunePolicy){ .all = true, .dry_run = true }, NULL, "c:100");
        ck_assert_uint_eq(done.layers, 1);
        ck_assert_uint_eq(done.bytes, 100);
        prunes(&(PrunePolicy){ .all = true }, NULL, "c:100");
        ck_assert_uint_eq(done.layers, 1);
        ck_assert_uint_eq(done.bytes, 100);
}
END_TEST

START_TEST(a_name_that_came_back_is_no_former_one) {
        char *const x[] = { (char *) "localhost/x:latest", NULL };

        (void) make("a", "x", 'a', 100);
        (void) make("b", "x", 'b', 100);
        ck_assert_int_eq(store_tag(store, ids[0] + 2, x, &error), 0);
        prunes(&(PrunePolicy){ .dry_run = true }, NULL, "b:100");
        ck_assert_int_eq(store_tag(store, ids[1] + 2, x, &error), 0);
        prunes(&nothing_kept, NULL, "a:100");
}
END_TEST

int main(void) {
        Suite *s = suite_create("image-prune");
        TCase *t = tcase_create("prune");

        if (geteuid() != 0) {
                fprintf(stderr, "owners and devices can be made by root alone: skipped\n");
                return 77;
        }
        if (open_in_root(AT_FDCWD, "/", O_PATH, 0) == -ENOSYS) {
                fprintf(stderr, "there is no openat2(2), which valgrind 3.19 does not know: skipped\n");
                return 77;
        }
        tcase_add_checked_fixture(t, set_up, tear_down);
        tcase_set_timeout(t, 60);
        tcase_add_test(t, what_has_no_name_goes_and_what_has_one_stays);
        tcase_add_test(t, what_runs_stays);
        tcase_add_test(t, what_a_release_needs_stays);
        tcase_add_test(t, the_last_of_each_repository_stay);
        tcase_add_test(t, what_was_needed_lately_stays);
        tcase_add_test(t, running_counts_as_needed_until_it_was_last_seen);
        tcase_add_test(t, no_more_goes_than_has_to);
        tcase_add_test(t, all_is_what_nobody_asks_for);
        tcase_add_test(t, what_is_shared_goes_with_the_last_that_has_it);
        tcase_add_test(t, a_name_that_came_back_is_no_former_one);
        suite_add_tcase(s, t);
        return suite_run(s);
}
