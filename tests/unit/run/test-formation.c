/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <stdlib.h>

#include "run/backoff.h"
#include "run/formation.h"
#include "run/machine.h"
#include "suite.h"
#include "util/macro.h"

#define PROCESSES 3
#define WANTED_MAX 5
#define ITEMS_MAX 512
#define EVENTS 2000000
#define PAUSE_MAX ((uint64_t) 60 * 1000 * 1000) /* microseconds */

static FormationProcess processes[PROCESSES];
static FormationItem items[ITEMS_MAX];
static int releases[ITEMS_MAX]; /* of the items */
static struct {
        Backoff backoff;
        uint64_t started; /* by the clock of this test */
        uint64_t until;   /* it pauses */
} pauses[ITEMS_MAX];    /* of the items */
static uint64_t now;    /* microseconds; goes on by chance */
static unsigned long reached[_INSTANCE_STATE_MAX][_INSTANCE_EVENT_MAX]; /* how often each entry of the table was */
static size_t n_items;
static int release;             /* that is to run */

static unsigned chance(unsigned of) {
        return (unsigned) random() % of;
}

static bool is_over(const FormationItem *i) {
        return i->state == INSTANCE_EXITED || i->state == INSTANCE_FAILED;
}

/* How many of a process are ready and not told to stop, and how many there are to stay. */
static unsigned count(size_t process, bool ready) {
        unsigned n = 0;

        for (size_t i = 0; i < n_items; i++)
                n += items[i].process == process && !items[i].stopping && (ready ? items[i].state == INSTANCE_READY : !is_over(&items[i]));
        return n;
}

/* What has ended and is in nobody's place is forgotten, as the supervisor does. */
static void forget(void) {
        size_t kept = 0;

        for (size_t i = 0; i < n_items; i++)
                if (!is_over(&items[i]) || (items[i].target && !items[i].stopping)) {
                        releases[kept] = releases[i];
                        pauses[kept] = pauses[i];
                        items[kept++] = items[i];
                }
        n_items = kept;
}

/* It pauses before it is started again; nothing is ever started more often than that. */
static void pause_begin(size_t k) {
        static const Spec spec = { 0 };
        uint64_t before = pauses[k].backoff.delay_usec, ran = now - pauses[k].started;

        ck_assert(backoff_next(&pauses[k].backoff, &spec, now, ran));
        ck_assert(pauses[k].backoff.delay_usec <= PAUSE_MAX);
        ck_assert(ran >= PAUSE_MAX || pauses[k].backoff.delay_usec >= before || ran > before);
        pauses[k].until = now + pauses[k].backoff.delay_usec;
}

static void settle(FormationItem *i, bool fair) {
        static const InstanceState ends[] = { INSTANCE_BACKOFF, INSTANCE_BACKOFF, INSTANCE_EXITED, INSTANCE_FAILED };

        i->state = i->stopping ? INSTANCE_EXITED : fair ? INSTANCE_BACKOFF : ends[chance(ELEMENTSOF(ends))];
        if (i->state == INSTANCE_BACKOFF)
                pause_begin((size_t) (i - items));
}

static void happen(FormationItem *i, InstanceEvent event, bool fair) {
        const Transition *t = machine_transition(i->state, event);

        reached[i->state][event]++;
        if (i->state == INSTANCE_BACKOFF && event == EVENT_TIMEOUT && now < pauses[i - items].until)
                return; /* not yet */
        if (event == EVENT_STOP)
                i->stopping = true;
        else if (event == EVENT_START)
                i->stopping = false;
        if (!t)
                return;
        if (t->action == ACTION_SPAWN)
                pauses[i - items].started = now;
        if (t->action == ACTION_SETTLE)
                settle(i, fair);
        else
                i->state = t->next;
}

/* No old one that serves ends before the new release has shown in each process that it works; but where there is no room to show it. */
static void check_proven(size_t process) {
        const FormationProcess *own = &processes[process];
        bool room = own->recreate || count(process, false) < own->wanted + own->surge;

        for (size_t k = 0; k < PROCESSES; k++) {
                bool old = false, shown = false;

                for (size_t i = 0; i < n_items; i++)
                        if (items[i].process == k) {
                                old = old || (!items[i].target && !is_over(&items[i]));
                                shown = shown || (items[i].target && !items[i].stopping && items[i].state == INSTANCE_READY);
                                room = room || (k == process && items[i].target && !items[i].stopping && !is_over(&items[i]));
                        }
                if (room && own->surge > 0 && old && !shown && processes[k].surge > 0 && !processes[k].recreate)
                        ck_assert_uint_eq(processes[k].wanted, 0);
        }
}

