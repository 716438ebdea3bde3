// SPDX-License-Identifier: GPL-2.0
/*
 * What sluice_kunit.ko tests of sluice.ko. Compiled into sluice.ko only for a
 * kernel with KUnit: the module that people use exports nothing.
 */

#include "data_dir.h"
#include "file_io.h"
#include "log/log.h"
#include "partition.h"

#include <linux/export.h>

#define EXPORT_FOR_TEST EXPORT_SYMBOL_GPL

EXPORT_FOR_TEST(port_alloc);
EXPORT_FOR_TEST(port_free);
EXPORT_FOR_TEST(port_crc32c);
EXPORT_FOR_TEST(port_now_ms);
EXPORT_FOR_TEST(port_iter_copy);
EXPORT_FOR_TEST(port_iter_count);
EXPORT_FOR_TEST(port_dir_list);
EXPORT_FOR_TEST(port_dir_name);
EXPORT_FOR_TEST(port_dir_sync);
EXPORT_FOR_TEST(port_file_open);
EXPORT_FOR_TEST(port_file_close);
EXPORT_FOR_TEST(port_file_size);
EXPORT_FOR_TEST(port_file_read);
EXPORT_FOR_TEST(port_file_write);
EXPORT_FOR_TEST(port_file_write_iter);
EXPORT_FOR_TEST(port_file_crc32c);
EXPORT_FOR_TEST(port_file_rename);
EXPORT_FOR_TEST(port_file_remove);
EXPORT_FOR_TEST(port_file_reserve);
EXPORT_FOR_TEST(port_file_truncate);
EXPORT_FOR_TEST(port_file_sync);
EXPORT_FOR_TEST(sluice_root_check);
EXPORT_FOR_TEST(sluice_dir_open);
EXPORT_FOR_TEST(sluice_dir_close);
EXPORT_FOR_TEST(sluice_file);
EXPORT_FOR_TEST(sluice_file_mapping);
EXPORT_FOR_TEST(sluice_batch_build);
EXPORT_FOR_TEST(sluice_batch_build_size);
EXPORT_FOR_TEST(sluice_log_config_default);
EXPORT_FOR_TEST(sluice_log_set_config);
EXPORT_FOR_TEST(sluice_log_set_failed);
EXPORT_FOR_TEST(sluice_log_end_offset);
EXPORT_FOR_TEST(sluice_log_recovery_point);
EXPORT_FOR_TEST(sluice_log_segment_count);
EXPORT_FOR_TEST(sluice_notify_init);
EXPORT_FOR_TEST(sluice_notify_add);
EXPORT_FOR_TEST(sluice_notify_del);
EXPORT_FOR_TEST(sluice_notify_wake);
EXPORT_FOR_TEST(sluice_waiter_init);
EXPORT_FOR_TEST(sluice_data_dir_queues_init);
EXPORT_FOR_TEST(sluice_data_dir_queues_destroy);
EXPORT_FOR_TEST(sluice_flush_request);
EXPORT_FOR_TEST(sluice_flush_wait);
EXPORT_FOR_TEST(sluice_partition_create);
EXPORT_FOR_TEST(sluice_partition_make_dead);
EXPORT_FOR_TEST(sluice_partition_drain);
EXPORT_FOR_TEST(sluice_partition_put);
EXPORT_FOR_TEST(sluice_partition_enter);
EXPORT_FOR_TEST(sluice_partition_leave);
EXPORT_FOR_TEST(sluice_partition_append);
EXPORT_FOR_TEST(sluice_partition_truncate);
EXPORT_FOR_TEST(sluice_partition_set_offline);
