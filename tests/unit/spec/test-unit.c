/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "scratch.h"
#include "unit/generate.h"
#include "unit/name.h"
#include "util/strv.h"

static const char *escape(const char *text) {
        static char *value;

        free(value);
        ck_assert_int_eq(unit_escape(text, &value), 0);
        return value;
}

START_TEST(names_are_escaped_as_systemd_does) {
        ck_assert_str_eq(escape("shop"), "shop");
        ck_assert_str_eq(escape("shop-web"), "shop\\x2dweb");
        ck_assert_str_eq(escape("a/b"), "a-b");
        ck_assert_str_eq(escape(".a.b"), "\\x2ea.b");
        ck_assert_str_eq(escape("web@a:b_c"), "web\\x40a:b_c");
        ck_assert_str_eq(escape("\xc3\xa9"), "\\xc3\\xa9");
}
END_TEST

START_TEST(units_of_different_apps_never_share_a_name) {
        _cleanup_free_ char *a = NULL, *b = NULL, *c = NULL, *slice = NULL, *template = NULL, *instance = NULL, *path = NULL;

        ck_assert_int_eq(unit_scope_name("shop-web", NULL, 1, "", 2, &a), 0);
        ck_assert_int_eq(unit_scope_name("shop", "web", 1, "", 2, &b), 0);
        ck_assert_int_eq(unit_scope_name("shop", NULL, 3, "_", 1, &c), 0);
        ck_assert_int_eq(unit_slice_name("shop-web", &slice), 0);
        ck_assert_str_eq(a, "shop\\x2dweb.1.v2.scope");
        ck_assert_str_eq(b, "shop-web.1.v2.scope");
        ck_assert_str_eq(c, "shop.3_.v1.scope");
        ck_assert_str_eq(slice, "berth-shop\\x2dweb.slice");
        ck_assert_int_eq(unit_slice_name("web@", &template), 0);
        ck_assert_str_eq(template, "berth-web\\x40.slice");
        ck_assert_int_eq(unit_slice_name("web@a-b", &instance), 0);
        ck_assert_str_eq(instance, "berth-web\\x40-a\\x2db.slice");
        ck_assert_int_eq(unit_slice_path(instance, &path), 0);
        ck_assert_str_eq(path, "berth.slice/berth-web\\x40.slice/berth-web\\x40-a\\x2db.slice");
}
END_TEST

static const char *text_of(const Spec *s) {
        static Buf text;

        buf_clear(&text);
        ck_assert_int_eq(unit_text(s, &text), 0);
        return text.data;
}

START_TEST(the_text_depends_on_neither_image_nor_command) {
        _cleanup_free_ char *one = strdup(text_of(scratch_spec("x", "[Container]\nImage=a:1\nExec=b\nEnvironment=A=1\nMemory=1g\n")));

        ck_assert_str_eq(one, text_of(scratch_spec("x", "[Container]\nImage=a:2\nExec=c\nLabel=b=c\nUser=d\n")));
}
END_TEST

START_TEST(a_line_that_ends_in_a_backslash_does_not_take_the_next) {
        /* The file's last line is joined with nothing, and the space in between is stripped. */
        const char *text = text_of(scratch_spec("x", "[Container]\nImage=a\n[Unit]\nDescription=a\\ \\"));

        ck_assert_ptr_nonnull(strstr(text, "\nDescription=a\\ \n"));
}
END_TEST

START_TEST(the_start_limit_is_the_instances) {
        const char *text = text_of(scratch_spec("x", "[Unit]\nStartLimitIntervalSec=10\nStartLimitBurst=2\n[Container]\nImage=a\n"));

        ck_assert_ptr_nonnull(strstr(text, "\nStartLimitIntervalSec=0\n"));
        ck_assert_ptr_null(strstr(text, "StartLimitBurst"));
        ck_assert_ptr_null(strstr(text, "StartLimitIntervalSec=10"));
}
END_TEST

START_TEST(a_killed_supervisor_comes_back_whatever_the_policy) {
        ck_assert_ptr_nonnull(strstr(text_of(scratch_spec("x", "[Container]\nImage=a\n")), "\nRestart=on-abnormal\n"));
        ck_assert_ptr_nonnull(strstr(text_of(scratch_spec("x", "[Container]\nImage=a\n[Service]\nRestart=no\n")), "\nRestart=on-abort\n"));
        ck_assert_ptr_nonnull(strstr(text_of(scratch_spec("x", "[Container]\nImage=a\n[Service]\nType=oneshot\n")), "\nRestart=on-abort\n"));
}
END_TEST

START_TEST(links_are_those_of_the_install_section) {
        _cleanup_links_ UnitLinks l = { 0 };
        Spec *s = scratch_spec("x", "[Container]\nImage=a\n[Install]\nAlias=y.service x.service\nWantedBy=a.target b.container\nUpheldBy=c.service\n");

        ck_assert_int_eq(unit_links(s, UNIT_INSTALL_ALL, &l), 0);
        ck_assert_uint_eq(l.n, 4);
        ck_assert_str_eq(l.items[0].path, "y.service");
        ck_assert_str_eq(l.items[0].target, "x.service");
        ck_assert_str_eq(l.items[1].path, "a.target.wants/x.service");
        ck_assert_str_eq(l.items[2].path, "b.service.wants/x.service");
        ck_assert_str_eq(l.items[3].path, "c.service.upholds/x.service");
        ck_assert_str_eq(l.items[3].target, "../x.service");
}
END_TEST

