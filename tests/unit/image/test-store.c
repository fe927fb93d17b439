/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/import.h"
#include "suite.h"
#include "temporary.h"
#include "util/fd.h"

static char top[] = "/tmp/berth-store-XXXXXX";
static char tree[64], path[64];
static Store *store;
static Error error;

static void set_up(void) {
        int fd;

        temporary_make(top);
        (void) snprintf(tree, sizeof(tree), "%s/tree", top);
        (void) snprintf(path, sizeof(path), "%s/a/store", top);
        ck_assert_int_eq(mkdir(tree, 0755), 0);
        fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(write_file(fd, "file", "content", 7, 0644, false), 0);
        fd_close(fd);
        error = (Error){ 0 };
        ck_assert_msg(store_open(path, true, &store, &error) == 0, "%s", error.text);
}

static void tear_down(void) {
        store = store_free(store);
        temporary_remove();
}

/* The same tree is the same layer; what makes images differ is the change. */
static void import_as(const char *name, const char *change, char id[static 72]) {
        ImportOptions o = { .name = name, .changes = (char *const[]){ (char *) change, NULL }, .created = 1 };

        ck_assert_msg(import_image(store, tree, &o, id, &error) == 0, "%s", error.text);
}

static Image *open_image(const char *name) {
        Image *image = NULL;

        ck_assert_msg(image_open(path, name, &image, &error) == 0, "%s", error.text);
        return image;
}

static int removal(const char *name, bool force) {
        _cleanup_free_ char *removed = NULL, *id = NULL;

        return store_remove(store, name, force, &removed, &id, &error);
}

static size_t count(const char *directory) {
        _cleanup_free_ char *command = NULL;
        size_t n = 0;
        FILE *f;

        ck_assert_int_gt(asprintf(&command, "ls %s/%s", path, directory), 0);
        f = popen(command, "r");
        for (int c; (c = fgetc(f)) != EOF;)
                n += c == '\n';
        ck_assert_int_eq(pclose(f), 0);
        return n;
}

START_TEST(an_image_is_found_by_every_name_it_has) {
        char id[72], start[9];
        static const char *const names[] = { "nginx", "nginx:latest", "docker.io/nginx", "docker.io/library/nginx:latest" };

        import_as("docker.io/library/nginx", "CMD x", id);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_image_ Image *image = open_image(names[i]);

                ck_assert_str_eq(image->id, id);
                ck_assert_str_eq(image->name, "docker.io/library/nginx:latest");
                ck_assert_str_eq(image->cmd[2], "x");
                ck_assert_uint_eq(image->size, 7);
        }
        memcpy(start, id + 7, 8);
        start[8] = 0;
        for (const char *const *p = (const char *const[]){ id, id + 7, start, NULL }; *p; p++) {
                _cleanup_image_ Image *image = open_image(*p);

                ck_assert_str_eq(image->id, id);
                ck_assert_ptr_null(image->name);
        }
}
END_TEST

START_TEST(a_local_name_comes_before_dockers) {
        char a[72], b[72];
        _cleanup_image_ Image *image = NULL;

        import_as("docker.io/library/x", "CMD a", a);
        import_as("x", "CMD b", b);
        image = open_image("x");
        ck_assert_str_eq(image->id, b);
}
END_TEST

START_TEST(a_digest_in_a_name_must_be_the_manifests) {
        _cleanup_image_ Image *image = NULL, *again = NULL;
        _cleanup_free_ char *name = NULL, *wrong = NULL;
        char id[72];

        import_as("x", "CMD a", id);
        image = open_image("x");
        ck_assert_int_gt(asprintf(&name, "x@%s", image->manifest_digest), 0);
        ck_assert_int_gt(asprintf(&wrong, "x@%s", id), 0);
        again = open_image(name);
        ck_assert_str_eq(again->id, id);
        ck_assert_int_eq(image_open(path, wrong, &again, &error), -ENOENT);
}
END_TEST

