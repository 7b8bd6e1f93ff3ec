#!/usr/bin/env python3
"""Runs the commands of the operator's pages as they stand there, one page after the other, over moto and version 1 of the AWS CLI.

Each block of `sh` is run, in the order of the page, except those marked `by hand`. The placeholders have the values below. What
moto cannot do is played: the worker's answers, and the programs `sam`, `curl` and `front-payment-bridge`. Needs Python with venv.
"""

import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import unittest
import urllib.parse
import urllib.request
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / "target/runbook-venv"
REQUIREMENTS = ROOT / "tests/moto-requirements.txt"

if Path(sys.prefix) != VENV:
    if not (VENV / "installed").exists() or (VENV / "installed").read_text() != REQUIREMENTS.read_text():
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
        subprocess.run([VENV / "bin/pip", "install", "--quiet", "--requirement", REQUIREMENTS, "moto[server]", "PyYAML"], check=True)
        (VENV / "installed").write_text(REQUIREMENTS.read_text())
    os.execv(VENV / "bin/python", [str(VENV / "bin/python"), *sys.argv])

import boto3  # noqa: E402
import yaml  # noqa: E402
from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

logging.getLogger("werkzeug").setLevel(logging.ERROR)
STACK = "front-payment-bridge-production"
ORDER, OTHER, UUID, WRONG = "0198c2f0-7e4a-7000-8000-000000000001", "0198c2f0-7e4a-7000-8000-000000000002", "ODR7", "ODR8"
PLACEHOLDERS = {
    "<orderId>": ORDER,
    "<other orderId>": OTHER,
    "<orderUuid>": UUID,
    "<other orderUuid>": WRONG,
    "<referenceNo>": "A-1001",
    "<your staff id>": "staff-7",
    "<shopId>": "my-shop",
    "<grandTotal, as the portal has it>": "40.50",
    "<Front Payment's token>": "token",
    "<its secretKey>": "secret-key",
    "<PublicUrl>": "https://bridge.shop.example",
    "<address>": "operator@shop.example",
}
MOMENT = "<the moment, like 2026-11-24T09:30:00Z>"

# The worker's answers, one for each event, in the order of the page.
WAITING = {"waiting": {}}
ANSWERS = [
    (WAITING, {"waiting": [{"orderId": ORDER, "shopId": "my-shop", "referenceNo": "A-1001", "grandTotal": "40"}]}),
    ({"settle": {"orderId": ORDER, "orderUuid": UUID, "referenceNo": "A-1001"}, "by": "staff-7"},
     {"orderId": ORDER, "status": "SENT", "orderUuid": UUID}),
    ({"settle": {"orderId": ORDER, "created": False}, "by": "staff-7"}, {"orderId": ORDER, "status": "FAILED"}),
    ({"settle": {"orderId": ORDER, "orderUuid": UUID, "referenceNo": "A-1001"}, "by": "night"},
     {"orderId": ORDER, "status": "SENT", "orderUuid": UUID}),
    ({"settle": {"orderId": OTHER, "created": False}, "by": "night"}, {"orderId": OTHER, "status": "FAILED"}),
    ({"settle": {"orderId": ORDER, "orderUuid": WRONG, "referenceNo": "A-1001", "instead": True}, "by": "staff-7"},
     {"orderId": ORDER, "status": "SENT", "orderUuid": WRONG}),
    ({"tell": {"shopId": "my-shop", "since": "2026-11-24T09:30:00Z"}, "by": "night"}, {"told": 500, "next": "cursor-1"}),
    ({"tell": {"shopId": "my-shop", "since": "2026-11-24T09:30:00Z", "after": "cursor-1"}, "by": "night"}, {"told": 3}),
    ({"backfill": True}, {"after": OTHER}),
    ({"backfill": True, "after": OTHER}, {}),
]


class Aws:
    """moto, with a worker of its own."""

    def __init__(self):
        self.events, self.answers = [], []
        self.moto, self.lock = DomainDispatcherApplication(create_backend_app), threading.Lock()
        self.server = make_server("127.0.0.1", 0, self.app, threaded=True)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        urllib.request.urlopen(f"{self.endpoint}/moto-api/reset", data=b"").close()  # moto's state is the process's

    def app(self, environ, start_response):
        path = urllib.parse.unquote(environ["PATH_INFO"])
        if path.endswith("/invocations"):
            size = int(environ.get("CONTENT_LENGTH") or 0)
            return self.invoke(path, json.loads(environ["wsgi.input"].read(size)), start_response)
        with self.lock:  # moto's conditional writes are not atomic
            return list(self.moto(environ, start_response))

    def invoke(self, path, event, start_response):
        self.events.append((path.split("/")[-2], event))
        answer = self.answers.pop(0) if self.answers else {"error": "no answer is left; nothing was changed"}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(answer).encode()]

    def client(self, service):
        return boto3.client(service, endpoint_url=self.endpoint, region_name="eu-north-1",
                            aws_access_key_id="test", aws_secret_access_key="test")


