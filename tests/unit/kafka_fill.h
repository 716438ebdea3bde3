/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values for the fields of Kafka messages in tests. In the pattern a value
 * follows from the name of its field, so that another program
 * (KafkaGolden.java) comes to the same message and swapped fields show.
 */
#ifndef SLUICE_TESTS_KAFKA_FILL_H
#define SLUICE_TESTS_KAFKA_FILL_H

#include "daemon/core/wire.h"

/**
 * enum kafka_fill_mode - which values
 * @KAFKA_FILL_PATTERN: every field has one; arrays have two elements
 * @KAFKA_FILL_NULL: the pattern, but null where that is allowed
 * @KAFKA_FILL_DEFAULT: the defaults; arrays of structures have one element, so
 *	that its defaults show, and records are null
 * @KAFKA_FILL_RANDOM: anything
 */
enum kafka_fill_mode {
	KAFKA_FILL_PATTERN,
	KAFKA_FILL_NULL,
	KAFKA_FILL_DEFAULT,
	KAFKA_FILL_RANDOM,
};

/**
 * struct kafka_fill - what the values are made from
 * @mode: which
 * @salt: index of the array element that is being filled; part of the pattern
 * @random: state of the generator, not 0
 * @arena: where strings, bytes and arrays lie
 */
struct kafka_fill {
	enum kafka_fill_mode mode;
	uint64_t salt;
	uint64_t random;
	struct arena *arena;
};

/** kafka_fill_array - elements of an array of structures, and their number */
void *kafka_fill_array(struct kafka_fill *f, bool nullable, size_t size, int32_t *ret_n);

/** kafka_fill_element - go to element @i; returns the salt to go back to */
uint64_t kafka_fill_element(struct kafka_fill *f, int32_t i);

/** kafka_fill_present - whether a structure that may be null is there */
bool kafka_fill_present(struct kafka_fill *f);

/* The value of the field @name; fields keep their default where the mode says so. */
void kafka_fill_bool(struct kafka_fill *f, const char *name, bool *v);
void kafka_fill_int8(struct kafka_fill *f, const char *name, int8_t *v);
void kafka_fill_int16(struct kafka_fill *f, const char *name, int16_t *v);
void kafka_fill_int32(struct kafka_fill *f, const char *name, int32_t *v);
void kafka_fill_int64(struct kafka_fill *f, const char *name, int64_t *v);
void kafka_fill_float64(struct kafka_fill *f, const char *name, double *v);
void kafka_fill_uuid(struct kafka_fill *f, const char *name, struct kafka_uuid *v);
void kafka_fill_string(struct kafka_fill *f, const char *name, bool nullable, struct kafka_str *v);
void kafka_fill_bytes(struct kafka_fill *f, const char *name, bool nullable, struct kafka_bytes *v);
void kafka_fill_records(struct kafka_fill *f, const char *name, bool nullable,
			struct kafka_bytes *v);
void kafka_fill_int8_array(struct kafka_fill *f, const char *name, bool nullable,
			   struct kafka_int8_array *v);
void kafka_fill_int32_array(struct kafka_fill *f, const char *name, bool nullable,
			    struct kafka_int32_array *v);
void kafka_fill_int64_array(struct kafka_fill *f, const char *name, bool nullable,
			    struct kafka_int64_array *v);
void kafka_fill_string_array(struct kafka_fill *f, const char *name, bool nullable,
			     struct kafka_str_array *v);

#endif
