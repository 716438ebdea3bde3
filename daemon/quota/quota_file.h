/* SPDX-License-Identifier: Apache-2.0 */
/* The quotas in a data directory: .sluice/client-quotas. */
#ifndef SLUICE_QUOTA_QUOTA_FILE_H
#define SLUICE_QUOTA_QUOTA_FILE_H

#include "daemon/log/log_dir.h"
#include "daemon/quota/quota_table.h"

/** quota_file_read - empty if there is no file; 0 or -errno with @err */
int quota_file_read(const char *path, struct quota_table **ret_t, struct log_dir_error *err);

/** quota_file_write - durably; 0 or -errno with @err */
int quota_file_write(const char *path, const struct quota_table *t, struct log_dir_error *err);

#endif /* SLUICE_QUOTA_QUOTA_FILE_H */
