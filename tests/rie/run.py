#!/usr/bin/env python3
"""Runs the two Lambda binaries as AWS does, and sends them the events of events/.

AWS's own Runtime Interface Emulator (it comes with the SAM CLI) invokes them; moto stands in for
DynamoDB and Secrets Manager, and a stub in this script for Front Payment. All of it is on loopback.

    python3 tests/rie/run.py [path/to/orders path/to/callbacks]
    python3 tests/rie/run.py --prepare     only makes target/ci-venv: sam, cfn-lint and moto
"""

import argparse
import contextlib
import http.client
import http.server
import json
import platform
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
import venv
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "tests/rie/requirements.txt"
VENV = ROOT / "target/ci-venv"
LOGS = ROOT / "target/rie"

REGION = "eu-north-1"
TABLE = "orders"
SECRET_ID = "front-payment"
SECRET = {
    "token": "sandbox-token",
    "callbackSecret": "sandbox-secret-key",
    # SHA-256 of "demo-shop-key".
    "shops": {"demo-shop": {"apiKeySha256": ["f5d072715bf986543308d9f187277c2406847cd7bfd33cbc2264fedc284a9992"]}},
}

# UUID v5 of "demo-shop", a NUL byte and the key, in the bridge's namespace.
PRIVATE_ID = "516b7bd0-f7f6-507c-82dd-7382a97dbad0"  # order-1001
CORPORATE_ID = "c0758ac8-6b23-5688-a20e-b65364698db5"  # order-1002
BANK_ID_URL = "https://auth.current.bankid.no/precheck/auth?state=eyJvcmRlclV1aWQiOiJPRFI0Mjg2MjQ0OTM3In0"
API = "https://a1b2c3d4e5.execute-api.eu-north-1.amazonaws.com"
EVENTS_TOKEN = "rie-callback-token-000000"

# What neither an item nor a log may hold: the customers, and what they bought.
PERSONAL = [
    "Nordmann", "kari@example.com", "invoices@example.com", "40000000", "40000001", "30908299902",
    "974760673", "Storgata", "Havnegata", "Trondheim", "Narvik", "Router", "Office chair",
]
# What no log may hold beside.
SECRETS = ["sandbox-token", "sandbox-secret-key", "demo-shop-key", "auth.current.bankid.no", "shop.example.com"]

# A figure of a JSON document as it was written there: 1.50 is neither 1.5 nor "1.50".
Number = namedtuple("Number", "digits")


