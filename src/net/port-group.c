/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <netinet/in.h>
#include <netinet/ip.h>
#include <linux/if_ether.h>
#include <linux/in6.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/bpf.h"
#include "net/port-group.h"
#include "net/socket.h"
#include "util/fd.h"

#define MAP_SIZE ((uint32_t) _PORT_KIND_MAX * PORT_SLOTS)

/* What marks a probe. The IPv6 label ends in the slot; no class of 0xd4 is assigned (IANA's DSCP registry). */
#define PROBE_NETWORK 0x7f62U          /* 127.98 */
#define PROBE_CLASS 0xd4U
#define PROBE_LABEL 0x62U              /* the first 8 bits of 20 */
#define PROBE_LABEL_BITS 12U

static_assert(PORT_SLOTS <= 1U << PROBE_LABEL_BITS, "a slot's number is a part of the label");

static uint32_t map_key(PortKind kind, unsigned slot) {
        return (uint32_t) kind * PORT_SLOTS + slot;
}

int port_group_open(void) {
        return bpf_map_create(BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, sizeof(uint64_t), MAP_SIZE);
}

bool port_group_is_map(int fd) {
        uint64_t cookie;
        int r = bpf_map_get(fd, MAP_SIZE, &cookie);

        return r == -ENOENT; /* no map: -EINVAL */
}

int port_group_put(const Port *p, PortKind kind, unsigned slot, int fd) {
        uint64_t value = (uint64_t) fd;

        return bpf_map_set(p->map, map_key(kind, slot), &value);
}

void port_group_remove(const Port *p, PortKind kind, unsigned slot) {
        (void) bpf_map_delete(p->map, map_key(kind, slot));
}

/* ---- the program ---- */

/* Places to jump to; while the program is written a jump has their number, and behind it where they are. */
typedef enum Label {
        LABEL_IPV6,
        LABEL_PROBE,
        LABEL_LIVE,
        LABEL_NEXT,
        LABEL_TRY,
        LABEL_PARKED,
        LABEL_PASS,
        LABEL_DROP,
        _LABEL_MAX,
} Label;

#define INSNS_MAX 96U

typedef struct Program {
        struct bpf_insn insns[INSNS_MAX];
        bool jumps[INSNS_MAX]; /* to a label */
        size_t n;
        size_t places[_LABEL_MAX];
} Program;

static void put(Program *w, struct bpf_insn insn) {
        assert(w->n < INSNS_MAX);
        w->insns[w->n++] = insn;
}

static void put_jump(Program *w, struct bpf_insn insn) {
        w->jumps[w->n] = true;
        put(w, insn);
}

static void put_label(Program *w, Label l) {
        w->places[l] = w->n;
}

static void put_map(Program *w, unsigned reg, int map) {
        put(w, (struct bpf_insn){ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = reg & 0xf, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map });
        put(w, (struct bpf_insn){ 0 });
}

static void put_end(Program *w) {
        for (size_t i = 0; i < w->n; i++)
                if (w->jumps[i])
                        w->insns[i].off = (int16_t) (w->places[w->insns[i].off] - i - 1);
}

#define NUMBER (-4) /* on the stack: a slot's number in the map, or four bytes of the packet */
#define PLACE (-8)  /* a place in the list */

/* Four bytes of the packet, from the network header on, into register 2; or on to the live ones. */
static void put_packet(Program *w, int offset) {
        put(w, BPF_COPY(1, 6));
        put(w, BPF_SET(2, offset));
        put(w, BPF_COPY(3, 10));
        put(w, BPF_MATH(BPF_ADD, 3, NUMBER));
        put(w, BPF_SET(4, 4));
        put(w, BPF_SET(5, BPF_HDR_START_NET));
        put(w, BPF_RUN(BPF_FUNC_skb_load_bytes_relative));
        put_jump(w, BPF_SKIP_IF(BPF_JNE, 0, 0, LABEL_LIVE));
        put(w, BPF_LOAD(BPF_W, 2, 10, NUMBER));
        put(w, BPF_BIG_ENDIAN(2));
        put(w, BPF_COPY(3, 2));
}

