/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* bpf(2): programs that are written here instruction by instruction, and their maps. */

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

/* Instructions. Registers by number: 0 is the result of calls, 1 to 5 their arguments, 6 to 9 outlive them, 10 the stack's end. */
#define BPF_LOAD(size, to, from, offset) ((struct bpf_insn){ .code = BPF_LDX | (size) | BPF_MEM, .dst_reg = (to), .src_reg = (from), .off = (int16_t) (offset) })
#define BPF_STORE(size, to, offset, from) ((struct bpf_insn){ .code = BPF_STX | (size) | BPF_MEM, .dst_reg = (to), .src_reg = (from), .off = (int16_t) (offset) })
#define BPF_SET(to, number) ((struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (to), .imm = (int32_t) (number) })
#define BPF_COPY(to, from) ((struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from) })
#define BPF_MATH(operation, to, number) ((struct bpf_insn){ .code = BPF_ALU64 | (operation) | BPF_K, .dst_reg = (to), .imm = (int32_t) (number) })
#define BPF_BIG_ENDIAN(reg) ((struct bpf_insn){ .code = BPF_ALU | BPF_END | BPF_TO_BE, .dst_reg = (reg), .imm = 32 })
#define BPF_SKIP_IF(comparison, reg, number, skip) ((struct bpf_insn){ .code = BPF_JMP | (comparison) | BPF_K, .dst_reg = (reg), .imm = (int32_t) (number), .off = (int16_t) (skip) })
#define BPF_SKIP(skip) ((struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = (int16_t) (skip) })
#define BPF_RUN(function) ((struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = (function) })
#define BPF_LEAVE ((struct bpf_insn){ .code = BPF_JMP | BPF_EXIT })

/* An fd, or a negative errno: -EPERM, … where the kernel has none of that type for the caller. */
int bpf_program_load(enum bpf_prog_type type, enum bpf_attach_type attach, const struct bpf_insn *insns, size_t n);
int bpf_map_create(enum bpf_map_type type, uint32_t value_size, uint32_t n);

/* Of maps whose keys are numbers. */
int bpf_map_set(int map, uint32_t key, const void *value);
int bpf_map_get(int map, uint32_t key, void *ret);
int bpf_map_delete(int map, uint32_t key);
