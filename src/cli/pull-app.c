/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <systemd/sd-daemon.h>
#include <time.h>

#include "cli/pull-app.h"
#include "image/image.h"
#include "image/name.h"
#include "image/oci.h"
#include "image/store.h"
#include "spec/spec.h"
#include "util/strv.h"

#define STATUS_EVERY_MS 500

/* How far a pull is as a whole, told as STATUS= of the service. */
typedef struct Status {
        Events next; /* who else is told */
        uint64_t bytes[OCI_LAYERS_MAX], total[OCI_LAYERS_MAX];
        int64_t told_at;
} Status;

static int64_t now_ms(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void status_tell(Status *s) {
        uint64_t bytes = 0, total = 0;
        char of[32];

        for (size_t i = 0; i < OCI_LAYERS_MAX; i++) {
                bytes += MIN(s->bytes[i], s->total[i]);
                total += s->total[i];
        }
        s->told_at = now_ms();
        if (total == 0)
                return;
        size_text(total, of);
        (void) sd_notifyf(0, "STATUS=pulling %u%% of %s", (unsigned) ((double) bytes / (double) total * 100), of);
}

static void on_notice(void *userdata, const char *sentence) {
        Status *s = userdata;

        (void) sd_notifyf(0, "STATUS=pulling: %s", sentence);
        if (s->next.notice)
                s->next.notice(s->next.userdata, sentence);
}

static void on_warning(void *userdata, const char *sentence) {
        Status *s = userdata;

        if (s->next.warning)
                s->next.warning(s->next.userdata, sentence);
}

static void on_image(void *userdata, const char *from, size_t n_layers) {
        Status *s = userdata;

        memset(s->bytes, 0, sizeof(s->bytes));
        memset(s->total, 0, sizeof(s->total));
        if (s->next.image)
                s->next.image(s->next.userdata, from, n_layers);
}

static void on_layer(void *userdata, const LayerEvent *e) {
        Status *s = userdata;

        if (e->number >= 1 && e->number <= OCI_LAYERS_MAX) {
                s->total[e->number - 1] = e->total;
                s->bytes[e->number - 1] = e->state == LAYER_DONE || e->state == LAYER_PRESENT ? e->total : e->bytes;
        }
        if (now_ms() - s->told_at >= STATUS_EVERY_MS)
                status_tell(s);
        if (s->next.layer)
                s->next.layer(s->next.userdata, e);
}

/* One image that is to be there. */
typedef struct Job {
        const Spec *spec;  /* that asks for it, */
        SpecOrigin origin; /* and where */
        const char *name, *tag; /* tag: one more name for it, which apps run; or NULL */
        SpecPull policy;
        PullOptions options;
} Job;

static bool is_of_platform(const Image *image, const OciPlatform *p) {
        return (!p->os && !p->architecture && !p->variant) || oci_platform_fits(p, image);
}

/* Whether it is to be fetched; *ret_present: what is there could also be run as it is. */
static bool is_wanted(const Job *job, bool *ret_present) {
        _cleanup_image_ Image *image = NULL;

        *ret_present = image_open(job->options.store, job->tag ? job->tag : job->name, &image, NULL) >= 0 &&
                is_of_platform(image, &job->options.client.platform);
        switch (job->policy) {
        case SPEC_PULL_MISSING:
                return !*ret_present;
        case SPEC_PULL_ALWAYS:
        case SPEC_PULL_NEWER:
                return true;
        case SPEC_PULL_NEVER:
        case _SPEC_PULL_MAX:
        case _SPEC_PULL_INVALID:
                break;
        }
        return false;
}

static int give_tag(const char *path, const char *tag, const char *id, Error *reterr) {
        _cleanup_store_ Store *store = NULL;
        _cleanup_free_ char *full = NULL;
        int r = name_parse_new(tag, NAME_LOCAL, &full, reterr);

        if (r >= 0)
                r = store_open(path, false, &store, reterr);
        if (r >= 0)
                r = store_tag(store, id, (char *[]){ full, NULL }, reterr);
        return r;
}

static int failed(const Job *job, Transfer *transfer, int r, const Error *error) {
        char origin[512], why[ERROR_TEXT_MAX + 512];

        (void) snprintf(why, sizeof(why), "%s: %s", spec_origin_text(job->spec, job->origin, origin, sizeof(origin)),
                *error->text ? error->text : strerror(-r));
        (void) sd_notifyf(0, "STATUS=%s", why);
        return transfer_failed(transfer, why);
}

static int do_job(const Job *job, Transfer *transfer, Status *status) {
        PullOptions o = job->options;
        _cleanup_pulled_ Pulled pulled = { 0 };
        Error error = { 0 };
        bool present;
        int r;

        if (!is_wanted(job, &present)) {
                if (present)
                        return 0;
                r = error_set(&error, -ENOENT, "image %s is not in the store, and never to be pulled", job->tag ? job->tag : job->name);
                return failed(job, transfer, r, &error);
        }
        o.client.events = (Events){ .notice = on_notice, .warning = on_warning, .image = on_image, .layer = on_layer, .userdata = status };
        r = pull_image(job->name, &o, &pulled, &error);
        if (r >= 0 && job->tag)
                r = give_tag(job->options.store, job->tag, pulled.id, &error);
        if (r >= 0) {
                transfer_image(transfer, pulled.name, pulled.id, pulled.digest);
                return 0;
        }
        (void) error_prefix(&error, "cannot pull %s", job->name);
        if (job->policy == SPEC_PULL_NEWER && present) {
                on_notice(status, *error.text ? error.text : strerror(-r));
                return 0;
        }
        return failed(job, transfer, r, &error);
}

/* What the options do not say; retries: as for pull_app(). They go on pointing to image. */
static void options_fill(PullOptions *o, const SpecImage *image, int retries) {
        ClientOptions *c = &o->client;

        c->retries = retries >= 0 ? (unsigned) retries : image->retry.set ? (unsigned) image->retry.value : RETRY_TIMES;
        if (c->retry_delay_ms == 0 && image->retry_delay.set)
                c->retry_delay_ms = MAX(image->retry_delay.value / 1000, UINT64_C(1));
        if (c->tls_verify < 0 && image->tls_verify.set)
                c->tls_verify = image->tls_verify.value;
        c->auth_file = c->auth_file ? c->auth_file : image->auth_file.value;
        c->credentials = c->credentials ? c->credentials : image->creds.value;
        c->cert_dir = c->cert_dir ? c->cert_dir : image->cert_dir.value;
        c->platform.os = c->platform.os ? c->platform.os : image->os.value;
        c->platform.architecture = c->platform.architecture ? c->platform.architecture : image->arch.value;
        c->platform.variant = c->platform.variant ? c->platform.variant : image->variant.value;
}

static void say_diags(const SpecDiags *diags) {
        for (size_t i = 0; i < diags->n; i++) {
                _cleanup_free_ char *text = spec_diag_format(&diags->items[i], true);

                if (text)
                        (void) cli_fail("%s", text);
        }
}

static int load_file(const char *name, Spec **ret) {
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        int r = spec_image_load(name, NULL, &diags, ret);

        say_diags(&diags);
        if (r < 0 && diags.n_errors == 0)
                return cli_fail("cannot read %s.image: %s", name, strerror(-r));
        if (r < 0)
                (void) sd_notifyf(0, "STATUS=%s.image is wrong", name);
        return r < 0 ? CLI_FAILED : 0;
}

int pull_by_file(const char *name, const PullOptions *options, Pulled *ret, Error *reterr) {
        _cleanup_(spec_freep) Spec *spec = NULL;
        _cleanup_pulled_ Pulled pulled = { 0 };
        PullOptions o = *options;
        int r = spec_image_load(name, NULL, NULL, &spec);

        if (r < 0)
                return error_set_errno(reterr, r, "%s.image cannot be used, see berth verify %s.image", name, name);
        options_fill(&o, &spec->image, -1);
        r = pull_image(spec->image.name.value, &o, &pulled, reterr);
        if (r >= 0 && spec->image.tag.value) {
                free(TAKE_PTR(pulled.name));
                r = name_parse_new(spec->image.tag.value, NAME_LOCAL, &pulled.name, reterr);
                if (r >= 0 && !o.look)
                        r = give_tag(o.store, pulled.name, pulled.id, reterr);
        }
        if (r < 0)
                return r;
        *ret = pulled;
        pulled = (Pulled){ 0 };
        return 0;
}

/* policy: what the one who asks says, unless the file says never; negative: as the file does. */
static int pull_file(const char *name, SpecPull policy, const PullOptions *options, int retries, Transfer *transfer, Status *status) {
        _cleanup_(spec_freep) Spec *spec = NULL;
        int code = load_file(name, &spec);
        Job job;

        if (code != 0)
                return code;
        job = (Job){
                .spec = spec,
                .origin = spec->image.name.origin,
                .name = spec->image.name.value,
                .tag = spec->image.tag.value,
                .policy = policy >= 0 && spec_image_policy(&spec->image) != SPEC_PULL_NEVER ? policy : spec_image_policy(&spec->image),
                .options = *options,
        };
        options_fill(&job.options, &spec->image, retries);
        return do_job(&job, transfer, status);
}

static int pull_one(const Spec *spec, const SpecProcess *p, const PullOptions *options, int retries, Transfer *transfer, Status *status) {
        Job job = { .spec = spec, .origin = p->image.origin, .name = p->image.value, .policy = p->pull, .options = *options };
        ClientOptions *c = &job.options.client;

        if (p->image_file)
                return pull_file(p->image_file, p->pull, options, retries, transfer, status);
        c->retries = retries >= 0 ? (unsigned) retries : p->retry.set ? (unsigned) p->retry.value : RETRY_TIMES;
        if (c->retry_delay_ms == 0 && p->retry_delay.set)
                c->retry_delay_ms = MAX(p->retry_delay.value / 1000, UINT64_C(1));
        return do_job(&job, transfer, status);
}

static int pull_all(const Spec *spec, const PullOptions *options, int retries, Transfer *transfer) {
        Status *status = calloc(1, sizeof(*status));
        _cleanup_strv_ char **done = NULL;
        int code = 0;

        if (!status)
                return cli_fail("out of memory");
        status->next = transfer_events(transfer);
        for (size_t i = 0; code == 0 && i < spec->n_processes; i++) {
                const SpecProcess *p = spec->processes + i;

                if (!p->image.value || strv_contains(done, p->image.value))
                        continue;
                code = strv_append(&done, p->image.value) < 0 ? cli_fail("out of memory") :
                                                                pull_one(spec, p, options, retries, transfer, status);
        }
        free(status);
        return code;
}

int pull_app(const char *name, const PullOptions *options, int retries, TransferOutput output) {
        _cleanup_transfer_ Transfer *transfer = transfer_new(output, TRANSFER_PULL);
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        _cleanup_(spec_freep) Spec *spec = NULL;
        int r = spec_load(name, NULL, &diags, &spec);

        if (!transfer)
                return cli_fail("out of memory");
        if (r < 0)
                say_diags(&diags);
        if (r < 0 && diags.n_errors == 0)
                return cli_fail("cannot read the spec of '%s': %s", name, strerror(-r));
        if (r < 0)
                return CLI_FAILED;
        return pull_all(spec, options, retries, transfer);
}

int pull_image_file(const char *name, const PullOptions *options, int retries, TransferOutput output) {
        _cleanup_transfer_ Transfer *transfer = transfer_new(output, TRANSFER_PULL);
        Status *status = calloc(1, sizeof(*status));
        int code;

        if (!transfer || !status) {
                free(status);
                return cli_fail("out of memory");
        }
        status->next = transfer_events(transfer);
        code = pull_file(name, _SPEC_PULL_INVALID, options, retries, transfer, status);
        free(status);
        return code;
}