def exact(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


class Checks:
    """Compares, counts and prints."""

    passed = failed = 0

    def equal(self, what, got, expected):
        if got == expected:
            self.passed += 1
            print(f"ok    {what}")
        else:
            self.failed += 1
            print(f"FAIL  {what}\n      got      {got!r}\n      expected {expected!r}")

    def none_of(self, what, words, text):
        self.equal(what, [word for word in words if word in text], [])


class FrontPayment(http.server.ThreadingHTTPServer):
    """Answers as Front Payment's pages say, and remembers what it was asked."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), FrontPaymentHandler)
        self.base_url = f"http://127.0.0.1:{self.server_port}/api/v1"
        self.requests = []

    def heard(self):
        """What it was asked since the last time."""
        heard, self.requests = self.requests, []
        return heard


class FrontPaymentHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.remember(body)
        if json.loads(body)["customerDetails"]["type"] == "private":
            data = {"orderUuid": "ODR4286244937", "customerUuid": "CSRT3419523642", "bankIdUrl": BANK_ID_URL}
        else:
            data = {"orderUuid": "ODR1649249709", "customerUuid": "CSRT7203310458"}
        self.answer(201, "orderCreatedSuccessfully", data)

    def do_GET(self):
        self.remember(None)
        uuid = self.path.rpartition("/")[2]
        self.answer(200, "Order Status Retrieved Successfully", {"uuid": uuid, "status": "SENT"})

    def remember(self, body):
        self.server.requests.append((self.command, self.path, self.headers["authorization"], body))

    def answer(self, status, message, data):
        reply = {"status_code": status, "status_message": "OK", "message": message, "is_data": True, "data": data}
        body = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def post(port, path, body, headers=None, timeout=35):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    with contextlib.closing(connection):
        connection.request("POST", path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode()


class Aws:
    """DynamoDB and Secrets Manager, spoken to in plain HTTP."""

    def __init__(self, port):
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"

    def call(self, service, target, version, arguments):
        headers = {
            "content-type": f"application/x-amz-json-{version}",
            "x-amz-target": target,
            # moto reads the service and the region here; it checks no signature.
            "authorization": f"AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, "
            "SignedHeaders=host, Signature=0",
        }
        status, reply = post(self.port, "/", json.dumps(arguments), headers)
        if status != 200:
            raise RuntimeError(f"{target}: {status} {reply}")
        return json.loads(reply)

    def dynamodb(self, operation, **arguments):
        return self.call("dynamodb", f"DynamoDB_20120810.{operation}", "1.0", arguments)

    def set_up(self):
        self.dynamodb(
            "CreateTable",
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "orderId", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
        )
        secret = {"Name": SECRET_ID, "SecretString": json.dumps(SECRET)}
        self.call("secretsmanager", "secretsmanager.CreateSecret", "1.1", secret)

    def items(self):
        return self.dynamodb("Scan", TableName=TABLE)["Items"]

    def item(self, order_id):
        return self.dynamodb("GetItem", TableName=TABLE, Key={"orderId": {"S": order_id}})["Item"]


class Lambda:
    """A binary under the Runtime Interface Emulator."""

    def __init__(self, binary, port):
        self.binary = binary
        self.port = port

    def send(self, event):
        """Sends an event; the reply's status, headers and body."""
        _, text = post(self.port, "/2015-03-31/functions/function/invocations", event)
        if '"statusCode"' not in text:
            raise RuntimeError(f"{self.binary} did not answer: {text!r}; see {LOGS}")
        reply = json.loads(text)
        body = reply["body"]
        is_json = "json" in reply["headers"]["content-type"]
        return reply["statusCode"], reply["headers"], json.loads(body) if is_json else body


def prepare():
    """Makes the venv, unless it has been made from the same requirements."""
    stamp = VENV / REQUIREMENTS.name
    if stamp.exists() and stamp.read_text() == REQUIREMENTS.read_text():
        return
    venv.create(VENV, clear=True, with_pip=True)
    subprocess.run([VENV / "bin/pip", "install", "--quiet", "--requirement", REQUIREMENTS], check=True)
    stamp.write_text(REQUIREMENTS.read_text())


def emulator():
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    (found,) = VENV.glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(name, command, port, environment):
    """A process that listens on a port; it ends with the block, however that ends."""
    with open(LOGS / f"{name}.log", "wb") as log:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_for(name, process, port)
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(name, process, port):
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with {process.returncode}; see {LOGS}/{name}.log")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{name} does not listen; see {LOGS}/{name}.log")


@contextlib.contextmanager
def moto():
    port = free_port()
    command = [VENV / "bin/moto_server", "--host", "127.0.0.1", "--port", str(port)]
    with running("moto", command, port, {}):
        yield Aws(port)


@contextlib.contextmanager
def front_payment():
    with FrontPayment() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@contextlib.contextmanager
def under_emulator(binary, aws, provider):
    port, api = free_port(), f"127.0.0.1:{free_port()}"
    environment = {
        "AWS_LAMBDA_FUNCTION_NAME": binary.name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "29",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_LEVEL": "TRACE",  # so that a check of the log is worth something
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": aws.endpoint,
        "ORDERS_TABLE": TABLE,
        "SECRET_ID": SECRET_ID,
        "FRONT_PAYMENT_BASE_URL": provider.base_url,
    }
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", api]
    with running(binary.name, [emulator(), *addresses, binary], port, environment):
        yield Lambda(binary, port)


def event(name):
    return (ROOT / f"events/{name}.json").read_text()


def submitted(name):
    """The order in an event, figure by figure."""
    return exact(json.loads(event(name))["body"])


def statuses(item):
    return [(entry["M"]["status"]["S"], entry["M"]["source"]["S"]) for entry in item["history"]["L"]]


def errors(problem):
    return sorted((error["pointer"], error["code"]) for error in problem["errors"])


