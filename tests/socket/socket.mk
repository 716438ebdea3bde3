# SPDX-License-Identifier: Apache-2.0
# Tests of the socket interface, for machines with the module loaded: TAP. No
# sanitizers: they would look at the hostile pointers before the kernel does.

SOCKET_HELPERS := $(addprefix $(B)/tests/socket/,harness.o topic.o record.o batch.o filter.o slow_disk.o)
SOCKET_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/socket/test_*.c))
# Only the debug kernel can make an allocation fail.
SOCKET_DEBUG_TESTS := $(B)/tests/socket/test_fault
GUEST_TESTS += $(filter-out $(SOCKET_DEBUG_TESTS),$(SOCKET_TESTS))
DEBUG_TESTS += $(SOCKET_DEBUG_TESTS)

$(SOCKET_TESTS): $(B)/%: $(B)/%.o $(SOCKET_HELPERS) $(B)/libsluice-ctl.a $(B)/libsluice-engine.a
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(CTL_LIBS)
