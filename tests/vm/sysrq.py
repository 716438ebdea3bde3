#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make a hung machine say what it does: where its CPUs are, which tasks are
blocked and with which locks, into its kernel log.

usage: sysrq.py STATE_DIR

SysRq comes over the serial port, because it works when no program runs any
more; a break there is only to be had through QEMU's monitor.
"""
import os
import socket
import sys
import threading
import time


def connect(path):
    channel = socket.socket(socket.AF_UNIX)
    channel.settimeout(5)
    channel.connect(path)
    return channel


def ask(monitor, command):
    monitor.sendall(command.encode() + b"\n")
    answer = b""
    while not answer.endswith(b"(qemu) "):
        answer += monitor.recv(65536)
    return answer.decode(errors="replace")


def drain(channel):
    """QEMU holds the console, and with it the log, when nobody reads this."""
    channel.settimeout(None)
    while channel.recv(65536):
        pass


os.chdir(sys.argv[1])
monitor = connect("monitor.sock")
serial = connect("serial.sock")
threading.Thread(target=drain, args=(serial,), daemon=True).start()
while not monitor.recv(65536).endswith(b"(qemu) "):
    pass
for line in ask(monitor, "info registers -a").splitlines():
    if "RIP=" in line or line.startswith("CPU#"):
        print(line.strip())
for key in b"9dwlt":
    ask(monitor, "chardev-send-break serial")
    serial.sendall(bytes([key]))
    time.sleep(3)
