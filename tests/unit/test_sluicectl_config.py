#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""sluicectl config, and SIGHUP, with the daemon in userspace: whole programs."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

BUILD = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Config(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.write("max.connections=700\n")
        self.daemon = subprocess.Popen(
            [os.path.join(BUILD, "tests/sluiced-userspace"), "--config", self.file(),
             "--override", "log.dirs=" + self.dir,
             "--override", "listeners=PLAINTEXT://127.0.0.1:0"],
            stderr=subprocess.PIPE, text=True)
        self.address = re.search(r"127\.0\.0\.1:\d+", self.says("ready, ")).group()

    def tearDown(self):
        self.daemon.terminate()
        self.daemon.communicate(timeout=120)
        self.assertEqual(self.daemon.returncode, 0)
        shutil.rmtree(self.dir)

    def file(self):
        return os.path.join(self.dir, "server.properties")

    def write(self, text):
        with open(self.file(), "w") as f:
            f.write(text)

    def says(self, what):
        for line in self.daemon.stderr:
            if what in line:
                return line
        self.fail("the daemon does not say: " + what)

    def ctl(self, *args, status=0):
        ran = subprocess.run([os.path.join(BUILD, "bin/sluicectl"), "-j", "-b", self.address,
                              "config", *args], capture_output=True, text=True, timeout=120)
        self.assertEqual(ran.returncode, status, ran.stderr)
        return json.loads(ran.stdout) if not status else ran.stderr

    def shown(self, key, *args):
        s = self.ctl(*args)["settings"].get(key)
        return s and (s["value"], s["from"], s["read_only"])

    def test_scopes(self):
        key = "max.connections"
        self.assertEqual(self.shown(key), ("700", "file", False))
        self.ctl("--all-brokers", "-c", key + "=600")
        self.assertEqual(self.shown(key), ("600", "all brokers", False))
        self.assertEqual(self.shown(key, "-c", key + "=500"), ("500", "broker", False))
        self.assertEqual(self.shown(key, "--all-brokers"), ("600", "all brokers", False))
        self.assertEqual(self.shown(key, "-d", key), ("600", "all brokers", False))
        self.assertIsNone(self.shown(key, "--all-brokers", "-d", key))
        self.assertEqual(self.shown("num.partitions"), ("1", "default", True))

    def test_refused(self):
        self.assertIn("[num.partitions]", self.ctl("-c", "num.partitions=2", status=1))
        self.assertIn("max.connections=x", self.ctl("-c", "max.connections=x", status=1))
        self.ctl("-c", "max.connections", status=2)
        self.ctl("word", status=2)

    def test_reload(self):
        self.write("max.connections=800\nnum.partitions=3\n")
        self.daemon.send_signal(signal.SIGHUP)
        self.assertRegex(self.says("next start"), ": num.partitions$")
        self.says("was read again")
        self.assertEqual(self.shown("max.connections"), ("800", "file", False))
        self.assertEqual(self.shown("num.partitions"), ("1", "default", True))
        self.write("\nmax.connections=some\n")
        self.daemon.send_signal(signal.SIGHUP)
        self.assertIn(self.file() + ":2: max.connections=some", self.says("=some"))
        self.says("stays as it was")
        self.assertEqual(self.shown("max.connections"), ("800", "file", False))


if __name__ == "__main__":
    unittest.main()
