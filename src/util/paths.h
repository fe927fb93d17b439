/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where berth keeps things; the one place that names them. */

#define BERTH_SPEC_DIRS "/etc/berth:/run/berth/specs:/usr/share/berth" /* in order of precedence */
#define BERTH_STORE "/var/lib/berth/image"
#define BERTH_APP_DIR "/var/lib/berth/app"       /* APP/volume/NAME, APP/instance/INSTANCE/{upper,work} */
#define BERTH_VOLUME_DIR "/var/lib/berth/volume" /* NAME/data: named volumes, kept when the app stops */
#define BERTH_RUN_DIR "/run/berth/app"           /* APP/state and APP/INSTANCE/… */
#define BERTH_MOUNT_DIR "/run/berth/image-mount" /* HEX: images that `berth image mount` mounted */
#define BERTH_IDS_DIR "/run/berth/ids"           /* one file a taken id range */
#define BERTH_CACHE_DIR "/var/cache/berth"       /* compiled seccomp profiles; may be deleted */
#define BERTH_NETWORK_DIR "/var/lib/berth/network" /* NETWORK: its subnets, and one link an address */
#define BERTH_NAME_DIR "/run/berth/name"         /* NETWORK/NAME/ADDRESS: who is up */
#define BERTH_BRIDGE_DIR "/run/berth/network"    /* BRIDGE: one that we made */
#define BERTH_SECRET_DIR "/etc/berth/secrets"    /* NAME: a secret's bytes */
