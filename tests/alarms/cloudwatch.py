"""What CloudWatch makes of the functions' log lines: the metrics and alarms of template.yaml, evaluated.

Time is in minutes. Alarms are evaluated every five minutes, over windows that end at that minute: CloudWatch's default, the
sliding window. Not modelled: late log lines, and that CloudWatch reads some data points beyond the window where data is
missing (here a missing point is what TreatMissingData says).
"""

import math
import re
from collections import defaultdict
from functools import cache
from itertools import accumulate
from pathlib import Path

import yaml

from metric_math import expression
from patterns import filter_pattern

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
STEP = 5
STACK = "stack"


class Tagged(yaml.SafeLoader):
    """Reads `!Ref X` and the like as their text, which is enough to tell one resource from another."""


def construct(loader, suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return node.value.replace("${AWS::StackName}", STACK).replace("AWS::StackName", STACK)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


Tagged.add_multi_constructor("!", construct)


class History:
    """How often each log line, or each count of a service of AWS's, comes in each minute."""

    def __init__(self, minutes):
        self.minutes = minutes
        self.lines = {}

    def add(self, minute, logs, line, count=1):
        if 0 <= minute < self.minutes and count:
            key = (logs, tuple(line.items() if logs else line))
            if key not in self.lines:
                self.lines[key] = (line, defaultdict(int))
            self.lines[key][1][minute] += count

    def add_request(self, minute, line, count=1):
        """A function's summary line, and that of the access log."""
        self.add(minute, "FunctionLogs", line, count)
        self.add_api(minute, line["route"], line["statusCode"], count)

    def add_api(self, minute, route, status, count=1):
        self.add(minute, "ApiLogs", {"routeKey": route, "status": str(status)}, count)

    def add_service(self, minute, metric, count=1):
        self.add(minute, None, metric, count)


class Metric:
    def __init__(self, minutes):
        self.sums, self.counts, self.values = [0] * minutes, [0] * minutes, defaultdict(list)
        self.running = None

    def add(self, minute, value, count=1):
        self.sums[minute] += value * count
        self.counts[minute] += count
        self.values[minute].append(value)

    def statistic(self, name, end, minutes):
        start, end = max(0, end - minutes), min(end, len(self.sums))
        self.running = self.running or tuple([0, *accumulate(one)] for one in (self.sums, self.counts))
        sums, counts = self.running
        if end <= start or counts[end] == counts[start]:
            return None
        if name in ("Sum", "SampleCount"):
            running = sums if name == "Sum" else counts
            return running[end] - running[start]
        extreme = {"Maximum": max, "Minimum": min}[name]
        return extreme(extreme(self.values[minute]) for minute in range(start, end) if self.counts[minute])


class Data:
    """The metrics of a history: one for each name and, where the filter has a dimension, for each of its values."""

    def __init__(self, template, history):
        self.metrics = defaultdict(lambda: Metric(history.minutes))
        lines_of = defaultdict(set)
        counted = defaultdict(set)
        for (logs, _), (line, minutes) in history.lines.items():
            if logs is None:
                for minute, count in minutes.items():
                    self.metrics[tuple(line)].add(minute, 1, count)
                continue
            lines_of[logs].update(minutes)
            for _, matches, made in (one for one in template.filters if one[0] == logs and one[1](line)):
                value = made["MetricValue"]
                value = line[value[2:]] if value.startswith("$.") else int(value)
                dimension = [line[one["Value"][2:]] for one in made.get("Dimensions", [])]
                name = (STACK, made["MetricName"], *dimension)
                for minute, count in minutes.items():
                    self.metrics[name].add(minute, value, count)
                counted[name].update(minutes)
        for logs, _, made in template.filters:
            name = (STACK, made["MetricName"])
            if "DefaultValue" in made:
                for minute in lines_of[logs] - counted[name]:
                    self.metrics[name].add(minute, made["DefaultValue"])

    def value(self, query, end, minutes):
        stat = query["MetricStat"]
        metric = stat["Metric"]
        name = (metric["Namespace"], metric["MetricName"], *(one["Value"] for one in metric.get("Dimensions") or []))
        return self.metrics[name].statistic(stat["Stat"], end, minutes) if name in self.metrics else None

    def by_shop(self, name, end, minutes):
        found = (one.statistic("Sum", end, minutes) for key, one in self.metrics.items() if key[:2] == (STACK, name) and len(key) == 3)
        return [value for value in found if value is not None]


    def are_zero(self, queries):
        metrics = [one["MetricStat"]["Metric"]["MetricName"] for one in queries if "MetricStat" in one]
        return bool(metrics) and not any(any(one.sums) for name, one in self.metrics.items() if name[1] in metrics)


class Template:
    def __init__(self):
        resources = yaml.load(TEMPLATE.read_text(), Tagged)["Resources"]
        of_type = lambda name: [(key, one["Properties"]) for key, one in resources.items() if one["Type"] == name]
        self.filters = [
            (one["LogGroupName"], filter_pattern(one["FilterPattern"]), one["MetricTransformations"][0])
            for _, one in of_type("AWS::Logs::MetricFilter")
        ]
        name = lambda one: one["AlarmName"].removeprefix(f"{STACK}-")
        self.alarms = {name(one): Alarm(one) for _, one in of_type("AWS::CloudWatch::Alarm")}
        composites = of_type("AWS::CloudWatch::CompositeAlarm")
        names = {key: name(one) for key, one in of_type("AWS::CloudWatch::Alarm") + composites}
        self.composites = {name(one): Composite(one["AlarmRule"], names) for _, one in composites}
        self.messages = {name(one) for _, one in composites if "AlarmActions" in one}
        assert not any("AlarmActions" in one or "OKActions" in one for _, one in of_type("AWS::CloudWatch::Alarm"))
        assert not any("OKActions" in one for _, one in composites)


class Alarm:
    def __init__(self, properties):
        self.periods = int(properties["EvaluationPeriods"])
        self.needed = int(properties.get("DatapointsToAlarm", self.periods))
        self.missing = properties["TreatMissingData"]
        threshold = float(properties["Threshold"])
        self.breaches = {
            "GreaterThanOrEqualToThreshold": lambda value: value >= threshold,
            "LessThanThreshold": lambda value: value < threshold,
        }[properties["ComparisonOperator"]]
        if "Metrics" in properties:
            self.queries = {one["Id"]: one for one in properties["Metrics"]}
            (self.result,) = (one["Expression"] for one in properties["Metrics"] if one.get("ReturnData", True))
        else:
            metric = {key: properties[key] for key in ("Namespace", "MetricName")}
            stat = {"Metric": metric, "Stat": properties["Statistic"], "Period": properties["Period"]}
            self.queries, self.result = {"m": {"MetricStat": stat}}, "m"
        (seconds,) = {one["MetricStat"]["Period"] if "MetricStat" in one else one["Period"]
                      for one in self.queries.values() if "MetricStat" in one or "Period" in one}
        self.period = int(seconds) // 60  # CloudWatch refuses an alarm whose metrics have different periods.
        assert self.period * self.periods <= (7 if self.period >= 60 else 1) * 24 * 60, "CloudWatch's longest window"

    def point(self, data, end):
        """Whether the data point that ends here breaches; None if it is missing."""
        values = {name: self.read(one, data, end) for name, one in self.queries.items() if one.get("Expression") != self.result}
        value = compiled(self.result)(values, end - self.period)
        return None if value is None else self.breaches(value)

    def read(self, query, data, end):
        if "MetricStat" in query:
            return data.value(query, end, self.period)
        insights = re.fullmatch(rf'SELECT SUM\((\w+)\) FROM SCHEMA\("{STACK}", shopId\) GROUP BY shopId', query["Expression"])
        assert self.period <= 180, "Metrics Insights reaches back three hours"
        return data.by_shop(insights[1], end, self.period)


compiled = cache(expression)


class Composite:
    """An alarm rule, such as `ALARM("${A}") AND NOT ALARM("${B}")`."""

    def __init__(self, rule, names):
        self.names = {names[one] for one in re.findall(r'"\$\{(\w+)\}"', rule)}
        python = re.sub(r'ALARM\("\$\{(\w+)\}"\)', lambda one: f"on[{names[one[1]]!r}]", " ".join(rule.split()))
        python = python.replace("AND", "and").replace("OR", "or").replace("NOT", "not")
        self.is_on = eval(f"lambda on: {python}")  # noqa: S307


def states(history, start=0):
    """For each evaluation, the minute and the names of the alarms that are on."""
    template = Template()
    data = Data(template, history)
    on = dict.fromkeys(template.alarms, False)
    points = {name: {} for name in template.alarms}
    # To save time, alarms whose metrics are all zero are skipped. Such an alarm goes off only if missing data is breaching.
    alarms = {name: one for name, one in template.alarms.items() if one.missing == "breaching" or not data.are_zero(one.queries.values())}

    def point(name, alarm, end):
        known = points[name]
        if end not in known:
            known[end] = alarm.point(data, end)
        return known[end]

    for now in range(start + STEP, history.minutes + 1, STEP):
        for name, alarm in alarms.items():
            window = [point(name, alarm, now - number * alarm.period) for number in range(alarm.periods)]
            if window == [None] * len(window) and alarm.missing == "ignore":
                continue
            is_missing_bad = alarm.missing == "breaching"
            on[name] = sum(is_missing_bad if one is None else one for one in window) >= alarm.needed
        for name in sorted(template.composites, key=lambda name: name in template.messages):
            on[name] = bool(template.composites[name].is_on(on))
        yield now, frozenset(name for name, is_on in on.items() if is_on)


def first(found, alarm, start):
    """The minutes from `start` until an alarm is on, or infinity."""
    return next((now - start for now, on in found if now >= start and alarm in on), math.inf)


def messages(found):
    """The minutes and names of the messages: when `wake` or `look` goes on."""
    sent, before = [], frozenset()
    for now, on in found:
        sent += [(now, name) for name in ("wake", "look") if name in on - before]
        before = on
    return sent
