/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* As firewall_find(), of the rules of iptables-legacy (the kernel's ip_tables, which nftables does not show): "chain 'FORWARD' of
 * iptables-legacy". No module is loaded and no table made by it. 0 or negative errno. */
int firewall_legacy_find(const char *bridge, char **ret);
