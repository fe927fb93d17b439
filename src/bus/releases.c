/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/objects.h"
#include "deploy/rollback.h"

int releases_reply(sd_bus_message *call, const App *app) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_releases_ Releases releases = { 0 };
        int r = releases_read(app->name, &releases.items, &releases.n);

        if (r >= 0)
                r = sd_bus_message_new_method_return(call, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(uutssssss)");
        for (size_t i = releases.n; r >= 0 && i-- > 0;) {
                const ReleaseRecord *q = &releases.items[i];

                r = sd_bus_message_append(reply, "(uutssssss)", q->number, q->equals, q->made_usec, q->author, q->means, q->reason, q->fate,
                        q->message, q->images);
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_message_send(reply);
}
