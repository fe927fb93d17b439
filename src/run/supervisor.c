/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "run/adopt.h"
#include "run/supervisor.h"
#include "run/cgroup.h"
#include "run/exit.h"
#include "run/fetch.h"
#include "run/health.h"
#include "run/ids.h"
#include "run/instance.h"
#include "run/journal.h"
#include "run/plan.h"
#include "run/profile.h"
#include "run/publish.h"
#include "sandbox/world.h"
#include "unit/name.h"
#include "util/buf.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

#define EXIT_STARTED_BADLY 1
#define FETCH_PATIENCE_USEC (300U * 1000 * 1000) /* without a word of progress; longer than the network's own time-outs */

/* ---- what instances share ---- */

sd_bus *supervisor_bus(Supervisor *sv, Error *reterr) {
        int r;

        /* dbus-daemon may have been restarted since. */
        if (sv->bus && sd_bus_is_open(sv->bus) <= 0)
                sv->bus = sd_bus_close_unref(sv->bus);
        if (sv->bus)
                return sv->bus;
        r = sd_bus_open_system(&sv->bus);
        if (r >= 0)
                r = sd_bus_attach_event(sv->bus, sv->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0) {
                sv->bus = sd_bus_close_unref(sv->bus);
                (void) error_set_errno(reterr, r, "cannot connect to the system bus");
                return NULL;
        }
        return sv->bus;
}

/* Nobody keeps a connection open while nothing happens: dbus-daemon allows a user 256 of them, and there may be more apps. */
static void bus_leave(Supervisor *sv) {
        if (sv->fetch)
                return;
        for (size_t i = 0; i < sv->n_instances; i++)
                if (instance_needs_bus(sv->instances[i]))
                        return;
        sv->bus = sd_bus_flush_close_unref(sv->bus);
}

static int image_keep(Supervisor *sv, Process *process, Error *reterr) {
        _cleanup_image_ Image *image = NULL;
        int *pins, fd, r;

        r = image_open(NULL, process->spec->image.value, &image, reterr);
        if (r < 0)
                return r;
        pins = reallocarray(sv->pins, sv->n_pins + 1, sizeof(*pins));
        if (!pins)
                return -ENOMEM;
        sv->pins = pins;
        fd = image_pin(image, sv->name, reterr);
        if (fd < 0)
                return fd;
        pins[sv->n_pins++] = fd;
        (void) sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDPOLL=0\nFDNAME=" ADOPT_IMAGE_NAME, &fd, 1);
        process->image = TAKE_PTR(image);
        return 0;
}

