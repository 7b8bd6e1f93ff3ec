#!/usr/bin/env python3
"""Runs the output of `sam build` as Lambda does, and sends it the events of events/.

AWS's Runtime Interface Emulator, which comes with the SAM CLI, invokes the three functions. moto replaces
DynamoDB and Secrets Manager, and the sandbox of `cargo run` replaces Front Payment. The sandbox sends its
callbacks to the functions, and the worker notifies a shop. Everything runs on loopback.

    sam build --build-dir target/sam-x86_64 --parameter-overrides Architecture=x86_64
    cargo build --bin local
    python3 tests/rie/run.py [target/sam-x86_64] [--arm64 target/sam-arm64/OrdersFunction/bootstrap]

--arm64 also sends an order to that bootstrap, and events to the worker's beside it, under qemu-user. --prepare
only creates target/ci-venv with sam, cargo-lambda, zig, cfn-lint and moto.
"""

import argparse
import contextlib
import hashlib
import json
import re
import signal
import sys
import time
import traceback
import urllib.parse
from collections import namedtuple
from pathlib import Path

import world
from world import LOGS, ROOT, event

# UUID v5 in the bridge's namespace, of "demo-shop", a NUL byte and the key in the comment.
PRIVATE_ID = "516b7bd0-f7f6-507c-82dd-7382a97dbad0"  # order-1001
CORPORATE_ID = "c0758ac8-6b23-5688-a20e-b65364698db5"  # order-1002
API = "https://a1b2c3d4e5.execute-api.eu-north-1.amazonaws.com"
EVENTS_TOKEN = "rie-callback-token-000000"
EVENTS_UUID = "ODR4286244937"
EVENTS_CHECKSUM = "d64f791576b046fb715726322a95e4cb67d22fdc92ea42d376f98be375d82ed1"
UUID4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
SHOP_URL = "https://shop.example.com/front-payment"  # In both events, the order's number follows.
PRIVATE_QUERY = "order=1001&from=front%20payment+bridge&order=1001-2"
NOTIFIED = ["orderUuid", "status", "paymentMethod", "amount", "createdAt", "timestamp", "checksum"]
SUBMIT = ("POST", "/front-payment/api/v1/connect/orders/invoice/submit")

# Data of customers and what they bought. No item and no log may contain it.
PERSONAL = [
    "Nordmann", "kari@example.com", "invoices@example.com", "40000000", "40000001", "30908299902",
    "974760673", "Storgata", "Havnegata", "Trondheim", "Narvik", "Router", "Office chair",
]
# Secrets. No log may contain them.
SECRETS = [
    "sandbox-token", "sandbox-secret-key", "demo-shop-key", "demo-shop-notify-key", "/front-payment/bankid",
    "shop.example.com", "/front-payment/1001", "/front-payment/1002", "1001-2",
]

WORKER = {"AWS_LAMBDA_FUNCTION_TIMEOUT": "60"}

# A JSON number with its digits, because 1.50 differs from 1.5 and from "1.50".
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


def check_private_order(checks, what, orders, aws, provider, api, shop_url):
    """Returns the body that the shop got."""
    order = event("private-order").replace(f"{SHOP_URL}/1001", f"{shop_url}/1001?{PRIVATE_QUERY}")
    status, headers, body = orders.send(order)
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

    status, headers, again = orders.send(order)
    checks.equal(f"{what} again: 201", status, 201)
    checks.equal(f"{what} again: the same reply", again, body)
    checks.equal(f"{what} again: a replay", headers.get("idempotency-replayed"), "true")
    checks.equal(f"{what} again: Front Payment is not called", provider.take_calls(), [])
    checks.equal(f"{what} again: nothing is written", aws.item(PRIVATE_ID), item)
    return body


def check_corporate_order(checks, orders, aws, provider, gateway, shop_url):
    """Returns Front Payment's uuid."""
    status, headers, body = orders.send(event("corporate-order").replace(SHOP_URL, shop_url))
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

    # Nobody signs a company's order, so its callback comes at once. Front Payment writes the amount in its own form.
    path = f"/callbacks/{CORPORATE_ID}/{token}"
    check_real_callback(checks, "corporate-order, called back", gateway, path, body["orderUuid"], "31237.50")
    item = aws.item(CORPORATE_ID)
    checks.equal("corporate-order, called back: stored status", item["status"], {"S": "INVOICED"})
    history = [("INVOICED", "submit"), ("INVOICED", "callback")]
    checks.equal("corporate-order, called back: stored history", statuses(item), history)
    checks.equal("corporate-order, called back: Front Payment is not called", provider.take_calls(), [])
    return body["orderUuid"]


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


