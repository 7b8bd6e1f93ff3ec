#!/usr/bin/env python3
"""What template.yaml makes of its parameters, by SAM's own code: versions, concurrency, a release and its check.

Needs the packages of the SAM CLI. Nothing is deployed.
"""

import io
import json
import os
import sys
import tomllib
import unittest
from pathlib import Path
from unittest.mock import MagicMock, patch

from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"
FUNCTIONS = {"OrdersFunction", "CallbacksFunction", "WorkerFunction"}
# How long a request takes, in seconds: a submit at Front Payment's usual speed, and a callback.
SUBMIT, CALLBACK = 1.5, 0.02


def read():
    return yaml_parse(TEMPLATE.read_text())


def deployed(code="code", **given):
    """The resources that SAM makes, with these parameters and the others' defaults."""
    template = read()
    template["Globals"]["Function"]["CodeUri"] = f"s3://bucket/{code}"
    parameters = {name: str(one["Default"]) for name, one in template["Parameters"].items()} | given
    policies = MagicMock()
    policies.load.return_value = {}
    return transform(template, parameters, policies)["Resources"]


def versions(**given):
    return {name for name, one in deployed(**given).items() if one["Type"] == "AWS::Lambda::Version"}


def parameters_in(value):
    """The names in all `Ref` and `Fn::Sub` of a part of the template."""
    if isinstance(value, dict):
        found = {value["Ref"]} if isinstance(value.get("Ref"), str) else set()
        return found.union(*(parameters_in(one) for one in value.values()))
    return set().union(*map(parameters_in, value)) if isinstance(value, list) else set()


