# SPDX-License-Identifier: Apache-2.0
# sluicectl: the operator's command.

SLUICECTL_SRCS := $(wildcard tools/sluicectl/*.c)
SLUICECTL := $(B)/bin/sluicectl

$(SLUICECTL): $(SLUICECTL_SRCS:%.c=$(B)/%.o) $(B)/libsluice-ctl.a $(B)/libsluice.a \
		$(B)/libsluice-engine.a $(B)/libsluice-codec.a $(KAFKA_CODEC_OBJS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(CTL_LIBS) $(LIB_LIBS) -ljansson -lbpf

ALL += $(SLUICECTL)
INSTALL_FILES += $(SLUICECTL):$(bindir)
INSTALL_FILES += $(B)/completions/sluicectl:$(datadir)/bash-completion/completions

$(B)/completions/sluicectl: tools/sluicectl/completion.bash
	@mkdir -p $(@D)
	cp $< $@

ALL += $(B)/completions/sluicectl

# Manual pages. Functions that share a page have one each that refers to it.
MAN_PAGES := $(notdir $(wildcard Documentation/man/*.[1-8])) sluiced.conf.5
MAN_PRODUCER := sluice_produce sluice_producer_flush sluice_producer_fd sluice_producer_close
MAN_CONSUMER := sluice_consumer_add sluice_consumer_remove sluice_consumer_pause \
	sluice_consumer_committed sluice_consume sluice_seek sluice_seek_in sluice_position \
	sluice_position_in sluice_consumer_fd \
	sluice_consumer_close
MAN_FILTER := sluice_consumer_filter sluice_filter_matches sluice_filter_program sluice_filter_free
MAN_LINKS := $(MAN_PRODUCER:%=%.3) $(MAN_CONSUMER:%=%.3) $(MAN_FILTER:%=%.3) sluice_version.3
MAN_FILES := $(addprefix $(B)/man/,$(MAN_PAGES) $(MAN_LINKS))

$(B)/man/%: Documentation/man/%
	@mkdir -p $(@D)
	cp $< $@

$(MAN_PRODUCER:%=$(B)/man/%.3): man_of := sluice_producer_open
$(MAN_CONSUMER:%=$(B)/man/%.3): man_of := sluice_consumer_open
$(MAN_FILTER:%=$(B)/man/%.3): man_of := sluice_filter_compile
$(B)/man/sluice_version.3: man_of := sluice_strerror
$(MAN_LINKS:%=$(B)/man/%):
	@mkdir -p $(@D)
	echo '.so man3/$(man_of).3' > $@

$(B)/print-settings: $(addprefix $(B)/,Documentation/man/print_settings.o daemon/config/item.o \
		daemon/log/topic_config.o)
	$(CC) -o $@ $^ -lpthread -lm

$(B)/man/sluiced.conf.5: Documentation/man/sluiced.conf.5.in $(B)/print-settings
	@mkdir -p $(@D)
	$(B)/print-settings broker > $@.broker
	$(B)/print-settings topic > $@.topic
	sed -e '/^@broker@$$/{r $@.broker' -e 'd}' -e '/^@topic@$$/{r $@.topic' -e 'd}' $< > $@

ALL += $(MAN_FILES)
INSTALL_FILES += $(foreach f,$(MAN_FILES),$(f):$(mandir)/man$(subst .,,$(suffix $(f))))
