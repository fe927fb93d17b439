/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Other people's rules: what a chain drops is dropped, whatever ours let through. */

/* Whose chain at the forward hook drops what no rule lets through, by its policy or by its last rule, while nothing in its table names the
 * bridge: "nftables chain 'ip filter FORWARD'", or what firewall_legacy_find() says. The caller frees; NULL: nobody's. 0 or negative errno. */
int firewall_find(const char *bridge, char **ret);
