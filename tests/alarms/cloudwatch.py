"""What CloudWatch makes of the functions' log lines: the metrics, rules and alarms of template.yaml, evaluated.

Time is in minutes. A history is a list of `Event`s. Alarms are evaluated every five minutes, or each minute if that is
their period, over windows that end at that minute: CloudWatch's default, the sliding window. Not modelled: late log
lines, and that CloudWatch reads some data points beyond the window where data is missing (here a missing point is what
TreatMissingData says).
"""

import json
import math
import re
from collections import defaultdict, namedtuple
from functools import cache
from pathlib import Path

import yaml

from metric_math import expression
from patterns import filter_pattern, rule_filters

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
STEP = 5
STACK = "stack"
FUNCTIONS = {"OrdersLogs": "OrdersFunction", "CallbacksLogs": "CallbacksFunction", "WorkerLogs": "WorkerFunction"}

# `count` equal lines of a log group in one minute. Without a log group, the line is a metric of a service's: its namespace,
# name, and the resource that it is about.
Event = namedtuple("Event", "minute logs line count", defaults=[1])


class Tagged(yaml.SafeLoader):
    """Reads `!Ref X` and the like as their text, which is enough to tell one resource from another."""


def construct(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return node.value.replace("${AWS::StackName}", STACK).replace("AWS::StackName", STACK)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


Tagged.add_multi_constructor("!", construct)


class Metric:
    """Values by minute, and how often each occurs."""

    def __init__(self):
        self.minutes = defaultdict(lambda: defaultdict(int))

    def add(self, minute, value, count=1):
        self.minutes[minute][value] += count

    def statistic(self, name, end, minutes):
        values = defaultdict(int)
        for minute in range(end - minutes, end):
            if minute in self.minutes:
                for value, count in self.minutes[minute].items():
                    values[value] += count
        if not values:
            return None
        return STATISTICS[name](values)


def percentile(values, share):
    rank, seen = math.ceil(share * sum(values.values())), 0
    for value in sorted(values):
        seen += values[value]
        if seen >= rank:
            return value


STATISTICS = {
    "Sum": lambda values: sum(value * count for value, count in values.items()),
    "SampleCount": lambda values: sum(values.values()),
    "Maximum": max,
    "Minimum": min,
    "p99": lambda values: percentile(values, 0.99),
}


class Template:
    def __init__(self, parameters):
        resources = yaml.load(TEMPLATE.read_text(), Tagged)["Resources"]
        of_type = lambda name: [resource["Properties"] for resource in resources.values() if resource["Type"] == name]
        self.filters = []
        for one in of_type("AWS::Logs::MetricFilter"):
            transformation = one["MetricTransformations"][0]
            self.filters.append((one["LogGroupName"], filter_pattern(one["FilterPattern"]), transformation))
        self.rules = {}
        for one in of_type("AWS::CloudWatch::InsightRule"):
            body = json.loads(one["RuleBody"])
            contribution = body["Contribution"]
            logs = re.fullmatch(r"\$\{(\w+)\}", body["LogGroupNames"][0])[1]
            self.rules[one["RuleName"]] = (logs, contribution["Keys"][0].removeprefix("$."), rule_filters(contribution["Filters"]))
        self.alarms = {}
        for one in of_type("AWS::CloudWatch::Alarm"):
            one = {key: parameters.get(value, value) if isinstance(value, str) else value for key, value in one.items()}
            self.alarms[one["AlarmName"].removeprefix(f"{STACK}-")] = Alarm(one)


class Alarm:
    def __init__(self, properties):
        self.periods = int(properties["EvaluationPeriods"])
        self.needed = int(properties.get("DatapointsToAlarm", self.periods))
        self.missing = properties["TreatMissingData"]
        threshold = float(properties["Threshold"])
        self.breaches = {
            "GreaterThanThreshold": lambda value: value > threshold,
            "GreaterThanOrEqualToThreshold": lambda value: value >= threshold,
            "LessThanThreshold": lambda value: value < threshold,
        }[properties["ComparisonOperator"]]
        if "Metrics" in properties:
            self.queries = {one["Id"]: one for one in properties["Metrics"]}
            (self.result,) = (one["Id"] for one in properties["Metrics"] if one.get("ReturnData", True))
        else:
            statistic = properties.get("Statistic") or properties["ExtendedStatistic"]
            metric = {key: properties.get(key) for key in ("Namespace", "MetricName", "Dimensions")}
            self.queries = {"m": {"MetricStat": {"Metric": metric, "Stat": statistic, "Period": properties["Period"]}}}
            self.result = "m"
        periods = {one["MetricStat"]["Period"] for one in self.queries.values() if "MetricStat" in one}
        periods |= {one["Period"] for one in self.queries.values() if "Period" in one}
        (seconds,) = periods  # CloudWatch refuses an alarm whose metrics have different periods.
        self.period = int(seconds) // 60
        assert self.period * self.periods <= (7 if self.period >= 60 else 1) * 24 * 60, "CloudWatch's longest window"

    def value(self, query, data, end):
        if "MetricStat" in query:
            stat = query["MetricStat"]
            return data.metric(stat["Metric"]).statistic(stat["Stat"], end, self.period)
        rule = re.fullmatch(r'INSIGHT_RULE_METRIC\("(.+)", "UniqueContributors"\)', query["Expression"])
        if rule:
            return data.contributors(rule[1], end, self.period)
        others = {name: self.value(one, data, end) for name, one in self.queries.items() if one is not query}
        return compiled(query["Expression"])(others)

    def first_alarm(self, data, start, end):
        """The minute at which the alarm goes off, or None."""
        states = {}

        def is_bad(minute):
            if minute not in states:
                value = self.value(self.queries[self.result], data, minute)
                states[minute] = self.missing == "breaching" if value is None else self.breaches(value)
            return states[minute]

        for now in range(start, end + 1, min(STEP, self.period)):
            window = [is_bad(now - number * self.period) for number in range(self.periods)]
            if sum(window) >= self.needed:
                return now
        return None


compiled = cache(expression)


class Data:
    """The metrics and the contributors of a history."""

    def __init__(self, template, history):
        self.template = template
        self.metrics = defaultdict(Metric)
        self.contributions = defaultdict(lambda: defaultdict(set))
        ingested, counted = set(), set()
        for event in history:
            if event.logs is None:
                self.metrics[event.line].add(event.minute, 1, event.count)
                continue
            ingested.add((event.minute, event.logs))
            self.add_own(event, counted)
            self.add_of_services(event)
        for logs, _, transformation in template.filters:
            name = transformation["MetricName"]
            if "DefaultValue" in transformation:
                for minute, of in ingested:
                    if of == logs and (minute, name) not in counted:
                        self.metrics[STACK, name].add(minute, transformation["DefaultValue"])

    def add_own(self, event, counted):
        for logs, matches, transformation in self.template.filters:
            if logs == event.logs and matches(event.line):
                value = transformation["MetricValue"]
                value = event.line[value[2:]] if value.startswith("$.") else int(value)
                self.metrics[STACK, transformation["MetricName"]].add(event.minute, value, event.count)
                counted.add((event.minute, transformation["MetricName"]))
        for name, (logs, key, matches) in self.template.rules.items():
            if logs == event.logs and matches(event.line) and event.line.get(key) is not None:
                self.contributions[name][event.minute].add(event.line[key])

    def add_of_services(self, event):
        """Lambda's and API Gateway's own metrics of the request that the line is about."""
        if event.line.get("message") == "request":
            self.metrics["AWS/Lambda", "Duration", FUNCTIONS[event.logs]].add(event.minute, event.line["totalMs"], event.count)
            self.metrics["AWS/ApiGateway", "Count", "Api"].add(event.minute, 1, event.count)
            is_5xx = int(event.line["statusCode"] >= 500)
            self.metrics["AWS/ApiGateway", "5xx", "Api"].add(event.minute, is_5xx, event.count)

    def metric(self, metric):
        dimensions = [one["Value"] for one in metric.get("Dimensions") or []]
        return self.metrics[(metric["Namespace"], metric["MetricName"], *dimensions)]

    def contributors(self, rule, end, minutes):
        by_minute = self.contributions[rule]
        found = set().union(*(by_minute[minute] for minute in range(end - minutes, end) if minute in by_minute))
        return float(len(found)) if found else None


def alarms(history, start, end, **parameters):
    """The alarms that go off from `start` to `end`, and when."""
    template = Template(parameters)
    data = Data(template, history)
    found = {name: alarm.first_alarm(data, start, end) for name, alarm in template.alarms.items()}
    return {name: minute for name, minute in found.items() if minute is not None}
