/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _LINUX_HMM_TYPED_H
#define _LINUX_HMM_TYPED_H

#include <linux/hmm_attributes_typed.h>
#include <linux/hmm_devmem_typed.h>
#include <linux/hmm_mirror_typed.h>

#endif /* _LINUX_HMM_TYPED_H */
