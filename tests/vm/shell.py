#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A shell or a command inside a running machine, over virtio serial ports.

usage: shell.py STATE_DIR [COMMAND]	host side; leaves with the command's status
       shell.py --serve			machine side, started by guest.sh

The two sides exchange frames: one letter, four bytes of length, a payload.
To the machine:   R request (JSON), I input, E end of input, W window size
From the machine: B begin (the request's id), O output, S error output, X status
"""
import fcntl
import glob
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
import tty
import uuid

PORTS = 4
CHUNK = 65536


class Gone(Exception):
    """The other side closed."""


def send(fd, kind, payload=b""):
    data = kind + struct.pack(">I", len(payload)) + payload
    while data:
        try:
            data = data[os.write(fd, data):]
        except BlockingIOError:
            select.select([], [fd], [], 1)
        except OSError as error:
            raise Gone from error


class Frames:
    """Cuts what arrives on a descriptor into frames."""

    def __init__(self, fd):
        self.fd = fd
        self.rest = b""

    def read(self):
        """Read once; returns the whole frames that are there then."""
        try:
            data = os.read(self.fd, CHUNK)
        except BlockingIOError:
            return []
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        self.rest += data
        frames = []
        while len(self.rest) >= 5:
            end = 5 + struct.unpack(">I", self.rest[1:5])[0]
            if len(self.rest) < end:
                break
            frames.append((self.rest[:1], self.rest[5:end]))
            self.rest = self.rest[end:]
        return frames


def set_window(fd, payload):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, payload)


# Machine side

def start(request):
    """Start the request's command: process, its input, {its outputs: frame kind}."""
    argv = ["/bin/bash", "-c", request["command"]] if request["command"] else ["/bin/bash", "-i"]
    if request["tty"]:
        master, slave = pty.openpty()
        set_window(slave, bytes.fromhex(request["window"]))
        env = dict(os.environ, TERM=request["term"], PS1=r"sluice:\w# ")
        process = subprocess.Popen(["setsid", "--ctty"] + argv, env=env,
                                   stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        return process, master, {master: b"O"}
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
    return process, process.stdin.fileno(), {process.stdout.fileno(): b"O",
                                             process.stderr.fileno(): b"S"}


def feed(kind, payload, process, stdin, is_tty):
    """Carry out one frame from the host."""
    try:
        if kind == b"I":
            while payload:
                payload = payload[os.write(stdin, payload):]
        elif kind == b"E" and is_tty:
            os.write(stdin, b"\x04")
        elif kind == b"E":
            process.stdin.close()
        elif kind == b"W":
            set_window(stdin, payload)
    except (OSError, ValueError):
        pass  # the command does not read any more; its status will tell


def relay(port, frames, pending, request):
    """Run one request to its end."""
    process, stdin, outputs = start(request)
    send(port, b"B", request["id"].encode())
    is_tty = request["tty"]
    try:
        for frame in pending:
            feed(*frame, process, stdin, is_tty)
        while outputs:
            ready = select.select([port, *outputs], [], [])[0]
            for fd in ready:
                if fd == port:
                    for frame in frames.read():
                        feed(*frame, process, stdin, is_tty)
                    continue
                try:
                    data = os.read(fd, CHUNK)
                except OSError:  # how a pty says that nobody is left
                    data = b""
                if data:
                    send(port, outputs[fd], data)
                else:
                    del outputs[fd]
        send(port, b"X", str(process.wait()).encode())
    except Gone:
        os.killpg(process.pid, signal.SIGHUP)
        process.wait()
    finally:
        if is_tty:
            os.close(stdin)
        else:
            for pipe in (process.stdin, process.stdout, process.stderr):
                try:
                    pipe.close()
                except OSError:
                    pass


def serve_port(path):
    port = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    poll = select.poll()
    poll.register(port, select.POLLIN)
    frames = Frames(port)
    while True:
        # A port whose host side is closed reads as hung up at once, so there
        # is nothing to block on.
        if any(event & select.POLLHUP for _, event in poll.poll()):
            frames.rest = b""
            time.sleep(0.2)
            continue
        try:
            got = frames.read()
            if got and got[0][0] == b"R":
                relay(port, frames, got[1:], json.loads(got[0][1]))
        except Gone:
            frames.rest = b""
            time.sleep(0.2)


def serve():
    for name in glob.glob("/sys/class/virtio-ports/*/name"):
        with open(name, encoding="ascii") as file:
            if file.read().startswith("sluice.shell."):
                path = "/dev/" + name.split("/")[-2]
                threading.Thread(target=serve_port, args=(path,)).start()


# Host side

def connect():
    """A free port of the machine whose state directory is the current one."""
    for n in range(PORTS):
        lock = os.open(f"shell.{n}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        channel = socket.socket(socket.AF_UNIX)
        channel.connect(f"shell.{n}.sock")
        os.set_inheritable(lock, False)
        return channel
    sys.exit(f"shell: all {PORTS} connections to the machine are in use")


def window_size():
    return fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))


def converse(fd, request):
    frames = Frames(fd)
    send(fd, b"R", json.dumps(request).encode())
    begun = False
    watched = [fd, 0]
    while True:
        for ready in select.select(watched, [], [])[0]:
            if ready == 0:
                data = os.read(0, CHUNK)
                send(fd, b"I" if data else b"E", data)
                if not data:
                    watched.remove(0)
                continue
            for kind, payload in frames.read():
                if kind == b"B":
                    begun = payload.decode() == request["id"]
                elif begun and kind in b"OS":
                    os.write(1 if kind == b"O" else 2, payload)
                elif begun and kind == b"X":
                    return int(payload)


def main():
    if sys.argv[1:] == ["--serve"]:
        return serve()
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        os.chdir(sys.argv[1])
        channel = connect()
    except OSError:
        sys.exit("shell: no machine is running there")
    command = sys.argv[2] if len(sys.argv) == 3 else ""
    is_tty = not command and os.isatty(0) and os.isatty(1)
    request = {"id": uuid.uuid4().hex, "command": command, "tty": is_tty,
               "term": os.environ.get("TERM", "dumb"), "window": ""}
    fd = channel.fileno()
    saved = None
    if is_tty:
        request["window"] = window_size().hex()
        signal.signal(signal.SIGWINCH, lambda *_: send(fd, b"W", window_size()))
        saved = termios.tcgetattr(0)
        tty.setraw(0)
    try:
        status = converse(fd, request)
    except Gone:
        sys.exit("shell: the machine went away")
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        if saved:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)
    sys.exit(status if status >= 0 else 128 - status)


main()
