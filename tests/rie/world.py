"""The services around the functions in run.py: the emulator, AWS, Front Payment, API Gateway and a shop.

Everything runs on loopback, on free ports, and ends with the `with` block that started it.
"""

import contextlib
import http.client
import http.server
import json
import platform
import socket
import subprocess
import threading
import time
import urllib.parse
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
    "shops": {
        "demo-shop": {
            # SHA-256 of "demo-shop-key".
            "apiKeySha256": ["f5d072715bf986543308d9f187277c2406847cd7bfd33cbc2264fedc284a9992"],
            "notify": {"keys": ["demo-shop-notify-key-0001"], "hosts": ["127.0.0.1", "shop.example.com"]},
        }
    },
}

MACHINE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
# The emulator of Debian's qemu-user, with the C library of libc6-arm64-cross.
QEMU_ARM64 = ["/usr/bin/qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"]

Call = namedtuple("Call", "method path authorization body answer")


def event(name):
    return (ROOT / f"events/{name}.json").read_text()


def prepare():
    """Creates the venv, unless it was created from the same requirements."""
    stamp = VENV / REQUIREMENTS.name
    if stamp.exists() and stamp.read_text() == REQUIREMENTS.read_text():
        return
    venv.create(VENV, clear=True, with_pip=True)
    subprocess.run([VENV / "bin/pip", "install", "--quiet", "--requirement", REQUIREMENTS], check=True)
    stamp.write_text(REQUIREMENTS.read_text())


def request(port, method, path, body=None, headers=None):
    """Returns status, headers and body. Does not follow redirects."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=35)
    with contextlib.closing(connection):
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def running(name, command, port, environment):
    """A process that listens on a port. It ends with the block, also after an exception."""
    LOGS.mkdir(parents=True, exist_ok=True)
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
def serving(server):
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def index(name, partition, time, projection):
    key = [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": time, "KeyType": "RANGE"}]
    return {"IndexName": name, "KeySchema": key, "Projection": projection}


class Aws:
    """Calls DynamoDB and Secrets Manager over plain HTTP."""

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
        status, _, reply = request(self.port, "POST", "/", json.dumps(arguments), headers)
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
            AttributeDefinitions=[
                {"AttributeName": "orderId", "AttributeType": "S"},
                {"AttributeName": "tellQueue", "AttributeType": "S"},
                {"AttributeName": "tellAt", "AttributeType": "N"},
                {"AttributeName": "askQueue", "AttributeType": "S"},
                {"AttributeName": "askAt", "AttributeType": "N"},
                {"AttributeName": "shopId", "AttributeType": "S"},
                {"AttributeName": "changedAt", "AttributeType": "N"},
            ],
            KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
            GlobalSecondaryIndexes=[
                index("tell", "tellQueue", "tellAt", {"ProjectionType": "KEYS_ONLY"}),
                index("ask", "askQueue", "askAt", {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["status", "shopId"]}),
                index("shop", "shopId", "changedAt", {"ProjectionType": "KEYS_ONLY"}),
            ],
        )
        secret = {"Name": SECRET_ID, "SecretString": json.dumps(SECRET)}
        self.call("secretsmanager", "secretsmanager.CreateSecret", "1.1", secret)

    def items(self):
        return self.dynamodb("Scan", TableName=TABLE)["Items"]

    def item(self, order_id):
        return self.dynamodb("GetItem", TableName=TABLE, Key={"orderId": {"S": order_id}})["Item"]


@contextlib.contextmanager
def moto():
    port = free_port()
    command = [VENV / "bin/moto_server", "--host", "127.0.0.1", "--port", str(port)]
    with running("moto", command, port, {}):
        aws = Aws(port)
        aws.set_up()
        yield aws


class FrontPayment(http.server.ThreadingHTTPServer):
    """Forwards every request to the sandbox, and records requests and replies."""

    def __init__(self, sandbox_port):
        super().__init__(("127.0.0.1", 0), FrontPaymentHandler)
        self.sandbox_port = sandbox_port
        self.base_url = f"http://127.0.0.1:{self.server_port}/front-payment/api/v1"
        self.calls = []

    def take_calls(self):
        """Returns the calls since the last time."""
        calls, self.calls = self.calls, []
        return calls

    def sign(self, bank_id_url):
        """Does what the button of the BankID page does. The reply comes after the callback."""
        return request(self.sandbox_port, "POST", urllib.parse.urlsplit(bank_id_url).path + "/sign")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


class FrontPaymentHandler(Handler):
    def do_POST(self):
        self.forward(self.rfile.read(int(self.headers["content-length"])).decode())

    def do_GET(self):
        self.forward(None)

    def forward(self, body):
        passed = {name: self.headers[name] for name in ("authorization", "content-type") if name in self.headers}
        status, headers, answer = request(self.server.sandbox_port, self.command, self.path, body, passed)
        call = Call(self.command, self.path, self.headers["authorization"], body, answer)
        self.server.calls.append(call)
        self.answer(status, {"content-type": headers["content-type"]}, answer)


@contextlib.contextmanager
def front_payment(local):
    port = free_port()
    with running("sandbox", [local, "sandbox", "--in-memory", "--port", str(port)], port, {}):
        with serving(FrontPayment(port)) as server:
            yield server


class Lambda:
    """A bootstrap under the Runtime Interface Emulator."""

    def __init__(self, name, port):
        self.name = name
        self.port = port
        # The emulator takes one invocation at a time.
        self.lock = threading.Lock()

    def invoke(self, event):
        """Sends an event; what the function returns."""
        with self.lock:
            _, _, text = request(self.port, "POST", "/2015-03-31/functions/function/invocations", event)
        try:
            return json.loads(text)
        except ValueError:
            raise RuntimeError(f"{self.name} did not answer: {text!r}; see {LOGS}") from None

    def send(self, event):
        """Sends an event of API Gateway; the reply's status, headers and body."""
        reply = self.invoke(event)
        if "statusCode" not in reply:
            raise RuntimeError(f"{self.name} gave no reply for API Gateway: {reply!r}; see {LOGS}")
        body = reply["body"]
        is_json = "json" in reply["headers"]["content-type"]
        return reply["statusCode"], reply["headers"], json.loads(body) if is_json else body


