# SPDX-License-Identifier: Apache-2.0
# The engine's fuzzers.

ENGINE_FUZZERS := $(addprefix $(B)/tests/fuzz/,fuzz_batch fuzz_clean fuzz_record fuzz_log \
	fuzz_leader_epoch fuzz_snapshot fuzz_txn_index \
	fuzz_log_model)
FUZZERS += $(ENGINE_FUZZERS)

$(ENGINE_FUZZERS): $(B)/tests/fuzz/%: $(B)/fuzz/tests/fuzz/%.o $(B)/fuzz/libsluice-engine.a
	@mkdir -p $(@D)
	$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LDLIBS) -lpthread

$(B)/tests/fuzz/fuzz_clean: LDLIBS := $(LIB_LIBS)
$(B)/tests/fuzz/fuzz_clean: $(B)/fuzz/libsluice-codec.a

# Lets port calls fail while it runs.
$(B)/fuzz/kmod/log/port_user.o $(B)/fuzz/tests/fuzz/fuzz_log_model.o: CFLAGS += -DPORT_FAULT
