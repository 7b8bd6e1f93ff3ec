#!/usr/bin/env python3
"""Packs what is deployed: the three functions as archives, the template that names them, and the program for operators.

    release.py VERSION ARCHITECTURE BUILD TOOL OUT [REPOSITORY]

BUILD is the directory of `sam build`, TOOL the program of the package `local` for Linux on x86_64, REPOSITORY `owner/name` on
GitHub. Writes OUT/front-payment-bridge-VERSION-ARCHITECTURE.tar.gz, the same bytes for the same input.
"""

import gzip
import io
import re
import stat
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = {"OrdersFunction": "orders", "CallbacksFunction": "callbacks", "WorkerFunction": "worker"}
GLIBC = (2, 34)  # of provided.al2023
EPOCH = (1980, 1, 1, 0, 0, 0)


def needed_glibc(program):
    return max((tuple(map(int, one)) for one in re.findall(rb"GLIBC_(\d+)\.(\d+)\b", program)), default=(0, 0))


def replaced(text, old, new, count=1):
    assert text.count(old) == count, f"{old!r} is {text.count(old)} times in template.yaml"
    return text.replace(old, new)


def packed_template(version, architecture, repository):
    """template.yaml with archives in place of what SAM builds."""
    text = (ROOT / "template.yaml").read_text()
    for function, name in FUNCTIONS.items():
        build = f"    Metadata: {{BuildMethod: rust-cargolambda, BuildProperties: {{Binary: {name}}}}}\n    Properties:\n"
        text = replaced(text, build, f"    Properties:\n      CodeUri: {name}.zip\n")
    text = replaced(text, "    CodeUri: .\n", "")
    text = replaced(text, "    Default: arm64\n    AllowedValues: [arm64]\n", f"    Default: {architecture}\n    AllowedValues: [{architecture}]\n")
    if repository:
        page = f"https://github.com/{repository}/blob/{version}/docs/runbook.md"
        text = replaced(text, "    Default: docs/runbook.md\n", f"    Default: {page}\n")
    return text


def archive(program):
    """A zip file with the program as `bootstrap`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        entry = zipfile.ZipInfo("bootstrap", EPOCH)
        entry.external_attr = (stat.S_IFREG | 0o755) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        file.writestr(entry, program)
    return out.getvalue()


def main(version, architecture, build, tool, out, repository=None):
    assert re.fullmatch(r"v\d+\.\d+\.\d+(-[\w.]+)?", version), version
    files = {"packed.yaml": packed_template(version, architecture, repository).encode(),
             "samconfig.toml": (ROOT / "samconfig.toml").read_bytes()}
    programs = {name: (Path(build) / function / "bootstrap").read_bytes() for function, name in FUNCTIONS.items()}
    for name, program in programs.items():
        assert needed_glibc(program) <= GLIBC, f"{name} needs glibc {needed_glibc(program)}"
        files[f"{name}.zip"] = archive(program)
    files["front-payment-bridge"] = Path(tool).read_bytes()
    name = f"front-payment-bridge-{version}-{architecture}"
    Path(out).mkdir(parents=True, exist_ok=True)
    with open(Path(out) / f"{name}.tar.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as zipped:
        with tarfile.open(fileobj=zipped, mode="w") as tar:
            for file, content in files.items():
                entry = tarfile.TarInfo(f"{name}/{file}")
                entry.size, entry.mode = len(content), 0o755 if file == "front-payment-bridge" else 0o644
                tar.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    main(*sys.argv[1:])
