/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _ATTRIBUTES_TYPED_H
#define _ATTRIBUTES_TYPED_H

#include <linux/cleanup.h>
#include <linux/hmm_attributes.h>

/* struct hmm_attributes *x __free(hmm_attributes_exit): ended when @x goes out of scope. */
DEFINE_FREE(hmm_attributes_exit, struct hmm_attributes *,
	    if (!IS_ERR_OR_NULL(_T)) hmm_attributes_exit(_T))

__must_check int hmm_attributes_advise(struct hmm_attributes *attributes,
				       struct hmm_span span,
				       enum hmm_advice advice, int location);

#endif /* _ATTRIBUTES_TYPED_H */