def check_read(checks, what, orders, provider, expected, history, instants):
    """`instants` are those that not every order has."""
    status, _, body = orders.send(event("read-order"))
    checks.equal(f"{what}: 200", status, 200)
    notified = body["notified"]
    times = [body.pop("createdAt"), body.pop("updatedAt"), notified.pop("at")]
    times += [entry.pop("at") for entry in body["history"]]
    times += [part.pop(name) for part in (body, notified) for name in instants if name in part]
    checks.equal(f"{what}: how many times", len(times), 3 + len(history) + len(instants))
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
    callback, unverified = (replaced(event(name), known) for name in ("callback", "unverified-callback"))

    checks.equal("callback: 200", callbacks.send(callback)[0], 200)
    item = aws.item(PRIVATE_ID)
    checks.equal("callback: stored status", item["status"], {"S": "INVOICED"})
    checks.equal("callback: bankIdUrl is gone", "bankIdUrl" in item, False)
    checks.equal("callback: stored history", statuses(item), [("SENT", "submit"), ("INVOICED", "callback")])
    checks.equal("callback: Front Payment is not called", provider.take_calls(), [])

    checks.equal("callback again: 200", callbacks.send(callback)[0], 200)
    checks.equal("callback again: nothing is written", aws.item(PRIVATE_ID), item)

    # The callback is unverified, so the bridge reads the status and stores it. Nobody has signed, so it is SENT.
    checks.equal("unverified-callback: 200", callbacks.send(unverified)[0], 200)
    asked = [(call.method, call.path, call.authorization) for call in provider.take_calls()]
    read = ("GET", f"/front-payment/api/v1/connect/orders/status/{uuid}", "Bearer sandbox-token")
    checks.equal("unverified-callback: the status is read from Front Payment", asked, [read])
    item = aws.item(PRIVATE_ID)
    checks.equal("unverified-callback: stored status", item["status"], {"S": "SENT"})
    history = [("SENT", "submit"), ("INVOICED", "callback"), ("SENT", "provider")]
    checks.equal("unverified-callback: stored history", statuses(item), history)
    checks.none_of("unverified-callback: no personal data is stored", PERSONAL, json.dumps(item))

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


def check_worker(checks, worker, orders, aws, provider, shop, private_uuid, corporate_uuid):
    """By the stream, the shop is told of the private order. By the sweep, it is told of the corporate order, and once
    more of the private order, because it asks for that."""
    private_own = {"order": "1001-2", "from": "front payment bridge"}
    private = {"orderUuid": private_uuid, "status": "INVOICED", "paymentMethod": "Invoice", "amount": "1224.00"}
    corporate = {"orderUuid": corporate_uuid, "status": "INVOICED", "paymentMethod": "Invoice", "amount": "31237.50"}

    checks.equal("worker-stream: no failures", worker.invoke(event("worker-stream")), {"batchItemFailures": []})
    ((path, query),) = shop.take_calls()
    checks.equal("worker-stream: the shop's URL", path, "/front-payment/1001")
    check_notification(checks, "worker-stream, private order", query, PRIVATE_QUERY + "&", private_own, private)
    item = aws.item(PRIVATE_ID)
    # An INVOICED order is due for a status read after a day.
    checks.equal("worker-stream: the order's queue", item["askQueue"], {"S": "check"})
    checks.equal("worker-stream: nothing is asked today", int(item["askAt"]["N"]) > time.time() + 80_000, True)
    checks.equal("worker-stream: nothing is to be told", "tellQueue" in item, False)
    checks.none_of("worker-stream: no personal data is stored", PERSONAL, json.dumps(item))
    checks.equal("worker-stream again: no failures", worker.invoke(event("worker-stream")), {"batchItemFailures": []})
    checks.equal("worker-stream again: the shop is not called", shop.take_calls(), [])

    status, _, body = orders.send(event("repeat-notification"))
    checks.equal("repeat-notification: 202", status, 202)
    notified = {name: body["notified"][name] for name in ("state", "status", "attempts")}
    expected = {"state": "pending", "status": "INVOICED", "attempts": 0}
    checks.equal("repeat-notification: the reply", (body["orderId"], notified), (PRIVATE_ID, expected))
    due_at = int(aws.item(PRIVATE_ID)["tellAt"]["N"])  # rounded up to whole seconds, so up to one second from now
    time.sleep(max(0.0, due_at - time.time()))
    checks.equal("worker-sweep: {}", worker.invoke(event("worker-sweep")), {})
    calls = sorted(shop.take_calls())
    checks.equal("worker-sweep: the URLs", [path for path, _ in calls], ["/front-payment/1001", "/front-payment/1002"])
    (_, private_query), (_, corporate_query) = calls
    check_notification(checks, "worker-sweep, private order", private_query, PRIVATE_QUERY + "&", private_own, private)
    check_notification(checks, "worker-sweep, corporate order", corporate_query, "", {}, corporate)

    items = aws.items()
    checks.equal("worker-backfill: {}", worker.invoke(event("worker-backfill")), {})
    checks.equal("worker-backfill: nothing is written", aws.items(), items)
    checks.equal("worker: Front Payment is not called", provider.take_calls(), [])