def check_private_order(checks, orders, aws, provider):
    accepted = {
        "orderId": PRIVATE_ID,
        "status": "SENT",
        "orderUuid": "ODR4286244937",
        "customerUuid": "CSRT3419523642",
        "bankIdUrl": BANK_ID_URL,
    }
    status, headers, body = orders.send(event("private-order"))
    checks.equal("private-order: 201", status, 201)
    checks.equal("private-order: the reply", body, accepted)
    checks.equal("private-order: Location", headers.get("location"), f"/orders/{PRIVATE_ID}")
    checks.equal("private-order: not a replay", headers.get("idempotency-replayed"), None)

    item = aws.item(PRIVATE_ID)
    token = item["callbackToken"]["S"]
    checks.equal("private-order: stored status", item["status"], {"S": "SENT"})
    checks.equal("private-order: stored orderUuid", item["orderUuid"], {"S": "ODR4286244937"})
    checks.equal("private-order: stored shop", item["shopId"], {"S": "demo-shop"})
    checks.equal("private-order: stored history", statuses(item), [("SENT", "submit")])
    checks.equal("private-order: the token is long and URL-safe", bool(re.fullmatch("[A-Za-z0-9_-]{22,}", token)), True)
    checks.none_of("private-order: nothing personal is stored", PERSONAL, json.dumps(item))

    forwarded = submitted("private-order")
    forwarded["customerDetails"]["preferredLanguage"] = "no"
    del forwarded["customerDetails"]["organizationId"]
    forwarded["invoiceMaturity"] = Number("10")
    forwarded["callback"]["callbackUrl"] = f"{API}/callbacks/{PRIVATE_ID}/{token}"
    check_submit(checks, "private-order", provider, forwarded)

    status, headers, body = orders.send(event("private-order"))
    checks.equal("private-order again: 201", status, 201)
    checks.equal("private-order again: the same reply", body, accepted)
    checks.equal("private-order again: a replay", headers.get("idempotency-replayed"), "true")
    checks.equal("private-order again: Front Payment is not called", provider.heard(), [])
    checks.equal("private-order again: nothing is written", aws.item(PRIVATE_ID), item)


def check_corporate_order(checks, orders, aws, provider):
    status, headers, body = orders.send(event("corporate-order"))
    checks.equal("corporate-order: 201", status, 201)
    accepted = {
        "orderId": CORPORATE_ID,
        "status": "INVOICED",
        "orderUuid": "ODR1649249709",
        "customerUuid": "CSRT7203310458",
    }
    checks.equal("corporate-order: the reply", body, accepted)
    checks.equal("corporate-order: Location", headers.get("location"), f"/orders/{CORPORATE_ID}")

    item = aws.item(CORPORATE_ID)
    checks.equal("corporate-order: stored status", item["status"], {"S": "INVOICED"})
    checks.equal("corporate-order: stored orderUuid", item["orderUuid"], {"S": "ODR1649249709"})
    checks.none_of("corporate-order: nothing personal is stored", PERSONAL, json.dumps(item))

    forwarded = submitted("corporate-order")
    del forwarded["customerDetails"]["personalNumber"]
    forwarded["callback"]["callbackUrl"] = f"{API}/callbacks/{CORPORATE_ID}/{item['callbackToken']['S']}"
    check_submit(checks, "corporate-order", provider, forwarded)


def check_submit(checks, what, provider, forwarded):
    ((method, path, authorization, body),) = provider.heard()
    checks.equal(f"{what}: what is called", (method, path), ("POST", "/api/v1/connect/orders/invoice/submit"))
    checks.equal(f"{what}: the bearer token", authorization, "Bearer sandbox-token")
    checks.equal(f"{what}: what is sent, digit for digit", exact(body), forwarded)


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
    checks.equal("invalid-order: Front Payment is not called", provider.heard(), [])
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
        "orderUuid": "ODR4286244937",
        "customerUuid": "CSRT3419523642",
        "referenceNo": "1001",
        "customerReference": "3500",
        "grandTotal": "1224.00",
        "history": [{"status": status, "source": source} for status, source in history],
    }
    checks.equal(f"{what}: the order", body, order | expected)
    checks.equal(f"{what}: Front Payment is not called", provider.heard(), [])


