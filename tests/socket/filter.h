/* SPDX-License-Identifier: Apache-2.0 */
/* Small filter programs, and attaching them. */
#ifndef TESTS_SOCKET_FILTER_H
#define TESTS_SOCKET_FILTER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/sluice.h>

#define VIEW(field) offsetof(struct sluice_filter_view, field)

/** attach() - a classic program of @n instructions; 0 or -1 and errno. */
int attach(int fd, const struct sock_filter *code, size_t n);

/** attach_all(), attach_none() - let everything pass, or nothing; die on failure. */
void attach_all(int fd);
void attach_none(int fd);

/** attach_word() - let pass where the big-endian word at @at is @word. */
void attach_word(int fd, uint32_t at, uint32_t word);

/** attach_load() - where a load of @code (BPF_LD and so on) of @k is possible. */
void attach_load(int fd, uint16_t code, uint32_t k);

/** attach_ebpf_word() - as attach_word(), by bpf(2) and SO_ATTACH_BPF; 0 or -1 and errno. */
int attach_ebpf_word(int fd, uint32_t at, uint32_t word);

/** detach() - 0 or -1 and errno. */
int detach(int fd);

#endif /* TESTS_SOCKET_FILTER_H */
