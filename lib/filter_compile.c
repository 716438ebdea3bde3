// SPDX-License-Identifier: Apache-2.0
/*
 * From the tree of a filter expression to a classic BPF program.
 *
 * Every test is code that goes on behind itself if it holds and to a label if
 * it does not. Classic BPF has no loop, so a header is looked for by the same
 * code once for each that the view lists. What cannot be told from the view (a
 * header that is not listed, a value behind what is seen) goes to the label
 * `pass`: the record is delivered, and sluice_filter_matches() has the last
 * word in the library, as it has for what comes in compressed batches.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/sluice.h>
#include "lib/filter.h"
#include "lib/internal.h"

#define VIEW(field) ((uint32_t)offsetof(struct sluice_filter_view, field))
#define HEADER(i, field)                                                        \
	(VIEW(headers) + (uint32_t)((i) * sizeof(struct sluice_filter_header) + \
				    offsetof(struct sluice_filter_header, field)))
#define NO_LENGTH UINT32_MAX /* of what is null */
#define SIGN_BIT  (UINT32_C(1) << 31)
#define REACH_MAX 255	    /* of a conditional jump */
#define CODE_MAX  (1 << 20) /* far above any program that is not too long */

/**
 * struct code - an instruction that may jump
 * @label: where a conditional one goes if @if_true is its outcome, and an
 *	unconditional one always; else it goes on to the next
 * @is_far: too far for its offset: it takes a second instruction to get there
 */
struct code {
	uint16_t code;
	uint32_t k;
	int label; /* -1: none */
	bool if_true;
	bool is_far;
	uint32_t place;
};

struct compiler {
	const struct sluice_filter *f;
	struct code *code;
	uint32_t n;
	uint32_t room;
	uint32_t *labels; /* index of the code they stand before */
	int n_labels;
	int labels_room;
	int pass;
	int err;
};

static void emit_code(struct compiler *c, struct code code)
{
	struct code *grown;

	if (c->err)
		return;
	if (c->n == c->room) {
		if (c->n >= CODE_MAX) {
			c->err = -E2BIG;
			return;
		}
		grown = reallocarray(c->code, c->room * 2 + 64, sizeof(*grown));
		if (!grown) {
			c->err = -ENOMEM;
			return;
		}
		c->code = grown;
		c->room = c->room * 2 + 64;
	}
	c->code[c->n++] = code;
}

static void emit(struct compiler *c, uint16_t code, uint32_t k)
{
	emit_code(c, (struct code){.code = code, .k = k, .label = -1});
}

static void jump(struct compiler *c, int label)
{
	emit_code(c, (struct code){.code = BPF_JMP | BPF_JA, .label = label});
}

/* Jump if the comparison's outcome is @if_true, else go on. */
static void jump_if(struct compiler *c, uint16_t op, uint32_t k, bool if_true, int label)
{
	emit_code(c, (struct code){.code = BPF_JMP | op | BPF_K,
				   .k = k,
				   .label = label,
				   .if_true = if_true});
}

static int new_label(struct compiler *c)
{
	uint32_t *grown;

	if (c->n_labels == c->labels_room) {
		grown = reallocarray(c->labels, (size_t)c->labels_room * 2 + 64, sizeof(*grown));
		if (!grown) {
			c->err = -ENOMEM;
			return 0;
		}
		c->labels = grown;
		c->labels_room = c->labels_room * 2 + 64;
	}
	return c->n_labels++;
}

static void place_label(struct compiler *c, int label)
{
	if (!c->err)
		c->labels[label] = c->n;
}

static void load(struct compiler *c, uint32_t field)
{
	emit(c, BPF_LD | BPF_W | BPF_ABS, field);
}

/* The bytes at X must be these; they are known to be there. */
static void compare_bytes(struct compiler *c, const struct filter_text *t, int no)
{
	uint32_t i = 0;

	for (; i + 4 <= t->len; i += 4) {
		const uint8_t *b = t->bytes + i;

		emit(c, BPF_LD | BPF_W | BPF_IND, i);
		jump_if(c, BPF_JEQ,
			(uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3],
			false, no);
	}
	if (t->len - i >= 2) {
		emit(c, BPF_LD | BPF_H | BPF_IND, i);
		jump_if(c, BPF_JEQ, (uint32_t)t->bytes[i] << 8 | t->bytes[i + 1], false, no);
		i += 2;
	}
	if (i < t->len) {
		emit(c, BPF_LD | BPF_B | BPF_IND, i);
		jump_if(c, BPF_JEQ, t->bytes[i], false, no);
	}
}

