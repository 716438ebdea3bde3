# SPDX-License-Identifier: Apache-2.0
# Tests of the control interface, for machines with the module loaded: TAP.

NETLINK_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/netlink/test_*.c))
GUEST_TESTS += $(NETLINK_TESTS)

$(NETLINK_TESTS): $(B)/%: $(B)/%.o $(B)/tests/netlink/nl.o $(B)/tests/socket/harness.o
	@mkdir -p $(@D)
	$(CC) -o $@ $^

UNIT_TESTS += tests/netlink/check_spec.sh
