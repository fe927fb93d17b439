/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/polkit.h"

#define POLKIT_ALLOW_USER_INTERACTION 1U

int polkit_ask(sd_bus *bus, sd_bus_message *call, const char *app, const char *verb, sd_bus_message **ret) {
        bool interactive = sd_bus_message_get_allow_interactive_authorization(call) > 0;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *ask = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &ask, "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
                "org.freedesktop.PolicyKit1.Authority", "CheckAuthorization");
        if (r >= 0)
                r = sd_bus_message_append(ask, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                        sd_bus_message_get_sender(call), POLKIT_ACTION, 2, "app", app, "verb", verb,
                        interactive ? POLKIT_ALLOW_USER_INTERACTION : 0U, "");
        if (r < 0)
                return r;
        *ret = TAKE_PTR(ask);
        return 0;
}

int polkit_read(sd_bus_message *reply, const char *app, const char *verb, sd_bus_error *reterr) {
        int authorised = 0, challenge = 0, r;

        if (!sd_bus_message_is_method_error(reply, NULL)) {
                r = sd_bus_message_enter_container(reply, 'r', "bba{ss}");
                if (r >= 0)
                        r = sd_bus_message_read(reply, "bb", &authorised, &challenge);
                if (r < 0)
                        return r;
        }
        if (authorised)
                return 0;
        if (challenge)
                return sd_bus_error_set(reterr, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                        "Interactive authentication required.");
        return sd_bus_error_setf(reterr, SD_BUS_ERROR_ACCESS_DENIED, "You may not %s app '%s'", verb, app);
}
