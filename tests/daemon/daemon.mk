# SPDX-License-Identifier: Apache-2.0
# sluiced-userspace: the whole daemon over the log engine in userspace instead
# of the module. Only for tests: its logs live and die with it.

# Netlink is what is replaced; the data directory is as in sluiced.
USER_MODULE_SRCS := $(addprefix tests/daemon/,user_data_socket.c user_kern.c user_module.c)
USER_DAEMON_SRCS := $(filter-out daemon/main.c,$(DAEMON_SRCS)) $(KAFKA_CODEC_SRCS:%=%.c) \
	$(CTL_LOG_SRCS) $(USER_MODULE_SRCS)
USER_DAEMON_OBJS := $(USER_DAEMON_SRCS:%.c=$(B)/asan/%.o)

$(B)/tests/sluiced-userspace: $(USER_DAEMON_OBJS) $(B)/asan/daemon/main.o \
		$(B)/asan/libsluice-engine.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ -lpthread -lm