class Releases(unittest.TestCase):
    def test_new_code_is_a_new_version(self):
        self.assertEqual(len(versions(code="newer") - versions()), 3)
        self.assertEqual(versions(), versions(), "and the same is none")

    def test_a_changed_parameter_is_a_new_version_of_each_function_that_has_it(self):
        template = read()
        own = template["Parameters"].keys()
        shared = {"Environment", "MemorySize", "LoggingConfig"}
        everywhere = parameters_in([template["Globals"]["Function"][name] for name in shared]) & own
        before = versions()
        for function in FUNCTIONS:
            properties = template["Resources"][function]["Properties"]
            used = parameters_in([properties.get(name, {}) for name in shared]) & own | everywhere
            self.assertGreater(len(used), 5)
            for parameter in used:
                changed = versions(**{parameter: "100"})
                self.assertTrue(any(name.startswith(function) for name in changed - before), f"{function} {parameter}")

    def test_requests_events_and_the_stream_go_to_the_alias(self):
        resources = deployed()
        self.assertEqual(resources["WorkerTrigger"]["Properties"]["FunctionName"], {"Ref": "WorkerFunctionAliaslive"})
        self.assertEqual(resources["WorkerFunctionSweep"]["Properties"]["Target"]["Arn"], {"Ref": "WorkerFunctionAliaslive"})
        routes = json.dumps(resources["Api"]["Properties"]["Body"])
        self.assertEqual(routes.count("Aliaslive"), routes.count('"uri"'))
        self.assertEqual(routes.count('"uri"'), 7)
        self.assertEqual(
            {f"{method.upper()} {path}" for path, methods in resources["Api"]["Properties"]["Body"]["paths"].items() for method in methods},
            {"POST /orders", "GET /orders", "GET /orders/{orderId}", "POST /orders/{orderId}/cancel",
             "POST /orders/{orderId}/notifications", "GET /health", "GET /callbacks/{orderId}/{token}"},
        )

    def test_a_step_by_step_deployment_is_ended_by_alarms_and_one_at_once_is_not(self):
        group = deployed(Deployment="Canary10Percent5Minutes")["OrdersFunctionDeploymentGroup"]["Properties"]
        self.assertIn("DEPLOYMENT_STOP_ON_ALARM", group["AutoRollbackConfiguration"]["Events"])
        self.assertIn("Canary10Percent5Minutes", json.dumps(group["DeploymentConfigName"]))
        condition, some, none = group["AlarmConfiguration"]["Fn::If"]
        self.assertEqual(read()["Conditions"][condition], {"Fn::Not": [{"Fn::Equals": [{"Ref": "Deployment"}, "AllAtOnce"]}]})
        self.assertEqual((len(some["Alarms"]), none.get("Alarms", [])), (3, []))
        self.assertEqual(read()["Parameters"]["Deployment"]["Default"], "AllAtOnce")

    def test_a_release_is_checked_before_it_gets_requests_whatever_its_kind(self):
        for kind in ["AllAtOnce", "Canary10Percent5Minutes"]:
            resources = deployed(Deployment=kind)
            for function in FUNCTIONS:
                update = resources[f"{function}Aliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
                self.assertEqual(update["BeforeAllowTrafficHook"], {"Ref": "ReleaseCheck"})
        self.assertEqual(resources["ReleaseCheck"]["Properties"]["FunctionName"], {"Fn::Sub": "CodeDeployHook_${AWS::StackName}"})

    def test_a_boundary_limits_every_role(self):
        roles = {name: one for name, one in deployed(PermissionsBoundary="arn:aws:iam::123456789012:policy/b").items()
                 if one["Type"] == "AWS::IAM::Role"}
        self.assertEqual(len(roles), 7)
        for name, one in roles.items():
            condition, boundary, none = one["Properties"]["PermissionsBoundary"]["Fn::If"]
            self.assertEqual((condition, none), ("HasPermissionsBoundary", {"Ref": "AWS::NoValue"}), name)
            self.assertIn(boundary, [{"Ref": "PermissionsBoundary"}, "arn:aws:iam::123456789012:policy/b"], name)


GOOD = {"GET /health": {"statusCode": 200}, "POST /orders": {"statusCode": 401},
        "GET /callbacks/{orderId}/{token}": {"statusCode": 404}, None: {"error": "an unknown event"}}


class ReleaseCheck(unittest.TestCase):
    """The function's own code, over versions that answer as given."""

    def says(self, new, in_use):
        answers = {"2": new, "live": in_use}
        told = []

        def invoke(FunctionName, Payload):
            answer = answers[FunctionName.rsplit(":", 1)[1]][json.loads(Payload).get("routeKey")]
            if answer == "throttled":
                raise RuntimeError("TooManyRequestsException")
            error = {"FunctionError": "Unhandled"} if answer is None else {}
            return {"Payload": io.BytesIO(json.dumps(answer or {"errorMessage": "killed"}).encode())} | error

        aws = MagicMock()
        aws.client.return_value.invoke = invoke
        aws.client.return_value.put_lifecycle_event_hook_execution_status = lambda **status: told.append(status)
        variables = {name: f"arn:aws:lambda:eu-north-1:123456789012:function:bridge-{name.lower()}:2"
                     for name in ["ORDERS", "CALLBACKS", "WORKER"]}
        code = read()["Resources"]["ReleaseCheck"]["Properties"]["Code"]["ZipFile"]
        self.assertLess(len(code), 4096, "CloudFormation's limit")
        scope = {}
        with patch.dict(sys.modules, {"boto3": aws}), patch.dict(os.environ, variables), patch("builtins.print"):
            exec(code, scope)
            scope["handler"]({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "e-1"}, None)
        ((status),) = told
        self.assertEqual((status.pop("deploymentId"), status.pop("lifecycleEventHookExecutionId")), ("d-1", "e-1"))
        return status["status"]

    def test_what_answers_well_gets_the_requests(self):
        self.assertEqual(self.says(GOOD, GOOD), "Succeeded")

    def test_each_wrong_answer_keeps_the_old_version(self):
        for route in GOOD:
            self.assertEqual(self.says(GOOD | {route: None}, GOOD), "Failed", "killed")
            self.assertEqual(self.says(GOOD | {route: {}}, GOOD), "Failed", "no answer")
        self.assertEqual(self.says(GOOD | {"GET /health": {"statusCode": 503}}, GOOD), "Failed")
        self.assertEqual(self.says(GOOD | {"POST /orders": {"statusCode": 201}}, GOOD), "Failed")

    def test_a_fault_that_the_version_in_use_has_too_holds_up_no_switch(self):
        ill = GOOD | {"GET /health": {"statusCode": 503}}
        self.assertEqual(self.says(ill, ill), "Succeeded")
        self.assertEqual(self.says(ill | {None: {}}, ill), "Failed")
        switched_off = dict.fromkeys(GOOD, "throttled")
        self.assertEqual(self.says(switched_off, switched_off), "Succeeded", "step 5 of a restore")
        self.assertEqual(self.says(switched_off, GOOD), "Failed")


def holds(condition, parameters):
    """The value of one of CloudFormation's rule functions."""
    if not isinstance(condition, dict):
        return condition
    ((name, given),) = condition.items()
    if name == "Ref":
        return parameters[given]
    given = [[holds(one, parameters) for one in part] if isinstance(part, list) else holds(part, parameters) for part in given]
    return {
        "Fn::Equals": lambda: given[0] == given[1],
        "Fn::Not": lambda: not given[0],
        "Fn::And": lambda: all(given),
        "Fn::Contains": lambda: given[1] in given[0],
    }[name]()


def refused(**given):
    """The sentences with which CloudFormation refuses these parameters."""
    template = read()
    parameters = {name: str(one["Default"]) for name, one in template["Parameters"].items()} | given
    rules = [rule for rule in template["Rules"].values() if holds(rule["RuleCondition"], parameters)]
    return [one["AssertDescription"] for rule in rules for one in rule["Assertions"] if not holds(one["Assert"], parameters)]


class Environments(unittest.TestCase):
    production = {
        "Environment": "production",
        "FrontPaymentBaseUrl": "https://apigo.frontpayment.no/api/v1",
        "CallbackBaseUrl": "https://bridge.shop.example",
        "OrderRetentionDays": "400",
        "AlarmEmail": "operator@shop.example",
        "AccountConcurrency": "1000",
    }

    def test_a_trial_needs_nothing(self):
        self.assertEqual(refused(), [])

    def test_production_needs_all_of_these(self):
        self.assertEqual(refused(**self.production), [])
        for missing in self.production.keys() - {"Environment"}:
            (said,) = refused(**{name: value for name, value in self.production.items() if name != missing})
            self.assertTrue(said.startswith(missing), f"{missing}: {said}")
        (said,) = refused(**self.production | {"LogRetentionDays": "30"})
        self.assertTrue(said.startswith("LogRetentionDays"), said)
        topic = {"AlarmEmail": "", "AlarmTopicArn": "arn:aws:sns:eu-north-1:123456789012:paging"}
        self.assertEqual(refused(**self.production | topic), [])

    def test_a_trial_does_not_bill(self):
        (said,) = refused(FrontPaymentBaseUrl=self.production["FrontPaymentBaseUrl"])
        self.assertIn("bills people", said)

    def test_samconfig_names_both_and_leaves_production_to_be_filled_in(self):
        config = tomllib.loads(TEMPLATE.with_name("samconfig.toml").read_text())
        names = {config[environment]["global"]["parameters"]["stack_name"] for environment in ("default", "demo", "production")}
        self.assertEqual(len(names), 3)
        given = {environment: dict(one.split("=", 1) for one in config[environment]["deploy"]["parameters"]["parameter_overrides"])
                 for environment in ("demo", "production")}
        self.assertEqual(refused(**given["demo"]), [])
        empty = [name for name, value in given["production"].items() if not value]
        self.assertEqual([said.split()[0] for said in refused(**given["production"])], empty)


class Concurrency(unittest.TestCase):
    limits = read()["Mappings"]["Limits"]

    def test_with_a_thousand_each_function_has_its_own(self):
        reserved = [self.limits["1000"][name] for name in ("Orders", "Callbacks", "Worker")]
        self.assertTrue(all(reserved))
        # Two such stacks must fit into an account, of whose 1,000 executions AWS keeps 100 unreserved.
        self.assertLessEqual(2 * sum(reserved), 1000 - 100)
        self.assertLess(self.limits["1000"]["StreamExecutions"], self.limits["1000"]["Worker"], "sweeps go on beside the stream")

    def test_with_ten_a_flood_leaves_some_for_the_others(self):
        low = self.limits["10"]
        orders = low["RequestsBurst"] + low["RequestsPerSecond"] * SUBMIT
        callbacks = low["CallbacksBurst"] + low["CallbacksPerSecond"] * CALLBACK
        worker = low["StreamExecutions"] + 1  # one for a sweep
        self.assertLessEqual(orders + callbacks + worker, 10)
        self.assertEqual(read()["Parameters"]["AccountConcurrency"]["Default"], "10", "AWS gives a new account no more")

    def test_the_mapping_is_what_is_deployed(self):
        resources = deployed()
        limit = lambda name: {"Fn::FindInMap": ["Limits", {"Ref": "AccountConcurrency"}, name]}
        for function, name in [("OrdersFunction", "Orders"), ("CallbacksFunction", "Callbacks"), ("WorkerFunction", "Worker")]:
            many, reserved, none = resources[function]["Properties"]["ReservedConcurrentExecutions"]["Fn::If"]
            self.assertEqual(read()["Conditions"][many], {"Fn::Equals": [{"Ref": "AccountConcurrency"}, "1000"]})
            self.assertEqual((reserved, none), (limit(name), {"Ref": "AWS::NoValue"}))
        stage = resources["ApiApiGatewayDefaultStage"]["Properties"]
        callbacks = stage["RouteSettings"]["GET /callbacks/{orderId}/{token}"]
        for settings, who in [(stage["DefaultRouteSettings"], "Requests"), (callbacks, "Callbacks")]:
            for setting, name in [("ThrottlingRateLimit", f"{who}PerSecond"), ("ThrottlingBurstLimit", f"{who}Burst")]:
                self.assertEqual(settings[setting], limit(name))


if __name__ == "__main__":
    unittest.main(verbosity=2)
