# SPDX-License-Identifier: GPL-2.0
# Rules for the folders of user programs. A folder's Makefile lists its programs
# in PROGRAMS (one C file each) and its scripts in SCRIPTS, and includes this file.
#   make -C selftests/kselftest OUTPUT=<folder> KSRC=<kernel source>
# tree/programs sets CFLAGS, with the include folders of the assembled tree,
# instead of KSRC.
CC ?= cc
OUTPUT ?= .
ifdef KSRC
CFLAGS ?= -O2 -g -Wall -static -pthread -D_GNU_SOURCE
# The kernel's own headers, if they are installed there (make headers).
CFLAGS += -isystem $(KSRC)/usr/include -I$(KSRC) -I$(KSRC)/tools/testing/selftests
endif

shared := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
# In our repository, and in an assembled tree.
probe := $(firstword $(wildcard $(shared)/../../c/mm/hmm/tests/probe $(shared)/../../../../../mm/hmm/tests/probe))
headers := $(wildcard $(shared)/*.h *.h $(probe)/hmm_probe.h)
flags := $(CFLAGS) -I$(shared) -I$(probe)

all: $(addprefix $(OUTPUT)/,$(PROGRAMS) $(SCRIPTS))

$(OUTPUT)/%: %.c $(shared)/hmm_user.c $(headers)
	@mkdir -p $(OUTPUT)
	$(CC) $(flags) -o $@ $(filter %.c,$^) $(LDFLAGS) -lm

$(addprefix $(OUTPUT)/,$(SCRIPTS)): $(OUTPUT)/%: %
	install -D -m 755 $< $@

clean:
	rm -f $(addprefix $(OUTPUT)/,$(PROGRAMS) $(SCRIPTS))

.PHONY: all clean