int supervisor_process_prepare(Supervisor *sv, Process *process, Error *reterr) {
        uint32_t ids = plan_ids_needed(process->spec);
        char origin[512];
        int r;

        if (process->spec->image.value && !process->image) {
                r = image_keep(sv, process, reterr);
                if (r < 0)
                        return error_prefix(reterr, "%s",
                                spec_origin_text(sv->spec, process->spec->image.origin, origin, sizeof(origin)));
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
                r = profile_store(process->seccomp, sv->name, process->spec->name);
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

/* ---- the journal ---- */

static int on_journal(sd_event_source *s, int fd, uint32_t events, void *userdata) {
        Supervisor *sv = userdata;

        (void) sd_event_source_set_enabled(s, SD_EVENT_OFF);
        for (size_t i = 0; i < sv->n_instances; i++)
                instance_relay(sv->instances[i]);
        return 0;
}

void supervisor_wait_for_journal(Supervisor *sv) {
        if (sv->journal_source)
                (void) sd_event_source_set_enabled(sv->journal_source, SD_EVENT_ON);
}

int supervisor_journal_reopen(Supervisor *sv) {
        int fd = journal_connect(JOURNAL_SOCKET), r;

        if (fd < 0)
                return fd;
        sv->journal_source = sd_event_source_disable_unref(sv->journal_source);
        fd_close(sv->journal);
        sv->journal = fd;
        r = sd_event_add_io(sv->event, &sv->journal_source, fd, EPOLLOUT, on_journal, sv);
        return r < 0 ? r : sd_event_source_set_enabled(sv->journal_source, SD_EVENT_OFF);
}

/* ---- status ---- */

/* "v1: web 2/2, worker 1/1": of each process the ready instances and the wanted ones. */
static int status_make(const Supervisor *sv, char **ret) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = buf_puts(&b, "v1:");

        for (size_t k = 0; k < sv->n_processes && r >= 0; k++) {
                const Process *p = &sv->processes[k];
                unsigned ready = 0, wanted = 0;

                for (size_t i = 0; i < sv->n_instances; i++)
                        if (sv->instances[i]->process == p) {
                                ready += sv->instances[i]->state == INSTANCE_READY;
                                wanted++;
                        }
                r = buf_printf(&b, "%s%s%s %u/%u", k == 0 ? "" : ",", p->spec->name ? " " : "",
                        p->spec->name ? p->spec->name : "", ready, wanted);
        }
        /* One that has something to say says it to whoever asks for the unit's status. */
        for (size_t i = 0; i < sv->n_instances && r >= 0; i++)
                if (sv->instances[i]->message)
                        r = buf_printf(&b, "; %s %s", sv->instances[i]->name, sv->instances[i]->message);
        if (r < 0)
                return r;
        *ret = buf_steal(&b);
        return *ret ? 0 : -ENOMEM;
}

static void state_write(Supervisor *sv) {
        InstanceStatus *items = calloc(sv->n_instances + 1, sizeof(*items));
        AppState s = {
                .name = (char *) sv->name, .source = sv->spec->path, .status = sv->status, .release = 1,
                .since_usec = sv->since_usec, .instances = items, .n_instances = sv->n_instances,
                .image = sv->processes[0].spec->image.value ? sv->processes[0].spec->image.value
                                                             : sv->processes[0].spec->rootfs.value,
                .image_id = sv->processes[0].image ? sv->processes[0].image->id : (char *) "",
        };
        _cleanup_free_ char *service = str_format("%s.service", sv->spec->service);
        char **ports = calloc(sv->n_instances + 1, sizeof(*ports));
        int r = items && service && ports ? 0 : -ENOMEM;

        s.service = service;
        for (size_t k = 0; k < sv->n_instances && r >= 0; k++) {
                Instance *i = sv->instances[k];

                items[k] = (InstanceStatus){
                        .name = i->name, .process = i->process->spec->name ? i->process->spec->name : (char *) "",
                        .index = i->index, .state = i->state, .pid = i->pid, .scope = i->scope,
                        .container_name = i->container_name, .release = 1, .restarts = i->restarts,
                        .since_usec = i->since_usec, .exit_code = i->exit_code, .exit_status = i->exit_status,
                        .network = i->attachment.network.name, .addresses = i->attachment.text,
                        .ports = ports[k] = publish_text(i), .health = (char *) health_status(i), .answer = (char *) health_answer(i), .message = i->message,
                };
        }
        if (r >= 0)
                r = app_state_write(BERTH_RUN_DIR, &s);
        free(items);
        strv_free(ports);
        if (r < 0)
                log_warning("Supervisor '%s': cannot write '%s/state': %s", sv->name, sv->run_directory, strerror(-r));
}

static void supervisor_exit(Supervisor *sv) {
        sv->phase = PHASE_FINISHED;
        (void) sd_event_exit(sv->event, 0);
}

/* How the supervisor ends when an instance has ended so: its own status, or 128 and the signal as shells say it. */
static int exit_status_of(const Instance *i) {
        if (!i->execed || i->unwell || i->exit_code == EXIT_CODE_UNKNOWN)
                return EXIT_STARTED_BADLY;
        return exit_by_signal(i->exit_code) ? 128 + i->exit_status : i->exit_status;
}

static void stop_all(Supervisor *sv) {
        for (size_t i = 0; i < sv->n_instances; i++)
                instance_event(sv->instances[i], EVENT_STOP);
}

static void phase_advance(Supervisor *sv) {
        size_t ready = 0, over = 0, exited = 0;
        const Instance *failed = NULL;

        for (size_t k = 0; k < sv->n_instances; k++) {
                const Instance *i = sv->instances[k];

                ready += i->state == INSTANCE_READY;
                exited += i->state == INSTANCE_EXITED;
                over += i->state == INSTANCE_EXITED || i->state == INSTANCE_FAILED;
                if (i->state == INSTANCE_FAILED && !failed)
                        failed = i;
        }
        if (sv->phase == PHASE_STARTING && failed) {
                sv->exit_status = exit_status_of(failed);
                sv->phase = PHASE_STOPPING;
                (void) sd_notifyf(0, "STATUS=%s", sv->status); /* why; it stays with the failed service */
                stop_all(sv);
        } else if (sv->phase == PHASE_STARTING && ready + exited == sv->n_instances) {
                sv->phase = PHASE_RUNNING;
                if (!sv->spec->oneshot)
                        (void) sd_notifyf(0, "READY=1\nSTATUS=%s", sv->status);
                (void) malloc_trim(0);
        }
        if (over < sv->n_instances)
                return;
        if (sv->phase == PHASE_RUNNING && failed)
                sv->exit_status = exit_status_of(failed);
        supervisor_exit(sv);
}

static int on_changes_done(sd_event_source *s, void *userdata) {
        _cleanup_free_ char *status = NULL;
        Supervisor *sv = userdata;

        if (sv->phase == PHASE_FINISHED)
                return 0;
        if (status_make(sv, &status) >= 0 && !streq_ptr(status, sv->status)) {
                free(sv->status);
                sv->status = TAKE_PTR(status);
                if (sv->phase != PHASE_FETCHING && sv->phase != PHASE_STARTING)
                        (void) sd_notifyf(0, "STATUS=%s", sv->status);
        }
        phase_advance(sv);
        if (sv->phase != PHASE_FINISHED)
                state_write(sv);
        bus_leave(sv);
        return 0;
}

void supervisor_changed(Supervisor *sv) {
        if (sv->change_source)
                (void) sd_event_source_set_enabled(sv->change_source, SD_EVENT_ONESHOT);
}

/* ---- begin and end ---- */

static int on_stop_signal(sd_event_source *s, const struct signalfd_siginfo *si, void *userdata) {
        Supervisor *sv = userdata;

        if (sv->phase == PHASE_STOPPING)
                return 0;
        if (sv->fetch)
                fetch_cancel(sv->fetch);
        sv->phase = PHASE_STOPPING;
        (void) sd_notify(0, "STOPPING=1");
        remover_hurry(sv->remover);
        stop_all(sv);
        supervisor_changed(sv);
        return 0;
}

static int event_open(Supervisor *sv) {
        static const int signals[] = { SIGTERM, SIGINT };
        sigset_t mask;
        int r;

        (void) sigemptyset(&mask);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) sigaddset(&mask, signals[i]);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        r = sd_event_default(&sv->event);
        for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
                r = sd_event_add_signal(sv->event, NULL, signals[i], on_stop_signal, sv);
        if (r >= 0)
                r = sd_event_add_defer(sv->event, &sv->change_source, on_changes_done, sv);
        if (r >= 0)
                r = sd_event_source_set_priority(sv->change_source, SD_EVENT_PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_source_set_enabled(sv->change_source, SD_EVENT_OFF);
        return r;
}

static int run_directory_lock(Supervisor *sv) {
        int r = mkdir_parents(AT_FDCWD, sv->run_directory, 0755);

        if (r < 0)
                return r;
        sv->lock = open(sv->run_directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (sv->lock < 0 || flock(sv->lock, LOCK_EX | LOCK_NB) < 0)
                return -errno;
        return 0;
}

static int remover_make(Supervisor *sv) {
        _cleanup_free_ char *directory = str_format(BERTH_APP_DIR "/%s/removed", sv->name);

        sv->remover = directory ? remover_new(directory) : NULL;
        return sv->remover ? 0 : -ENOMEM;
}

static int instances_make(Supervisor *sv) {
        sv->processes = calloc(sv->spec->n_processes, sizeof(*sv->processes));
        sv->instances = calloc(sv->spec->n_processes, sizeof(*sv->instances));
        if (!sv->processes || !sv->instances)
                return -ENOMEM;
        sv->n_processes = sv->spec->n_processes;
        for (size_t i = 0; i < sv->n_processes; i++)
                sv->processes[i] = (Process){ .spec = &sv->spec->processes[i], .seccomp = -EBADF };
        for (size_t i = 0; i < sv->n_processes; i++) {
                int r = instance_new(sv, &sv->processes[i], 1, &sv->instances[i]);

                if (r < 0)
                        return r;
                sv->n_instances++;
        }
        return 0;
}

static int fail(Supervisor *sv, int r, const char *what) {
        log_error("Supervisor '%s': cannot %s: %s", sv->name, what, strerror(-r));
        (void) sd_notifyf(0, "STATUS=cannot %s: %s", what, strerror(-r));
        return r;
}

static int spec_open(Supervisor *sv, bool adopting) {
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        bool said = false;
        int r = -ENOENT;

        /* A predecessor's instances go on by the spec that they were started with, whatever it is now. */
        if (adopting)
                r = adopt_spec_load(sv->name, sv->run_directory, &sv->spec);
        if (r < 0)
                r = spec_load(sv->name, NULL, &diags, &sv->spec);
        for (size_t i = 0; i < diags.n; i++) {
                _cleanup_free_ char *text = spec_diag_format(&diags.items[i], false);
                bool error = diags.items[i].severity == SPEC_ERROR;

                log_line(error ? LOG_ERR : LOG_WARNING, "%s", text ? text : diags.items[i].text);
                if (error && !said)
                        (void) sd_notifyf(0, "STATUS=%s", text ? text : diags.items[i].text);
                said = said || error;
        }
        return r;
}

static void instances_start(Supervisor *sv) {
        for (size_t i = 0; i < sv->n_instances; i++)
                if (sv->instances[i]->state == INSTANCE_IDLE)
                        instance_event(sv->instances[i], EVENT_START);
        supervisor_changed(sv);
}

/* ---- images that are not there yet ---- */

static void on_fetch_progress(void *userdata, const char *status) {
        (void) sd_notifyf(0, "STATUS=%s\nEXTEND_TIMEOUT_USEC=%u", status, FETCH_PATIENCE_USEC);
}

/* Why there is no app; it stays with the failed service. */
static void say_why(const Supervisor *sv, const char *text) {
        log_error("App '%s': %s", sv->name, text);
        (void) sd_notifyf(0, "STATUS=%s", text);
}

static void on_fetch_done(void *userdata, int result, const Error *error) {
        Supervisor *sv = userdata;

        sv->fetch = fetch_free(sv->fetch);
        if (sv->phase != PHASE_FETCHING)
                return; /* stopped meanwhile */
        if (result < 0) {
                say_why(sv, error->text);
                sv->exit_status = EXIT_STARTED_BADLY;
                supervisor_exit(sv);
                return;
        }
        sv->phase = PHASE_STARTING;
        instances_start(sv);
}

static int fetch_begin(Supervisor *sv, Error *reterr) {
        const FetchCallbacks callbacks = { .progress = on_fetch_progress, .done = on_fetch_done, .userdata = sv };
        sd_bus *bus = supervisor_bus(sv, reterr);
        int r;

        if (!bus)
                return reterr->code;
        r = fetch_start(bus, sv->name, &callbacks, &sv->fetch, reterr);
        if (r < 0)
                return r;
        sv->phase = PHASE_FETCHING;
        on_fetch_progress(sv, "pulling");
        supervisor_changed(sv);
        return 0;
}

static int ports_open(Supervisor *sv, Adoption *a, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < sv->n_processes && r >= 0; i++)
                r = publish_open(sv, &sv->processes[i], a, reterr);
        port_pool_drop_left(a);
        return r;
}

int supervisor_start(Supervisor *sv, const char *name) {
        _cleanup_(adoption_clear) Adoption adoption = { 0 };
        struct timespec now;
        Error error = { 0 };
        int r;

        *sv = (Supervisor){ .name = name, .phase = PHASE_STARTING, .helper = -EBADF, .journal = -EBADF, .lock = -EBADF, .slice_cgroup = -EBADF };
        (void) clock_gettime(CLOCK_REALTIME, &now);
        sv->since_usec = (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
        sv->run_directory = str_format(BERTH_RUN_DIR "/%s", name);
        if (!sv->run_directory)
                return fail(sv, -ENOMEM, "start");
        r = adoption_collect(name, &adoption);
        if (r < 0)
                return fail(sv, r, "take over stored file descriptors");
        r = spec_open(sv, adoption.n > 0);
        if (r < 0)
                return r;
        r = unit_slice_name(name, &sv->slice);
        if (r >= 0)
                r = event_open(sv);
        if (r >= 0)
                r = supervisor_journal_reopen(sv);
        if (r >= 0)
                r = run_directory_lock(sv);
        if (r == -EWOULDBLOCK)
                return fail(sv, -EBUSY, "start, another supervisor runs it");
        if (r >= 0)
                r = remover_make(sv);
        if (r >= 0)
                r = instances_make(sv);
        if (r < 0)
                return fail(sv, r, "start");
        sv->slice_cgroup = adopt_slice_open(sv->slice);
        r = ports_open(sv, &adoption, &error);
        if (r < 0) {
                say_why(sv, *error.text ? error.text : strerror(-r));
                return r;
        }
        adopt_instances(sv, &adoption);
        if (adoption.n == 0)
                adopt_spec_store(sv);
        r = adoption.n == 0 ? fetch_wanted(sv->spec, &error) : 0;
        if (r > 0)
                r = fetch_begin(sv, &error);
        else if (r == 0)
                instances_start(sv);
        if (r < 0)
                say_why(sv, *error.text ? error.text : strerror(-r));
        return r;
}

int supervisor_run(Supervisor *sv) {
        int r = sd_event_loop(sv->event);

        return r < 0 ? EXIT_STARTED_BADLY : sv->exit_status;
}

void supervisor_clear(Supervisor *sv) {
        for (size_t i = 0; i < sv->n_instances; i++)
                instance_free(sv->instances[i]);
        sv->ports.kept = true;
        for (size_t i = 0; i < sv->n_processes; i++) {
                publish_close(sv, &sv->processes[i]);
                image_free(sv->processes[i].image);
                fd_close(sv->processes[i].seccomp);
        }
        for (size_t i = 0; i < sv->n_pins; i++)
                fd_close(sv->pins[i]);
        free(sv->pins);
        free(sv->instances);
        free(sv->processes);
        port_pool_clear(&sv->ports);
        sd_event_source_disable_unref(sv->journal_source);
        sd_event_source_disable_unref(sv->change_source);
        fetch_free(sv->fetch);
        sd_bus_flush_close_unref(sv->bus);
        sd_event_unref(sv->event);
        remover_free(sv->remover);
        fd_close(sv->helper);
        fd_close(sv->journal);
        fd_close(sv->slice_cgroup);
        fd_close(sv->lock);
        spec_free(sv->spec);
        free(sv->slice);
        free(sv->run_directory);
        free(sv->status);
        *sv = (Supervisor){ 0 };
}
