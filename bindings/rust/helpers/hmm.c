// SPDX-License-Identifier: GPL-2.0

#include "hmm_attributes.c"
#include "hmm_devmem.c"
#include "hmm_mirror.c"
#include "hmm_runtime.c"
