/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/health.h"
#include "run/instance.h"
#include "run/publish.h"
#include "run/rollout.h"
#include "run/status.h"
#include "util/buf.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

static int put_process(Buf *b, const Supervisor *sv, size_t k, const char *before) {
        unsigned ready = 0;

        for (size_t i = 0; i < sv->n_instances; i++) {
                const Instance *instance = sv->instances[i];

                ready += instance->state == INSTANCE_READY && instance->process->release == sv->release &&
                        wanted_find(&sv->wanted, instance->process->spec->name) == k;
        }
        return buf_printf(b, "%s%s%s %u/%u", before, *sv->wanted.names[k] ? " " : "", sv->wanted.names[k], ready,
                sv->wanted.formation[k].wanted);
}

static unsigned count_others(const Supervisor *sv) {
        unsigned n = 0;

        for (size_t i = 0; i < sv->n_instances; i++)
                n += instance_state_alive(sv->instances[i]->state) && sv->instances[i]->process->release != sv->release &&
                        !spec_is_release(sv->instances[i]->process->spec);
        return n;
}

/* "v12: web 2/2, worker 1/1": of each process the ready instances and the wanted ones; and behind it, while they are replaced, how many there are
 * of other releases. */
static int status_make(const Supervisor *sv, char **ret) {
        const Release *next = rollout_next(sv);
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = sv->release ? buf_printf(&b, "v%u:", sv->release->number) : buf_puts(&b, "starting");

        for (size_t k = 0; sv->release && k < sv->wanted.n && r >= 0; k++)
                r = put_process(&b, sv, k, k == 0 ? "" : ",");
        if (r >= 0 && sv->release && count_others(sv) > 0)
                r = buf_printf(&b, "; %u of other releases", count_others(sv));
        if (r >= 0 && next && next->number > 0)
                r = buf_printf(&b, "%s release process of v%u", sv->release ? ";" : "", next->number);
        /* One that has something to say says it to whoever asks for the unit's status. */
        for (size_t i = 0; i < sv->n_instances && r >= 0; i++)
                if (sv->instances[i]->message)
                        r = buf_printf(&b, "; %s %s", sv->instances[i]->name, sv->instances[i]->message);
        if (r < 0)
                return r;
        *ret = buf_steal(&b);
        return *ret ? 0 : -ENOMEM;
}

int status_update(Supervisor *sv) {
        char *status;
        int r = status_make(sv, &status);

        if (r < 0)
                return r;
        if (streq_ptr(status, sv->status)) {
                free(status);
                return 0;
        }
        free(sv->status);
        sv->status = status;
        return 1;
}

static const char *or_empty(const char *text) {
        return text ? text : "";
}

static InstanceStatus instance_status(Instance *i, char *ports) {
        return (InstanceStatus){
                .name = i->name, .key = i->key, .process = (char *) or_empty(i->process->spec->name), .index = i->index, .state = i->state,
                .pid = i->pid, .scope = i->scope, .container_name = i->container_name, .release = i->process->release->number,
                .was_ready = i->ever_ready, .stopping = i->stop_asked, .restarts = i->restarts, .since_usec = i->since_usec, .exit_code = i->exit_code,
                .exit_status = i->exit_status, .network = i->attachment.network.name, .addresses = i->attachment.text, .ports = ports,
                .health = (char *) health_status(i), .answer = (char *) health_answer(i), .message = i->message,
        };
}

void status_write_state(Supervisor *sv) {
        const Release *release = sv->release ? sv->release : rollout_next(sv);
        InstanceStatus *items = calloc(sv->n_instances + 1, sizeof(*items));
        char **ports = calloc(sv->n_instances + 1, sizeof(*ports));
        _cleanup_free_ char *service = release ? str_format("%s.service", release->spec->service) : NULL;
        int r = items && ports && service ? 0 : -ENOMEM;

        for (size_t k = 0; k < sv->n_instances && r >= 0; k++)
                items[k] = instance_status(sv->instances[k], ports[k] = publish_text(sv->instances[k]));
        if (r >= 0) {
                const Process *first = &release->processes[0];
                const AppState s = {
                        .name = (char *) sv->name, .service = service, .source = release->spec->path, .status = sv->status,
                        .release = release->number, .stable = sv->stable ? sv->stable->number : 0, .changing = rollout_is_changing(sv),
                        .since_usec = sv->since_usec, .instances = items, .n_instances = sv->n_instances,
                        .image = (char *) (first->spec->image.value ? first->spec->image.value : first->spec->rootfs.value),
                        .image_id = (char *) first->image_id,
                };

                r = app_state_write(BERTH_RUN_DIR, &s);
        }
        free(items);
        strv_free(ports);
        if (r < 0)
                log_warning("Supervisor '%s': cannot write '%s/state': %s", sv->name, sv->run_directory, strerror(-r));
}
