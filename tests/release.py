#!/usr/bin/env python3
"""What .github/release.py packs. Needs the packages of the SAM CLI."""

import io
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).resolve().parent.parent


class Release(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        self.path = Path(self.directory.name)
        for function in ["OrdersFunction", "CallbacksFunction", "WorkerFunction"]:
            self.write(f"build/{function}/bootstrap", f"{function} GLIBC_2.34 GLIBC_2.17")
        self.write("tool", "the tool")

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def pack(self, architecture="arm64"):
        arguments = ["v1.2.3", architecture, self.path / "build", self.path / "tool", self.path / "dist", "owner/bridge"]
        done = subprocess.run([sys.executable, ROOT / ".github/release.py", *arguments], capture_output=True, text=True)
        return done, self.path / f"dist/front-payment-bridge-v1.2.3-{architecture}.tar.gz"

    def test_an_archive_has_all_that_a_deployment_needs(self):
        for architecture in ["arm64", "x86_64"]:
            done, packed = self.pack(architecture)
            self.assertEqual(done.returncode, 0, done.stderr)
            with tarfile.open(packed) as tar:
                files = {Path(entry.name).name: (entry.mode, tar.extractfile(entry).read()) for entry in tar}
            self.assertEqual(files.keys(), {"packed.yaml", "samconfig.toml", "orders.zip", "callbacks.zip", "worker.zip", "front-payment-bridge"})
            self.assertEqual(files["front-payment-bridge"], (0o755, b"the tool"))
            with zipfile.ZipFile(io.BytesIO(files["worker.zip"][1])) as archive:
                (entry,) = archive.infolist()
                self.assertEqual((entry.filename, entry.external_attr >> 16), ("bootstrap", 0o100755))
                self.assertEqual(archive.read(entry), b"WorkerFunction GLIBC_2.34 GLIBC_2.17")
            template = yaml_parse(files["packed.yaml"][1].decode())
            functions = [one for one in template["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]
            self.assertEqual([one["Properties"]["CodeUri"] for one in functions], ["orders.zip", "callbacks.zip", "worker.zip"])
            self.assertFalse(any("Metadata" in one for one in functions), "nothing is built")
            self.assertEqual(template["Parameters"]["Architecture"]["AllowedValues"], [architecture])
            self.assertEqual(template["Parameters"]["RunbookUrl"]["Default"], "https://github.com/owner/bridge/blob/v1.2.3/docs/runbook.md")

    def test_the_same_build_makes_the_same_bytes(self):
        _, packed = self.pack()
        first = packed.read_bytes()
        self.pack()
        self.assertEqual(packed.read_bytes(), first)

    def test_a_program_that_needs_a_newer_glibc_is_refused(self):
        self.write("build/CallbacksFunction/bootstrap", "GLIBC_2.35")
        done, packed = self.pack()
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("callbacks needs glibc (2, 35)", done.stderr)
        self.assertFalse(packed.exists())


if __name__ == "__main__":
    unittest.main(verbosity=2)
