# SPDX-License-Identifier: Apache-2.0
# The engine on simulated storage and threads, which has a port of its own.

SIM_PROGRAMS := $(B)/tests/sim/sim_log $(B)/tests/sim/unit_cases
SIM_SRCS := $(filter-out kmod/log/port_user.c,$(wildcard kmod/log/*.c)) \
	$(filter-out tests/sim/unit_%.c tests/sim/sim_main.c,$(wildcard tests/sim/*.c))
SIM_OBJS := $(SIM_SRCS:%.c=$(B)/asan/sim/%.o)
UNIT_TESTS += $(SIM_PROGRAMS)

$(B)/asan/sim/%.o: %.c | $(GENERATED)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -DPORT_SIM $(SANITIZE) -O1 -MMD -MP -c -o $@ $<

$(B)/tests/sim/sim_log: $(B)/asan/sim/tests/sim/sim_main.o
$(B)/tests/sim/unit_cases: $(B)/asan/sim/tests/sim/unit_cases.o
$(SIM_PROGRAMS): $(SIM_OBJS) $(B)/asan/libsluice-codec.a
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) -o $@ $^ $(LIB_LIBS) -lcmocka