/* The socket whose number is on the stack. Register 0: 0, or that there is none. */
static void put_select(Program *w, int map) {
        put(w, BPF_COPY(1, 6));
        put_map(w, 2, map);
        put(w, BPF_COPY(3, 10));
        put(w, BPF_MATH(BPF_ADD, 3, NUMBER));
        put(w, BPF_SET(4, 0));
        put(w, BPF_RUN(BPF_FUNC_sk_select_reuseport));
}

/* What is migrated has no packet. */
static void put_probe(Program *w, const Port *p, PortKind kind) {
        put(w, BPF_LOAD(BPF_DW, 2, 6, offsetof(struct sk_reuseport_md, migrating_sk)));
        put_jump(w, BPF_SKIP_IF(BPF_JNE, 2, 0, LABEL_LIVE));
        put(w, BPF_LOAD(BPF_W, 2, 6, offsetof(struct sk_reuseport_md, eth_protocol)));
        put_jump(w, BPF_SKIP_IF(BPF_JEQ, 2, htons(ETH_P_IPV6), LABEL_IPV6));
        put_jump(w, BPF_SKIP_IF(BPF_JNE, 2, htons(ETH_P_IP), LABEL_LIVE));
        put_packet(w, offsetof(struct iphdr, saddr));
        put(w, BPF_MATH(BPF_RSH, 3, 16));
        put_jump(w, BPF_SKIP_IF(BPF_JNE, 3, PROBE_NETWORK, LABEL_LIVE));
        put(w, BPF_MATH(BPF_AND, 2, 0xffff));
        put_jump(w, BPF_SKIP(LABEL_PROBE));
        put_label(w, LABEL_IPV6);
        put_packet(w, 0); /* version, class, label */
        put(w, BPF_MATH(BPF_RSH, 3, PROBE_LABEL_BITS));
        put_jump(w, BPF_SKIP_IF(BPF_JNE, 3, 6 << 16 | PROBE_CLASS << 8 | PROBE_LABEL, LABEL_LIVE));
        put(w, BPF_MATH(BPF_AND, 2, (1 << PROBE_LABEL_BITS) - 1));
        put_label(w, LABEL_PROBE);
        put_jump(w, BPF_SKIP_IF(BPF_JGE, 2, PORT_SLOTS, LABEL_DROP));
        put(w, BPF_MATH(BPF_ADD, 2, map_key(kind, 0)));
        put(w, BPF_STORE(BPF_W, 10, NUMBER, 2));
        put_select(w, p->map);
        put_jump(w, BPF_SKIP_IF(BPF_JNE, 0, 0, LABEL_DROP));
        put_jump(w, BPF_SKIP(LABEL_PASS));
}

/* Begins where the hash says, and goes on to the next where that one is dead already. */
static void put_live(Program *w, const Port *p, int list, uint32_t n) {
        put(w, BPF_LOAD(BPF_W, 7, 6, offsetof(struct sk_reuseport_md, hash)));
        put(w, BPF_MATH(BPF_MUL, 7, n));
        put(w, BPF_MATH(BPF_RSH, 7, 32));
        put(w, BPF_SET(8, n));
        put_label(w, LABEL_TRY);
        put(w, BPF_STORE(BPF_W, 10, PLACE, 7));
        put_map(w, 1, list);
        put(w, BPF_COPY(2, 10));
        put(w, BPF_MATH(BPF_ADD, 2, PLACE));
        put(w, BPF_RUN(BPF_FUNC_map_lookup_elem));
        put_jump(w, BPF_SKIP_IF(BPF_JEQ, 0, 0, LABEL_PARKED));
        put(w, BPF_LOAD(BPF_W, 2, 0, 0));
        put(w, BPF_STORE(BPF_W, 10, NUMBER, 2));
        put_select(w, p->map);
        put_jump(w, BPF_SKIP_IF(BPF_JEQ, 0, 0, LABEL_PASS));
        put(w, BPF_MATH(BPF_ADD, 7, 1));
        put_jump(w, BPF_SKIP_IF(BPF_JLT, 7, n, LABEL_NEXT));
        put(w, BPF_SET(7, 0));
        put_label(w, LABEL_NEXT);
        put(w, BPF_MATH(BPF_SUB, 8, 1));
        put_jump(w, BPF_SKIP_IF(BPF_JNE, 8, 0, LABEL_TRY));
}

