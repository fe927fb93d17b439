/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "run/desired.h"
#include "run/instance.h"
#include "run/spec-copy.h"
#include "spec/content.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/fd.h"
#include "util/log.h"
#include "util/paths.h"
#include "util/strv.h"

#define ORIGIN_MAX 512

static char *kept_path(const Supervisor *sv) {
        return str_format("%s/spec", sv->run_directory);
}

int desired_keep(const Supervisor *sv, const Spec *desired, Error *reterr) {
        _cleanup_free_ char *path = kept_path(sv);
        int r = path ? remove_tree(AT_FDCWD, path) : -ENOMEM;

        return r < 0 ? r : spec_copy_store(desired, path, reterr);
}

int desired_kept(const Supervisor *sv, Spec **ret) {
        _cleanup_free_ char *path = kept_path(sv);

        return path ? spec_copy_load(sv->name, path, ret) : -ENOMEM;
}

int desired_spec(const Supervisor *sv, Spec **ret, Error *reterr) {
        _cleanup_diags_ SpecDiags diags = SPEC_DIAGS_INIT;
        int r = spec_load(sv->name, NULL, &diags, ret);

        for (size_t i = 0; i < diags.n; i++) {
                _cleanup_free_ char *text = spec_diag_format(&diags.items[i], false);
                bool error = diags.items[i].severity == SPEC_ERROR;

                if (!error || *reterr->text)
                        log_line(error ? LOG_ERR : LOG_WARNING, "%s", text ? text : diags.items[i].text);
                else /* who asked for the spec says it */
                        (void) error_set(reterr, r, "%s", text ? text : diags.items[i].text);
        }
        return r < 0 && !*reterr->text ? error_set_errno(reterr, r, "cannot read the spec") : r;
}

static int no_such_release(const Supervisor *sv, const Spec *desired, unsigned number, Error *reterr) {
        ReleaseRecord *records = NULL;
        char origin[ORIGIN_MAX];
        size_t n = 0;
        int r;

        if (releases_read(sv->name, &records, &n) < 0 || n == 0)
                r = error_set(reterr, -ENOENT, "there is no release %u, nor any other", number);
        else
                r = error_set(reterr, -ENOENT, "there is no release %u; the first that is kept is v%u, the last v%u", number, records[0].number,
                        records[n - 1].number);
        releases_free(records, n);
        if (desired && desired->release.set)
                (void) error_prefix(reterr, "%s", spec_origin_text(desired, desired->release.origin, origin, sizeof(origin)));
        return r;
}

int desired_read(Supervisor *sv, unsigned number, Release **ret_next, Spec **ret_desired, Error *reterr) {
        _cleanup_(spec_freep) Spec *desired = NULL;
        Release *next;
        int r;

        r = number > 0 ? desired_kept(sv, &desired) : desired_spec(sv, &desired, reterr);
        if (r < 0)
                return r;
        if (number == 0 && desired->release.set)
                number = (unsigned) desired->release.value;
        if (number == 0) {
                r = release_new(sv, TAKE_PTR(desired), 0, &next);
                if (r < 0)
                        return r;
        } else {
                r = release_load(sv, number, &next);
                if (r == -ENOENT)
                        return no_such_release(sv, desired, number, reterr);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot read release %u", number);
                next->equals = number;
                next->number = 0;
        }
        *ret_next = next;
        *ret_desired = TAKE_PTR(desired);
        return 0;
}

/* ---- what a release is made of ---- */

/* One that cannot be read keeps the start from happening, which says so. */
static int put_file(Buf *b, const char *path) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        int r = read_file(AT_FDCWD, path, SPEC_FILE_SIZE_MAX, &text, &size);

        if (r < 0 && r != -ENOMEM)
                return 0;
        if (r >= 0)
                r = buf_printf(b, "# %s\n", path);
        if (r >= 0)
                r = buf_append(b, text, size);
        return r < 0 ? r : buf_putc(b, '\n');
}

/* That a secret is another one now is seen by its file: what is in it is nobody's business. */
static int put_secret(Buf *b, const SpecSecret *secret) {
        _cleanup_free_ char *path = str_format(BERTH_SECRET_DIR "/%s", secret->name);
        struct stat st;

        if (!path)
                return -ENOMEM;
        if (stat(path, &st) < 0)
                return 0; /* the start says so */
        return buf_printf(b, "# secret %s %lld.%09ld %lld\n", secret->name, (long long) st.st_mtim.tv_sec, (long) st.st_mtim.tv_nsec,
                (long long) st.st_size);
}

static int content_make(const Supervisor *sv, const Release *next, char **ret) {
        _cleanup_free_ char *lines = NULL;
        _cleanup_buf_ Buf b = BUF_INIT;
        int r;

        if (next->equals > 0)
                return release_content(sv->name, next->equals, ret);
        r = spec_content(sv->name, NULL, &lines);
        if (r >= 0)
                r = buf_puts(&b, lines);
        for (size_t i = 0; i < next->n_processes && r >= 0; i++) {
                const SpecProcess *p = next->processes[i].spec;

                r = buf_printf(&b, "# image %s %s\n", p->name ? p->name : "", next->processes[i].image_id);
                for (size_t k = 0; k < p->environment_files.n && r >= 0; k++)
                        r = put_file(&b, p->environment_files.items[k].path);
                for (size_t k = 0; k < p->secrets.n && r >= 0; k++)
                        r = put_secret(&b, &p->secrets.items[k]);
                if (r >= 0 && p->network_spec)
                        r = buf_printf(&b, "# network %s\n", spec_network_name(p->network_spec));
        }
        if (r < 0)
                return r;
        *ret = buf_steal(&b);
        return *ret ? 0 : -ENOMEM;
}

