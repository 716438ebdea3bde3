// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "tests/fault/fault.h"

/* An operation that allocates more often than this is one that never ends. */
#define INJECTIONS_MAX 600
/* For one try, in a kernel that is fifty times slower than any other. */
#define TRY_SECONDS 90

static struct {
	const char *name;
	unsigned int nth;
} current;

static void on_alarm(int signal)
{
	char text[200];
	int len = snprintf(text, sizeof(text), "Bail out! %s hangs with injection %u\n",
			   current.name, current.nth);

	(void)signal;
	/* A short write only shortens a message. */
	if (write(STDOUT_FILENO, text, (size_t)len) < 0)
		_exit(2);
	_exit(1);
}

static const char *check_result(const struct fault_op *op, const struct fault_world *w, int ret)
{
	if (ret >= 0 || (w->injected && (ret == -ENOMEM || ret == -ENOBUFS || ret == op->also)))
		return NULL;
	return fault_format("failed with %s", strerror(-ret));
}

/* One try; returns NULL or what is wrong. */
static const char *try_op(const struct fault_op *op, struct fault_world *w, unsigned int nth)
{
	const char *why;
	int ret;

	current.nth = nth;
	alarm(TRY_SECONDS);
	if (op->prepare)
		op->prepare(w);
	fault_inject_begin(nth);
	ret = op->run(w);
	w->injected = fault_inject_end();

	why = check_result(op, w, ret);
	if (!why && op->check)
		why = op->check(w, ret);
	fault_world_end_try(w);
	if (!why)
		why = fault_world_check(w);
	alarm(0);
	return why;
}

static bool run_op(const struct fault_op *op, struct fault_world *w, size_t number)
{
	const char *why;
	unsigned int nth;

	current.name = op->name;
	/* What another operation left makes this one neither slow nor wrong. */
	fault_world_renew(w);
	for (nth = 1; nth <= INJECTIONS_MAX; nth++) {
		why = try_op(op, w, nth);
		if (why) {
			printf("# injection %u: %s\n", nth, why);
			break;
		}
		if (!w->injected) {
			printf("ok %zu - %s # %u injections\n", number, op->name, nth - 1);
			fflush(stdout);
			return true;
		}
	}
	if (nth > INJECTIONS_MAX)
		printf("# still failing allocations after %u\n", INJECTIONS_MAX);
	printf("not ok %zu - %s\n", number, op->name);
	fflush(stdout);
	return false;
}

static bool run_ops(const struct fault_op *ops, size_t n, struct fault_world *w, const char *only,
		    size_t *number)
{
	bool ok = true;

	for (size_t i = 0; i < n; i++)
		if (!only || !strcmp(only, ops[i].name))
			ok &= run_op(&ops[i], w, ++*number);
	return ok;
}

/* With an argument, only the operation of that name. */
int main(int argc, char **argv)
{
	const char *only = argc > 1 ? argv[1] : NULL;
	struct fault_world w = {0};
	size_t number = 0;
	bool ok;

	/* A fault of the program's own pages is not what is to fail. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall: %s", strerror(errno));
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	signal(SIGALRM, on_alarm);
	signal(SIGPIPE, SIG_IGN);
	fault_world_open(&w);
	ok = run_ops(fault_socket_ops, fault_n_socket_ops, &w, only, &number);
	ok &= run_ops(fault_log_ops, fault_n_log_ops, &w, only, &number);
	ok &= run_ops(fault_netlink_ops, fault_n_netlink_ops, &w, only, &number);
	printf("1..%zu\n", number);
	return ok && number ? 0 : 1;
}