START_TEST(a_connection_starts_the_app_through_its_socket) {
        _cleanup_links_ UnitLinks service = { 0 }, socket = { 0 };
        _cleanup_buf_ Buf text = BUF_INIT;
        Spec *s = scratch_spec("x", "[Container]\nImage=a\nActivation=socket\nPublishPort=[::1]:80:5000\nPublishPort=53:53/udp\n"
                                    "[Install]\nAlias=y.service\nWantedBy=a.target\n");

        ck_assert_int_eq(unit_socket_text(s, &text), 0);
        ck_assert_ptr_nonnull(strstr(text.data, "\nListenStream=[::1]:80\nListenDatagram=53\n"));
        ck_assert_int_eq(unit_links(s, UNIT_INSTALL_SERVICE, &service), 0);
        ck_assert_uint_eq(service.n, 1);
        ck_assert_str_eq(service.items[0].path, "y.service");
        ck_assert_int_eq(unit_links(s, UNIT_INSTALL_SOCKET, &socket), 0);
        ck_assert_uint_eq(socket.n, 1);
        ck_assert_str_eq(socket.items[0].path, "a.target.wants/x.socket");
        ck_assert_ptr_null(unit_socket_name(scratch_spec("x", "[Container]\nImage=a\nPublishPort=80:80\n")));
}
END_TEST

START_TEST(each_instance_of_a_template_has_a_socket) {
        _cleanup_(spec_freep) Spec *s = NULL;
        _cleanup_links_ UnitLinks socket = { 0 };
        _cleanup_buf_ Buf text = BUF_INIT;

        scratch_write("web@.container", "[Container]\nImage=a\nActivation=socket\nPublishPort=80%i:80 127.0.0.1:90%i:90/udp [::1]:%i:%i 443:443\n"
                                        "[Install]\nDefaultInstance=01\n");
        ck_assert_int_eq(spec_read("web@", scratch, SPEC_STATIC, NULL, &s), 0);
        ck_assert_int_eq(unit_socket_text(s, &text), 0);
        ck_assert_ptr_nonnull(strstr(text.data, "\nListenStream=80%i\nListenDatagram=127.0.0.1:90%i\nListenStream=[::1]:%i\nListenStream=443\n"));
        ck_assert_ptr_nonnull(strstr(text_of(s), "\nSockets=web@%i.socket\n"));
        ck_assert_int_eq(unit_links(s, UNIT_INSTALL_SOCKET, &socket), 0);
        ck_assert_uint_eq(socket.n, 1);
        ck_assert_str_eq(socket.items[0].path, "sockets.target.wants/web@01.socket");
        ck_assert_str_eq(socket.items[0].target, "../web@.socket");
}
END_TEST

START_TEST(systemd_waits_longer_than_the_supervisor) {
        ck_assert_ptr_null(strstr(text_of(scratch_spec("x", "[Container]\nImage=a\n")), "TimeoutStartSec"));
        ck_assert_ptr_nonnull(strstr(text_of(scratch_spec("x", "[Container]\nImage=a\nStartTimeout=5min\n")), "\nTimeoutStartSec=315\n"));
        ck_assert_ptr_nonnull(strstr(text_of(scratch_spec("x", "[Container]\nImage=a\nStartTimeout=infinity\n")), "\nTimeoutStartSec=infinity\n"));
        ck_assert_ptr_nonnull(strstr(text_of(scratch_spec("x", "[Container]\nImage=a\nStartTimeout=2min\n[Process release]\n[Process web]\n"
                                                               "[Process slow]\nStartTimeout=4min\n")), "\nTimeoutStartSec=375\n"));
        ck_assert_ptr_nonnull(strstr(text_of(scratch_spec("x", "[Container]\nImage=a\n[Service]\nTimeoutStartSec=7\n")), "\nTimeoutStartSec=7\n"));
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, names_are_escaped_as_systemd_does);
        tcase_add_test(t, units_of_different_apps_never_share_a_name);
        tcase_add_test(t, the_text_depends_on_neither_image_nor_command);
        tcase_add_test(t, a_line_that_ends_in_a_backslash_does_not_take_the_next);
        tcase_add_test(t, the_start_limit_is_the_instances);
        tcase_add_test(t, a_killed_supervisor_comes_back_whatever_the_policy);
        tcase_add_test(t, links_are_those_of_the_install_section);
        tcase_add_test(t, a_connection_starts_the_app_through_its_socket);
        tcase_add_test(t, each_instance_of_a_template_has_a_socket);
        tcase_add_test(t, systemd_waits_longer_than_the_supervisor);
}

int main(void) {
        return scratch_run("unit", add);
}