def check_operator(checks, worker, aws, provider):
    """Nothing waits, and the private order is accepted, so none of the events changes anything."""
    items = aws.items()
    for name, reply in (("waiting", {"waiting": []}), ("tell", {"told": 0})):
        checks.equal(f"worker-{name}: the answer", worker.invoke(event(f"worker-{name}")), reply)
    for name in ("settle", "settle-not-created", "settle-instead"):
        answer = worker.invoke(event(f"worker-{name}"))
        checks.equal(f"worker-{name}: an error", list(answer), ["error"])
    asked = [call.path.rpartition("/")[2] for call in provider.take_calls()]
    checks.equal("worker-settle-instead: the status is read first", asked, ["ODR4286244938"])
    checks.equal("the operator's events: nothing is written", aws.items(), items)


def check_after_the_sale(checks, orders, aws, provider, gateway, uuid):
    status, _, body = orders.send(event("health"))
    checks.equal("health: 200", (status, body), (200, {"status": "ok"}))
    status, _, body = orders.send(event("list-orders"))
    # What has changed within the last ten seconds is not listed yet.
    checks.equal("list-orders: 200, on one page", (status, list(body)), (200, ["orders", "until"]))
    status, _, body = orders.send(event("find-order"))
    checks.equal("find-order: the order", (status, [order["orderId"] for order in body["orders"]]), (200, [PRIVATE_ID]))
    checks.equal("find-order: Front Payment is not called", provider.take_calls(), [])

    status, _, body = orders.send(event("cancel-order"))
    cancelled = {"orderId": PRIVATE_ID, "orderUuid": uuid, "status": "CANCELLED"}
    checks.equal("cancel-order: 202", (status, body), (202, cancelled))
    asked = [(call.method, call.path.removeprefix("/front-payment/api/v1/connect/orders")) for call in provider.take_calls()]
    checks.equal("cancel-order: sent, then read", asked, [("POST", f"/cancel/{uuid}"), ("GET", f"/status/{uuid}")])
    ((_, query, status),) = gateway.take_calls(1)
    checks.equal("cancel-order, called back: 200", (query["status"], status), ("CANCELLED", 200))
    checks.equal("cancel-order: stored status", aws.item(PRIVATE_ID)["status"], {"S": "CANCELLED"})


def check_notification(checks, what, query, start, own, expected):
    """As Front Payment itself would have called, after the shop's own query."""
    checks.equal(f"{what}: the shop's own query is unchanged", query.startswith(f"{start}orderUuid="), True)
    # Like PHP's $_GET: a repeated name keeps its first place and its last value.
    told = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    checks.equal(f"{what}: the parameters", list(told), [*own, *NOTIFIED])
    checksum = told.pop("checksum")
    signed = "".join(told.values()) + "demo-shop-notify-key-0001"
    checks.equal(f"{what}: the checksum", checksum, hashlib.sha256(signed.encode()).hexdigest())
    times = [int(told.pop(name)) for name in ("createdAt", "timestamp")]
    checks.equal(f"{what}: the times", times[0] <= times[1] <= time.time(), True)
    checks.equal(f"{what}: the values", told, own | expected)


def check_log(checks, name, requests, secrets):
    log = (LOGS / f"{name}.log").read_text()
    summaries = [line for line in log.splitlines() if '"totalMs"' in line]
    checks.equal(f"log of {name}: a summary of each request or notification", len(summaries), requests)
    checks.none_of(f"log of {name}: no personal data, no secrets", PERSONAL + SECRETS + secrets, log)


