// SPDX-License-Identifier: GPL-2.0
// The kernel crate has all that clk.h needs. For bindings/foreign.
