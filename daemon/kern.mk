# SPDX-License-Identifier: Apache-2.0
# libsluice-ctl: the netlink client and the data directory, for sluiced and
# sluicectl. Needs libsluice-engine.a and CTL_LIBS behind it.

NL_CFLAGS := $(shell pkg-config --cflags libnl-genl-3.0 2>/dev/null || echo -I/usr/include/libnl3)
CTL_LIBS := -lnl-genl-3 -lnl-3 -lpthread

CTL_LOG_SRCS := $(wildcard daemon/log/log_dir*.c daemon/log/topic_config*.c \
	daemon/log/topic_settings*.c) daemon/log/checkpoint.c daemon/log/dir_file.c \
	daemon/log/partition_files.c daemon/log/producer_id.c daemon/log/topic_id.c
CTL_SRCS := $(wildcard daemon/kern/*.c) $(CTL_LOG_SRCS)

$(B)/daemon/kern/%.o $(B)/asan/daemon/kern/%.o: CFLAGS += $(NL_CFLAGS)

$(B)/libsluice-ctl.a: $(CTL_SRCS:%.c=$(B)/%.o)
$(B)/asan/libsluice-ctl.a: $(CTL_SRCS:%.c=$(B)/asan/%.o)
$(B)/libsluice-ctl.a $(B)/asan/libsluice-ctl.a:
	@rm -f $@
	$(AR) rcs $@ $^

ALL += $(B)/libsluice-ctl.a
