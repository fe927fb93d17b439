/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <time.h>

#include "image/json.h"
#include "image/name.h"
#include "image/oci.h"
#include "util/strv.h"

int oci_time_parse(const char *text, uint64_t *ret) {
        struct tm tm = { 0 };
        const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
        unsigned hours = 0, minutes = 0;
        int64_t t;
        char sign;

        if (!p)
                return -EINVAL;
        if (*p == '.') {
                size_t digits = strspn(p + 1, "0123456789");

                if (digits == 0)
                        return -EINVAL;
                p += 1 + digits;
        }
        t = timegm(&tm);
        if (!streq(p, "Z") && !streq(p, "z")) {
                if (strlen(p) != STRLEN("+00:00") || p[3] != ':' ||
                        sscanf(p, "%c%2u:%2u", &sign, &hours, &minutes) != 3 || !strchr("+-", sign))
                        return -EINVAL;
                t -= (sign == '+' ? 1 : -1) * (int64_t) (hours * 3600 + minutes * 60);
        }
        /* Go's zero time is the year 1; for what berth shows that is "not said". */
        *ret = t > 0 ? (uint64_t) t : 0;
        return 0;
}

static int parse_created(const json_t *j, Image *image, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        int r = json_member_string(j, "created", &text, reterr);

        if (r >= 0 && text && oci_time_parse(text, &image->created) < 0)
                r = error_set(reterr, -EBADMSG, "'created' is no date: '%.60s'", text);
        return r;
}

/* Empty strings say nothing, as absent ones. */
static int parse_string(const json_t *j, const char *key, char **ret, Error *reterr) {
        int r = json_member_string(j, key, ret, reterr);

        if (r >= 0 && *ret && !**ret)
                free(TAKE_PTR(*ret));
        return r;
}

/* Times are nanoseconds, as Go counts them. */
static int parse_health(const json_t *config, Image *image, Error *reterr) {
        static const struct {
                const char *key;
                size_t offset;
                uint64_t unit;
        } numbers[] = {
                { "Interval",    offsetof(Image, health_interval),     1000 },
                { "Timeout",     offsetof(Image, health_timeout),      1000 },
                { "StartPeriod", offsetof(Image, health_start_period), 1000 },
                { "Retries",     offsetof(Image, health_retries),      1    },
        };
        json_t *health;
        int r = json_member(config, "Healthcheck", JSON_OBJECT, &health, reterr);

        if (r >= 0)
                r = json_member_strings(health, "Test", OCI_STRINGS_MAX, false, &image->health, reterr);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(numbers); i++) {
                uint64_t *place = (uint64_t *) ((char *) image + numbers[i].offset);

                r = json_member_size(health, numbers[i].key, place, reterr);
                *place /= numbers[i].unit;
        }
        if (r >= 0 && image->health[0] && !streq(image->health[0], "NONE") && !streq(image->health[0], "CMD") &&
                !streq(image->health[0], "CMD-SHELL"))
                return error_set(reterr, -EBADMSG, "'Test' begins with '%.60s', which is none of NONE, CMD and CMD-SHELL", image->health[0]);
        return r;
}

static int parse_run(const json_t *config, Image *image, Error *reterr) {
        static const struct {
                const char *key;
                size_t offset;
        } strings[] = {
                { "User",       offsetof(Image, user)        },
                { "WorkingDir", offsetof(Image, workdir)     },
                { "StopSignal", offsetof(Image, stop_signal) },
        }, lists[] = {
                { "Entrypoint", offsetof(Image, entrypoint)  },
                { "Cmd",        offsetof(Image, cmd)         },
                { "Env",        offsetof(Image, env)         },
        }, keys[] = {
                { "Volumes",      offsetof(Image, volumes)   },
                { "ExposedPorts", offsetof(Image, exposed)   },
        };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(strings); i++)
                r = parse_string(config, strings[i].key, (char **) ((char *) image + strings[i].offset), reterr);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(lists); i++)
                r = json_member_strings(config, lists[i].key, OCI_STRINGS_MAX, true,
                        (char ***) ((char *) image + lists[i].offset), reterr);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(keys); i++)
                r = json_member_pairs(config, keys[i].key, OCI_STRINGS_MAX, 0,
                        (char ***) ((char *) image + keys[i].offset), reterr);
        if (r >= 0)
                r = json_member_pairs(config, "Labels", OCI_STRINGS_MAX, '=', &image->labels, reterr);
        if (r >= 0)
                r = parse_health(config, image, reterr);
        if (r < 0)
                return r;
        for (char **env = image->env; *env; env++)
                if (**env == '=')
                        return error_set(reterr, -EBADMSG, "'Env' has a variable without a name");
        return 0;
}

static int parse_diff_ids(const json_t *j, char ***ret, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        json_t *rootfs;
        int r = json_member(j, "rootfs", JSON_OBJECT, &rootfs, reterr);

        if (r < 0)
                return r;
        r = json_member_strings(rootfs, "diff_ids", OCI_LAYERS_MAX, false, &ids, reterr);
        if (r < 0)
                return r;
        for (char **id = ids; *id; id++)
                if (!digest_valid(*id))
                        return error_set(reterr, -EBADMSG, "'diff_ids' has '%.100s', which is not sha256: and 64 digits", *id);
        *ret = TAKE_PTR(ids);
        return 0;
}

int oci_config_parse(const char *text, size_t size, Image *image, char ***ret_diff_ids, Error *reterr) {
        _cleanup_json_ json_t *j = NULL;
        json_t *config;
        int r = json_parse(text, size, OCI_JSON_MAX, &j, reterr);

        if (r < 0)
                return r;
        if (!json_is_object(j))
                return error_set(reterr, -EBADMSG, "it is not an object");
        r = json_member_string(j, "architecture", &image->architecture, reterr);
        if (r >= 0)
                r = json_member_string(j, "os", &image->os, reterr);
        if (r >= 0)
                r = parse_string(j, "variant", &image->variant, reterr);
        if (r >= 0)
                r = parse_created(j, image, reterr);
        if (r >= 0)
                r = json_member(j, "config", JSON_OBJECT, &config, reterr);
        if (r >= 0)
                r = parse_run(config, image, reterr);
        return r < 0 ? r : parse_diff_ids(j, ret_diff_ids, reterr);
}