static void check_stop(const FormationItem *i) {
        const FormationProcess *p = &processes[i->process];

        ck_assert(!i->stopping && !is_over(i));
        if (i->target)
                ck_assert_uint_gt(i->index, p->wanted);
        else if (!p->recreate && p->wanted > 0 && i->state == INSTANCE_READY)
                ck_assert_uint_ge(count(i->process, true) - 1 + p->unavailable, p->wanted);
        if (!i->target && i->state == INSTANCE_READY)
                check_proven(i->process);
}

static void check_start(const FormationStep *step) {
        const FormationProcess *p = &processes[step->process];

        ck_assert_uint_ge(step->index, 1);
        ck_assert_uint_le(step->index, p->wanted);
        if (!p->recreate)
                ck_assert_uint_lt(count(step->process, false), p->wanted + p->surge);
        for (size_t i = 0; i < n_items; i++) {
                if (items[i].process != step->process || is_over(&items[i]))
                        continue;
                if (items[i].target && items[i].index == step->index)
                        ck_assert(items[i].stopping && !p->recreate);
                if (p->recreate)
                        ck_assert(items[i].target);
        }
}

/* All steps that are to be made now. */
static void act(void) {
        for (;;) {
                FormationStep step = formation_step(processes, PROCESSES, items, n_items);

                if (step.act == FORMATION_WAIT)
                        return;
                if (step.act == FORMATION_STOP) {
                        check_stop(&items[step.item]);
                        happen(&items[step.item], EVENT_STOP, false);
                } else {
                        check_start(&step);
                        forget();
                        ck_assert_uint_lt(n_items, ITEMS_MAX);
                        releases[n_items] = release;
                        pauses[n_items].backoff = (Backoff){ 0 };
                        items[n_items] = (FormationItem){ .process = step.process, .index = step.index, .target = true };
                        if (chance(20) > 0) /* or it comes to it later */
                                happen(&items[n_items], EVENT_START, false);
                        n_items++;
                }
                forget();
        }
}

static void target(int next) {
        release = next;
        for (size_t i = 0; i < n_items; i++)
                items[i].target = releases[i] == release;
        forget();
}

/* Another formation, release, or back to an earlier one. */
static void decide(void) {
        FormationProcess *p = &processes[chance(PROCESSES)];

        switch (chance(4)) {
        case 0:
                target(release + 1);
                break;
        case 1:
                target(release > 0 ? release - 1 : 0);
                break;
        default:
                p->wanted = chance(WANTED_MAX + 1);
                p->recreate = chance(4) == 0;
                p->surge = chance(3);
                p->unavailable = p->surge == 0 ? 1 + chance(2) : chance(2);
        }
}

/* What comes next to an instance that nothing befalls. */
static InstanceEvent next_event(const FormationItem *i) {
        switch (i->state) {
        case INSTANCE_IDLE:
                return EVENT_START;
        case INSTANCE_BACKOFF:
                return EVENT_TIMEOUT;
        case INSTANCE_SPAWNING:
                return EVENT_PID;
        case INSTANCE_SCOPING:
                return EVENT_SCOPED;
        case INSTANCE_EXECING:
                return EVENT_EXECED;
        case INSTANCE_STARTING:
                return EVENT_READY;
        case INSTANCE_STOPPING:
        case INSTANCE_KILLING:
                return EVENT_EXIT;
        case INSTANCE_REAPING:
                return EVENT_GONE;
        case INSTANCE_READY:
        case INSTANCE_EXITED:
        case INSTANCE_FAILED:
        case _INSTANCE_STATE_MAX:
        case _INSTANCE_STATE_INVALID:
                break;
        }
        return EVENT_READY;
}

/* With nothing in the way, all comes to be as it shall be. One that failed for good is started anew by a new release. */
static void converge(void) {
        target(release + 2);
        for (unsigned i = 0;; i++) {
                act();
                if (formation_is_reached(processes, PROCESSES, items, n_items))
                        return;
                ck_assert_uint_lt(i, 10000);
                now += PAUSE_MAX / 4;
                for (size_t k = 0; k < n_items; k++)
                        happen(&items[k], next_event(&items[k]), true);
                forget();
        }
}

