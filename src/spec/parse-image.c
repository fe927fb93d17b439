/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spec/parse.h"
#include "util/strv.h"

/* Names of images, and the keys of [Image]. */

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define FILE_SUFFIX ".image"
#define PLATFORM_WORD_MAX 64

static bool image_name_valid(const char *text) {
        return text[0] && !strchr("-:@", text[0]) && !text[strspn(text, LETTERS DIGITS "._/:@+-")];
}

int parse_text_image(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        int r;

        free(TAKE_PTR(c->process->image_file));
        free(TAKE_PTR(c->process->image_unit));
        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        if (str_ends_with(text, FILE_SUFFIX)) {
                r = spec_take_file(c, SPEC_IMAGE, text, &c->process->image_file, &c->process->image_unit);
                return r > 0 ? spec_keep_text(c, place, TAKE_PTR(text)) : r;
        }
        if (str_ends_with(text, ".build"))
                return spec_complain(c, c->line->value, "'%s' names a Quadlet unit: known from Quadlet, not supported yet", text);
        if (!image_name_valid(text))
                return spec_complain(c, c->line->value, "'%s' is not a name of an image", text);
        return spec_keep_text(c, place, TAKE_PTR(text));
}

/* Podman's names of other places than a registry. */
static bool has_transport(const char *text) {
        static const char *const transports[] = { "containers-storage:", "dir:", "docker-archive:", "docker-daemon:", "oci:", "oci-archive:",
                "ostree:", "sif:" };

        for (size_t i = 0; i < ELEMENTSOF(transports); i++)
                if (str_after(text, transports[i]) && strchr("/.~", text[strlen(transports[i])]))
                        return true;
        return false;
}

int parse_image_name(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        const char *name;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        if (has_transport(text))
                return spec_complain(c, c->line->value, "'%s' is not in a registry; berth load takes images from archives and directories", text);
        name = str_after(text, "docker://");
        name = name ? name : text;
        if (!image_name_valid(name) || str_ends_with(name, FILE_SUFFIX))
                return spec_complain(c, c->line->value, "'%s' is not a name of an image", text);
        name = strdup(name);
        return name ? spec_keep_text(c, place, (char *) name) : -ENOMEM;
}

int parse_image_tag(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        if (!image_name_valid(text) || str_ends_with(text, FILE_SUFFIX) || strchr(text, '@'))
                return spec_complain(c, c->line->value, "'%s' is not a name that an image can be given: NAME[:TAG]", text);
        return spec_keep_text(c, place, TAKE_PTR(text));
}

int parse_platform(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        if (!*text || strlen(text) > PLATFORM_WORD_MAX || text[strspn(text, LETTERS DIGITS "_.-")])
                return spec_complain(c, c->line->value, "'%s' is not a word such as arm64, linux or v8", text);
        return spec_keep_text(c, place, TAKE_PTR(text));
}

int parse_host_path(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        char *path;
        int r;

        r = spec_take_value(c, &text);
        if (r > 0)
                r = spec_take_host_path(c, text, c->line->value, &path);
        return r > 0 ? spec_keep_text(c, place, path) : r;
}

/* A password is not repeated in a complaint. */
int parse_creds(SpecParse *c, void *place) {
        _cleanup_free_ char *text = NULL;
        const char *colon;
        int r;

        r = spec_take_value(c, &text);
        if (r <= 0)
                return r;
        colon = strchr(text, ':');
        if (!colon || colon == text || !colon[1])
                return spec_complain(c, c->line->value, "Creds= is USER:PASSWORD, nobody is there to be asked for the rest");
        return spec_keep_text(c, place, TAKE_PTR(text));
}

int parse_policy(SpecParse *c, void *place) {
        SpecPull policy = SPEC_PULL_MISSING;
        int r = parse_pull(c, &policy);

        if (r > 0)
                *(SpecNumber *) place = (SpecNumber){ .set = true, .value = policy, .origin = spec_origin_at(c, c->line->value) };
        return r;
}
