/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/transfer.h"
#include "util/strv.h"

#define REDRAW_MS 100
#define JSON_EVERY_MS 500
#define RATE_MS 1000 /* the rate is measured over so long at least */
#define ROWS_MAX 64  /* layers that can be under way */
#define SHORT_DIGEST 12
#define BAR_WIDTH 24
#define COLUMNS_DEFAULT 80

/* A layer under way. */
typedef struct Row {
        size_t number; /* 0: free */
        char digest[72];
        LayerState state;
        uint64_t bytes, total;
        uint64_t rate, rate_bytes;
        int64_t rate_at, told_at;
} Row;

struct Transfer {
        TransferOutput output;
        TransferDirection direction;
        bool terminal;
        Row rows[ROWS_MAX];
        size_t drawn; /* lines that are to be rewritten */
        int64_t drawn_at;
};

static int64_t now_ms(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

Transfer *transfer_new(TransferOutput output, TransferDirection direction) {
        Transfer *t = calloc(1, sizeof(*t));
        const char *term = getenv("TERM");

        if (t) {
                t->output = output;
                t->direction = direction;
                t->terminal = output == TRANSFER_LINES && isatty(STDERR_FILENO) && term && !streq(term, "dumb");
        }
        return t;
}

static void erase(Transfer *t) {
        if (t->drawn > 0)
                fprintf(stderr, "\r\033[%zuA\033[J", t->drawn);
        t->drawn = 0;
}

Transfer *transfer_free(Transfer *t) {
        if (t)
                erase(t);
        free(t);
        return NULL;
}

static int terminal_columns(void) {
        struct winsize size;

        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) >= 0 && size.ws_col > 0 ? size.ws_col : COLUMNS_DEFAULT;
}

static void draw_row(const Row *row, int columns) {
        char line[256], bytes[32], total[32], rate[32], bar[BAR_WIDTH + 1];
        size_t full = row->total > 0 ? (size_t) ((double) MIN(row->bytes, row->total) / (double) row->total * BAR_WIDTH) : 0;

        size_text(row->bytes, bytes);
        size_text(row->total, total);
        size_text(row->rate, rate);
        memset(bar, ' ', BAR_WIDTH);
        memset(bar, '#', full);
        bar[BAR_WIDTH] = 0;
        if (row->state == LAYER_WAITING)
                (void) snprintf(line, sizeof(line), "%.*s  another process is at it", SHORT_DIGEST, row->digest + STRLEN("sha256:"));
        else
                (void) snprintf(line, sizeof(line), "%.*s  [%s]  %s/%s  %s/s", SHORT_DIGEST, row->digest + STRLEN("sha256:"), bar, bytes,
                        total, rate);
        fprintf(stderr, "%.*s\n", columns - 1, line);
}

static void draw(Transfer *t) {
        int columns = terminal_columns();

        for (size_t i = 0; i < ROWS_MAX; i++)
                if (t->rows[i].number > 0) {
                        draw_row(t->rows + i, columns);
                        t->drawn++;
                }
        t->drawn_at = now_ms();
        (void) fflush(stderr);
}

static void redraw(Transfer *t) {
        erase(t);
        draw(t);
}

static Row *row_of(Transfer *t, const LayerEvent *e) {
        Row *free_row = NULL;

        for (size_t i = 0; i < ROWS_MAX; i++) {
                if (t->rows[i].number == e->number)
                        return t->rows + i;
                if (t->rows[i].number == 0 && !free_row)
                        free_row = t->rows + i;
        }
        if (free_row) {
                *free_row = (Row){ .number = e->number, .rate_at = now_ms() };
                (void) snprintf(free_row->digest, sizeof(free_row->digest), "%s", e->digest);
        }
        return free_row;
}

static void measure(Row *row, const LayerEvent *e) {
        int64_t now = now_ms(), passed = now - row->rate_at;

        if (row->state != e->state) {
                row->rate_at = now;
                row->rate_bytes = e->bytes;
        } else if (passed >= RATE_MS) {
                row->rate = (e->bytes - MIN(e->bytes, row->rate_bytes)) * 1000 / (uint64_t) passed;
                row->rate_at = now;
                row->rate_bytes = e->bytes;
        } else if (row->rate == 0 && passed > 0)
                row->rate = 0;
        row->state = e->state;
        row->bytes = e->bytes;
        row->total = e->total;
}

static const char *const state_names[_LAYER_STATE_MAX] = {
        [LAYER_WAITING] = "waiting",
        [LAYER_RUNNING] = "running",
        [LAYER_DONE] = "done",
        [LAYER_PRESENT] = "present",
        [LAYER_MOUNTED] = "mounted",
};

static bool is_over(LayerState state) {
        return state == LAYER_DONE || state == LAYER_PRESENT || state == LAYER_MOUNTED;
}

