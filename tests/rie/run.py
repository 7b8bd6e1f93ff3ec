#!/usr/bin/env python3
"""Runs the output of `sam build` as Lambda does, and sends it the events of events/.

AWS's Runtime Interface Emulator, which comes with the SAM CLI, invokes the two functions. moto replaces
DynamoDB and Secrets Manager, and the sandbox of `cargo run` replaces Front Payment. The sandbox sends its
callbacks to the functions. Everything runs on loopback.

    sam build --build-dir target/sam-x86_64 --parameter-overrides Architecture=x86_64
    cargo build --bin local
    python3 tests/rie/run.py [target/sam-x86_64] [--arm64 target/sam-arm64/OrdersFunction/bootstrap]

--arm64 also sends an order to that bootstrap, under qemu-user. --prepare only creates target/ci-venv with
sam, cargo-lambda, zig, cfn-lint and moto.
"""

import argparse
import contextlib
import hashlib
import json
import re
import signal
import sys
import traceback
from collections import namedtuple
from pathlib import Path

import world
from world import LOGS, ROOT, event

# UUID v5 of "demo-shop", a NUL byte and the key, in the bridge's namespace.
PRIVATE_ID = "516b7bd0-f7f6-507c-82dd-7382a97dbad0"  # order-1001
CORPORATE_ID = "c0758ac8-6b23-5688-a20e-b65364698db5"  # order-1002
API = "https://a1b2c3d4e5.execute-api.eu-north-1.amazonaws.com"
EVENTS_TOKEN = "rie-callback-token-000000"
EVENTS_UUID = "ODR4286244937"
EVENTS_CHECKSUM = "d64f791576b046fb715726322a95e4cb67d22fdc92ea42d376f98be375d82ed1"
UUID4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
SUBMIT = ("POST", "/front-payment/api/v1/connect/orders/invoice/submit")

# Data of customers and what they bought. No item and no log may contain it.
PERSONAL = [
    "Nordmann", "kari@example.com", "invoices@example.com", "40000000", "40000001", "30908299902",
    "974760673", "Storgata", "Havnegata", "Trondheim", "Narvik", "Router", "Office chair",
]
# Secrets. No log may contain them.
SECRETS = ["sandbox-token", "sandbox-secret-key", "demo-shop-key", "/front-payment/bankid", "shop.example.com"]

# A JSON number as it is written in the document: 1.50 differs from 1.5 and from "1.50".
Number = namedtuple("Number", "digits")


