// SPDX-License-Identifier: GPL-2.0
/*
 * Assertions on the layout of struct hmm_range in the kernel's own header, which
 * ours replaces in the assembled tree.
 */
#include "../../../.tandem-source/include/linux/hmm.h"
#include "range_layout.h"
