// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/socket/filter.h"
#include "tests/socket/harness.h"

int attach(int fd, const struct sock_filter *code, size_t n)
{
	struct sock_fprog program = {.len = (unsigned short)n,
				     .filter = (struct sock_filter *)(uintptr_t)code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static void attach_or_die(int fd, const struct sock_filter *code, size_t n)
{
	if (attach(fd, code, n))
		die("SO_ATTACH_FILTER: %s", strerror(errno));
}

void attach_all(int fd)
{
	const struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 1)};

	attach_or_die(fd, code, ARRAY_LEN(code));
}

void attach_none(int fd)
{
	const struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};

	attach_or_die(fd, code, ARRAY_LEN(code));
}

void attach_word(int fd, uint32_t at, uint32_t word)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, word, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	attach_or_die(fd, code, ARRAY_LEN(code));
}

void attach_load(int fd, uint16_t load, uint32_t k)
{
	const struct sock_filter code[] = {BPF_STMT(load, k), BPF_STMT(BPF_RET | BPF_K, 1)};

	attach_or_die(fd, code, ARRAY_LEN(code));
}

#define INSN(op, dst, src, offset, value)                                          \
	{                                                                          \
		.code = (op), .dst_reg = (dst), .src_reg = (src), .off = (offset), \
		.imm = (int32_t)(value)                                            \
	}

int attach_ebpf_word(int fd, uint32_t at, uint32_t word)
{
	const struct bpf_insn code[] = {
		/* bpf_skb_load_bytes(ctx, at, stack, 4) */
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, 0, 0, at),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_3, BPF_REG_10, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_3, 0, 0, -4),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_4, 0, 0, 4),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_skb_load_bytes),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_1, BPF_REG_0, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0),
		INSN(BPF_JMP | BPF_JNE | BPF_K, BPF_REG_1, 0, 3, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_W, BPF_REG_2, BPF_REG_10, -4, 0),
		INSN(BPF_JMP32 | BPF_JNE | BPF_K, BPF_REG_2, 0, 1, htonl(word)),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
			       .insn_cnt = ARRAY_LEN(code),
			       .insns = (uintptr_t)code,
			       .license = (uintptr_t) "Apache-2.0"};
	int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr)), ret, err;

	if (program < 0)
		return -1;
	ret = setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program));
	err = errno;
	/* The socket holds it. */
	close(program);
	errno = err;
	return ret;
}

int detach(int fd)
{
	int none = 0;

	return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
}
