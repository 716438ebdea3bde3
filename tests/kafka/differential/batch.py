# SPDX-License-Identifier: Apache-2.0
"""Record batches, good ones and such with one thing wrong, and what an answer
to Fetch says, batch by batch."""
import gzip
import struct

TABLE = []
for n in range(256):
    for _ in range(8):
        n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
    TABLE.append(n)

HEADER = struct.Struct(">qiibIhiqqqhii")
TRANSACTIONAL, CONTROL = 1 << 4, 1 << 5
TIME = 1700000000000
SIZE = HEADER.size


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def varint(value):
    value = (value << 1) ^ (value >> 63)
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def record(index, key=None, value=b"value", delta=None, time=0, headers=()):
    def data(x):
        return varint(-1) if x is None else varint(len(x)) + x
    body = b"\0" + varint(time) + varint(index if delta is None else delta)
    body += data(key) + data(value) + varint(len(headers))
    for name, content in headers:
        body += data(name) + data(content)
    return varint(len(body)) + body


def batch(n=1, *, records=None, base=0, length=None, epoch=-1, magic=2, crc=None, attributes=0,
          last=None, first_time=TIME, max_time=None, producer=(-1, -1), sequence=-1, count=None,
          cut=0, compress=None):
    """n records, or the bytes of records; everything else as it would be, if not said."""
    if records is None:
        records = b"".join(record(i, b"key", b"value %d" % i) for i in range(n))
    if compress:
        records = compress(records)
    pid, pid_epoch = producer
    fields = (attributes, n - 1 if last is None else last, first_time,
              first_time if max_time is None else max_time, pid, pid_epoch, sequence,
              n if count is None else count)
    body = struct.pack(">hiqqqhii", *fields) + records
    whole = struct.pack(">qiibI", base, 9 + len(body) if length is None else length, epoch, magic,
                        crc32c(body) if crc is None else crc) + body
    return whole[:len(whole) - cut]


def old_message(magic, value=b"old", attributes=0):
    """A message of the formats before record batches."""
    import zlib
    body = struct.pack(">bb", magic, attributes) + (struct.pack(">q", TIME) if magic else b"")
    body += struct.pack(">i", -1) + struct.pack(">i", len(value)) + value
    return struct.pack(">qiI", 0, len(body) + 4, zlib.crc32(body)) + body


def gzipped(records):
    return gzip.compress(records, mtime=0)


def describe(data):
    """The batches of an answer; what is cut at the end by its size only."""
    found = []
    while data:
        if len(data) < SIZE or len(data) < 12 + struct.unpack(">i", data[8:12])[0]:
            found.append({"Cut": len(data)})
            break
        (base, length, epoch, magic, crc, attributes, last, first, latest, pid, pid_epoch,
         sequence, count) = HEADER.unpack(data[:SIZE])
        whole, data = data[:12 + length], data[12 + length:]
        control = attributes & CONTROL
        found.append({
            "BaseOffset": base, "BatchLength": length, "PartitionLeaderEpoch": epoch,
            "Magic": magic, "CrcHolds": crc == crc32c(whole[21:]), "Attributes": attributes,
            "LastOffsetDelta": last, "FirstTimestamp": 0 if control else first,
            "LastTimestamp": 0 if control else latest, "ProducerId": pid,
            "ProducerEpoch": pid_epoch, "BaseSequence": sequence, "RecordsCount": count,
            "Content": whole[SIZE:]})
    return found
