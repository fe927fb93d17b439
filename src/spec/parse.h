/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From the text of a line to a typed value, complaining with a place. */

#include "spec/document.h"
#include "spec/spec.h"
#include "spec/specifier.h"
#include "spec/table.h"
#include "spec/text.h"

struct SpecParse {
        Spec *spec;
        const SpecSearch *search; /* where other files are that this one names */
        SpecProcess *process; /* [Container] and [Process NAME] only */
        bool in_process;      /* [Process NAME] */
        SpecDiags *diags;
        SpecifierContext specifiers;
        const SpecSource *source;
        uint32_t file; /* of source */
        const SpecLine *line;
        const SpecKey *key;
        SpecCursor cursor;
        bool unknown; /* the line's value depends on what is not known here: what is wrong with it proves nothing */
        bool any_unknown; /* some line's did */
};

/* `at` points into the line (its value as a rule); NULL: the line's key. Returns 0 or -ENOMEM. */
int spec_complain(SpecParse *c, const char *at, const char *format, ...) _printf_(3, 4);
int spec_warn(SpecParse *c, const char *at, const char *format, ...) _printf_(3, 4);
SpecOrigin spec_origin_at(SpecParse *c, const char *at);

/* Helpers return 1 with a value, 0 after a complaint, a negative errno where reading must end. */

/* Specifiers. text is what stands at `at`, unquoted. */
int spec_expand(SpecParse *c, const char *text, const char *at, char **ret);
int spec_expand_range(SpecParse *c, const char *from, const char *to, char **ret);

/* One word after the other of the value, unquoted as flags say, not expanded. */
typedef int (*SpecWordFunction)(SpecParse *c, void *place, const char *word, const char *at);
int spec_each_word(SpecParse *c, WordFlags flags, void *place, SpecWordFunction function);

/* Appends a copy of *item to the list {items, n} at place and returns 1. Past SPEC_LIST_MAX it complains and returns 0;
 * the caller keeps *item then, and on errors. */
int spec_list_add(SpecParse *c, void *place, const void *item, size_t size, const char *at);

/* The whole value with its specifiers expanded. */
int spec_take_value(SpecParse *c, char **ret);
int spec_take_number(SpecParse *c, uint64_t least, uint64_t most, uint64_t *ret);
/* Microseconds. */
int spec_take_seconds(SpecParse *c, uint64_t *ret);
/* One of n names, in the order of an enum's values, which is STORE_ENUM's int; NULL is none. what is its article and noun. */
int spec_take_choice(SpecParse *c, const char *const *names, size_t n, const char *what, const char *there_are, int *ret);

/* Puts the value of the line into a SpecText (which takes text) or a SpecNumber, and returns 1. */
int spec_keep_text(SpecParse *c, void *place, char *text);
int spec_keep_number(SpecParse *c, void *place, uint64_t value);

/* Paths: absolute, made plain (no "//", "." or trailing "/"; ".." is refused). */
int spec_take_path(SpecParse *c, const char *from, const char *to, char **ret);
int path_simplify(const char *path, char **ret); /* -EINVAL: relative, or with ".."; -ENAMETOOLONG */

/* A path of the host, absolute or from where the line's file is. */
int spec_take_host_path(SpecParse *c, const char *text, const char *at, char **ret);

/* A unit's name, or NAME.container, which is NAME.service, or NAME.image, which is NAME-image.service; or what ServiceName= of that file
 * says. */
int spec_unit_of(SpecParse *c, const char *word, const char *at, char **ret);
/* The service of a file NAME.image, without ".service", also where there is none. The caller frees; NULL when out of memory. */
char *spec_service_of(SpecParse *c, SpecKind kind, const char *name);

/* What ends NAME in "${NAME". Only with '}' is it a variable: systemd reads no further in "${NAME:-x}" either. */
#define SPEC_VARIABLE_ENDS "}:"

bool env_name_valid(const char *name) _pure_;
bool unit_name_valid(const char *name) _pure_; /* with its type's suffix; templates too */

/* A name of another file, text, that ends in its suffix; what it says is found when all else is read. What depends on the instance of a
 * template, or on the machine, systemd fills in: *unit is set then. 1, 0 after a complaint, -ENOMEM. */
int spec_take_file(SpecParse *c, SpecKind kind, const char *text, char **file, char **unit);

/* What the files say that the processes name. search: where they are. 0 or -ENOMEM. */
int spec_files_resolve(Spec *s, const SpecSearch *search, SpecFlags flags, SpecDiags *diags);

/* Frees what is at place and makes it unset again. key matters for STORE_MOUNTS; NULL: all. */
void spec_store_reset(SpecStore store, void *place, const char *key);
void spec_process_clear(SpecProcess *p);
void spec_mount_clear(SpecMount *m);

