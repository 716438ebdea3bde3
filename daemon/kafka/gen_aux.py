# SPDX-License-Identifier: Apache-2.0
"""What goes with the codec: a table for tests, a fuzzing dictionary, documentation."""


def table_header(codes):
    return ""


def table_source(codes):
    return ""


def dictionary(apis):
    return ""


def support_table(apis):
    return ""