static void say_layer(const LayerEvent *e) {
        static const char *const words[_LAYER_STATE_MAX] = {
                [LAYER_WAITING] = "waiting for another process that is at it",
                [LAYER_RUNNING] = "begun",
                [LAYER_DONE] = "done",
                [LAYER_PRESENT] = "is there already",
                [LAYER_MOUNTED] = "taken from another repository there",
        };
        char size[32];

        size_text(e->total, size);
        fprintf(stderr, "layer %zu/%zu %.*s: %s, %s\n", e->number, e->count, SHORT_DIGEST, e->digest + STRLEN("sha256:"),
                words[e->state], size);
}

static void json_line(Buf *b) {
        if (buf_puts(b, "}\n") < 0)
                return;
        (void) fwrite(b->data, 1, b->size, stdout);
        (void) fflush(stdout);
}

static void json_layer(const LayerEvent *e) {
        _cleanup_buf_ Buf b = BUF_INIT;

        if (buf_printf(&b, "{\"event\":\"layer\",\"number\":%zu,\"count\":%zu,\"digest\":\"%s\",\"state\":\"%s\",\"bytes\":%llu,\"total\":%llu",
                    e->number, e->count, e->digest, state_names[e->state], (unsigned long long) e->bytes,
                    (unsigned long long) e->total) >= 0)
                json_line(&b);
}

static void on_layer(void *userdata, const LayerEvent *e) {
        Transfer *t = userdata;
        Row *row = row_of(t, e);
        bool changed;

        if (!row)
                return;
        changed = row->told_at == 0 || row->state != e->state;
        measure(row, e);
        if (t->output == TRANSFER_JSON) {
                if (changed || now_ms() - row->told_at >= JSON_EVERY_MS) {
                        json_layer(e);
                        row->told_at = now_ms();
                }
        } else if (!t->terminal) {
                if (changed && t->output == TRANSFER_LINES && e->state != LAYER_RUNNING)
                        say_layer(e);
                row->told_at = now_ms();
        } else if (is_over(e->state)) {
                erase(t);
                say_layer(e);
        } else if (changed || now_ms() - t->drawn_at >= REDRAW_MS) {
                row->told_at = now_ms();
                redraw(t);
        }
        if (is_over(e->state)) {
                row->number = 0;
                if (t->terminal)
                        draw(t);
        }
}

static void say(Transfer *t, const char *event, const char *prefix, const char *sentence) {
        _cleanup_buf_ Buf b = BUF_INIT;

        if (t->output == TRANSFER_JSON) {
                if (buf_printf(&b, "{\"event\":\"%s\",\"text\":", event) >= 0 && json_quote(&b, sentence) >= 0)
                        json_line(&b);
                return;
        }
        erase(t);
        fprintf(stderr, "berth: %s%s\n", prefix, sentence);
        if (t->terminal)
                draw(t);
}

static void on_notice(void *userdata, const char *sentence) {
        Transfer *t = userdata;

        if (t->output != TRANSFER_QUIET)
                say(t, "notice", "", sentence);
}

/* Also for who wants to hear of no progress. */
static void on_warning(void *userdata, const char *sentence) {
        say(userdata, "warning", "warning: ", sentence);
}

static void on_image(void *userdata, const char *host, size_t n_layers) {
        Transfer *t = userdata;
        _cleanup_buf_ Buf b = BUF_INIT;

        if (t->output == TRANSFER_JSON) {
                if (buf_printf(&b, "{\"event\":\"begin\",\"%s\":", t->direction == TRANSFER_PUSH ? "to" : "from") >= 0 && json_quote(&b, host) >= 0 &&
                        buf_printf(&b, ",\"layers\":%zu", n_layers) >= 0)
                        json_line(&b);
        } else if (t->output == TRANSFER_LINES)
                fprintf(stderr, "%s: %zu layer%s\n", host, n_layers, n_layers == 1 ? "" : "s");
}

Events transfer_events(Transfer *t) {
        return (Events){ .notice = on_notice, .warning = on_warning, .image = on_image, .layer = on_layer, .userdata = t };
}

void transfer_image(Transfer *t, const char *name, const char *id, const char *digest) {
        _cleanup_buf_ Buf b = BUF_INIT;

        erase(t);
        if (t->output != TRANSFER_JSON)
                printf("%s\n", name ? name : id);
        else if (buf_puts(&b, "{\"event\":\"image\",\"name\":") >= 0 && json_quote(&b, name) >= 0 && buf_puts(&b, ",\"id\":") >= 0 &&
                json_quote(&b, id) >= 0 && buf_puts(&b, ",\"digest\":") >= 0 && json_quote(&b, digest) >= 0)
                json_line(&b);
}

int transfer_failed(Transfer *t, const char *sentence) {
        _cleanup_buf_ Buf b = BUF_INIT;

        erase(t);
        if (t->output == TRANSFER_JSON && buf_puts(&b, "{\"event\":\"error\",\"text\":") >= 0 && json_quote(&b, sentence) >= 0)
                json_line(&b);
        return cli_fail("%s", sentence);
}
