/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Symbols for sluice_kunit.ko. A kernel without KUnit gets none of them.
 */
#ifndef SLUICE_TEST_EXPORT_H
#define SLUICE_TEST_EXPORT_H

#include <linux/export.h>
#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_KUNIT)
#define EXPORT_SYMBOL_FOR_TEST(symbol) EXPORT_SYMBOL_GPL(symbol)
#else
#define EXPORT_SYMBOL_FOR_TEST(symbol)
#endif

#endif /* SLUICE_TEST_EXPORT_H */
