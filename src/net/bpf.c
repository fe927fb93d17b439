/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/bpf.h"

#define LICENSE "LGPL-2.1-or-later"

static uint64_t pointer(const void *p) {
        return (uint64_t) (uintptr_t) p;
}

/* Descriptors are close-on-exec: the kernel makes them so. */
static int call(enum bpf_cmd command, union bpf_attr *attr) {
        long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

        return r < 0 ? -errno : (int) r;
}

int bpf_program_load(enum bpf_prog_type type, enum bpf_attach_type attach, const struct bpf_insn *insns, size_t n) {
        union bpf_attr attr = {
                .prog_type = type, .expected_attach_type = attach,
                .insns = pointer(insns), .insn_cnt = (uint32_t) n,
                .license = pointer(LICENSE),
        };

        return call(BPF_PROG_LOAD, &attr);
}

int bpf_map_create(enum bpf_map_type type, uint32_t value_size, uint32_t n) {
        union bpf_attr attr = { .map_type = type, .key_size = sizeof(uint32_t), .value_size = value_size, .max_entries = n };

        return call(BPF_MAP_CREATE, &attr);
}

int bpf_map_set(int map, uint32_t key, const void *value) {
        union bpf_attr attr = { .map_fd = (uint32_t) map, .key = pointer(&key), .value = pointer(value), .flags = BPF_ANY };

        return call(BPF_MAP_UPDATE_ELEM, &attr);
}

int bpf_map_get(int map, uint32_t key, void *ret) {
        union bpf_attr attr = { .map_fd = (uint32_t) map, .key = pointer(&key), .value = pointer(ret) };

        return call(BPF_MAP_LOOKUP_ELEM, &attr);
}

int bpf_map_delete(int map, uint32_t key) {
        union bpf_attr attr = { .map_fd = (uint32_t) map, .key = pointer(&key) };

        return call(BPF_MAP_DELETE_ELEM, &attr);
}