static void check_reached(void) {
        for (size_t k = 0; k < PROCESSES; k++) {
                ck_assert_uint_eq(count(k, true), processes[k].wanted);
                ck_assert_uint_eq(count(k, false), processes[k].wanted);
        }
        for (size_t i = 0; i < n_items; i++)
                ck_assert_int_eq(releases[i], release);
}

/* Each entry of the table was reached, those that mean nothing too. */
static void check_table(void) {
        for (InstanceState s = 0; s < _INSTANCE_STATE_MAX; s++)
                for (InstanceEvent e = 0; e < _INSTANCE_EVENT_MAX; e++)
                        ck_assert_msg(reached[s][e] > 0, "'%s' in '%s'", instance_event_to_string(e), instance_state_to_string(s));
}

START_TEST(whatever_happens_the_rules_hold_and_all_comes_to_rest) {
        unsigned long events = 0;

        srandom(1);
        memset(reached, 0, sizeof(reached));
        now = 1;
        n_items = 0;
        release = 0;
        for (size_t k = 0; k < PROCESSES; k++)
                processes[k] = (FormationProcess){ .wanted = 1, .surge = 1 };
        while (events < EVENTS) {
                for (unsigned n = chance(400); n > 0; n--, events++) {
                        if (chance(12) == 0)
                                decide();
                        act();
                        now += chance(1000) == 0 ? PAUSE_MAX : chance(100000);
                        if (n_items > 0) {
                                FormationItem *i = &items[chance((unsigned) n_items)];

                                /* Mostly all goes well, or hardly any would come to be ready. */
                                happen(i, chance(3) > 0 ? next_event(i) : (InstanceEvent) chance(_INSTANCE_EVENT_MAX), false);
                        }
                        forget();
                }
                converge();
                check_reached();
        }
        check_table();
}
END_TEST

/* One ready instance of an old release. */
static FormationItem old(unsigned index) {
        return (FormationItem){ .index = index, .state = INSTANCE_READY };
}

START_TEST(the_new_one_comes_before_the_old_one_goes) {
        FormationProcess p = { .wanted = 1, .surge = 1 };
        FormationItem all[2] = { old(1) };
        FormationStep step = formation_step(&p, 1, all, 1);

        ck_assert_int_eq(step.act, FORMATION_START);
        all[1] = (FormationItem){ .index = 1, .target = true, .state = INSTANCE_STARTING };
        ck_assert_int_eq(formation_step(&p, 1, all, 2).act, FORMATION_WAIT);
        all[1].state = INSTANCE_READY;
        step = formation_step(&p, 1, all, 2);
        ck_assert_int_eq(step.act, FORMATION_STOP);
        ck_assert_uint_eq(step.item, 0);
        ck_assert(!formation_is_reached(&p, 1, all, 2));
}
END_TEST

START_TEST(with_recreate_the_old_one_is_gone_first) {
        FormationProcess p = { .wanted = 1, .surge = 1, .recreate = true };
        FormationItem all[1] = { old(1) };

        ck_assert_int_eq(formation_step(&p, 1, all, 1).act, FORMATION_STOP);
        all[0].stopping = true;
        all[0].state = INSTANCE_REAPING;
        ck_assert_int_eq(formation_step(&p, 1, all, 1).act, FORMATION_WAIT);
        all[0].state = INSTANCE_EXITED;
        ck_assert_int_eq(formation_step(&p, 1, all, 1).act, FORMATION_START);
}
END_TEST

START_TEST(what_no_process_has_is_stopped) {
        FormationItem all[1] = { old(1) };
        FormationStep step;

        all[0].process = SIZE_MAX;
        step = formation_step(NULL, 0, all, 1);
        ck_assert_int_eq(step.act, FORMATION_STOP);
        ck_assert(!formation_is_reached(NULL, 0, all, 1));
        ck_assert(formation_is_reached(NULL, 0, NULL, 0));
}
END_TEST

int main(void) {
        Suite *s = suite_create("formation");
        TCase *t = tcase_create("formation");

        tcase_set_timeout(t, 120);
        tcase_add_test(t, whatever_happens_the_rules_hold_and_all_comes_to_rest);
        tcase_add_test(t, the_new_one_comes_before_the_old_one_goes);
        tcase_add_test(t, with_recreate_the_old_one_is_gone_first);
        tcase_add_test(t, what_no_process_has_is_stopped);
        suite_add_tcase(s, t);
        return suite_run(s);
}
