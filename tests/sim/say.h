/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_SAY_H
#define TESTS_SIM_SAY_H

/** sim_say() - what happens, for who set SIM_VERBOSE. */
__attribute__((format(printf, 1, 2))) void sim_say(const char *fmt, ...);

#endif /* TESTS_SIM_SAY_H */