/* The parsers of the table. */
int parse_text_image(SpecParse *c, void *place);
int parse_rootfs(SpecParse *c, void *place);
int parse_command(SpecParse *c, void *place);
int parse_entrypoint(SpecParse *c, void *place);
int parse_user(SpecParse *c, void *place);
int parse_group(SpecParse *c, void *place);
int parse_groups(SpecParse *c, void *place);
int parse_path(SpecParse *c, void *place);
int parse_bool(SpecParse *c, void *place);
int parse_hostname(SpecParse *c, void *place);
int parse_name(SpecParse *c, void *place);
int parse_service_name(SpecParse *c, void *place);
int parse_timezone(SpecParse *c, void *place);
int parse_seccomp(SpecParse *c, void *place);
int parse_size_limit(SpecParse *c, void *place);
int parse_swap(SpecParse *c, void *place);
int parse_cpus(SpecParse *c, void *place);
int parse_cpu_weight(SpecParse *c, void *place);
int parse_io_weight(SpecParse *c, void *place);
int parse_pids(SpecParse *c, void *place);
int parse_signal(SpecParse *c, void *place);
int parse_seconds(SpecParse *c, void *place);
int parse_notify(SpecParse *c, void *place);
int parse_network(SpecParse *c, void *place);
int parse_access(SpecParse *c, void *place);
int parse_socket_binds(SpecParse *c, void *place);
int parse_ip(SpecParse *c, void *place);
int parse_ip6(SpecParse *c, void *place);
int parse_network_aliases(SpecParse *c, void *place);
int parse_expose(SpecParse *c, void *place);
int parse_network_name(SpecParse *c, void *place);
int parse_subnets(SpecParse *c, void *place);
int parse_gateways(SpecParse *c, void *place);
int parse_ranges(SpecParse *c, void *place);
int parse_interface(SpecParse *c, void *place);
int parse_driver(SpecParse *c, void *place);
int parse_ipam(SpecParse *c, void *place);
int parse_network_options(SpecParse *c, void *place);
int parse_publish_by(SpecParse *c, void *place);
int parse_pull(SpecParse *c, void *place);
int parse_auto_update(SpecParse *c, void *place);
int parse_userns(SpecParse *c, void *place);

int parse_pairs(SpecParse *c, void *place);
int parse_env_files(SpecParse *c, void *place);
int parse_secrets(SpecParse *c, void *place);
int parse_capabilities(SpecParse *c, void *place);
int parse_sysctls(SpecParse *c, void *place);
int parse_ulimits(SpecParse *c, void *place);
int parse_id_maps(SpecParse *c, void *place);
int parse_hosts(SpecParse *c, void *place);
int parse_addresses(SpecParse *c, void *place);
int parse_words(SpecParse *c, void *place);
int parse_domains(SpecParse *c, void *place);
int parse_path_list(SpecParse *c, void *place);
int parse_unmask(SpecParse *c, void *place);
int parse_devices(SpecParse *c, void *place);
int parse_ports(SpecParse *c, void *place);

int parse_instances(SpecParse *c, void *place);
int parse_max_surge(SpecParse *c, void *place);
int parse_max_unavailable(SpecParse *c, void *place);
int parse_update(SpecParse *c, void *place);
int parse_activation(SpecParse *c, void *place);
int parse_keep_releases(SpecParse *c, void *place);
int parse_release(SpecParse *c, void *place);
int parse_health_cmd(SpecParse *c, void *place);
int parse_health_interval(SpecParse *c, void *place);
int parse_health_timeout(SpecParse *c, void *place);
int parse_health_retries(SpecParse *c, void *place);
int parse_health_action(SpecParse *c, void *place);
int parse_health_log(SpecParse *c, void *place);
int parse_health_http(SpecParse *c, void *place);

int parse_volume(SpecParse *c, void *place);
int parse_mount(SpecParse *c, void *place);
int parse_tmpfs(SpecParse *c, void *place);

int parse_type(SpecParse *c, void *place);
int parse_plain_bool(SpecParse *c, void *place); /* place is a bool */
int parse_both_timeouts(SpecParse *c, void *place);
int parse_restart(SpecParse *c, void *place);
int parse_exit_set(SpecParse *c, void *place);
int parse_count(SpecParse *c, void *place);
int parse_units(SpecParse *c, void *place);
int parse_aliases(SpecParse *c, void *place);
int parse_instance(SpecParse *c, void *place);
int parse_dependencies(SpecParse *c, void *place);

int parse_image_name(SpecParse *c, void *place);
int parse_image_tag(SpecParse *c, void *place);
int parse_platform(SpecParse *c, void *place);
int parse_host_path(SpecParse *c, void *place);
int parse_creds(SpecParse *c, void *place);
int parse_policy(SpecParse *c, void *place);
