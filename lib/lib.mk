# SPDX-License-Identifier: Apache-2.0
# libsluice: shared, static, and its examples.

LIB_VERSION := 0.1.0
LIB_SRCS := $(addprefix lib/,batch_decode.c bytes.c consumer.c decompress.c error.c \
	filter.c filter_compile.c filter_parse.c inflate.c producer.c socket.c)
LIB_LIBS := -lz -llz4 -lzstd -lsnappy

$(B)/lib/%.o $(B)/asan/lib/%.o $(B)/fuzz/lib/%.o: CFLAGS += -fvisibility=hidden
$(B)/lib/error.o $(B)/asan/lib/error.o $(B)/fuzz/lib/error.o: CFLAGS += -DSLUICE_LIB_VERSION='"$(LIB_VERSION)"'

$(B)/libsluice.a: $(LIB_SRCS:%.c=$(B)/%.o)
$(B)/asan/libsluice.a: $(LIB_SRCS:%.c=$(B)/asan/%.o)
$(B)/libsluice.a $(B)/asan/libsluice.a:
	@rm -f $@
	$(AR) rcs $@ $^

# The codecs alone, for programs that compact logs. Needs LIB_LIBS behind it.
CODEC_SRCS := $(addprefix lib/,bytes.c compress.c decompress.c deflate.c inflate.c)

$(B)/libsluice-codec.a: $(CODEC_SRCS:%.c=$(B)/%.o)
$(B)/asan/libsluice-codec.a: $(CODEC_SRCS:%.c=$(B)/asan/%.o)
$(B)/fuzz/libsluice-codec.a: $(CODEC_SRCS:%.c=$(B)/fuzz/%.o)
$(B)/libsluice-codec.a $(B)/asan/libsluice-codec.a $(B)/fuzz/libsluice-codec.a:
	@rm -f $@
	$(AR) rcs $@ $^

LIB_SO := $(B)/libsluice.so.$(LIB_VERSION)
LIB_SO_LINKS := $(B)/libsluice.so.0 $(B)/libsluice.so

$(LIB_SO): $(LIB_SRCS:%.c=$(B)/%.o) lib/libsluice.map
	$(CC) -shared -Wl,-soname,libsluice.so.0 -Wl,--version-script=lib/libsluice.map \
		-Wl,--no-undefined -o $@ $(filter %.o,$^) $(LIB_LIBS)

$(LIB_SO_LINKS): $(LIB_SO)
	ln -sf $(notdir $(LIB_SO)) $@

$(B)/sluice.pc: lib/sluice.pc.in
	@mkdir -p $(@D)
	sed 's|@prefix@|$(PREFIX)|; s|@version@|$(LIB_VERSION)|' $< > $@

# As a user builds them, but for where the library is.
LIB_EXAMPLES := $(patsubst lib/examples/%.c,$(B)/examples/%,$(filter-out %.bpf.c,$(wildcard lib/examples/*.c)))

$(B)/examples/%: lib/examples/%.c lib/sluice.h $(LIB_SO_LINKS)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 $(WARN) -Ilib -o $@ $< -L$(B) -lsluice -Wl,-rpath,'$$ORIGIN/..'

ALL += $(B)/libsluice.a $(LIB_SO) $(LIB_SO_LINKS) $(B)/sluice.pc $(LIB_EXAMPLES)
INSTALL_FILES += $(B)/libsluice.a:$(libdir) $(LIB_SO):$(libdir) $(LIB_SO_LINKS:%=%:$(libdir)) \
	$(B)/sluice.pc:$(libdir)/pkgconfig lib/sluice.h:$(includedir) \
	uapi/linux/sluice.h:$(includedir)/linux uapi/linux/sluice_format.h:$(includedir)/linux

# Unit tests and the fuzzer of what reads untrusted bytes.
LIB_TESTS := $(addprefix $(B)/tests/unit/,test_batch_decode test_compress test_decompress \
	test_filter)
UNIT_TESTS += $(LIB_TESTS)

$(LIB_TESTS): $(B)/tests/unit/%: $(B)/asan/tests/unit/%.o $(B)/asan/libsluice.a \
		$(B)/asan/libsluice-codec.a
	@mkdir -p $(@D)
	$(CC) $(SANITIZE) -o $@ $^ $(LIB_LIBS) -lcmocka

FUZZERS += $(B)/fuzz/fuzz_batch_decode $(B)/fuzz/fuzz_filter

$(B)/fuzz/fuzz_batch_decode: $(B)/fuzz/tests/fuzz/fuzz_batch_decode.o \
		$(addprefix $(B)/fuzz/lib/,batch_decode.o bytes.o decompress.o inflate.o)
	@mkdir -p $(@D)
	$(CLANG) $(SANITIZE) -fsanitize=fuzzer -o $@ $^ $(LIB_LIBS)

$(B)/fuzz/fuzz_filter: $(B)/fuzz/tests/fuzz/fuzz_filter.o $(B)/fuzz/tests/unit/filter_view.o \
		$(addprefix $(B)/fuzz/lib/,error.o filter.o filter_compile.o filter_parse.o)
	@mkdir -p $(@D)
	$(CLANG) $(SANITIZE) -fsanitize=fuzzer -o $@ $^

$(B)/tests/unit/test_filter: $(B)/asan/tests/unit/filter_view.o
