/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "image/name.h"
#include "image/registry/push-internal.h"
#include "image/registry/upload.h"
#include "util/strv.h"

void pushed_clear(Pushed *p) {
        free(p->name);
        *p = (Pushed){ 0 };
}

static int choose_form(Push *push, Error *reterr) {
        const PushOptions *o = push->options;
        const Export *e = &push->image;
        int r = oci_manifest_parse(e->manifest, e->manifest_size, &push->original, reterr);

        if (r < 0) {
                (void) error_prefix(reterr, "manifest %s of the image store is broken", e->image->manifest_digest);
                return r;
        }
        push->form = o->form >= 0 ? o->form : oci_form_of(&push->original);
        if (o->pack < 0 || oci_form_layer_type(push->form, o->pack))
                return 0;
        if (o->form >= 0)
                return error_set(reterr, -EINVAL, "a manifest of Docker's form cannot name layers packed with %s", pack_format_to_string(o->pack));
        push->form = OCI_FORM_OCI;
        return 0;
}

/* The manifest comes last: when it is there, all is. */
static int push_all(Push *push, const Name *name, Pushed *ret, Error *reterr) {
        const Export *e = &push->image;
        _cleanup_free_ OciLayer *layers = calloc(e->n_layers + 1, sizeof(*layers));
        _cleanup_free_ char *manifest = NULL;
        size_t size;
        int r = layers ? push_layers(push, layers, reterr) : -ENOMEM;

        if (r >= 0)
                r = upload_text(&push->origin, e->image->id, e->config, e->config_size, reterr);
        if (r >= 0)
                r = export_manifest(e, push->form, layers, &manifest, &size, ret->digest, reterr);
        if (r < 0)
                return r;
        if (name->digest && !streq(name->digest, ret->digest))
                return error_set(reterr, -EBADMSG, "its manifest is %s there, and so it cannot be put under another digest: give a tag",
                        ret->digest);
        memcpy(ret->id, e->image->id, sizeof(ret->id));
        ret->name = str_format("%s@%s", name->repository, ret->digest);
        if (!ret->name)
                return -ENOMEM;
        return upload_manifest(&push->origin, name->digest ? name->digest : name->tag, push->form, ret->digest, manifest, size, reterr);
}

static int push_to(Push *push, const Name *name, Pushed *ret, Error *reterr) {
        Place *places = NULL;
        size_t n = 0;
        int r = registries_places(client_registries(push->client), name, true, &places, &n, reterr);

        assert(r < 0 || n == 1);
        if (r >= 0)
                r = client_origin(push->client, places, &push->origin, reterr);
        if (r >= 0) {
                client_tell_image(push->client, registry_host(push->origin.registry), push->image.n_layers);
                r = push_all(push, name, ret, reterr);
        }
        places_free(places, n);
        return r;
}

/* What is called localhost/ was made here. */
static int choose_destination(const Push *push, const char *destination, Name *ret, Error *reterr) {
        const char *name = push->image.image->name;

        if (!destination && !name)
                return error_set(reterr, -EINVAL, "an id does not say where to push the image: give a destination, REGISTRY/REPOSITORY:TAG");
        if (!destination && str_after(name, "localhost/"))
                return error_set(reterr, -EINVAL, "'%s' names no registry: give a destination, REGISTRY/%s", name, str_after(name, "localhost/"));
        return name_parse(destination ? destination : name, NAME_DOCKER, ret, reterr);
}

static int push_with(Push *push, const char *text, const char *destination, Pushed *ret, Error *reterr) {
        _cleanup_name_ Name name = { 0 };
        int r = store_open(push->options->store, false, &push->store, reterr);

        if (r == -ENOENT)
                return error_set(reterr, r, "image '%s' is not in the store", text);
        if (r >= 0)
                r = export_open(push->store, text, &push->image, reterr);
        if (r >= 0)
                r = choose_destination(push, destination, &name, reterr);
        if (r >= 0)
                r = choose_form(push, reterr);
        if (r >= 0)
                r = client_new(&push->options->client, &push->client, reterr);
        return r < 0 ? r : push_to(push, &name, ret, reterr);
}

int push_image(const char *text, const char *destination, const PushOptions *options, Pushed *ret, Error *reterr) {
        Push push = { .options = options };
        Pushed pushed = { 0 };
        int r = push_with(&push, text, destination, &pushed, reterr);

        client_free(push.client);
        export_clear(&push.image);
        oci_manifest_clear(&push.original);
        store_free(push.store);
        if (r >= 0)
                *ret = pushed;
        else
                pushed_clear(&pushed);
        return r;
}
