/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <systemd/sd-daemon.h>

#include "run/adopt.h"
#include "run/ids.h"
#include "run/plan.h"
#include "run/process.h"
#include "run/profile.h"
#include "run/publish.h"
#include "run/supervisor.h"
#include "sandbox/world.h"
#include "util/fd.h"
#include "util/paths.h"
#include "util/strv.h"

Process *release_process(const Release *r, const char *name) {
        for (size_t i = 0; i < r->n_processes; i++)
                if (streq_ptr(r->processes[i].spec->name, name))
                        return &r->processes[i];
        return NULL;
}

size_t process_port(const Process *p, const Port *port) {
        size_t k = 0;

        while (k < p->n_ports && p->ports[k] != port)
                k++;
        return k;
}

int release_new(Supervisor *sv, Spec *spec, unsigned number, Release **ret) {
        Release *r = calloc(1, sizeof(*r)), **releases;

        if (r)
                *r = (Release){ .number = number, .spec = spec, .processes = calloc(spec->n_processes, sizeof(*r->processes)) };
        releases = r && r->processes ? reallocarray(sv->releases, sv->n_releases + 1, sizeof(*releases)) : NULL;
        if (!releases) {
                spec_free(spec);
                if (r)
                        free(r->processes);
                free(r);
                return -ENOMEM;
        }
        sv->releases = releases;
        releases[sv->n_releases++] = r;
        r->n_processes = spec->n_processes;
        for (size_t i = 0; i < r->n_processes; i++)
                r->processes[i] = (Process){ .release = r, .spec = &spec->processes[i], .pin = -EBADF, .seccomp = -EBADF };
        *ret = r;
        return 0;
}

int release_load(Supervisor *sv, unsigned number, Release **ret) {
        _cleanup_release_record_ ReleaseRecord record = { 0 };
        Spec *spec = NULL;
        Release *r;
        int q;

        q = release_read(sv->name, number, &record);
        if (q >= 0)
                q = release_spec(sv->name, number, &spec);
        if (q >= 0)
                q = release_new(sv, spec, number, &r);
        if (q < 0)
                return q;
        for (size_t i = 0; i < r->n_processes; i++)
                (void) release_image(&record, r->processes[i].spec->name, r->processes[i].image_id);
        *ret = r;
        return 0;
}

int release_open_ports(Supervisor *sv, Release *r, Error *reterr) {
        int q = 0;

        for (size_t i = 0; i < r->n_processes && q >= 0; i++)
                if (!r->processes[i].ports)
                        q = publish_open(sv, &r->processes[i], sv->adoption, reterr);
        return q;
}

static char *pin_name(const Process *p) {
        return str_format(ADOPT_IMAGE_PREFIX "v%u/%s", p->release->number, p->spec->name ? p->spec->name : "");
}

static void pin_remove(const Process *p) {
        _cleanup_free_ char *name = pin_name(p);

        if (name)
                (void) sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name);
}

Release *release_free(Supervisor *sv, Release *r) {
        size_t kept = 0;

        if (!r)
                return NULL;
        for (size_t i = 0; i < sv->n_releases; i++)
                if (sv->releases[i] != r)
                        sv->releases[kept++] = sv->releases[i];
        sv->n_releases = kept;
        for (size_t i = 0; i < r->n_processes; i++) {
                Process *p = &r->processes[i];

                publish_close(sv, p);
                pin_remove(p);
                profile_forget(sv->name, p->spec->name, r->number);
                image_free(p->image);
                fd_close(p->pin);
                fd_close(p->seccomp);
        }
        free(r->processes);
        spec_free(r->spec);
        free(r);
        return NULL;
}

static int image_keep(Supervisor *sv, Process *process, Error *reterr) {
        _cleanup_free_ char *text = NULL, *name = pin_name(process);
        int r = 0;

        if (!process->image)
                r = image_open(NULL, *process->image_id ? process->image_id : process->spec->image.value, &process->image, reterr);
        if (r < 0 || process->pin >= 0)
                return r;
        process->pin = image_pin(process->image, sv->name, reterr);
        if (process->pin < 0)
                return process->pin;
        pin_remove(process); /* an earlier supervisor's */
        text = name ? str_format("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name) : NULL;
        if (text)
                (void) sd_pid_notify_with_fds(0, 0, text, &process->pin, 1);
        return 0;
}

int process_prepare(Supervisor *sv, Process *process, Error *reterr) {
        uint32_t ids = plan_ids_needed(process->spec);
        char origin[512];
        int r;

        if (process->spec->image.value && (!process->image || process->pin < 0)) {
                r = image_keep(sv, process, reterr);
                if (r < 0)
                        return error_prefix(reterr, "%s",
                                spec_origin_text(process->release->spec, process->spec->image.origin, origin, sizeof(origin)));
        }
        if (ids > 0 && sv->id_base == 0) {
                r = ids_acquire(BERTH_IDS_DIR, sv->name, ids, &sv->id_base, reterr);
                if (r < 0)
                        return r;
        }
        if (process->seccomp < 0 && !streq_ptr(process->spec->seccomp.value, "unconfined")) {
                r = profile_open(process->spec, reterr);
                if (r < 0)
                        return r;
                process->seccomp = r;
                r = profile_store(process->seccomp, sv->name, process->spec->name, process->release->number);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot keep the seccomp profile in '%s'", sv->run_directory);
        }
        if (sv->helper < 0) {
                r = helper_open(reterr);
                if (r < 0)
                        return r;
                sv->helper = r;
        }
        return 0;
}
