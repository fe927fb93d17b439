/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>

#include "scratch.h"
#include "spec/table.h"
#include "util/fd.h"
#include "util/strv.h"

START_TEST(quadlet_has_94_container_keys) {
        size_t quadlet = 0, own = 0;

        for (size_t i = 0; i < spec_n_keys; i++) {
                if (spec_keys[i].section != SECTION_CONTAINER)
                        continue;
                if (spec_keys[i].state == KEY_OWN)
                        own++;
                else
                        quadlet++;
        }
        ck_assert_uint_eq(quadlet, 94);
        ck_assert_uint_eq(own, 18);
}
END_TEST

/* What this version of berth promises to do, with Podman's meaning. */
START_TEST(the_promised_keys_are_supported) {
        static const char *const promised[] = { "Image", "Rootfs", "Exec", "Entrypoint", "Environment", "EnvironmentFile", "EnvironmentHost",
                "User", "Group", "GroupAdd", "WorkingDir", "HostName", "ContainerName", "ReadOnly", "ReadOnlyTmpfs", "Tmpfs", "Volume", "Mount",
                "AddCapability", "DropCapability", "NoNewPrivileges", "SeccompProfile", "Mask", "Unmask", "Sysctl", "Ulimit", "ShmSize", "Memory",
                "PidsLimit", "AddDevice", "RunInit", "StopSignal", "StopTimeout", "Notify", "Timezone", "Label", "Annotation", "AddHost", "DNS",
                "DNSOption", "DNSSearch", "UserNS", "UIDMap", "GIDMap", "ServiceName", "Secret", "ReloadCmd", "ReloadSignal", "Network",
                "HealthCmd", "HealthInterval", "HealthLogDestination", "HealthMaxLogCount", "HealthMaxLogSize", "HealthOnFailure",
                "HealthRetries", "HealthStartPeriod", "HealthStartupCmd", "HealthStartupInterval", "HealthStartupRetries",
                "HealthStartupSuccess", "HealthStartupTimeout", "HealthTimeout" };
        static const char *const own[] = { "MemorySwap", "CPUs", "CPUWeight", "IOWeight", "Activation", "HealthHttp", "IdleTimeout", "Instances",
                "KeepReleases", "Maintenance", "MaintenancePage", "MaxSurge", "MaxUnavailable", "Release", "RollbackWindow", "StartTimeout",
                "Update" };

        for (size_t i = 0; i < ELEMENTSOF(promised); i++) {
                const SpecKey *k = spec_key_find(SECTION_CONTAINER, promised[i]);

                ck_assert_msg(k && k->state == KEY_SUPPORTED && k->parse, "%s", promised[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(own); i++)
                ck_assert_int_eq(spec_key_find(SECTION_CONTAINER, own[i])->state, KEY_OWN);
}
END_TEST

START_TEST(no_key_is_there_twice_and_all_have_help) {
        for (size_t i = 0; i < spec_n_keys; i++) {
                ck_assert_msg(spec_keys[i].help && *spec_keys[i].help, "%s", spec_keys[i].name);
                for (size_t k = i + 1; k < spec_n_keys; k++)
                        ck_assert_msg(spec_keys[i].section != spec_keys[k].section || !streq(spec_keys[i].name, spec_keys[k].name), "%s",
                                spec_keys[i].name);
        }
}
END_TEST

START_TEST(patterns_stand_for_what_has_no_row_of_its_own) {
        ck_assert_str_eq(spec_key_find(SECTION_UNIT, "ConditionPathExists")->name, "Condition*");
        ck_assert_str_eq(spec_key_find(SECTION_SERVICE, "PrivateNetwork")->name, "PrivateNetwork");
        ck_assert_str_eq(spec_key_find(SECTION_SERVICE, "PrivateTmp")->name, "Private*");
        ck_assert_ptr_null(spec_key_find(SECTION_CONTAINER, "ConditionPathExists"));
}
END_TEST

/* Both manuals have an item ".BI KEY= VALUE" for each key that berth does something with. */
static char *read_page(const char *dir, const char *name) {
        _cleanup_free_ char *path = str_format("%s/%s", dir, name);
        char *page;

        ck_assert_ptr_nonnull(path);
        ck_assert_int_eq(read_file(AT_FDCWD, path, 1 << 20, &page, NULL), 0);
        return page;
}

START_TEST(the_manual_has_every_key) {
        const char *dir = getenv("BERTH_MAN");
        _cleanup_free_ char *container = NULL, *image = NULL, *network = NULL;
        int missing = 0;

        if (!dir)
                return;
        container = read_page(dir, "berth.container.5");
        image = read_page(dir, "berth.image.5");
        network = read_page(dir, "berth.network.5");
        for (size_t i = 0; i < spec_n_keys; i++) {
                const SpecKey *k = &spec_keys[i];
                char plain[96];

                if (k->state == KEY_QUADLET || k->state == KEY_REFUSED || k->state == KEY_PASSED)
                        continue;
                (void) snprintf(plain, sizeof(plain), "\n.TP\n.BI %s= ", k->name);
                if (!strstr(k->section == SECTION_IMAGE ? image : k->section == SECTION_NETWORK ? network : container, plain)) {
                        fprintf(stderr, "the manual of [%s] lacks %s=\n", spec_section_name(k->section), k->name);
                        missing++;
                }
        }
        ck_assert_int_eq(missing, 0);
}
END_TEST

START_TEST(quadlet_has_18_image_keys) {
        size_t n = 0;

        for (size_t i = 0; i < spec_n_keys; i++)
                n += spec_keys[i].section == SECTION_IMAGE;
        ck_assert_uint_eq(n, 18);
}
END_TEST

static void add(TCase *t) {
        tcase_add_test(t, quadlet_has_94_container_keys);
        tcase_add_test(t, the_promised_keys_are_supported);
        tcase_add_test(t, no_key_is_there_twice_and_all_have_help);
        tcase_add_test(t, patterns_stand_for_what_has_no_row_of_its_own);
        tcase_add_test(t, the_manual_has_every_key);
        tcase_add_test(t, quadlet_has_18_image_keys);
}

int main(void) {
        return scratch_run("table", add);
}
