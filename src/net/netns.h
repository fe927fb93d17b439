/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sockets of another network namespace. */

/* As socket(2), close-on-exec, in the network namespace that netns is open on, network_namespaces(7). The calling thread is there
 * only meanwhile. A new fd or negative errno. */
int netns_socket(int netns, int domain, int type, int protocol);

/* Writes into a file below /proc/sys/net, whose content is that of the network namespace that netns is open on. 0 or negative errno. */
int netns_write(int netns, const char *path, const char *text);

/* The network namespace of a process. A new fd or negative errno. */
int netns_of(int pid);

/* That of a socket, also when no process of it is left (SIOCGSKNS, Linux 4.10; close-on-exec). A new fd or negative errno. */
int netns_of_socket(int fd);