static int program_load(const Port *p, PortKind kind, int list, uint32_t n) {
        Program w = { 0 };

        put(&w, BPF_COPY(6, 1));
        put_probe(&w, p, kind);
        put_label(&w, LABEL_LIVE);
        if (n > 0)
                put_live(&w, p, list, n);
        put_label(&w, LABEL_PARKED);
        put(&w, BPF_SET(2, map_key(kind, PORT_PARKED)));
        put(&w, BPF_STORE(BPF_W, 10, NUMBER, 2));
        put_select(&w, p->map);
        put_label(&w, LABEL_PASS);
        put(&w, BPF_SET(0, SK_PASS));
        put(&w, BPF_LEAVE);
        put_label(&w, LABEL_DROP);
        put(&w, BPF_SET(0, SK_DROP));
        put(&w, BPF_LEAVE);
        put_end(&w);
        return bpf_program_load(BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT_OR_MIGRATE, w.insns, w.n);
}

/* ---- steering ---- */

static int list_make(const uint32_t *keys, uint32_t n) {
        _cleanup_close_ int list = bpf_map_create(BPF_MAP_TYPE_ARRAY, sizeof(uint32_t), n);
        int r = list < 0 ? list : 0;

        for (uint32_t i = 0; i < n && r >= 0; i++)
                r = bpf_map_set(list, i, &keys[i]);
        return r < 0 ? r : TAKE_FD(list);
}

int port_group_steer(const Port *p, PortKind kind) {
        _cleanup_close_ int list = -EBADF, program = -EBADF;
        uint32_t keys[PORT_SLOTS], n = 0;

        for (unsigned slot = 0; slot < p->n_slots; slot++)
                if (p->slots[slot].live && p->slots[slot].listeners[kind] >= 0)
                        keys[n++] = map_key(kind, slot);
        if (n > 0) {
                list = list_make(keys, n);
                if (list < 0)
                        return list;
        }
        program = program_load(p, kind, list, n);
        if (program < 0)
                return program;
        if (setsockopt(p->sockets[kind], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &program, sizeof(program)) < 0)
                return -errno;
        return (int) n;
}

/* For a socket that listens, this way of shutting down does nothing but to wake (inet_shutdown() in the kernel). */
void port_group_wake(int listener) {
        (void) shutdown(listener, SHUT_WR);
}

/* ---- probes ---- */

int port_group_connect(int fd, unsigned slot, const struct sockaddr_storage *to, socklen_t size) {
        struct sockaddr_in from = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(PROBE_NETWORK << 16 | slot) };
        struct sockaddr_storage address = *to;
        int r;

        if (to->ss_family == AF_INET) {
                r = socket_set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
                if (r < 0)
                        return r;
                if (bind(fd, (struct sockaddr *) &from, sizeof(from)) < 0)
                        return -errno;
        } else {
                r = socket_set(fd, IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1);
                if (r >= 0)
                        r = socket_set(fd, IPPROTO_IPV6, IPV6_TCLASS, PROBE_CLASS);
                if (r < 0)
                        return r;
                ((struct sockaddr_in6 *) &address)->sin6_flowinfo = htonl(PROBE_CLASS << 20 | PROBE_LABEL << PROBE_LABEL_BITS | slot);
        }
        return connect(fd, (struct sockaddr *) &address, size) < 0 && errno != EINPROGRESS ? -errno : 0;
}
