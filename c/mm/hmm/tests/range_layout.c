// SPDX-License-Identifier: GPL-2.0
/*
 * The layout of struct hmm_range in the kernel's own header, which ours replaces
 * in the assembled tree. Nothing but assertions.
 */
#include "../../../.tandem-source/include/linux/hmm.h"
#include "range_layout.h"