/* A part of a record, by where the view says its place and its length. */
static void test_bytes(struct compiler *c, const struct filter_node *n, uint32_t at, uint32_t len,
		       int no)
{
	load(c, len);
	if (n->op == FILTER_IS_NULL) {
		jump_if(c, BPF_JEQ, NO_LENGTH, false, no);
		return;
	}
	if (n->op == FILTER_EQUAL) {
		jump_if(c, BPF_JEQ, n->text->len, false, no);
	} else {
		jump_if(c, BPF_JEQ, NO_LENGTH, true, no);
		jump_if(c, BPF_JGE, n->text->len, false, no);
	}
	if (!n->text->len)
		return;
	load(c, at);
	if (n->kind == FILTER_VALUE) {
		/* The key before it may fill what is seen: is the last byte there? */
		jump_if(c, BPF_JEQ, 0, true, c->pass);
		emit(c, BPF_ALU | BPF_ADD | BPF_K, n->text->len);
		emit(c, BPF_MISC | BPF_TAX, 0);
		emit(c, BPF_LD | BPF_W | BPF_LEN, 0);
		emit_code(c, (struct code){.code = BPF_JMP | BPF_JGE | BPF_X, .label = c->pass});
		load(c, at);
	}
	emit(c, BPF_MISC | BPF_TAX, 0);
	compare_bytes(c, n->text, no);
}

/*
 * Any header of that name for which the test holds. "== null" is the opposite of
 * that: that no header of the name has a value.
 */
static void test_header(struct compiler *c, const struct filter_node *n, int no)
{
	bool is_null = n->op == FILTER_IS_NULL;
	int found = new_label(c), missing = new_label(c);

	load(c, VIEW(headers_listed));
	emit(c, BPF_MISC | BPF_TAX, 0);
	load(c, VIEW(header_count));
	emit_code(c, (struct code){.code = BPF_JMP | BPF_JEQ | BPF_X, .label = c->pass});
	for (uint32_t i = 0; i < SLUICE_FILTER_HEADERS_MAX; i++) {
		int next = new_label(c);

		load(c, VIEW(headers_listed));
		jump_if(c, BPF_JGT, i, false, missing);
		load(c, HEADER(i, name_len));
		jump_if(c, BPF_JEQ, n->name->len, false, next);
		load(c, HEADER(i, name_at));
		emit(c, BPF_MISC | BPF_TAX, 0);
		compare_bytes(c, n->name, next);
		if (is_null) {
			load(c, HEADER(i, value_len));
			jump_if(c, BPF_JEQ, NO_LENGTH, true, next);
		} else {
			test_bytes(c, n, HEADER(i, value_at), HEADER(i, value_len), next);
		}
		jump(c, found);
		place_label(c, next);
	}
	place_label(c, is_null ? found : missing);
	jump(c, no);
	place_label(c, is_null ? missing : found);
}

/* Signed and of 64 bits, by words: the high ones are moved to where all are positive. */
static void test_number(struct compiler *c, const struct filter_node *n, uint32_t field, int no)
{
	uint32_t high = (uint32_t)((uint64_t)n->number >> 32) ^ SIGN_BIT, low = (uint32_t)n->number;
	int yes = new_label(c);

	load(c, field);
	emit(c, BPF_ALU | BPF_XOR | BPF_K, SIGN_BIT);
	if (n->op == FILTER_ABOVE)
		jump_if(c, BPF_JGT, high, true, yes);
	jump_if(c, BPF_JEQ, high, false, no);
	load(c, field + 4);
	jump_if(c, n->op == FILTER_ABOVE ? BPF_JGT : BPF_JEQ, low, false, no);
	place_label(c, yes);
}

/* A partition is not negative and has 32 bits: so much for most numbers. */
static void test_partition(struct compiler *c, const struct filter_node *n, int no)
{
	if (n->number > INT32_MAX || (n->number < 0 && n->op == FILTER_EQUAL)) {
		jump(c, no);
	} else if (n->number >= 0) {
		load(c, VIEW(partition));
		jump_if(c, n->op == FILTER_ABOVE ? BPF_JGT : BPF_JEQ, (uint32_t)n->number, false,
			no);
	}
}

