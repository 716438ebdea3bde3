# SPDX-License-Identifier: Apache-2.0
# Disks that fail, and full ones (tests/vm/test-machine.sh).

DISK_FILL := $(B)/tests/disk/fill
TEST_HELPERS += $(DISK_FILL)

$(DISK_FILL): $(addprefix $(B)/tests/,disk/fill.o socket/harness.o)
	@mkdir -p $(@D)
	$(CC) -o $@ $^
