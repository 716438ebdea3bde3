// SPDX-License-Identifier: Apache-2.0
/*
 * The netlink client where the module is not, or no longer: the running kernel
 * refuses the request, what is known of the family is the test's.
 */
#include <errno.h>
#include <netlink/genl/ctrl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <linux/genetlink.h>
#include "daemon/kern/kern.h"

/* A number that no family has. */
#define ABSENT GENL_MAX_ID

/* The answers to the next questions for the family. */
static const int *answers;

int __wrap_genl_ctrl_resolve(struct nl_sock *sock, const char *name);
int __wrap_genl_ctrl_resolve(struct nl_sock *sock, const char *name)
{
	(void)sock;
	(void)name;
	return *answers++;
}

static void kern_open__says_that_the_module_is_not_loaded(void **state)
{
	struct kern *k;

	(void)state;
	answers = (const int[]){-NLE_OBJ_NOTFOUND};
	assert_int_equal(kern_open(&k), -EAFNOSUPPORT);
	assert_non_null(strstr(kern_error(NULL), "not loaded"));
}

/* Generic netlink answers ENOENT, as if what was asked for were not there. */
static void kern_request__says_that_the_module_was_unloaded(void **state)
{
	struct kern_data_dir *dirs;
	struct kern_info info;
	struct kern *k;
	size_t n;

	(void)state;
	answers = (const int[]){ABSENT, -NLE_OBJ_NOTFOUND, -NLE_OBJ_NOTFOUND};
	assert_int_equal(kern_open(&k), 0);
	assert_int_equal(kern_info_get(k, &info), -EAFNOSUPPORT);
	assert_non_null(strstr(kern_error(k), "unloaded"));
	assert_int_equal(kern_data_dirs(k, &dirs, &n), -EAFNOSUPPORT);
	kern_close(k);
}

/* The number of a family that was loaded again is another. */
static void kern_request__says_so_when_it_was_loaded_again(void **state)
{
	struct kern_info info;
	struct kern *k;

	(void)state;
	answers = (const int[]){ABSENT, ABSENT - 1};
	assert_int_equal(kern_open(&k), 0);
	assert_int_equal(kern_info_get(k, &info), -EAFNOSUPPORT);
	kern_close(k);
}

/* As long as the family is there, what is not there is something else. */
static void kern_request__leaves_other_errors_alone(void **state)
{
	struct kern_info info;
	struct kern *k;

	(void)state;
	answers = (const int[]){ABSENT, ABSENT};
	assert_int_equal(kern_open(&k), 0);
	assert_int_equal(kern_info_get(k, &info), -ENOENT);
	kern_close(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kern_open__says_that_the_module_is_not_loaded),
		cmocka_unit_test(kern_request__says_that_the_module_was_unloaded),
		cmocka_unit_test(kern_request__says_so_when_it_was_loaded_again),
		cmocka_unit_test(kern_request__leaves_other_errors_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
