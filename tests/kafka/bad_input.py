#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Bytes no client sends: the connection is closed, the daemon lives.

usage: bad_input.py HOST:PORT

What goes out is written by hand from Kafka's protocol guide.
"""
import os
import random
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "clients"))
import tap  # noqa: E402  pylint: disable=wrong-import-position

HOST, PORT = sys.argv[1].rsplit(":", 1)
PRODUCE, FETCH, METADATA, API_VERSIONS = 0, 1, 3, 18


def connect():
    channel = socket.create_connection((HOST, int(PORT)), timeout=20)
    channel.settimeout(20)
    return channel


def frame(payload):
    return struct.pack(">i", len(payload)) + payload


def header(api, version, correlation=7):
    """Request header v1 with the client id "bad"."""
    return struct.pack(">hhih", api, version, correlation, 3) + b"bad"


def answer(channel):
    """One response, or None if the daemon closed the connection."""
    data = b""
    try:
        while len(data) < 4 or len(data) < 4 + struct.unpack(">i", data[:4])[0]:
            more = channel.recv(65536)
            if not more:
                return None
            data += more
    except ConnectionResetError:
        return None
    return data[4:]


def assert_alive():
    with connect() as channel:
        channel.sendall(frame(header(API_VERSIONS, 0)))
        got = answer(channel)
        assert got is not None, "the daemon does not answer any more"
        tap.equal(struct.unpack(">ih", got[:6]), (7, 0), "correlation and error of ApiVersions")


def assert_closed(data, half_close=False):
    """The daemon must close on this, and go on with others."""
    with connect() as channel:
        try:
            channel.sendall(data)
            if half_close:
                channel.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass
        got = answer(channel)
        assert got is None, f"an answer of {len(got)} bytes instead of a close"
    assert_alive()


def test_negative_length():
    assert_closed(struct.pack(">i", -1) + b"x" * 100)


def test_zero_length():
    assert_closed(struct.pack(">i", 0))


def test_huge_length():
    assert_closed(struct.pack(">i", 0x7FFFFFFF) + b"x" * 1000)


def test_http_request():
    assert_closed(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_tls_hello():
    assert_closed(bytes.fromhex("16030100c8010000c40303") + bytes(189))


def test_cut_in_length():
    assert_closed(b"\0\0", half_close=True)


def test_cut_in_body():
    assert_closed(struct.pack(">i", 100) + header(METADATA, 1), half_close=True)


def test_header_too_short():
    assert_closed(frame(b"\0\x12\0"))


def test_client_id_past_end():
    assert_closed(frame(struct.pack(">hhih", METADATA, 1, 7, 1000) + b"x"))


def test_unknown_api():
    assert_closed(frame(header(32000, 0)))


def test_unsupported_version():
    assert_closed(frame(header(METADATA, 99) + bytes(20)))


def test_api_versions_of_the_future():
    """The one request that is answered though its version is unknown (KIP-511)."""
    with connect() as channel:
        channel.sendall(frame(header(API_VERSIONS, 99)))
        got = answer(channel)
        assert got is not None, "closed"
        tap.equal(struct.unpack(">ih", got[:6]), (7, 35), "correlation, UNSUPPORTED_VERSION")
    assert_alive()


def test_array_count_past_end():
    assert_closed(frame(header(METADATA, 1) + struct.pack(">i", 0x7FFFFFFF)))


def test_array_count_negative():
    assert_closed(frame(header(METADATA, 1) + struct.pack(">i", -2)))


def test_string_past_end():
    assert_closed(frame(header(METADATA, 1) + struct.pack(">ih", 1, 30000) + b"topic"))


def test_produce_records_past_end():
    body = struct.pack(">hhii", -1, -1, 1000, 1) + struct.pack(">h", 1) + b"t"
    body += struct.pack(">iii", 1, 0, 0x40000000) + b"records"
    assert_closed(frame(header(PRODUCE, 3) + body))


def test_varint_without_end():
    """A compact array's length of eleven continuation bytes (Metadata v9)."""
    assert_closed(frame(header(METADATA, 9) + b"\0" + b"\xff" * 11))


def test_tagged_fields_past_end():
    assert_closed(frame(header(METADATA, 9) + b"\x01\x00\xff\xff\xff\x7f"))


def test_random_bytes():
    """Fifty connections of noise, the same in every run; some look half right."""
    source = random.Random(1)
    for i in range(50):
        noise = source.randbytes(source.randrange(1, 2000))
        if i % 2:
            api = source.choice((PRODUCE, FETCH, METADATA, API_VERSIONS, 2, 10, 19, 20, 22, 32))
            noise = frame(header(api, source.randrange(0, 13)) + noise)
        with connect() as channel:
            try:
                channel.sendall(noise)
                channel.shutdown(socket.SHUT_WR)
                while channel.recv(65536):
                    pass
            except (BrokenPipeError, ConnectionResetError, OSError):
                pass
    assert_alive()


def test_slow_request():
    """A request that comes byte by byte is a request."""
    with connect() as channel:
        for byte in frame(header(API_VERSIONS, 0)):
            channel.sendall(bytes([byte]))
        assert answer(channel) is not None, "closed"


tap.run(sys.modules[__name__])
