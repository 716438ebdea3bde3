/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SLUICECTL_RECORD_FORMAT_H
#define SLUICECTL_RECORD_FORMAT_H

#include "lib/sluice.h"
#include "tools/sluicectl/ctl.h"

/** record_format_check() - NULL, or what is wrong with the format */
const char *record_format_check(const char *format);

/** record_format_print() - print a record to stdout as the checked format says */
void record_format_print(const char *format, const char *topic, const sluice_record *r);

/** record_json() - the record as an object */
json_t *record_json(const char *topic, const sluice_record *r);

#endif /* SLUICECTL_RECORD_FORMAT_H */
