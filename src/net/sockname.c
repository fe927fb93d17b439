/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "net/bpf.h"
#include "net/sockname.h"
#include "util/fd.h"

#define LOAD_FIELD(to, field) BPF_LOAD(BPF_W, to, 1, offsetof(struct bpf_sock_addr, field))
#define STORE_FIELD(from, field) BPF_STORE(BPF_W, 1, offsetof(struct bpf_sock_addr, field), from)

#define PORT_INSNS 6U
#define FRAME_INSNS 3U /* begin and end */

static size_t program_write(struct bpf_insn *to, const SocknamePort *ports, size_t n_ports) {
        const struct bpf_insn begin[] = { LOAD_FIELD(2, user_port) }, end[] = { BPF_SET(0, 1), BPF_LEAVE };
        size_t n = ELEMENTSOF(begin);

        static_assert(ELEMENTSOF(begin) + ELEMENTSOF(end) == FRAME_INSNS, "room for both");
        memcpy(to, begin, sizeof(begin));
        for (size_t i = 0; i < n_ports; i++) {
                const SocknamePort *s = &ports[i];
                const struct bpf_insn translate[] = {
                        BPF_SKIP_IF(BPF_JNE, 2, htons(s->host), 5),
                        LOAD_FIELD(3, type),
                        BPF_SKIP_IF(BPF_JNE, 3, s->protocol == SPEC_PROTOCOL_UDP ? SOCK_DGRAM : SOCK_STREAM, 3),
                        BPF_SET(3, htons(s->container)),
                        STORE_FIELD(3, user_port),
                        BPF_SET(2, 0), /* no other port's turn */
                };

                static_assert(ELEMENTSOF(translate) == PORT_INSNS, "room for one");
                memcpy(to + n, translate, sizeof(translate));
                n += ELEMENTSOF(translate);
        }
        memcpy(to + n, end, sizeof(end));
        return n + ELEMENTSOF(end);
}

static int program_attach(int cgroup, enum bpf_attach_type type, const struct bpf_insn *insns, size_t n) {
        _cleanup_close_ int program = -EBADF;
        /* Takes the place of the one that an earlier supervisor has left there. */
        union bpf_attr attach = { .target_fd = (uint32_t) cgroup, .attach_type = type, .attach_flags = BPF_F_ALLOW_OVERRIDE };

        program = bpf_program_load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, type, insns, n);
        if (program < 0)
                return program;
        attach.attach_bpf_fd = (uint32_t) program;
        return syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0 ? -errno : 0;
}

int sockname_translate(int cgroup, const SocknamePort *ports, size_t n_ports) {
        _cleanup_free_ struct bpf_insn *insns = calloc(FRAME_INSNS + n_ports * PORT_INSNS, sizeof(*insns));
        _cleanup_close_ int directory = openat(cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* the caller's may be O_PATH */
        size_t n;
        int r;

        if (!insns)
                return -ENOMEM;
        if (directory < 0)
                return -errno;
        n = program_write(insns, ports, n_ports);
        r = program_attach(directory, BPF_CGROUP_INET4_GETSOCKNAME, insns, n);
        return r < 0 ? r : program_attach(directory, BPF_CGROUP_INET6_GETSOCKNAME, insns, n);
}
