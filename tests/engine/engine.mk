# SPDX-License-Identifier: Apache-2.0
# The engine's unit tests, one program for each unit_*.c.

ENGINE_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/engine/unit_*.c))
UNIT_TESTS += $(ENGINE_TESTS)

$(B)/asan/tests/engine/%.o: CFLAGS += -DPORT_FAULT -Itests/engine

$(ENGINE_TESTS): $(B)/tests/engine/%: $(B)/asan/tests/engine/%.o \
		$(B)/asan/tests/engine/engine_test.o $(B)/asan/libsluice-engine.a
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) -o $@ $^ -lcmocka -lpthread
