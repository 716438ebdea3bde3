# SPDX-License-Identifier: Apache-2.0
# libsluice-ctl: the netlink client and the data directory, for sluiced and
# sluicectl. Needs libsluice-engine.a and CTL_LIBS behind it; who compacts also
# libsluice-codec.a and LIB_LIBS.

NL_CFLAGS := $(shell pkg-config --cflags libnl-genl-3.0 2>/dev/null || echo -I/usr/include/libnl3)
CTL_LIBS := -lnl-genl-3 -lnl-3 -lpthread

CTL_LOG_SRCS := $(wildcard daemon/log/log_dir*.c daemon/log/topic_config*.c \
	daemon/log/topic_settings*.c) daemon/log/checkpoint.c daemon/log/dir_file.c \
	daemon/log/partition_files.c daemon/log/producer_id.c daemon/log/topic_id.c daemon/log/cleaner_log.c
CTL_SRCS := $(wildcard daemon/kern/*.c) $(CTL_LOG_SRCS)

$(B)/daemon/kern/%.o $(B)/asan/daemon/kern/%.o: CFLAGS += $(NL_CFLAGS)

$(B)/libsluice-ctl.a: $(CTL_SRCS:%.c=$(B)/%.o)
$(B)/asan/libsluice-ctl.a: $(CTL_SRCS:%.c=$(B)/asan/%.o)
$(B)/libsluice-ctl.a $(B)/asan/libsluice-ctl.a:
	@rm -f $@
	$(AR) rcs $@ $^

ALL += $(B)/libsluice-ctl.a

# Unit tests, against a mock of the kernel.
CTL_TESTS := $(addprefix $(B)/tests/unit/,test_topic_config test_topic_id test_checkpoint \
	test_partition_files test_topic_settings test_log_dir test_log_dir_compact \
	test_log_dir_grow test_log_dir_full test_log_dir_recover test_log_dir_truncate test_log_dir_mutated)
CTL_TEST_OBJS := $(addprefix $(B)/asan/tests/unit/,mock_dir.o mock_kern.o fail_syscalls.o \
	temp_dir.o) \
	$(CTL_LOG_SRCS:%.c=$(B)/asan/%.o) $(B)/asan/libsluice-engine.a \
	$(B)/asan/libsluice-codec.a
UNIT_TESTS += $(CTL_TESTS)

FAIL_SYSCALLS := fsync write mkdirat renameat unlinkat openat pthread_create

$(CTL_TESTS): $(B)/tests/unit/%: $(B)/asan/tests/unit/%.o $(CTL_TEST_OBJS)
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) $(FAIL_SYSCALLS:%=-Wl,--wrap=%) -o $@ $^ $(LIB_LIBS) -lcmocka \
		-lpthread -lm

# The netlink client itself, against the running kernel.
UNIT_TESTS += $(B)/tests/unit/test_kern

$(B)/asan/tests/unit/test_kern.o: CFLAGS += $(NL_CFLAGS)
$(B)/tests/unit/test_kern: $(B)/asan/tests/unit/test_kern.o \
		$(patsubst %.c,$(B)/asan/%.o,$(wildcard daemon/kern/*.c))
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) -Wl,--wrap=genl_ctrl_resolve -o $@ $^ $(CTL_LIBS) -lcmocka

FUZZERS += $(B)/fuzz/fuzz_checkpoint

$(B)/fuzz/fuzz_checkpoint: $(B)/fuzz/tests/fuzz/fuzz_checkpoint.o \
		$(addprefix $(B)/fuzz/daemon/log/,checkpoint.o topic_settings.o topic_id.o dir_file.o \
		log_dir_error.o)
	@mkdir -p $(@D)
	$(CLANG) $(SANITIZE) -fsanitize=fuzzer -o $@ $^