START_TEST(what_is_not_there_is_said_to_be_missing) {
        Image *image = NULL;
        char id[72];

        import_as("x", "CMD a", id);
        ck_assert_int_eq(image_open(path, "y", &image, &error), -ENOENT);
        ck_assert_str_eq(error.text, "image 'y' is not in the store");
        ck_assert_int_eq(image_open(path, "X", &image, &error), -EINVAL);
        ck_assert_int_eq(image_open("/nonexistent/store", "y", &image, &error), -ENOENT);
        ck_assert_int_eq(image_open(path, "ffff0000", &image, &error), -ENOENT);
}
END_TEST

START_TEST(a_layer_is_stored_once) {
        StoreImage *images;
        char a[72], b[72];
        size_t n;

        import_as("a", "CMD a", a);
        import_as("b", "CMD b", b);
        import_as("c", "CMD b", b);
        ck_assert_uint_eq(count("layer"), 1);
        ck_assert_int_eq(store_list(store, &images, &n, &error), 0);
        ck_assert_uint_eq(n, 2);
        for (size_t i = 0; i < n; i++) {
                ck_assert_uint_eq(images[i].size, 7);
                ck_assert_uint_eq(images[i].shared, 7);
                ck_assert_uint_eq(strv_length(images[i].names), streq(images[i].image->id, b) ? 2 : 1);
        }
        store_list_free(images, n);
        ck_assert_int_eq(removal("a", false), 0);
        ck_assert_uint_eq(count("layer"), 1);
        ck_assert_int_eq(removal(b, false), -ENOTUNIQ);
        ck_assert_int_eq(removal("b", false), 0);
        ck_assert_uint_eq(count("image"), 1);
        ck_assert_int_eq(removal("c", false), 0);
        ck_assert_uint_eq(count("image"), 0);
        ck_assert_uint_eq(count("layer"), 0);
        ck_assert_uint_eq(count("tmp"), 0);
}
END_TEST

START_TEST(a_new_image_takes_the_name_over) {
        _cleanup_image_ Image *image = NULL;
        char a[72], b[72];

        import_as("x", "CMD a", a);
        import_as("x", "CMD b", b);
        image = open_image("x");
        ck_assert_str_eq(image->id, b);
        ck_assert_uint_eq(count("image"), 2);
        ck_assert_int_eq(removal(a, false), 0);
        ck_assert_uint_eq(count("image"), 1);
}
END_TEST

START_TEST(a_tag_is_a_further_name_and_is_taken_from_who_had_it) {
        _cleanup_image_ Image *other = NULL, *again = NULL, *by_id = NULL;
        char *const names[] = { (char *) "localhost/y:latest", (char *) "quay.io/z:1", NULL };
        char a[72], b[72];

        import_as("x", "CMD a", a);
        import_as("y", "CMD b", b);
        ck_assert_msg(store_tag(store, "x", names, &error) == 0, "%s", error.text);
        for (const char *const *p = (const char *const[]){ "x", "y", "quay.io/z:1", NULL }; *p; p++) {
                _cleanup_image_ Image *image = open_image(*p);

                ck_assert_str_eq(image->id, a);
        }
        by_id = open_image(b);
        ck_assert_str_eq(by_id->id, b);
        ck_assert_int_eq(store_tag(store, b, (char *const[]){ (char *) "localhost/y:latest", NULL }, &error), 0);
        other = open_image("y");
        ck_assert_str_eq(other->id, b);
        again = open_image("x");
        ck_assert_str_eq(again->id, a);
        ck_assert_int_eq(store_tag(store, "nothing", names, &error), -ENOENT);
}
END_TEST

START_TEST(an_image_that_runs_is_kept) {
        _cleanup_image_ Image *image = NULL;
        _cleanup_close_ int first = -EBADF, second = -EBADF;
        StoreImage *images;
        char id[72];
        size_t n;

        import_as("x", "CMD a", id);
        image = open_image("x");
        first = image_pin(image, "shop", &error);
        second = image_pin(image, "shop-2", &error);
        ck_assert_int_ge(first, 0);
        ck_assert_int_ge(second, 0);
        ck_assert_int_eq(removal("x", false), -EBUSY);
        ck_assert_str_eq(error.text, "image 'x' is in use by shop, shop-2");
        ck_assert_int_eq(removal(id, true), -EBUSY);
        ck_assert_int_eq(store_list(store, &images, &n, &error), 0);
        ck_assert_str_eq(images[0].users[0], "shop");
        ck_assert_str_eq(images[0].users[1], "shop-2");
        store_list_free(images, n);
        first = fd_close(first);
        ck_assert_int_eq(removal("x", false), -EBUSY);
        ck_assert_str_eq(error.text, "image 'x' is in use by shop-2");
        second = fd_close(second);
        ck_assert_int_eq(removal("x", false), 0);
        ck_assert_int_eq(image_pin(image, "shop", &error), -ENOENT);
}
END_TEST

