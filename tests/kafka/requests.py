#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Send the same request again and again on one connection, each after the
answer to the one before: the least a client can do, for counting.

usage: requests.py HOST:PORT TOPIC produce|fetch PARTITIONS COUNT

Each request is for the first PARTITIONS partitions of the topic.
"""
import socket
import struct
import sys
import time

HOST, PORT = sys.argv[1].rsplit(":", 1)
TOPIC, KIND = sys.argv[2].encode(), sys.argv[3]
PARTITIONS, COUNT = int(sys.argv[4]), int(sys.argv[5])

CRC_TABLE = []
for n in range(256):
    for _ in range(8):
        n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
    CRC_TABLE.append(n)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def batch(value):
    """A RecordBatch v2 with one record without key; lengths fit one varint byte."""
    record = b"\0\0\0\x01" + bytes([2 * len(value)]) + value + b"\0"
    record = bytes([2 * len(record)]) + record
    now = int(time.time() * 1000)
    checked = struct.pack(">hiqqqhii", 0, 0, now, now, -1, -1, -1, 1) + record
    return struct.pack(">qiibI", 0, 9 + len(checked), -1, 2, crc32c(checked)) + checked


def topic(partitions):
    """An array of one topic with these partitions, as both requests have it."""
    return struct.pack(">ih", 1, len(TOPIC)) + TOPIC + struct.pack(">i", PARTITIONS) + \
        b"".join(partitions)


def produce():
    """Produce v3: no transaction, acks=1."""
    records = batch(b"x" * 40)
    return struct.pack(">hhih", 0, 3, 1, -1) + struct.pack(">hhi", -1, 1, 10000) + \
        topic(struct.pack(">ii", n, len(records)) + records for n in range(PARTITIONS))


def fetch():
    """Fetch v4 of the first batch of each log."""
    return struct.pack(">hhih", 1, 4, 1, -1) + struct.pack(">iiiib", -1, 1000, 1, 1 << 20, 0) + \
        topic(struct.pack(">iqi", n, 0, 100) for n in range(PARTITIONS))


request = {"produce": produce, "fetch": fetch}[KIND]()
with socket.create_connection((HOST, int(PORT)), timeout=60) as channel:
    for _ in range(COUNT):
        channel.sendall(struct.pack(">i", len(request)) + request)
        answer = b""
        while len(answer) < 4 or len(answer) < 4 + struct.unpack(">i", answer[:4])[0]:
            more = channel.recv(65536)
            if not more:
                sys.exit("requests: the broker closed the connection")
            answer += more
    # Correlation id, one topic, its name, one partition, its index, the error;
    # fetch has its throttle time first.
    at = 8 + (4 if KIND == "fetch" else 0) + 4 + 2 + len(TOPIC) + 4 + 4
    error = struct.unpack(">h", answer[at:at + 2])[0]
    if error:
        sys.exit(f"requests: the broker answers with error {error}")
