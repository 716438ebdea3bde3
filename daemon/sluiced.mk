# SPDX-License-Identifier: Apache-2.0
# sluiced, and the same with the kernel's part in userspace, for its tests.

DAEMON_SRCS := $(wildcard daemon/*.c daemon/cleaner/*.c daemon/config/*.c daemon/controller/*.c daemon/coordinator/*.c daemon/group/*.c daemon/txn/*.c daemon/metadata/*.c \
	daemon/quota/*.c daemon/records/*.c \
	daemon/net/*.c) $(filter-out $(KAFKA_CODEC_SRCS:%=%.c),$(wildcard daemon/kafka/*.c)) \
	$(addprefix daemon/core/,diag.c helpers.c htable.c mailbox.c notify.c reactor.c timer.c) \
	daemon/log/segment_fd_cache.c daemon/log/segment_find.c
DAEMON_OBJS := $(DAEMON_SRCS:%.c=$(B)/%.o) $(KAFKA_CODEC_OBJS)

$(B)/bin/sluiced: $(DAEMON_OBJS) $(B)/daemon/log/data_socket.o $(B)/libsluice-ctl.a \
		$(B)/libsluice-engine.a $(B)/libsluice-codec.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ $(CTL_LIBS) $(LIB_LIBS) -lm

ALL += $(B)/bin/sluiced
INSTALL_FILES += $(B)/bin/sluiced:$(bindir)
