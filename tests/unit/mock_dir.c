// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/mock_dir.h"

const char *path;
int dir_fd;
struct kern *k;
struct log_dir_error err;

int mock_dir_setup(void **state)
{
	(void)state;
	path = temp_dir_make(&dir_fd);
	k = mock_kern_new();
	return 0;
}

int mock_dir_teardown(void **state)
{
	(void)state;
	fail_syscalls_set(FAIL_NOT, 0);
	kern_close(k);
	temp_dir_remove(dir_fd);
	return 0;
}

void new_kernel(void)
{
	kern_close(k);
	k = mock_kern_new();
}
