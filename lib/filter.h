/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filter expressions: a text becomes a tree, and the tree a classic BPF program
 * over struct sluice_filter_view (linux/sluice.h). Nothing here is exported.
 */
#ifndef SLUICE_LIB_FILTER_H
#define SLUICE_LIB_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/sluice.h"

#define FILTER_TEXT_MAX	  255  /* bytes of a quoted text: all of it is always in the view */
#define FILTER_NODES_MAX  1000 /* of an expression */
#define FILTER_NESTED_MAX 100  /* "not" and parentheses inside each other */

enum filter_kind {
	FILTER_AND,
	FILTER_OR,
	FILTER_NOT,
	FILTER_KEY,
	FILTER_VALUE,
	FILTER_HEADER,
	FILTER_OFFSET,
	FILTER_TIME,
	FILTER_PARTITION,
};

/* Others are made of these: != is a FILTER_NOT of ==, <= one of >. */
enum filter_op {
	FILTER_EQUAL,
	FILTER_PREFIX,
	FILTER_IS_NULL,
	FILTER_ABOVE,
};

struct filter_text {
	uint8_t bytes[FILTER_TEXT_MAX];
	uint8_t len;
};

/**
 * struct filter_node - a part of an expression
 * @left, @right: indexes of the operands; FILTER_NOT has only @left
 * @name: of the header
 * @text: what key, value or header's value is compared with
 * @number: what offset, time or partition is
 */
struct filter_node {
	enum filter_kind kind;
	enum filter_op op;
	uint16_t left;
	uint16_t right;
	struct filter_text *name;
	struct filter_text *text;
	int64_t number;
};

/**
 * struct sluice_filter - a compiled expression
 * @refs: of who compiled it, and of each consumer
 * @nodes: @n_nodes of them; @root is the whole
 */
struct sluice_filter {
	unsigned int refs;
	struct filter_node *nodes;
	uint16_t n_nodes;
	uint16_t root;
	struct sock_fprog program;
};

/** filter_parse() - fill the nodes; 0, or -EINVAL and -E2BIG with a sentence, -ENOMEM. */
int filter_parse(const char *expression, struct sluice_filter *f);

/** filter_compile() - fill the program; 0, -E2BIG with a sentence, -ENOMEM. */
int filter_compile(struct sluice_filter *f);

/** filter_get() - one more reference, for sluice_filter_free() to give back. */
struct sluice_filter *filter_get(const struct sluice_filter *f);

#endif /* SLUICE_LIB_FILTER_H */
