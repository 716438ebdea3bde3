# SPDX-License-Identifier: Apache-2.0
# Programs that `make bench` runs inside machines.

BENCH_PROGRAMS := $(patsubst %.c,$(B)/%,$(wildcard tests/bench/bench_*.c))
TEST_HELPERS += $(BENCH_PROGRAMS)

$(BENCH_PROGRAMS): $(B)/%: $(B)/%.o $(B)/tests/bench/measure.o \
		$(addprefix $(B)/tests/socket/,harness.o topic.o record.o batch.o) \
		$(B)/libsluice-ctl.a $(B)/libsluice-engine.a
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(CTL_LIBS)