def check(checks, build, local):
    with contextlib.ExitStack() as stack:
        aws = stack.enter_context(world.moto())
        provider = stack.enter_context(world.front_payment(local))
        command = [build / "CallbacksFunction/bootstrap"]
        callbacks = stack.enter_context(world.under_emulator("callbacks", command, aws, provider))
        gateway = stack.enter_context(world.serving(world.Gateway(callbacks)))
        shop = stack.enter_context(world.serving(world.Shop()))
        hosts = {"PRIVATE_SHOP_HOSTS": shop.host}
        command, base = [build / "OrdersFunction/bootstrap"], {"CALLBACK_BASE_URL": gateway.base_url}
        orders = stack.enter_context(world.under_emulator("orders", command, aws, provider, **base, **hosts))
        command = [build / "WorkerFunction/bootstrap"]
        worker = stack.enter_context(world.under_emulator("worker", command, aws, provider, **WORKER, **hosts))

        shop_url = f"http://{shop.host}/front-payment"
        accepted = check_private_order(checks, "private-order", orders, aws, provider, gateway.base_url, shop_url)
        corporate_uuid = check_corporate_order(checks, orders, aws, provider, gateway, shop_url)
        check_invalid_order(checks, orders, aws, provider)
        uuids = {name: accepted[name] for name in ("orderUuid", "customerUuid")}
        told = {"state": "delivered", "status": "SENT", "attempts": 0}  # the 201 has told it
        sent = uuids | {"status": "SENT", "bankIdUrl": accepted["bankIdUrl"], "notified": told}
        check_read(checks, "read-order", orders, provider, sent, [("SENT", "submit")], [])
        token = check_callbacks(checks, callbacks, aws, provider, accepted["orderUuid"])
        history = [("SENT", "submit"), ("INVOICED", "callback"), ("SENT", "provider")]
        pending, instants = uuids | {"notified": told | {"state": "pending"}}, ["checkedAt", "nextAt"]
        sent = pending | {"status": "SENT"}
        check_read(checks, "read-order after the unverified callback", orders, provider, sent, history, instants)
        check_signed(checks, aws, provider, gateway, accepted, token)
        history.append(("INVOICED", "callback"))
        invoiced = pending | {"status": "INVOICED"}
        check_read(checks, "read-order after the signature", orders, provider, invoiced, history, instants)
        checks.equal("the shop is told by the worker alone", shop.take_calls(), [])
        check_worker(checks, worker, orders, aws, provider, shop, accepted["orderUuid"], corporate_uuid)
        invoiced["notified"] = {"state": "delivered", "status": "INVOICED", "attempts": 1}
        check_read(checks, "read-order after the notification", orders, provider, invoiced, history, ["checkedAt"])
        check_operator(checks, worker, aws, provider)
        check_after_the_sale(checks, orders, aws, provider, gateway, accepted["orderUuid"])
    check_log(checks, "orders", 13, [token])
    check_log(checks, "callbacks", 7, [token])
    check_log(checks, "worker", 3, [token])


def check_arm64(checks, bootstrap, local):
    """Submits one order. No callback comes back, because its callback URL is the event's API Gateway address. So the
    worker has nothing to tell."""
    what = "arm64, private-order"
    checks.equal(f"{what}: the ELF header says aarch64", bootstrap.read_bytes()[18:20], b"\xb7\x00")
    with contextlib.ExitStack() as stack:
        aws = stack.enter_context(world.moto())
        provider = stack.enter_context(world.front_payment(local))
        command = [*world.QEMU_ARM64, bootstrap]
        orders = stack.enter_context(world.under_emulator("orders-arm64", command, aws, provider))
        check_private_order(checks, what, orders, aws, provider, API, SHOP_URL)
        token = aws.item(PRIVATE_ID)["callbackToken"]["S"]
        command = [*world.QEMU_ARM64, bootstrap.parents[1] / "WorkerFunction/bootstrap"]
        worker = stack.enter_context(world.under_emulator("worker-arm64", command, aws, provider, **WORKER))
        for name, reply in (("stream", {"batchItemFailures": []}), ("sweep", {}), ("backfill", {})):
            checks.equal(f"arm64, worker-{name}: the reply", worker.invoke(event(f"worker-{name}")), reply)
    check_log(checks, "orders-arm64", 2, [token])
    check_log(checks, "worker-arm64", 0, [token])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    build = ROOT / f"target/sam-{world.MACHINE}"
    parser.add_argument("build", nargs="?", type=Path, default=build, help="output of sam build for this machine")
    help_arm64 = "arm64 bootstrap of orders; the worker's is in the directory beside its own"
    parser.add_argument("--arm64", type=Path, metavar="BOOTSTRAP", help=help_arm64)
    parser.add_argument("--local", type=Path, default=ROOT / "target/debug/local", help="the sandbox's binary")
    parser.add_argument("--prepare", action="store_true", help="only create target/ci-venv")
    arguments = parser.parse_args()
    # Without this, SIGTERM would leave the started processes running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    world.prepare()
    if arguments.prepare:
        return
    checks = Checks()
    try:
        check(checks, arguments.build.resolve(), arguments.local.resolve())
        if arguments.arm64:
            check_arm64(checks, arguments.arm64.resolve(), arguments.local.resolve())
    except Exception as error:  # any exception is a failure, and the counts must still be printed
        traceback.print_exc()
        checks.equal("runs to the end", repr(error), None)
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
