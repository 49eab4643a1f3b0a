// SPDX-License-Identifier: GPL-2.0
/* Written by hmm-bindgen from contracts; do not edit. */

#include <linux/hmm_mirror.h>

__rust_helper void rust_helper_hmm_mirror_unlock(struct hmm_mirror *mirror)
{
	hmm_mirror_unlock(mirror);
}

__rust_helper int
rust_helper_hmm_section_error(const struct hmm_section *section)
{
	return hmm_section_error(section);
}

__rust_helper bool rust_helper_hmm_page_is_of(const struct page *page,
					      const void *owner)
{
	return hmm_page_is_of(page, owner);
}

__rust_helper unsigned long rust_helper_hmm_span_pages(struct hmm_span span)
{
	return hmm_span_pages(span);
}

__rust_helper bool rust_helper_hmm_span_is_user(struct hmm_span span)
{
	return hmm_span_is_user(span);
}

__rust_helper bool rust_helper_is_device_private_page(const struct page *page)
{
	return is_device_private_page(page);
}

__rust_helper bool rust_helper_is_device_coherent_page(const struct page *page)
{
	return is_device_coherent_page(page);
}

__rust_helper bool rust_helper_is_zero_page(const struct page *page)
{
	return is_zero_page(page);
}
