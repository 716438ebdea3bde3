# SPDX-License-Identifier: Apache-2.0
# sluiced-userspace: the whole daemon over the log engine in userspace instead
# of the module. Only for tests: its logs live and die with it.

# Netlink is what is replaced; the data directory is as in sluiced.
USER_MODULE_SRCS := $(addprefix tests/daemon/,user_data_socket.c user_kern.c user_module.c)
USER_DAEMON_SRCS := $(filter-out daemon/main.c,$(DAEMON_SRCS)) $(KAFKA_CODEC_SRCS:%=%.c) \
	$(CTL_LOG_SRCS)
USER_DAEMON_LIBS := $(B)/asan/tests/libsluiced.a $(B)/asan/libsluice-engine.a \
	$(B)/asan/libsluice-codec.a

# An archive, so that a test of one file takes only what that file needs.
$(B)/asan/tests/libsluiced.a: $(USER_DAEMON_SRCS:%.c=$(B)/asan/%.o)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/tests/sluiced-userspace: $(B)/asan/daemon/main.o $(USER_MODULE_SRCS:%.c=$(B)/asan/%.o) \
		$(USER_DAEMON_LIBS)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(SANITIZE) -o $@ $^ $(LIB_LIBS) -lpthread -lm

TEST_HELPERS += $(B)/tests/sluiced-userspace

# Whole programs: sluicectl and the daemon.
UNIT_TESTS += $(B)/tests/unit/test_sluicectl_config

$(B)/tests/unit/test_sluicectl_config: tests/unit/test_sluicectl_config.py \
		$(B)/tests/sluiced-userspace $(B)/bin/sluicectl
	@mkdir -p $(@D)
	install -m 755 $< $@

# Tests of single files.
DAEMON_TESTS := $(addprefix $(B)/tests/unit/,test_cleaner_manager test_config test_fetch_session test_frame test_group test_group_record test_group_sim test_txn test_txn_sim test_quota \
	test_htable test_image test_live_config \
	test_properties test_purgatory test_reactor test_record_check test_segment_fd_cache test_sender test_timer)

# Tests of the daemon with a client on the loopback.
DAEMON_SERVED_TESTS := $(addprefix $(B)/tests/unit/,test_cleaner test_conn test_topic_defaults test_fetch_committed \
	test_handle_alter_configs test_handle_broker_configs test_handle_client_quotas test_handle_cluster test_handle_delete_records test_handle_fetch \
	test_handle_metadata test_handle_partitions test_topic_log test_handle_produce test_handle_txn test_handle_topics)

UNIT_TESTS += $(DAEMON_TESTS) $(DAEMON_SERVED_TESTS)

$(DAEMON_TESTS): $(B)/tests/unit/%: $(B)/asan/tests/unit/%.o $(USER_DAEMON_LIBS)
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) -o $@ $^ $(LIB_LIBS) -lcmocka -lpthread -lm

$(DAEMON_SERVED_TESTS): $(B)/tests/unit/%: $(B)/asan/tests/unit/%.o \
		$(B)/asan/tests/daemon/served.o $(USER_MODULE_SRCS:%.c=$(B)/asan/%.o) \
		$(USER_DAEMON_LIBS)
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) -o $@ $^ $(LIB_LIBS) -lcmocka -lpthread -lm

$(B)/tests/unit/test_group $(B)/tests/unit/test_group_sim: \
	$(addprefix $(B)/asan/tests/daemon/,group_world.o world.o)
$(B)/tests/unit/test_txn $(B)/tests/unit/test_txn_sim: \
	$(addprefix $(B)/asan/tests/daemon/,txn_world.o world.o)
$(B)/tests/unit/test_group_sim $(B)/tests/unit/test_txn_sim: $(B)/asan/tests/daemon/lives.o

# Fuzzers: the configuration, and a whole daemon behind a connection.
DAEMON_FUZZERS := $(addprefix $(B)/fuzz/,fuzz_properties fuzz_dynamic_config fuzz_conn fuzz_fetch_session fuzz_group_record fuzz_record_check)
FUZZERS += $(DAEMON_FUZZERS)

$(B)/fuzz/tests/libsluiced.a: $(USER_DAEMON_SRCS:%.c=$(B)/fuzz/%.o)
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/fuzz/fuzz_dynamic_config: $(B)/fuzz/tests/fuzz/fuzz_dynamic_config.o
$(B)/fuzz/fuzz_properties: $(B)/fuzz/tests/fuzz/fuzz_properties.o
$(B)/fuzz/fuzz_fetch_session: $(B)/fuzz/tests/fuzz/fuzz_fetch_session.o
$(B)/fuzz/fuzz_record_check: $(B)/fuzz/tests/fuzz/fuzz_record_check.o
$(B)/fuzz/fuzz_group_record: $(B)/fuzz/tests/fuzz/fuzz_group_record.o
$(B)/fuzz/fuzz_conn: $(B)/fuzz/tests/fuzz/fuzz_conn.o $(USER_MODULE_SRCS:%.c=$(B)/fuzz/%.o)
$(B)/fuzz/fuzz_conn: LDFLAGS := -Wl,--wrap=log_dir_topic_create,--wrap=log_dir_topic_delete
$(DAEMON_FUZZERS): $(B)/fuzz/tests/libsluiced.a $(B)/fuzz/libsluice-engine.a \
		$(B)/fuzz/libsluice-codec.a
	$(CLANG) $(SANITIZE) -fsanitize=fuzzer $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIB_LIBS) -lpthread -lm
	cp $(KAFKA_GEN)/fuzz.dict $@.dict