START_TEST(an_image_that_a_release_needs_is_kept) {
        _cleanup_image_ Image *image = NULL;
        StoreImage *images;
        char a[72], b[72];
        size_t n;

        import_as("x", "CMD a", a);
        image = open_image("x");
        ck_assert_int_eq(image_hold(image, "shop@v1", &error), 0);
        ck_assert_int_eq(image_hold(image, "shop@v1", &error), 0);
        ck_assert_int_eq(image_hold(image, "shop@v2", &error), 0);
        ck_assert_int_eq(image_hold(image, "a/b", &error), -EINVAL);
        import_as("x", "CMD b", b);
        ck_assert_int_eq(removal(a, true), -EBUSY);
        ck_assert_msg(strstr(error.text, "is kept for shop@v1, shop@v2"), "%s", error.text);
        ck_assert_int_eq(store_list(store, &images, &n, &error), 0);
        ck_assert_uint_eq(n, 2);
        for (size_t i = 0; i < n; i++)
                ck_assert_uint_eq(strv_length(images[i].holders), streq(images[i].image->id, a) ? 2 : 0);
        store_list_free(images, n);
        ck_assert_int_eq(image_unhold(path, a, "shop@v1", &error), 0);
        ck_assert_int_eq(image_unhold(path, a, "nobody", &error), 0);
        ck_assert_int_eq(removal(a, true), -EBUSY);
        ck_assert_int_eq(image_unhold(path, a, "shop@v2", &error), 0);
        ck_assert_int_eq(removal(a, true), 0);
        ck_assert_int_eq(image_hold(image, "shop@v3", &error), -ENOENT);
}
END_TEST

START_TEST(a_pin_lives_in_every_copy_of_its_descriptor_and_dies_with_the_last) {
        _cleanup_image_ Image *image = NULL;
        _cleanup_close_ int pin = -EBADF;
        int status;
        char id[72];
        pid_t child;

        import_as("x", "CMD a", id);
        image = open_image("x");
        pin = image_pin(image, "shop", &error);
        ck_assert_int_ge(pin, 0);
        child = fork();
        if (child == 0) { /* holds the copy until it is killed */
                pause();
                _exit(0);
        }
        pin = fd_close(pin);
        ck_assert_int_eq(removal("x", false), -EBUSY);
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(removal("x", false), 0);
}
END_TEST

static const char *const bad_users[] = { "", "a/b", ".", "..", ".hidden" };

START_TEST(who_keeps_an_image_has_a_name) {
        _cleanup_image_ Image *image = NULL;
        char id[72];

        import_as("x", "CMD a", id);
        image = open_image("x");
        ck_assert_int_eq(image_pin(image, bad_users[_i], &error), -EINVAL);
}
END_TEST

