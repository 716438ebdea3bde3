/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a filter's program sees of a record, and a machine that runs it: made
 * here from what linux/sluice.h and the kernel's description of classic BPF
 * say, not with the code that is tested.
 */
#ifndef TESTS_UNIT_FILTER_VIEW_H
#define TESTS_UNIT_FILTER_VIEW_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/sluice.h"

#define FILTER_VIEW_MAX (1 << 16)

/** filter_view_build() - the packet of a record; returns its length. */
size_t filter_view_build(const sluice_record *r, uint8_t *packet);

/** filter_program_valid() - would the kernel take it: NULL, or what is wrong. */
const char *filter_program_valid(const struct sock_fprog *program);

/** filter_program_run() - what the program returns. */
uint32_t filter_program_run(const struct sock_fprog *program, const uint8_t *packet, size_t len);

#endif /* TESTS_UNIT_FILTER_VIEW_H */
