"""Replies that need other settings of the bridge, each from a program of its own."""

import os
import re
import subprocess
from contextlib import contextmanager

from description import ROOT
from test_replies import order, submit

LOCAL = os.environ.get("LOCAL_BIN", str(ROOT / "target/debug/local"))


@contextmanager
def program(**settings):
    command = [LOCAL, "--in-memory", "--port", "0"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, env=os.environ | settings, **streams) as process:
        try:
            lines = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in process.stdout)
            yield next(found.group() for found in lines if found)
        finally:
            process.kill()


def test_orders_that_are_switched_off():
    with program(ACCEPT_ORDERS="false") as base:
        refused = submit(order("switched-off"), 503, "front-payment-unavailable", base=base)
        assert refused.headers["retry-after"]


def test_advice_that_is_enforced():
    body = order("enforced")
    body["orderSummary"]["grandTotal"] = "1"
    assert [warning["code"] for warning in submit(body, 201).json()["warnings"]] == ["totals_mismatch"]
    with program(ADVISORY_CHECKS="enforce") as base:
        refused = submit(body, 422, "validation-failed", base=base)
        assert [error["code"] for error in refused.json()["errors"]] == ["totals_mismatch"]
