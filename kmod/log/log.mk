# SPDX-License-Identifier: Apache-2.0
# The log engine as a userspace library, in the three flavours of the tree:
# for use, for the tests and for the fuzzers.

ENGINE_OBJS := $(patsubst %.c,%.o,$(wildcard kmod/log/*.c))

$(B)/libsluice-engine.a: $(addprefix $(B)/,$(ENGINE_OBJS))
$(B)/asan/libsluice-engine.a: $(addprefix $(B)/asan/,$(ENGINE_OBJS))
$(B)/fuzz/libsluice-engine.a: $(addprefix $(B)/fuzz/,$(ENGINE_OBJS))

$(B)/libsluice-engine.a $(B)/asan/libsluice-engine.a $(B)/fuzz/libsluice-engine.a:
	@rm -f $@
	$(AR) rcs $@ $^

# Only what the tests link can be told to fail.
$(B)/asan/kmod/log/port_user.o: CFLAGS += -DPORT_FAULT

ALL += $(B)/libsluice-engine.a
