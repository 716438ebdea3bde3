# SPDX-License-Identifier: Apache-2.0
# The engine's unit tests, one program for each unit_*.c.

ENGINE_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/engine/unit_*.c))
UNIT_TESTS += $(ENGINE_TESTS)

$(B)/asan/tests/engine/%.o: CFLAGS += -DPORT_FAULT -Itests/engine

$(ENGINE_TESTS): $(B)/tests/engine/%: $(B)/asan/tests/engine/%.o \
		$(B)/asan/tests/engine/engine_test.o $(B)/asan/libsluice-engine.a
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %ctl.a,$^) $(filter %engine.a,$^) \
		$(filter %codec.a,$^) $(LDLIBS) -lcmocka -lpthread

# A roll happens while a snapshot is written.
$(B)/tests/engine/unit_roll: LDFLAGS := -Wl,--wrap=sluice_producer_snapshot_write

# What sluicectl prints of files, without the rest of it.
$(B)/tests/engine/unit_log_dump: LDLIBS := -ljansson
$(B)/tests/engine/unit_log_dump: $(patsubst %.c,$(B)/asan/%.o,$(wildcard tools/sluicectl/log_dump*.c) \
	tools/sluicectl/output.c) $(B)/asan/libsluice-ctl.a

# The cleaner needs the codecs, and its tests a log made for them.
ENGINE_CLEAN_TESTS := $(filter $(B)/tests/engine/unit_clean%,$(ENGINE_TESTS))
$(ENGINE_CLEAN_TESTS): LDLIBS := $(LIB_LIBS)
$(ENGINE_CLEAN_TESTS): $(B)/asan/tests/engine/clean_test.o $(B)/asan/libsluice-codec.a

# The concurrent tests again under ThreadSanitizer, which needs its own build.
ENGINE_TSAN_TESTS := $(B)/tests/engine/tsan_readers $(B)/tests/engine/tsan_flush \
	$(B)/tests/engine/tsan_txn $(B)/tests/engine/tsan_open_readers
UNIT_TESTS += $(ENGINE_TSAN_TESTS)
ENGINE_TSAN_SRCS := tests/engine/engine_test.c $(filter-out kmod/log/clean%,$(wildcard kmod/log/*.c))

$(ENGINE_TSAN_TESTS): $(B)/tests/engine/tsan_%: tests/engine/unit_%.c $(ENGINE_TSAN_SRCS) \
		$(wildcard kmod/log/*.h tests/engine/*.h)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -DPORT_FAULT -Itests/engine -O1 -fsanitize=thread -o $@ \
		$(filter %.c,$^) -lcmocka -lpthread