static bool is_content_of(const Supervisor *sv, unsigned number, const char *content) {
        _cleanup_free_ char *other = NULL;

        return release_content(sv->name, number, &other) >= 0 && streq(content, other);
}

static int images_find(Release *next, Error *reterr) {
        char origin[ORIGIN_MAX];

        for (size_t i = 0; i < next->n_processes; i++) {
                Process *p = &next->processes[i];
                int r;

                if (!p->spec->image.value || p->image)
                        continue;
                r = image_open(NULL, *p->image_id ? p->image_id : p->spec->image.value, &p->image, reterr);
                if (r < 0)
                        return error_prefix(reterr, "%s", spec_origin_text(next->spec, p->spec->image.origin, origin, sizeof(origin)));
                (void) snprintf(p->image_id, sizeof(p->image_id), "%s", p->image->id);
        }
        return 0;
}

/* ---- which release it is ---- */

static int images_text(const Release *next, char **ret) {
        _cleanup_buf_ Buf b = BUF_INIT;
        int r = 0;

        for (size_t i = 0; i < next->n_processes && r >= 0; i++)
                if (*next->processes[i].image_id)
                        r = buf_printf(&b, "%s%s=%s", b.size > 0 ? " " : "", next->processes[i].spec->name ? next->processes[i].spec->name : "",
                                next->processes[i].image_id);
        if (r < 0)
                return r;
        *ret = b.data ? buf_steal(&b) : strdup("");
        return *ret ? 0 : -ENOMEM;
}

static int images_hold(const Supervisor *sv, const Release *next, Error *reterr) {
        _cleanup_free_ char *holder = release_holder(sv->name, next->number);
        int r = holder ? 0 : -ENOMEM;

        for (size_t i = 0; i < next->n_processes && r >= 0; i++)
                if (next->processes[i].image)
                        r = image_hold(next->processes[i].image, holder, reterr);
        return r;
}

static int make(Supervisor *sv, Release *next, const char *content, const Request *request, Error *reterr) {
        _cleanup_release_record_ ReleaseRecord record = { .equals = next->equals };
        int r;

        record.made_usec = clock_usec(CLOCK_REALTIME);
        record.author = strdup(request->author);
        record.means = strdup(request->means);
        record.reason = strdup(request->reason);
        r = record.author && record.means && record.reason ? images_text(next, &record.images) : -ENOMEM;
        if (r >= 0)
                r = release_make(sv->name, &record, next->spec, content, reterr);
        if (r < 0)
                return r;
        next->number = record.number;
        next->new = true;
        return images_hold(sv, next, reterr);
}

/* The newest release of that fate; any is NULL. 0: none. */
static const ReleaseRecord *newest(const ReleaseRecord *records, size_t n, const char *fate) {
        for (size_t i = n; i-- > 0;)
                if (!fate || streq(records[i].fate, fate))
                        return &records[i];
        return NULL;
}

/* At the start of an app: 1 when it is one that is kept. */
static int find_kept(Supervisor *sv, Release **next, const char *content, const ReleaseRecord *records, size_t n, Error *reterr) {
        const ReleaseRecord *last = newest(records, n, NULL), *good = newest(records, n, RELEASE_GOOD);
        Release *release;
        int r;

        if (good && is_content_of(sv, good->number, content)) {
                (*next)->number = good->number;
                return 1;
        }
        if (!last || !is_content_of(sv, last->number, content))
                return 0;
        if (!good || !streq(last->fate, RELEASE_FAILED)) {
                (*next)->number = last->number;
                (*next)->new = true;
                (*next)->prepared = last->prepared;
                return 1;
        }
        log_warning("App '%s': what its files say is v%u, which failed (%s); v%u is started, and 'systemctl reload %s' tries v%u again", sv->name,
                last->number, last->message, good->number, (*next)->spec->service, last->number);
        r = release_load(sv, good->number, &release);
        if (r >= 0)
                r = release_open_ports(sv, release, reterr);
        if (r >= 0)
                r = images_find(release, reterr);
        if (r < 0)
                return r;
        *next = release; /* the other one is not used any more, and goes by itself */
        return 1;
}

static int find_number(Supervisor *sv, Release **next, const char *content, const Request *request, Error *reterr) {
        ReleaseRecord *records = NULL;
        size_t n = 0;
        int r = 0;

        if (sv->release && is_content_of(sv, sv->release->number, content)) {
                *next = sv->release;
                return 0;
        }
        if (!sv->release)
                r = releases_read(sv->name, &records, &n);
        if (r >= 0 && n > 0)
                r = find_kept(sv, next, content, records, n, reterr);
        releases_free(records, n);
        return r == 0 ? make(sv, *next, content, request, reterr) : r;
}

int desired_settle(Supervisor *sv, Release **next, const Spec *desired, const Request *request, Error *reterr) {
        _cleanup_free_ char *content = NULL;
        int r;

        r = images_find(*next, reterr);
        if (r < 0)
                return r;
        r = content_make(sv, *next, &content);
        if (r >= 0)
                r = desired_keep(sv, desired ? desired : (*next)->spec, reterr);
        return r < 0 ? r : find_number(sv, next, content, request, reterr);
}

void desired_prune(const Supervisor *sv, unsigned previous) {
        ReleaseRecord *records = NULL;
        size_t n = 0;

        if (releases_read(sv->name, &records, &n) < 0)
                return;
        for (size_t i = 0; i + sv->wanted.keep_releases < n; i++) {
                bool used = records[i].number == previous || records[i].number == sv->wanted.pinned;

                for (size_t k = 0; k < sv->n_releases && !used; k++)
                        used = sv->releases[k]->number == records[i].number;
                if (!used)
                        (void) release_forget(sv->name, &records[i]);
        }
        releases_free(records, n);
}
