/* SPDX-License-Identifier: GPL-2.0 */
/* Written by hmm-bindgen from contracts; do not edit. */
#ifndef _CLK_TYPED_H
#define _CLK_TYPED_H

#include <linux/cleanup.h>
#include <linux/clk.h>

/* struct clk *x __free(clk_put): ended when @x goes out of scope. */
DEFINE_FREE(clk_put, struct clk *, if (!IS_ERR_OR_NULL(_T)) clk_put(_T))

__must_check struct clk *clk_get(struct device *dev, const char *id);

__must_check int clk_prepare(struct clk *clk);

__must_check int clk_enable(struct clk *clk);

__must_check int clk_set_rate(struct clk *clk, unsigned long rate);

#endif /* _CLK_TYPED_H */
