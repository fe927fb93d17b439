/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The way from what runs to what the files say: the spec is read, images are fetched, a release is made where there is none like it, its
 * process `release` runs, instances are replaced; and back, where that fails. */

#include "run/supervisor.h"

/* The first release, for a supervisor that has taken nothing over. 0, or negative errno with what is wrong told. */
int rollout_start(Supervisor *sv);

/* After adoption: goes on with what the earlier supervisor had begun. changing: it was on its way. */
int rollout_resume(Supervisor *sv, bool changing);

/* Somebody wants the app to be as its files say now. A control_callback. */
void rollout_reload(void *userdata);

/* One step for all that has happened since the last call. */
void rollout_advance(Supervisor *sv);

/* An instance that was ready has ended badly. */
void rollout_crashed(Supervisor *sv, const Instance *i);

/* The service is being stopped. */
void rollout_cancel(Supervisor *sv);

const Release *rollout_next(const Supervisor *sv); /* of which no instance runs yet but that of its process `release`; NULL: none */
bool rollout_is_changing(const Supervisor *sv);
bool rollout_is_on_trial(const Supervisor *sv); /* it is, and has not failed: what is started now shows whether it works */

void rollout_free(Supervisor *sv);