def check_callbacks(checks, callbacks, aws, provider):
    token = aws.item(PRIVATE_ID)["callbackToken"]["S"]
    # The bridge made the order's token just now; the event cannot know it.
    callback, forged = (event(name).replace(EVENTS_TOKEN, token) for name in ("callback", "forged-callback"))

    checks.equal("callback: 200", callbacks.send(callback)[0], 200)
    item = aws.item(PRIVATE_ID)
    checks.equal("callback: stored status", item["status"], {"S": "INVOICED"})
    checks.equal("callback: bankIdUrl is gone", "bankIdUrl" in item, False)
    checks.equal("callback: stored history", statuses(item), [("SENT", "submit"), ("INVOICED", "callback")])
    checks.equal("callback: Front Payment is not called", provider.heard(), [])

    checks.equal("callback again: 200", callbacks.send(callback)[0], 200)
    checks.equal("callback again: nothing is written", aws.item(PRIVATE_ID), item)

    # Not believed, but a reason to ask: and what Front Payment says is taken as it is.
    checks.equal("forged-callback: 200", callbacks.send(forged)[0], 200)
    asked = ("GET", "/api/v1/connect/orders/status/ODR4286244937", "Bearer sandbox-token", None)
    checks.equal("forged-callback: the status is read from Front Payment", provider.heard(), [asked])
    item = aws.item(PRIVATE_ID)
    checks.equal("forged-callback: stored status", item["status"], {"S": "SENT"})
    history = [("SENT", "submit"), ("INVOICED", "callback"), ("SENT", "provider")]
    checks.equal("forged-callback: stored history", statuses(item), history)
    checks.none_of("forged-callback: nothing personal is stored", PERSONAL, json.dumps(item))

    status, _, body = callbacks.send(event("callback"))
    checks.equal("callback with an unknown token: 404", status, 404)
    checks.equal("callback with an unknown token: its type", body["type"], "urn:front-payment-bridge:not-found")
    checks.equal("callback with an unknown token: nothing is written", aws.item(PRIVATE_ID), item)
    checks.equal("callback with an unknown token: Front Payment is not called", provider.heard(), [])
    return token


def check_log(checks, binary, requests, secrets):
    log = (LOGS / f"{binary.name}.log").read_text()
    summaries = [line for line in log.splitlines() if '"totalMs"' in line]
    checks.equal(f"log of {binary.name}: a summary of each request", len(summaries), requests)
    checks.none_of(f"log of {binary.name}: nothing personal, nothing secret", PERSONAL + SECRETS + secrets, log)


def check(checks, orders_binary, callbacks_binary):
    LOGS.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        aws = stack.enter_context(moto())
        aws.set_up()
        provider = stack.enter_context(front_payment())
        orders = stack.enter_context(under_emulator(orders_binary, aws, provider))
        callbacks = stack.enter_context(under_emulator(callbacks_binary, aws, provider))

        check_private_order(checks, orders, aws, provider)
        check_corporate_order(checks, orders, aws, provider)
        check_invalid_order(checks, orders, aws, provider)
        sent = {"status": "SENT", "bankIdUrl": BANK_ID_URL}
        check_read(checks, "read-order", orders, provider, sent, [("SENT", "submit")])
        token = check_callbacks(checks, callbacks, aws, provider)
        history = [("SENT", "submit"), ("INVOICED", "callback"), ("SENT", "provider")]
        check_read(checks, "read-order after all", orders, provider, {"status": "SENT"}, history)
    check_log(checks, orders_binary, 6, [token])
    check_log(checks, callbacks_binary, 4, [token])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("orders", nargs="?", type=Path, default=ROOT / "target/debug/orders")
    parser.add_argument("callbacks", nargs="?", type=Path, default=ROOT / "target/debug/callbacks")
    parser.add_argument("--prepare", action="store_true", help="only make target/ci-venv")
    arguments = parser.parse_args()
    # Ended by a signal, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    prepare()
    if arguments.prepare:
        return
    checks = Checks()
    try:
        check(checks, arguments.orders.resolve(), arguments.callbacks.resolve())
    except Exception as error:  # whatever it is, it is a failure, and the count is still printed
        traceback.print_exc()
        checks.equal("runs to its end", repr(error), None)
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
