// SPDX-License-Identifier: Apache-2.0
/*
 * Use the time that nobody wants.
 *
 * A machine that counts instructions may not halt, for its clock would jump;
 * it polls, and an emulator is slower at that than at anything else. While this
 * runs there is no idle time: a sleep of a second takes some seconds, not
 * an hour; and how long everybody waited is what this process has run.
 *
 * usage: bench_idle	until it is killed
 */
#include <sched.h>
#include "tests/socket/harness.h"

int main(void)
{
	const struct sched_param param = {0};

	if (sched_setscheduler(0, SCHED_IDLE, &param))
		die("SCHED_IDLE is not to be had");
	for (;;)
		__asm__ volatile("");
}