def create_stack(aws):
    """What the commands find: outputs, functions with three versions each, a secret with two, the table, alarms."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("bootstrap", "x")
    assume = json.dumps({"Version": "2012-10-17", "Statement": []})
    role = aws.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=assume)["Role"]["Arn"]
    functions = aws.client("lambda")
    for name in ["orders", "callbacks", "worker"]:
        function = f"{STACK}-{name}"
        functions.create_function(FunctionName=function, Runtime="provided.al2023", Handler="bootstrap", Role=role,
                                  Code={"ZipFile": code.getvalue()})
        functions.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=100)
        for number in range(3):
            functions.update_function_configuration(FunctionName=function, Description=f"release {number}")
            functions.publish_version(FunctionName=function)
        functions.create_alias(FunctionName=function, Name="live", FunctionVersion="3")
    secrets = aws.client("secretsmanager")
    secret = secrets.create_secret(Name="secret", SecretString='{"token": "old"}')["ARN"]
    secrets.put_secret_value(SecretId=secret, SecretString='{"token": "new"}')
    attributes = {"orderId": "S", "askQueue": "S", "askAt": "N", "tellQueue": "S", "tellAt": "N", "shopId": "S", "changedAt": "N"}
    key = lambda hash_key, range_key: [{"AttributeName": hash_key, "KeyType": "HASH"}, {"AttributeName": range_key, "KeyType": "RANGE"}]
    indexes = {"ask": key("askQueue", "askAt"), "tell": key("tellQueue", "tellAt"), "shop": key("shopId", "changedAt")}
    tables = aws.client("dynamodb")
    tables.create_table(
        TableName="orders", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in attributes.items()],
        GlobalSecondaryIndexes=[{"IndexName": name, "KeySchema": one, "Projection": {"ProjectionType": "KEYS_ONLY"}} for name, one in indexes.items()])
    tables.update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True})
    accepted = {"orderId": ORDER, "status": "SENT", "orderUuid": UUID, "shopId": "my-shop"}
    tables.put_item(TableName="orders", Item={name: {"S": value} for name, value in accepted.items()} | {"version": {"N": "5"}})
    aws.client("logs").create_log_group(logGroupName=f"/aws/lambda/{STACK}")
    for name in ["many-failed", "throttled"]:
        aws.client("cloudwatch").put_metric_alarm(AlarmName=f"{STACK}-{name}", EvaluationPeriods=1, MetricName="x", Namespace="x", Period=60,
                                                  Statistic="Sum", Threshold=1, ComparisonOperator="GreaterThanThreshold")
    aws.client("scheduler").create_schedule(Name=f"{STACK}-sweep", ScheduleExpression="rate(1 minute)", FlexibleTimeWindow={"Mode": "OFF"},
                                            Target={"Arn": role, "RoleArn": role})
    outputs = {"PublicUrl": "https://bridge.shop.example", "ApiUrl": "https://x.execute-api.eu-north-1.amazonaws.com", "SecretArn": secret,
               "WorkerFunctionName": f"{STACK}-worker:live", "OrdersTableName": "orders", "ReservedConcurrency": "200 100 20",
               "DashboardUrl": "https://console.example", "OperatorPolicyAction": "lambda:InvokeFunction on x"}
    template = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {name: {"Value": value} for name, value in outputs.items()}}
    aws.client("cloudformation").create_stack(StackName=STACK, TemplateBody=json.dumps(template))
    return secret, outputs


# `sam` notes what it is asked for, and which parameters it would deploy with.
SAM = """#!{python}
import json, sys, tomllib
arguments = sys.argv[1:]
environment = arguments[arguments.index("--config-env") + 1]
assert arguments[0] == "deploy" and "--template-file" in arguments and "--no-confirm-changeset" in arguments, arguments
given = tomllib.load(open("samconfig.toml", "rb"))[environment]["deploy"]["parameters"]["parameter_overrides"]
print("deployed", environment, json.dumps(given))
"""
CURL = """#!/usr/bin/env bash
echo "called $*"
"""
TOOL = """#!/usr/bin/env bash
[ "$1" != check-secret ] || python3 -m json.tool "$2" > /dev/null && echo "ok: $*"
"""


def blocks(page):
    """The blocks of `sh` of a page that are run, without the indentation of a list."""
    text = (ROOT / "docs" / page).read_text()
    found = re.findall(r"^( *)```sh\n(.*?)^ *```$", text, re.M | re.S)
    return [re.sub(rf"^{indent}", "", block, flags=re.M) for indent, block in found]


def filled_in(block, **more):
    for placeholder, value in (PLACEHOLDERS | more).items():
        block = block.replace(placeholder, value)
    left = re.findall(r"<[A-Za-z][A-Za-z' ]*>", block)
    assert not left, f"the test has no value for {left}"
    return block


class Pages(unittest.TestCase):
    def setUp(self):
        self.aws = Aws()
        self.addCleanup(self.aws.server.shutdown)
        self.secret, self.outputs = create_stack(self.aws)
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name)
        (self.path / "bin").mkdir()
        programs = {"bin/sam": SAM.format(python=sys.executable), "bin/curl": CURL, "front-payment-bridge": TOOL}
        for name, text in programs.items():
            (self.path / name).write_text(text)
            (self.path / name).chmod(0o755)
        (self.path / "samconfig.toml").write_text((ROOT / "samconfig.toml").read_text())
        (self.path / "packed.yaml").write_text("")

    def run_blocks(self, given):
        """Runs blocks in one shell, each of which has to succeed. Returns what each printed."""
        script = "\n".join(f"echo '=== {number}'\n{block}" for number, block in enumerate(given))
        variables = os.environ | {
            "PATH": f"{self.path}/bin:{VENV}/bin:{os.environ['PATH']}", "AWS_ENDPOINT_URL": self.aws.endpoint, "AWS_DEFAULT_REGION": "eu-north-1",
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "EDITOR": "true", "USER": "night", "KEY": "a-key",
        }
        done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], cwd=self.path, env=variables, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1200)
        parts = re.split(r"^=== \d+\n", done.stdout, flags=re.M)[1:]
        self.assertEqual(done.returncode, 0, f"{given[len(parts) - 1]}\n--- says ---\n{parts[-1] if parts else done.stdout}")
        return parts

    def one(self, given, said, about):
        """What the only block with this text printed."""
        (number,) = [number for number, block in enumerate(given) if about in block]
        return said[number]

    def test_the_runbook(self):
        given = [filled_in(block, **{MOMENT: "2026-11-24T09:30:00Z"}) for block in blocks("runbook.md")]
        self.aws.answers = [answer for _, answer in ANSWERS]
        said = self.run_blocks(given)
        self.assertEqual(self.aws.events, [(f"{STACK}-worker:live", event) for event, _ in ANSWERS])
        self.assertEqual(json.loads(self.one(given, said, "worker '{\"waiting\"")), ANSWERS[0][1])
        self.assertIn("called -sS -i https://bridge.shop.example/health", self.one(given, said, "/health"))
        deployed = [line for part in said for line in part.splitlines() if line.startswith("deployed")]
        self.assertEqual([line.split()[1] for line in deployed], ["production", "production"])
        self.assertEqual(["AcceptOrders=false" in line for line in deployed], [True, False])
        before, after = (tomllib.loads(path.read_text()) for path in (ROOT / "samconfig.toml", self.path / "samconfig.toml"))
        self.assertEqual(after, before, "switching on leaves nothing behind")

        alarms = self.aws.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
        self.assertEqual({one["AlarmName"] for one in alarms}, {f"{STACK}-many-failed", f"{STACK}-throttled"})

        functions = self.aws.client("lambda")
        live = {name: functions.get_alias(FunctionName=f"{STACK}-{name}", Name="live")["FunctionVersion"] for name in ("orders", "callbacks", "worker")}
        # `orders` got a fourth version for the leaked key, so the one before is the third.
        self.assertEqual(live, {"orders": "3", "callbacks": "2", "worker": "2"})
        self.assertEqual(functions.get_function_concurrency(FunctionName=f"{STACK}-callbacks")["ReservedConcurrentExecutions"], 2)
        value = self.aws.client("secretsmanager").get_secret_value(SecretId=self.secret)["SecretString"]
        self.assertEqual(json.loads(value), {"token": "new"}, "put in unchanged, and the version before brought back")
        self.assertFalse((self.path / "secret.json").exists())

    def test_restoring(self):
        runbook = [filled_in(block, **{MOMENT: "x"}) for block in blocks("runbook.md") if "output() {" in block or block.startswith("query() {")]
        self.assertEqual(len(runbook), 2)
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        given = [filled_in(block, **{MOMENT: moment}) for block in blocks("restore.md")]
        # The log of moto has no orders: one that is accepted in the table, and one that is not there.
        mark = next(number for number, block in enumerate(given) if "while read -r ORDER SHOP" in block)
        given.insert(mark, f"printf '{ORDER}\\tmy-shop\\n{OTHER}\\tmy-shop\\n' > concerned.txt")
        total = next(number for number, block in enumerate(given) if "TOTAL=" in block)
        given[total] = given[total].replace(f"ORDER={ORDER}", f"ORDER={OTHER}")
        given.append('echo "RESTORED=$RESTORED"')
        said = self.run_blocks(runbook + given)

        restored = re.search(r"RESTORED=(.*)", said[-1])[1]
        self.assertIn(f"{ORDER} was not marked", said[len(runbook) + mark + 1])
        self.assertNotIn(OTHER, said[len(runbook) + mark + 1])
        tables = self.aws.client("dynamodb")
        item = lambda order: tables.get_item(TableName=restored, Key={"orderId": {"S": order}})["Item"]
        self.assertEqual((item(ORDER)["status"]["S"], item(ORDER)["version"]["N"]), ("SENT", "5"), "what is accepted stays")
        created = item(OTHER)
        self.assertEqual((created["status"]["S"], created["shopId"]["S"], created["grandTotal"]["S"]), ("UNKNOWN", "my-shop", "40.50"))
        self.assertGreater(int(created["version"]["N"]), 1_700_000_000_000)
        self.assertEqual(len(created["callbackToken"]["S"]), 48)
        table = tables.describe_table(TableName=restored)["Table"]
        self.assertTrue(table["DeletionProtectionEnabled"])
        self.assertEqual({one["IndexName"] for one in table["GlobalSecondaryIndexes"]}, {"ask", "tell", "shop"})
        life = tables.describe_time_to_live(TableName=restored)["TimeToLiveDescription"]
        self.assertEqual((life["TimeToLiveStatus"], life["AttributeName"]), ("ENABLED", "expiresAt"))
        old = tables.describe_table(TableName="orders")["Table"]["TableArn"]
        self.assertIn("Deny", tables.get_resource_policy(ResourceArn=old)["Policy"])
        given = tomllib.loads((self.path / "samconfig.toml").read_text())["production"]["deploy"]["parameters"]["parameter_overrides"]
        self.assertIn(f"RestoredTable={restored}", given)
        functions = self.aws.client("lambda")
        reserved = [functions.get_function_concurrency(FunctionName=f"{STACK}-{name}")["ReservedConcurrentExecutions"] for name in ("orders", "callbacks", "worker")]
        self.assertEqual(reserved, [200, 100, 20])

    def test_deployment(self):
        given = [filled_in(block, **{"<SecretArn>": self.secret}) for block in blocks("deployment.md")]
        said = self.run_blocks(given)
        value = json.loads(self.aws.client("secretsmanager").get_secret_value(SecretId=self.secret)["SecretString"])
        self.assertEqual((value["token"], value["callbackSecret"]), ("token", "secret-key"))
        self.assertEqual(len(value["shops"]["my-shop"]["apiKeySha256"][0]), 64)
        self.assertIn("smoke --url https://bridge.shop.example --order", self.one(given, said, "SMOKE_KEY"))
        (budget,) = self.aws.client("budgets").describe_budgets(AccountId="123456789012")["Budgets"]
        self.assertEqual(budget["BudgetLimit"]["Amount"], "50")

    def test_data_protection(self):
        tables = self.aws.client("dynamodb")
        texts = {"referenceNo": "A-1001", "customerReference": "x", "customerUuid": "CSRT1", "bankIdUrl": "https://x", "fingerprint": "f"}
        known = {"orderId": ORDER, "status": "SENT", "orderUuid": UUID, "shopId": "my-shop"}
        write = lambda item: tables.put_item(TableName="orders", Item={name: {"S": value} for name, value in item.items()} | {"version": {"N": "5"}})
        write(known | texts)
        given = [f"TABLE=orders ORDER={ORDER}", *map(filled_in, blocks("data-protection.md"))]
        self.assertEqual(len(given), 3)
        self.assertIn("customerReference", self.run_blocks(given)[1])
        item = tables.get_item(TableName="orders", Key={"orderId": {"S": ORDER}})["Item"]
        self.assertEqual(item, {name: {"S": value} for name, value in known.items()} | {"version": {"N": "6"}})

        write({"orderId": OTHER, "status": "UNKNOWN"} | texts)
        (said,) = self.run_blocks([f"TABLE=orders ORDER={OTHER}\n! {given[2]}"])
        self.assertIn("ConditionalCheckFailedException", said)

    def test_the_outputs_that_the_pages_use_are_the_templates(self):
        class Tagged(yaml.SafeLoader):
            pass

        Tagged.add_multi_constructor("!", lambda loader, suffix, node: None)
        outputs = yaml.load((ROOT / "template.yaml").read_text(), Tagged)["Outputs"]
        pages = "".join((ROOT / "docs" / page).read_text() for page in ("runbook.md", "restore.md"))
        used = set(re.findall(r"output ([A-Z]\w+)", pages))
        self.assertLessEqual(used, set(self.outputs))
        self.assertLessEqual(set(self.outputs), set(outputs))
        self.assertGreater(len(used), 6)


if __name__ == "__main__":
    unittest.main(verbosity=2)
