# SPDX-License-Identifier: Apache-2.0
# Installation. Parts add themselves: INSTALL_FILES has source:folder[:mode],
# the folder by one of the variables below.

PREFIX ?= /usr/local
bindir := $(PREFIX)/bin
libdir := $(PREFIX)/lib
includedir := $(PREFIX)/include
mandir := $(PREFIX)/share/man
datadir := $(PREFIX)/share
sysconfdir := /etc
unitdir := /etc/systemd/system
moduledir := /lib/modules/$(shell uname -r)/updates

INSTALL_KO := $(B)/kmod-native/sluice.ko
UNITS := sluice.service sluiced.service

$(B)/systemd/%: systemd/%
	@mkdir -p $(@D)
	sed 's|@bindir@|$(bindir)|; s|@sysconfdir@|$(sysconfdir)|' $< > $@

install: $(filter-out $(MODULE_KOS),$(ALL)) $(UNITS:%=$(B)/systemd/%)	## install what was built [PREFIX=/usr/local] [DESTDIR=]
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" mk/install.sh install $(INSTALL_FILES) \
		$(UNITS:%=$(B)/systemd/%:$(unitdir)) systemd/server.properties:$(sysconfdir)/sluice:keep \
		$(if $(wildcard $(INSTALL_KO)),$(INSTALL_KO):$(moduledir))

uninstall:	## remove what `make install` installed (data and settings stay)
	@DESTDIR="$(DESTDIR)" mk/install.sh uninstall $(INSTALL_FILES) \
		$(UNITS:%=$(B)/systemd/%:$(unitdir)) $(INSTALL_KO):$(moduledir)

.PHONY: install uninstall
