/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "run/machine.h"
#include "suite.h"

/* Where instance_settle() may lead. */
static const InstanceState settled[] = { INSTANCE_BACKOFF, INSTANCE_EXITED, INSTANCE_FAILED };

/* Marks all states that can be reached from s. */
static void reach(InstanceState s, bool reached[_INSTANCE_STATE_MAX]) {
        if (reached[s])
                return;
        reached[s] = true;
        for (InstanceEvent e = 0; e < _INSTANCE_EVENT_MAX; e++) {
                const Transition *t = machine_transition(s, e);

                if (!t)
                        continue;
                if (t->action == ACTION_SETTLE)
                        for (size_t i = 0; i < ELEMENTSOF(settled); i++)
                                reach(settled[i], reached);
                else
                        reach(t->next, reached);
        }
}

START_TEST(every_state_can_be_reached) {
        bool reached[_INSTANCE_STATE_MAX] = { 0 };

        reach(INSTANCE_IDLE, reached);
        for (InstanceState s = 0; s < _INSTANCE_STATE_MAX; s++)
                ck_assert_msg(reached[s], "nothing leads to '%s'", instance_state_to_string(s));
}
END_TEST

START_TEST(every_living_state_comes_to_its_end) {
        for (InstanceState s = 0; s < _INSTANCE_STATE_MAX; s++) {
                bool reached[_INSTANCE_STATE_MAX] = { 0 };

                reach(s, reached);
                ck_assert_msg(reached[INSTANCE_EXITED] || !instance_state_alive(s), "'%s' never ends", instance_state_to_string(s));
        }
}
END_TEST

START_TEST(a_stop_is_never_ignored_while_something_runs_or_will) {
        static const InstanceState stopped[] = { INSTANCE_STOPPING, INSTANCE_KILLING, INSTANCE_REAPING, INSTANCE_EXITED,
                INSTANCE_FAILED };

        for (InstanceState s = 0; s < _INSTANCE_STATE_MAX; s++) {
                bool over = false;

                for (size_t i = 0; i < ELEMENTSOF(stopped); i++)
                        over = over || s == stopped[i];
                ck_assert_msg(over == !machine_transition(s, EVENT_STOP), "stop in '%s'", instance_state_to_string(s));
        }
}
END_TEST

START_TEST(the_death_of_the_process_is_seen_in_every_state_that_has_one) {
        for (InstanceState s = INSTANCE_SCOPING; s < INSTANCE_REAPING; s++) {
                const Transition *t = machine_transition(s, EVENT_EXIT);

                ck_assert_ptr_nonnull(t);
                ck_assert_int_eq(t->action, ACTION_REAP);
                ck_assert_int_eq(t->next, INSTANCE_REAPING);
        }
}
END_TEST

START_TEST(the_payload_is_let_go_only_in_its_scope) {
        for (InstanceState s = 0; s < _INSTANCE_STATE_MAX; s++)
                for (InstanceEvent e = 0; e < _INSTANCE_EVENT_MAX; e++) {
                        const Transition *t = machine_transition(s, e);

                        if (t && t->action == ACTION_GO) {
                                ck_assert_int_eq(s, INSTANCE_SCOPING);
                                ck_assert_int_eq(e, EVENT_SCOPED);
                        }
                        /* A second process is never started beside a first. */
                        if (t && t->action == ACTION_SPAWN)
                                ck_assert(!instance_state_alive(s));
                }
}
END_TEST

START_TEST(nothing_waits_for_ever) {
        /* What has been told to end, or has not come to life yet, has a time limit. */
        static const InstanceState limited[] = { INSTANCE_SPAWNING, INSTANCE_SCOPING, INSTANCE_EXECING, INSTANCE_STARTING,
                INSTANCE_STOPPING, INSTANCE_KILLING, INSTANCE_BACKOFF };

        for (size_t i = 0; i < ELEMENTSOF(limited); i++)
                ck_assert_msg(machine_transition(limited[i], EVENT_TIMEOUT), "'%s'", instance_state_to_string(limited[i]));
}
END_TEST

START_TEST(states_and_their_names_belong_together) {
        for (InstanceState s = 0; s < _INSTANCE_STATE_MAX; s++)
                ck_assert_int_eq(instance_state_from_string(instance_state_to_string(s)), s);
        ck_assert_int_eq(instance_state_from_string("nonsense"), _INSTANCE_STATE_INVALID);
        for (InstanceEvent e = 0; e < _INSTANCE_EVENT_MAX; e++)
                ck_assert_ptr_nonnull(instance_event_to_string(e));
}
END_TEST

int main(void) {
        Suite *s = suite_create("machine");
        TCase *t = tcase_create("machine");

        tcase_add_test(t, every_state_can_be_reached);
        tcase_add_test(t, every_living_state_comes_to_its_end);
        tcase_add_test(t, a_stop_is_never_ignored_while_something_runs_or_will);
        tcase_add_test(t, the_death_of_the_process_is_seen_in_every_state_that_has_one);
        tcase_add_test(t, the_payload_is_let_go_only_in_its_scope);
        tcase_add_test(t, nothing_waits_for_ever);
        tcase_add_test(t, states_and_their_names_belong_together);
        suite_add_tcase(s, t);
        return suite_run(s);
}
