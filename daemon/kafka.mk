# SPDX-License-Identifier: Apache-2.0
# The Kafka codec: generated from daemon/kafka/schema, on top of daemon/core.

KAFKA_GEN := $(B)/gen/kafka
KAFKA_GENERATED := $(addprefix $(KAFKA_GEN)/,message.h message.c message_table.h message_table.c \
	fuzz.dict)
KAFKA_GEN_FROM := $(wildcard daemon/kafka/gen_*.py daemon/kafka/schema/*.schema)
GENERATED += $(KAFKA_GENERATED)

# One run writes them all.
$(KAFKA_GENERATED) &: $(KAFKA_GEN_FROM)
	$(PYTHON) daemon/kafka/gen_messages.py $(KAFKA_GEN)

Documentation/kafka-support.md: $(KAFKA_GEN_FROM)
	$(PYTHON) daemon/kafka/gen_messages.py --doc > $@

# What the daemon and sluicectl link for it; $(B)/asan/... in tests.
KAFKA_CODEC_SRCS := daemon/core/buf daemon/core/arena daemon/core/wire_read \
	daemon/core/wire_write daemon/kafka/header daemon/kafka/error_code build/gen/kafka/message
KAFKA_CODEC_OBJS := $(KAFKA_CODEC_SRCS:%=$(B)/%.o)

# Unit tests, each of one program file.
KAFKA_TESTS := $(addprefix $(B)/tests/unit/,test_buf test_arena test_wire test_header \
	test_error_code test_message)
KAFKA_TEST_OBJS := $(KAFKA_CODEC_SRCS:%=$(B)/asan/%.o) $(B)/asan/tests/unit/kafka_fill.o \
	$(B)/asan/build/gen/kafka/message_table.o
UNIT_TESTS += $(KAFKA_TESTS)

$(KAFKA_TESTS): $(B)/tests/unit/%: $(B)/asan/tests/unit/%.o $(KAFKA_TEST_OBJS)
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $^ -lcmocka

$(B)/tests/unit/test_wire: LDFLAGS := -Wl,--wrap=reallocarray

# The generator's own test is Python; it stands with the others to be run with them.
UNIT_TESTS += $(B)/tests/unit/test_gen_schema

$(B)/tests/unit/test_gen_schema: tests/unit/test_gen_schema.py
	@mkdir -p $(@D)
	install -m 755 $< $@

KAFKA_FUZZER := $(B)/fuzz/fuzz_kafka_request
FUZZERS += $(KAFKA_FUZZER)

# The dictionary lies beside the program; the seeds go to the corpus that it starts from.
$(KAFKA_FUZZER): $(KAFKA_CODEC_SRCS:%=$(B)/fuzz/%.o) $(B)/fuzz/build/gen/kafka/message_table.o \
		$(B)/fuzz/tests/unit/kafka_fill.o $(B)/fuzz/tests/fuzz/fuzz_kafka_request.o
	@mkdir -p $(@D)
	$(CLANG) $(SANITIZE) -fsanitize=fuzzer -o $@ $^
	cp $(KAFKA_GEN)/fuzz.dict $@.dict
	$(PYTHON) tests/fuzz/kafka_seeds.py $(B)/corpus/$(@F)
