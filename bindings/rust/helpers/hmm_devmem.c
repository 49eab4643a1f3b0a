// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <linux/hmm_devmem.h>

__rust_helper struct hmm_devmem_position
rust_helper_hmm_peer_access_position(const struct hmm_peer_access *access)
{
	return hmm_peer_access_position(access);
}

__rust_helper struct device *
rust_helper_hmm_peer_access_device(const struct hmm_peer_access *access)
{
	return hmm_peer_access_device(access);
}

__rust_helper dma_addr_t
rust_helper_hmm_peer_access_address(const struct hmm_peer_access *access)
{
	return hmm_peer_access_address(access);
}

__rust_helper void
rust_helper_hmm_peer_access_set_address(struct hmm_peer_access *access,
					dma_addr_t address)
{
	hmm_peer_access_set_address(access, address);
}

__rust_helper bool
rust_helper_hmm_peer_access_is_by_cpu(const struct hmm_peer_access *access)
{
	return hmm_peer_access_is_by_cpu(access);
}

__rust_helper void
rust_helper_hmm_peer_access_set_pointer(struct hmm_peer_access *access,
					void *pointer)
{
	hmm_peer_access_set_pointer(access, pointer);
}