def exact(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


class Checks:
    """Compares, counts and prints."""

    passed = failed = 0

    def equal(self, what, got, expected):
        if got == expected:
            self.passed += 1
            print(f"ok    {what}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL  {what}\n      got      {got!r}\n      expected {expected!r}", flush=True)

    def matches(self, what, got, pattern):
        self.equal(f"{what} ({got})", bool(re.fullmatch(pattern, str(got))), True)

    def none_of(self, what, words, text):
        self.equal(what, [word for word in words if word in text], [])


def submitted(name):
    """The order in an event, with its numbers as written."""
    return exact(json.loads(event(name))["body"])


def statuses(item):
    return [(entry["M"]["status"]["S"], entry["M"]["source"]["S"]) for entry in item["history"]["L"]]


def errors(problem):
    return sorted((error["pointer"], error["code"]) for error in problem["errors"])


def check_private_order(checks, what, orders, aws, provider, api):
    """Returns the body that the shop got."""
    status, headers, body = orders.send(event("private-order"))
    checks.equal(f"{what}: 201", status, 201)
    checks.equal(f"{what}: Location", headers.get("location"), f"/orders/{PRIVATE_ID}")
    checks.equal(f"{what}: not a replay", headers.get("idempotency-replayed"), None)

    item = aws.item(PRIVATE_ID)
    token = item["callbackToken"]["S"]
    forwarded = submitted("private-order")
    forwarded["customerDetails"]["preferredLanguage"] = "no"
    del forwarded["customerDetails"]["organizationId"]
    forwarded["invoiceMaturity"] = Number("10")
    forwarded["callback"]["callbackUrl"] = f"{api}/callbacks/{PRIVATE_ID}/{token}"
    created = check_submit(checks, what, provider, forwarded)
    checks.equal(f"{what}: the reply", body, {"orderId": PRIVATE_ID, "status": "SENT"} | created)
    checks.equal(f"{what}: what the sandbox created", sorted(created), ["bankIdUrl", "customerUuid", "orderUuid"])
    checks.matches(f"{what}: orderUuid", body["orderUuid"], r"ODR\d{10}")
    checks.matches(f"{what}: customerUuid", body["customerUuid"], r"CSRT\d{10}")
    link = rf"http://127\.0\.0\.1:\d+/front-payment/bankid/{body['orderUuid']}-{UUID4}"
    checks.matches(f"{what}: bankIdUrl", body["bankIdUrl"], link)

    checks.equal(f"{what}: stored status", item["status"], {"S": "SENT"})
    checks.equal(f"{what}: stored orderUuid", item["orderUuid"], {"S": body["orderUuid"]})
    checks.equal(f"{what}: stored shop", item["shopId"], {"S": "demo-shop"})
    checks.equal(f"{what}: stored history", statuses(item), [("SENT", "submit")])
    checks.equal(f"{what}: the token is long and URL-safe", bool(re.fullmatch("[A-Za-z0-9_-]{22,}", token)), True)
    checks.none_of(f"{what}: no personal data is stored", PERSONAL, json.dumps(item))

    status, headers, again = orders.send(event("private-order"))
    checks.equal(f"{what} again: 201", status, 201)
    checks.equal(f"{what} again: the same reply", again, body)
    checks.equal(f"{what} again: a replay", headers.get("idempotency-replayed"), "true")
    checks.equal(f"{what} again: Front Payment is not called", provider.take_calls(), [])
    checks.equal(f"{what} again: nothing is written", aws.item(PRIVATE_ID), item)
    return body


def check_corporate_order(checks, orders, aws, provider, gateway):
    status, headers, body = orders.send(event("corporate-order"))
    checks.equal("corporate-order: 201", status, 201)
    checks.equal("corporate-order: Location", headers.get("location"), f"/orders/{CORPORATE_ID}")

    item = aws.item(CORPORATE_ID)
    token = item["callbackToken"]["S"]
    forwarded = submitted("corporate-order")
    del forwarded["customerDetails"]["personalNumber"]
    forwarded["callback"]["callbackUrl"] = f"{gateway.base_url}/callbacks/{CORPORATE_ID}/{token}"
    created = check_submit(checks, "corporate-order", provider, forwarded)
    checks.equal("corporate-order: the reply", body, {"orderId": CORPORATE_ID, "status": "INVOICED"} | created)
    checks.equal("corporate-order: what the sandbox created", sorted(created), ["customerUuid", "orderUuid"])
    checks.matches("corporate-order: orderUuid", body["orderUuid"], r"ODR\d{10}")
    checks.equal("corporate-order: stored status", item["status"], {"S": "INVOICED"})
    checks.equal("corporate-order: stored orderUuid", item["orderUuid"], {"S": body["orderUuid"]})
    checks.none_of("corporate-order: no personal data is stored", PERSONAL, json.dumps(item))

    # A company does not sign. Front Payment calls back without that, and writes the amount in its own form.
    path = f"/callbacks/{CORPORATE_ID}/{token}"
    check_real_callback(checks, "corporate-order, called back", gateway, path, body["orderUuid"], "31237.5")
    item = aws.item(CORPORATE_ID)
    checks.equal("corporate-order, called back: stored status", item["status"], {"S": "INVOICED"})
    history = [("INVOICED", "submit"), ("INVOICED", "callback")]
    checks.equal("corporate-order, called back: stored history", statuses(item), history)
    checks.equal("corporate-order, called back: Front Payment is not called", provider.take_calls(), [])


def check_submit(checks, what, provider, forwarded):
    """Returns what Front Payment says that it created."""
    (call,) = provider.take_calls()
    checks.equal(f"{what}: method and path", (call.method, call.path), SUBMIT)
    checks.equal(f"{what}: the bearer token", call.authorization, "Bearer sandbox-token")
    checks.equal(f"{what}: the body, digit for digit", exact(call.body), forwarded)
    return json.loads(call.answer)["data"]


def check_real_callback(checks, what, gateway, path, uuid, amount):
    ((called, query, status),) = gateway.take_calls(1)
    checks.equal(f"{what}: to the order's URL", called, path)
    said = {name: query[name] for name in ("orderUuid", "status", "amount")}
    checks.equal(f"{what}: INVOICED", said, {"orderUuid": uuid, "status": "INVOICED", "amount": amount})
    checks.equal(f"{what}: 200", status, 200)


def check_invalid_order(checks, orders, aws, provider):
    status, headers, body = orders.send(event("invalid-order"))
    checks.equal("invalid-order: 422", status, 422)
    checks.equal("invalid-order: a problem document", headers["content-type"], "application/problem+json")
    checks.equal("invalid-order: its type", body["type"], "urn:front-payment-bridge:validation-failed")
    checks.equal(
        "invalid-order: every violation",
        errors(body),
        [
            ("/callback/success", "invalid_format"),
            ("/customerDetails/email", "invalid_format"),
            ("/customerDetails/personalNumber", "required"),
            ("/fpgoUuid", "not_allowed"),
            ("/orderDate", "out_of_range"),
            ("/orderSummary/grandTotal", "wrong_type"),
            ("/products/0/name", "required"),
            ("/products/0/productId", "too_long"),
            ("/products/0/quantity", "out_of_range"),
            ("/products/0/rate", "invalid_format"),
            ("/products/0/tax", "not_allowed"),
        ],
    )
    checks.equal("invalid-order: Front Payment is not called", provider.take_calls(), [])
    stored = sorted(item["orderId"]["S"] for item in aws.items())
    checks.equal("invalid-order: nothing is stored", stored, [PRIVATE_ID, CORPORATE_ID])


def check_read(checks, what, orders, provider, expected, history):
    status, _, body = orders.send(event("read-order"))
    checks.equal(f"{what}: 200", status, 200)
    times = [body.pop("createdAt"), body.pop("updatedAt"), *(entry.pop("at") for entry in body["history"])]
    is_rfc_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").fullmatch
    checks.equal(f"{what}: the times", all(map(is_rfc_3339, times)), True)
    order = {
        "orderId": PRIVATE_ID,
        "referenceNo": "1001",
        "customerReference": "3500",
        "grandTotal": "1224.00",
        "history": [{"status": status, "source": source} for status, source in history],
    }
    checks.equal(f"{what}: the order", body, order | expected)
    checks.equal(f"{what}: Front Payment is not called", provider.take_calls(), [])


def check_callbacks(checks, callbacks, aws, provider, uuid):
    token = aws.item(PRIVATE_ID)["callbackToken"]["S"]
    # The token and the uuid are new in each run, so they replace those in the events.
    signed = f"{uuid}INVOICEDInvoice1224.0017557641311755764131sandbox-secret-key"
    checksum = hashlib.sha256(signed.encode()).hexdigest()
    known = {EVENTS_TOKEN: token, EVENTS_UUID: uuid, EVENTS_CHECKSUM: checksum}
    callback, forged = (replaced(event(name), known) for name in ("callback", "forged-callback"))

    checks.equal("callback: 200", callbacks.send(callback)[0], 200)
    item = aws.item(PRIVATE_ID)
    checks.equal("callback: stored status", item["status"], {"S": "INVOICED"})
    checks.equal("callback: bankIdUrl is gone", "bankIdUrl" in item, False)
    checks.equal("callback: stored history", statuses(item), [("SENT", "submit"), ("INVOICED", "callback")])
    checks.equal("callback: Front Payment is not called", provider.take_calls(), [])

    checks.equal("callback again: 200", callbacks.send(callback)[0], 200)
    checks.equal("callback again: nothing is written", aws.item(PRIVATE_ID), item)

    # The callback is unverified, so the bridge reads the status and stores it. Nobody has signed, so it is SENT.
    checks.equal("forged-callback: 200", callbacks.send(forged)[0], 200)
    asked = [(call.method, call.path, call.authorization) for call in provider.take_calls()]
    read = ("GET", f"/front-payment/api/v1/connect/orders/status/{uuid}", "Bearer sandbox-token")
    checks.equal("forged-callback: the status is read from Front Payment", asked, [read])
    item = aws.item(PRIVATE_ID)
    checks.equal("forged-callback: stored status", item["status"], {"S": "SENT"})
    history = [("SENT", "submit"), ("INVOICED", "callback"), ("SENT", "provider")]
    checks.equal("forged-callback: stored history", statuses(item), history)
    checks.none_of("forged-callback: no personal data is stored", PERSONAL, json.dumps(item))

    status, _, body = callbacks.send(event("callback"))
    checks.equal("callback with an unknown token: 404", status, 404)
    checks.equal("callback with an unknown token: its type", body["type"], "urn:front-payment-bridge:not-found")
    checks.equal("callback with an unknown token: nothing is written", aws.item(PRIVATE_ID), item)
    checks.equal("callback with an unknown token: Front Payment is not called", provider.take_calls(), [])
    return token


def replaced(text, values):
    for old, new in values.items():
        text = text.replace(old, new)
    return text


def check_signed(checks, aws, provider, gateway, accepted, token):
    """The customer signs, and the sandbox calls back through the gateway."""
    status, headers, _ = provider.sign(accepted["bankIdUrl"])
    checks.equal("signed: the customer is redirected", status, 303)
    checks.equal("signed: to the shop", headers["location"], "https://shop.example.com/thanks?order=1001")
    path = f"/callbacks/{PRIVATE_ID}/{token}"
    check_real_callback(checks, "signed, called back", gateway, path, accepted["orderUuid"], "1224.00")
    item = aws.item(PRIVATE_ID)
    checks.equal("signed: stored status", item["status"], {"S": "INVOICED"})
    checks.none_of("signed: no personal data is stored", PERSONAL, json.dumps(item))
    checks.equal("signed: Front Payment is not called", provider.take_calls(), [])


def check_log(checks, name, requests, secrets):
    log = (LOGS / f"{name}.log").read_text()
    summaries = [line for line in log.splitlines() if '"totalMs"' in line]
    checks.equal(f"log of {name}: a summary of each request", len(summaries), requests)
    checks.none_of(f"log of {name}: no personal data, no secrets", PERSONAL + SECRETS + secrets, log)


def check(checks, build, local):
    with contextlib.ExitStack() as stack:
        aws = stack.enter_context(world.moto())
        provider = stack.enter_context(world.front_payment(local))
        command = [build / "CallbacksFunction/bootstrap"]
        callbacks = stack.enter_context(world.under_emulator("callbacks", command, aws, provider))
        gateway = stack.enter_context(world.serving(world.Gateway(callbacks)))
        command, base = [build / "OrdersFunction/bootstrap"], {"CALLBACK_BASE_URL": gateway.base_url}
        orders = stack.enter_context(world.under_emulator("orders", command, aws, provider, **base))

        accepted = check_private_order(checks, "private-order", orders, aws, provider, gateway.base_url)
        check_corporate_order(checks, orders, aws, provider, gateway)
        check_invalid_order(checks, orders, aws, provider)
        uuids = {name: accepted[name] for name in ("orderUuid", "customerUuid")}
        sent = uuids | {"status": "SENT", "bankIdUrl": accepted["bankIdUrl"]}
        check_read(checks, "read-order", orders, provider, sent, [("SENT", "submit")])
        token = check_callbacks(checks, callbacks, aws, provider, accepted["orderUuid"])
        history = [("SENT", "submit"), ("INVOICED", "callback"), ("SENT", "provider")]
        check_read(checks, "read-order after the forgery", orders, provider, uuids | {"status": "SENT"}, history)
        check_signed(checks, aws, provider, gateway, accepted, token)
        history.append(("INVOICED", "callback"))
        check_read(checks, "read-order after the signature", orders, provider, uuids | {"status": "INVOICED"}, history)
    check_log(checks, "orders", 7, [token])
    check_log(checks, "callbacks", 6, [token])


def check_arm64(checks, bootstrap, local):
    """Submits one order. No callback comes back, because its callback URL is the event's API Gateway address."""
    what = "arm64, private-order"
    checks.equal(f"{what}: the ELF header says aarch64", bootstrap.read_bytes()[18:20], b"\xb7\x00")
    with contextlib.ExitStack() as stack:
        aws = stack.enter_context(world.moto())
        provider = stack.enter_context(world.front_payment(local))
        command = [*world.QEMU_ARM64, bootstrap]
        orders = stack.enter_context(world.under_emulator("orders-arm64", command, aws, provider))
        check_private_order(checks, what, orders, aws, provider, API)
        token = aws.item(PRIVATE_ID)["callbackToken"]["S"]
    check_log(checks, "orders-arm64", 2, [token])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    build = ROOT / f"target/sam-{world.MACHINE}"
    parser.add_argument("build", nargs="?", type=Path, default=build, help="output of sam build for this machine")
    parser.add_argument("--arm64", type=Path, metavar="BOOTSTRAP", help="arm64 bootstrap of orders, run under qemu-user")
    parser.add_argument("--local", type=Path, default=ROOT / "target/debug/local", help="the sandbox's binary")
    parser.add_argument("--prepare", action="store_true", help="only create target/ci-venv")
    arguments = parser.parse_args()
    # Without this, SIGTERM leaves the started processes running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    world.prepare()
    if arguments.prepare:
        return
    checks = Checks()
    try:
        check(checks, arguments.build.resolve(), arguments.local.resolve())
        if arguments.arm64:
            check_arm64(checks, arguments.arm64.resolve(), arguments.local.resolve())
    except Exception as error:  # any exception is a failure, and the counts are still printed
        traceback.print_exc()
        checks.equal("runs to the end", repr(error), None)
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
