# SPDX-License-Identifier: Apache-2.0
# What is generated from the netlink spec: the uapi header, its names as text,
# and the kernel's policies and operations.

NETLINK_SPEC := Documentation/netlink/specs/sluice.yaml
NETLINK_GENERATED := $(B)/gen/linux/sluice_netlink.h $(B)/gen/sluice_netlink_names.h \
	$(B)/gen/sluice_netlink_ops.h
GENERATED += $(NETLINK_GENERATED)

$(B)/gen/linux/sluice_netlink.h: netlink_flag := --uapi
$(B)/gen/sluice_netlink_names.h: netlink_flag := --names
$(B)/gen/sluice_netlink_ops.h: netlink_flag := --kernel
$(NETLINK_GENERATED): tools/gen_netlink.py $(NETLINK_SPEC)
	$(PYTHON) tools/gen_netlink.py $(NETLINK_SPEC) $(netlink_flag) $@

# Committed, so that it can be read without building; `make check` compares.
Documentation/netlink.md: tools/gen_netlink.py $(NETLINK_SPEC)
	$(PYTHON) tools/gen_netlink.py $(NETLINK_SPEC) --doc $@
