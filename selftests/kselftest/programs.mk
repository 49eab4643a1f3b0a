# SPDX-License-Identifier: GPL-2.0
# What the folders of user programs share. A folder's Makefile names its
# programs in PROGRAMS, one C file each, and includes this.
#   make -C selftests/kselftest OUTPUT=<folder> KSRC=<kernel source>
# The tree assembly gives CFLAGS with the include folders of its tree instead
# of KSRC.
CC ?= cc
OUTPUT ?= .
ifdef KSRC
CFLAGS ?= -O2 -g -Wall -static -pthread -D_GNU_SOURCE
CFLAGS += -I$(KSRC) -I$(KSRC)/tools/testing/selftests
endif

shared := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
# Beside us in our repository; under samples/ in an assembled tree.
probe := $(firstword $(wildcard $(shared)/../probe $(shared)/../../../../../samples/hmm/probe))
headers := $(wildcard $(shared)/*.h *.h $(probe)/hmm_probe.h)
flags := $(CFLAGS) -I$(shared) -I$(probe)

all: $(addprefix $(OUTPUT)/,$(PROGRAMS))

$(OUTPUT)/%: %.c $(shared)/hmm_user.c $(headers)
	@mkdir -p $(OUTPUT)
	$(CC) $(flags) -o $@ $(filter %.c,$^) $(LDFLAGS) -lm

clean:
	rm -f $(addprefix $(OUTPUT)/,$(PROGRAMS))

.PHONY: all clean
