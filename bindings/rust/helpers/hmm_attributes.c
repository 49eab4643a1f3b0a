// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <linux/hmm_attributes.h>

__rust_helper bool
rust_helper_hmm_attributes_any(const struct hmm_attributes *attributes)
{
	return hmm_attributes_any(attributes);
}