/* Goes on if it holds, and to @no if it does not. */
static void compile_node(struct compiler *c, uint16_t index, int no)
{
	const struct filter_node *n = &c->f->nodes[index];
	int other;

	switch (n->kind) {
	case FILTER_AND:
		compile_node(c, n->left, no);
		compile_node(c, n->right, no);
		break;
	case FILTER_OR: {
		int yes = new_label(c);

		other = new_label(c);
		compile_node(c, n->left, other);
		jump(c, yes);
		place_label(c, other);
		compile_node(c, n->right, no);
		place_label(c, yes);
		break;
	}
	case FILTER_NOT:
		other = new_label(c);
		compile_node(c, n->left, other);
		jump(c, no);
		place_label(c, other);
		break;
	case FILTER_KEY: test_bytes(c, n, VIEW(key_at), VIEW(key_len), no); break;
	case FILTER_VALUE: test_bytes(c, n, VIEW(value_at), VIEW(value_len), no); break;
	case FILTER_HEADER: test_header(c, n, no); break;
	case FILTER_OFFSET: test_number(c, n, VIEW(offset), no); break;
	case FILTER_TIME: test_number(c, n, VIEW(timestamp), no); break;
	case FILTER_PARTITION: test_partition(c, n, no); break;
	}
}

/* Where everything stands, given which jumps need a second instruction. */
static uint32_t place_code(struct compiler *c)
{
	uint32_t place = 0;

	for (uint32_t i = 0; i < c->n; i++) {
		c->code[i].place = place;
		place += c->code[i].is_far ? 2 : 1;
	}
	return place;
}

static uint32_t label_place(const struct compiler *c, int label)
{
	return c->code[c->labels[label]].place;
}

/* Making one jump far moves others apart, so until none is too far any more. */
static uint32_t relax(struct compiler *c)
{
	uint32_t size;
	bool changed;

	do {
		changed = false;
		size = place_code(c);
		for (uint32_t i = 0; i < c->n; i++) {
			struct code *code = &c->code[i];

			if (code->label < 0 || code->is_far || BPF_OP(code->code) == BPF_JA)
				continue;
			if (label_place(c, code->label) - code->place - 1 > REACH_MAX) {
				code->is_far = true;
				changed = true;
			}
		}
	} while (changed);
	return size;
}

static void write_code(const struct compiler *c, struct sock_filter *out)
{
	for (uint32_t i = 0; i < c->n; i++) {
		const struct code *code = &c->code[i];
		struct sock_filter *s = out + code->place;
		uint32_t distance;

		*s = (struct sock_filter){.code = code->code, .k = code->k};
		if (code->label < 0)
			continue;
		distance = label_place(c, code->label) - code->place - 1;
		if (BPF_OP(code->code) == BPF_JA) {
			s->k = distance;
		} else if (!code->is_far) {
			s->jt = code->if_true ? (uint8_t)distance : 0;
			s->jf = code->if_true ? 0 : (uint8_t)distance;
		} else {
			s->jt = code->if_true ? 0 : 1;
			s->jf = code->if_true ? 1 : 0;
			s[1] = (struct sock_filter){.code = BPF_JMP | BPF_JA, .k = distance - 1};
		}
	}
}

static void compile_all(struct compiler *c)
{
	int no = new_label(c);

	c->pass = new_label(c);
	/* Batches pass: what is in them is seen by the library. */
	load(c, VIEW(flags));
	jump_if(c, BPF_JSET, SLUICE_RECORD_BATCH, true, c->pass);
	compile_node(c, c->f->root, no);
	place_label(c, c->pass);
	emit(c, BPF_RET | BPF_K, UINT32_MAX);
	place_label(c, no);
	emit(c, BPF_RET | BPF_K, 0);
}

int filter_compile(struct sluice_filter *f)
{
	struct compiler c = {.f = f};
	uint32_t size = 0;

	compile_all(&c);
	if (!c.err)
		size = relax(&c);
	if (!c.err && size > BPF_MAXINSNS)
		c.err = -E2BIG;
	if (!c.err) {
		f->program.filter = calloc(size, sizeof(*f->program.filter));
		f->program.len = (unsigned short)size;
		if (f->program.filter)
			write_code(&c, f->program.filter);
		else
			c.err = -ENOMEM;
	}
	free(c.code);
	free(c.labels);
	if (c.err == -E2BIG)
		return sluice__fail(c.err,
				    "the filter takes more than the kernel's %d instructions: use "
				    "fewer or shorter tests of headers",
				    BPF_MAXINSNS);
	return c.err ? sluice__fail(c.err, "out of memory") : 0;
}
