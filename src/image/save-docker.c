/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "image/name.h"
#include "image/save-internal.h"

/* As skopeo calls them: readers take any name that manifest.json says. */
static int save_layers(Save *save, const Export *e, json_t *names, Error *reterr) {
        for (size_t i = 0; i < e->n_layers; i++) {
                char name[DIGEST_HEX_LENGTH + sizeof(".tar")];
                OciLayer layer;

                (void) snprintf(name, sizeof(name), "%s.tar", digest_hex(e->diff_ids[i]));
                if (!sink_has(save->sink, name)) {
                        int r = save_layer(save, e, i, name, &layer, reterr);

                        if (r < 0)
                                return r;
                }
                if (json_array_append_new(names, json_sprintf("%s", name)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

/* The entry of the same image under another name, or a new one; borrowed. */
static json_t *find_entry(Save *save, const char *config, json_t *layers) {
        json_t *entry;
        size_t i;

        json_array_foreach(save->manifest, i, entry)
                if (streq(json_string_value(json_object_get(entry, "Config")), config))
                        return entry;
        entry = json_pack("{s:s, s:[], s:O}", "Config", config, "RepoTags", "Layers", layers);
        return json_array_append_new(save->manifest, entry) < 0 ? NULL : entry;
}

int save_docker_entry(Save *save, const Export *e, const char *config, json_t *layers) {
        json_t *entry = find_entry(save, config, layers);

        if (!entry)
                return -ENOMEM;
        if (!e->image->name)
                return 0;
        return json_array_append_new(json_object_get(entry, "RepoTags"), json_sprintf("%s", e->image->name)) < 0 ? -ENOMEM : 0;
}

int save_docker_image(Save *save, const Export *e, Error *reterr) {
        _cleanup_json_ json_t *layers = json_array();
        char name[DIGEST_HEX_LENGTH + sizeof(".json")];
        int r = layers ? save_layers(save, e, layers, reterr) : -ENOMEM;

        if (r < 0)
                return r;
        (void) snprintf(name, sizeof(name), "%s.json", digest_hex(e->image->id));
        if (!sink_has(save->sink, name))
                r = sink_text(save->sink, name, e->config, e->config_size, reterr);
        return r < 0 ? r : save_docker_entry(save, e, name, layers);
}

int save_docker_end(Save *save, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        char digest[72];
        size_t size;
        int r = oci_json_dump(save->manifest, &text, &size, digest);

        return r < 0 ? r : sink_text(save->sink, "manifest.json", text, size, reterr);
}