@contextlib.contextmanager
def under_emulator(name, command, aws, provider, **variables):
    (emulator,) = VENV.glob(f"lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{MACHINE}")
    port, api = free_port(), f"127.0.0.1:{free_port()}"
    environment = {
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "29",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_LEVEL": "TRACE",  # so that check_log sees every line
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": aws.endpoint,
        "ORDERS_TABLE": TABLE,
        "SECRET_ID": SECRET_ID,
        "FRONT_PAYMENT_BASE_URL": provider.base_url,
        **variables,
    }
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", api]
    with running(name, [emulator, *addresses, *command], port, environment):
        yield Lambda(name, port)


class Gateway(http.server.ThreadingHTTPServer):
    """Replaces API Gateway for Front Payment's callbacks: sends them to the function as events."""

    def __init__(self, callbacks):
        super().__init__(("127.0.0.1", 0), GatewayHandler)
        self.callbacks = callbacks
        self.base_url = f"http://127.0.0.1:{self.server_port}"
        self.calls = []

    def take_calls(self, count):
        """Returns the callbacks since the last time, each with its reply's status. Waits for `count`, up to 15 s."""
        for _ in range(150):
            if len(self.calls) >= count:
                break
            time.sleep(0.1)
        calls, self.calls = self.calls, []
        return calls


class GatewayHandler(Handler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        _, _, order_id, token = url.path.split("/")
        invocation = json.loads(event("callback"))
        invocation["rawPath"] = invocation["requestContext"]["http"]["path"] = url.path
        invocation["rawQueryString"] = url.query
        invocation["queryStringParameters"] = dict(urllib.parse.parse_qsl(url.query))
        invocation["pathParameters"] = {"orderId": order_id, "token": token}
        status, headers, body = self.server.callbacks.send(json.dumps(invocation))
        self.answer(status, headers, json.dumps(body))
        self.server.calls.append((url.path, invocation["queryStringParameters"], status))


class Shop(http.server.ThreadingHTTPServer):
    """Takes notifications, and records their paths and queries."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ShopHandler)
        self.host = f"127.0.0.1:{self.server_port}"
        self.calls = []

    def take_calls(self):
        """Returns the calls since the last time."""
        calls, self.calls = self.calls, []
        return calls


class ShopHandler(Handler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        self.server.calls.append((url.path, url.query))
        self.answer(200, {}, "")
