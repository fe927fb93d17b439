/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "run/formation.h"

static bool is_over(const FormationItem *i) {
        return i->state == INSTANCE_EXITED || i->state == INSTANCE_FAILED;
}

/* It is there, and is meant to stay. */
static bool is_up(const FormationItem *i) {
        return !i->stopping && !is_over(i);
}

static bool is_ready(const FormationItem *i) {
        return !i->stopping && i->state == INSTANCE_READY;
}

/* What is there of one process. */
typedef struct Count {
        unsigned up, ready;
        unsigned old;            /* of another release, to stay or on its way out */
        unsigned target_up, target_ready; /* of the release that is to run */
} Count;

static Count count(size_t process, const FormationItem *items, size_t n) {
        Count c = { 0 };

        for (size_t i = 0; i < n; i++)
                if (items[i].process == process) {
                        c.up += is_up(&items[i]);
                        c.ready += is_ready(&items[i]);
                        c.old += !items[i].target && !is_over(&items[i]);
                        c.target_up += items[i].target && is_up(&items[i]);
                        c.target_ready += items[i].target && is_ready(&items[i]);
                }
        return c;
}

/* Is one of the release that is to run in the place of this index? One that has ended by itself keeps it. */
static const FormationItem *in_place(size_t process, unsigned index, const FormationItem *items, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (items[i].process == process && items[i].target && items[i].index == index && !items[i].stopping)
                        return &items[i];
        return NULL;
}

/* Has each process shown that the release which is to run works? No old instance ends before. */
static bool is_proven(const FormationProcess *processes, size_t n_processes, const FormationItem *items, size_t n) {
        for (size_t k = 0; k < n_processes; k++) {
                const FormationProcess *p = &processes[k];
                Count c = count(k, items, n);

                /* One that has to end an old one first cannot show anything before. */
                if (p->wanted > 0 && !p->recreate && p->surge > 0 && c.old > 0 && c.target_ready == 0)
                        return false;
        }
        return true;
}

/* One more that is not wanted, whatever state the others are in. SIZE_MAX: none. */
static size_t surplus(size_t process, const FormationProcess *p, bool proven, const FormationItem *items, size_t n) {
        for (size_t i = 0; i < n; i++) {
                const FormationItem *item = &items[i];

                if (item->process != process || !is_up(item))
                        continue;
                if (item->target ? item->index > p->wanted : !is_ready(item) || (proven && (p->recreate || p->wanted == 0)))
                        return i;
        }
        return SIZE_MAX;
}

/* The old one that is best replaced first: whose successor is ready, or else the last. SIZE_MAX: none that is ready. */
static size_t replaceable(size_t process, const FormationItem *items, size_t n) {
        size_t last = SIZE_MAX;

        for (size_t i = 0; i < n; i++) {
                const FormationItem *item = &items[i], *successor;

                if (item->process != process || item->target || !is_ready(item))
                        continue;
                successor = in_place(process, item->index, items, n);
                if (successor && is_ready(successor))
                        return i;
                if (last == SIZE_MAX || item->index > items[last].index)
                        last = i;
        }
        return last;
}

/* The lowest index whose place is empty; 0: none is. */
static unsigned missing(size_t process, const FormationProcess *p, const FormationItem *items, size_t n) {
        for (unsigned index = 1; index <= p->wanted; index++)
                if (!in_place(process, index, items, n))
                        return index;
        return 0;
}

/* With recreate, one is started where nothing is left of an old release, and of its own index. */
static bool may_start(size_t process, const FormationProcess *p, const Count *c, unsigned index, const FormationItem *items, size_t n) {
        if (!p->recreate)
                return c->up < p->wanted + p->surge;
        for (size_t i = 0; i < n; i++)
                if (items[i].process == process && items[i].target && items[i].index == index && !is_over(&items[i]))
                        return false;
        return c->old == 0;
}

static FormationStep process_step(size_t process, const FormationProcess *p, bool proven, const FormationItem *items, size_t n) {
        FormationStep step = { .act = FORMATION_STOP, .process = process };
        Count c = count(process, items, n);
        bool has_room = c.target_up > 0 || c.up < p->wanted + p->surge; /* for a new one beside the old ones */

        step.item = surplus(process, p, proven, items, n);
        if (step.item != SIZE_MAX)
                return step;
        if (!p->recreate && (proven || p->surge == 0 || !has_room) && c.ready > 0 && c.ready - 1 + p->unavailable >= p->wanted) {
                step.item = replaceable(process, items, n);
                if (step.item != SIZE_MAX)
                        return step;
        }
        step.index = missing(process, p, items, n);
        step.act = step.index > 0 && may_start(process, p, &c, step.index, items, n) ? FORMATION_START : FORMATION_WAIT;
        return step;
}

FormationStep formation_step(const FormationProcess *processes, size_t n_processes, const FormationItem *items, size_t n_items) {
        bool proven;

        for (size_t i = 0; i < n_items; i++)
                if (items[i].process == SIZE_MAX && is_up(&items[i]))
                        return (FormationStep){ .act = FORMATION_STOP, .item = i };
        proven = is_proven(processes, n_processes, items, n_items);
        for (size_t k = 0; k < n_processes; k++) {
                FormationStep step = process_step(k, &processes[k], proven, items, n_items);

                if (step.act != FORMATION_WAIT)
                        return step;
        }
        return (FormationStep){ .act = FORMATION_WAIT };
}

bool formation_is_reached(const FormationProcess *processes, size_t n_processes, const FormationItem *items, size_t n_items) {
        for (size_t i = 0; i < n_items; i++)
                if (!items[i].target || items[i].stopping || items[i].process == SIZE_MAX)
                        if (!is_over(&items[i]))
                                return false;
        for (size_t k = 0; k < n_processes; k++)
                for (unsigned index = 1; index <= processes[k].wanted; index++) {
                        const FormationItem *item = in_place(k, index, items, n_items);

                        if (!item || (item->state != INSTANCE_READY && item->state != INSTANCE_EXITED))
                                return false;
                }
        return true;
}
