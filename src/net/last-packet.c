/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sys/socket.h>

#include "net/bpf.h"
#include "net/last-packet.h"
#include "util/fd.h"

#define ALL (-1) /* the filter's result: how much of the packet is kept */
#define KEY (-4) /* on the stack */

/* *lookup(map, 0) = ktime_get_ns(). The clock is CLOCK_MONOTONIC, and for everybody from Linux 5.8 on. */
static int program_load(int map) {
        const struct bpf_insn insns[] = {
                BPF_SET(1, 0),
                BPF_STORE(BPF_W, 10, KEY, 1),
                BPF_COPY(2, 10),
                BPF_MATH(BPF_ADD, 2, KEY),
                { .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
                { 0 },
                BPF_RUN(BPF_FUNC_map_lookup_elem),
                BPF_SKIP_IF(BPF_JEQ, 0, 0, 3),
                BPF_COPY(6, 0),
                BPF_RUN(BPF_FUNC_ktime_get_ns),
                BPF_STORE(BPF_DW, 6, 0, 0),
                BPF_SET(0, ALL),
                BPF_LEAVE,
        };

        return bpf_program_load(BPF_PROG_TYPE_SOCKET_FILTER, 0, insns, sizeof(insns) / sizeof(insns[0]));
}

int last_packet_open(LastPacket *ret) {
        _cleanup_close_ int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, sizeof(uint64_t), 1);
        int program = map < 0 ? map : program_load(map);

        if (program < 0)
                return program;
        *ret = (LastPacket){ .map = TAKE_FD(map), .program = program };
        return 0;
}

void last_packet_close(LastPacket *l) {
        l->map = fd_close(l->map);
        l->program = fd_close(l->program);
}

int last_packet_attach(const LastPacket *l, int socket) {
        return setsockopt(socket, SOL_SOCKET, SO_ATTACH_BPF, &l->program, sizeof(l->program)) < 0 ? -errno : 0;
}

int last_packet_usec(const LastPacket *l, uint64_t *ret) {
        uint64_t nsec;
        int r = bpf_map_get(l->map, 0, &nsec);

        if (r < 0)
                return r;
        *ret = nsec / 1000;
        return 0;
}