START_TEST(a_writer_removes_what_dead_writers_left_and_nothing_else) {
        _cleanup_work_ StoreWork *mine = NULL;
        _cleanup_free_ char *name = NULL;
        int status;
        pid_t child;

        ck_assert_int_eq(store_work_new(store, &mine, &error), 0);
        ck_assert_int_eq(write_file(mine->fd, "file", "x", 1, 0600, false), 0);
        child = fork();
        if (child == 0) {
                StoreWork *work = NULL;

                if (store_work_new(store, &work, NULL) < 0 || mkdirat(work->fd, "layer", 0700) < 0)
                        _exit(1);
                _exit(0); /* without cleaning up */
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
        ck_assert_int_gt(asprintf(&name, "%s/name/.#half", path), 0);
        ck_assert_int_eq(write_file(AT_FDCWD, name, "x", 1, 0600, false), 0);
        ck_assert_uint_eq(count("tmp"), 2);
        {
                _cleanup_work_ StoreWork *other = NULL;

                ck_assert_int_eq(store_work_new(store, &other, &error), 0);
                ck_assert_uint_eq(count("tmp"), 2); /* mine and other */
                ck_assert_int_eq(faccessat(mine->fd, "file", F_OK, 0), 0);
        }
        ck_assert_uint_eq(count("tmp"), 1);
        ck_assert_int_eq(access(name, F_OK), -1);
}
END_TEST

START_TEST(a_writer_removes_the_claims_of_dead_pulls_and_no_others) {
        _cleanup_work_ StoreWork *work = NULL;
        _cleanup_close_ int held = -EBADF;

        ck_assert_int_eq(mkdirat(store->fd, "claim", 0700), 0);
        ck_assert_int_eq(write_file(store->fd, "claim/dead", "", 0, 0600, false), 0);
        held = openat(store->fd, "claim/alive", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
        ck_assert_int_eq(flock(held, LOCK_EX), 0);
        ck_assert_int_eq(store_work_new(store, &work, &error), 0);
        ck_assert_int_eq(faccessat(store->fd, "claim/dead", F_OK, 0), -1);
        ck_assert_int_eq(faccessat(store->fd, "claim/alive", F_OK, 0), 0);
}
END_TEST

START_TEST(a_layer_that_a_load_needs_is_not_collected) {
        _cleanup_image_ Image *image = NULL;
        _cleanup_work_ StoreWork *work = NULL;
        _cleanup_close_ int held = -EBADF;
        LayerMeta meta;
        char id[72];

        import_as("x", "CMD a", id);
        image = open_image("x");
        held = store_layer_hold(store, image->layer_ids[0], &meta);
        ck_assert_int_ge(held, 0);
        ck_assert_uint_eq(meta.size, 7);
        ck_assert_int_eq(removal("x", false), 0);
        ck_assert_uint_eq(count("layer"), 1);
        held = fd_close(held);
        ck_assert_int_eq(store_work_new(store, &work, &error), 0);
        ck_assert_int_eq(store_collect(work, &error), 0);
        ck_assert_uint_eq(count("layer"), 0);
        ck_assert_int_eq(store_layer_hold(store, image->layer_ids[0], &meta), -ENOENT);
}
END_TEST

START_TEST(the_store_is_closed_to_other_users) {
        struct stat st;

        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0700);
        ck_assert_int_eq(chmod(path, 0755), 0);
        store = store_free(store);
        ck_assert_int_eq(store_open(path, false, &store, &error), 0);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0700);
}
END_TEST

int main(void) {
        Suite *s = suite_create("image-store");
        TCase *t = tcase_create("store");

        if (geteuid() != 0) {
                fprintf(stderr, "a store can be made by root alone: skipped\n");
                return 77;
        }
        if (open_in_root(AT_FDCWD, "/", O_PATH, 0) == -ENOSYS) {
                fprintf(stderr, "there is no openat2(2), which valgrind 3.19 does not know: skipped\n");
                return 77;
        }
        tcase_add_checked_fixture(t, set_up, tear_down);
        tcase_add_test(t, an_image_is_found_by_every_name_it_has);
        tcase_add_test(t, a_local_name_comes_before_dockers);
        tcase_add_test(t, a_digest_in_a_name_must_be_the_manifests);
        tcase_add_test(t, what_is_not_there_is_said_to_be_missing);
        tcase_add_test(t, a_layer_is_stored_once);
        tcase_add_test(t, a_new_image_takes_the_name_over);
        tcase_add_test(t, a_tag_is_a_further_name_and_is_taken_from_who_had_it);
        tcase_add_test(t, an_image_that_runs_is_kept);
        tcase_add_test(t, an_image_that_a_release_needs_is_kept);
        tcase_add_test(t, a_pin_lives_in_every_copy_of_its_descriptor_and_dies_with_the_last);
        tcase_add_loop_test(t, who_keeps_an_image_has_a_name, 0, (int) ELEMENTSOF(bad_users));
        tcase_add_test(t, a_writer_removes_what_dead_writers_left_and_nothing_else);
        tcase_add_test(t, a_writer_removes_the_claims_of_dead_pulls_and_no_others);
        tcase_add_test(t, a_layer_that_a_load_needs_is_not_collected);
        tcase_add_test(t, the_store_is_closed_to_other_users);
        suite_add_tcase(s, t);
        return suite_run(s);
}
