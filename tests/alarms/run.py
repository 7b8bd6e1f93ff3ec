#!/usr/bin/env python3
"""Which alarms of template.yaml go off in which outage, and which do not.

A day without a fault comes first, then two days with one. Traffic is made up: its lines are those of lines.json, which the
tests in tests/it compare with what the functions log. Needs PyYAML.
"""

import json
import sys
import unittest
from pathlib import Path

import cloudwatch
from cloudwatch import Event
from patterns import filter_pattern
from metric_math import expression

HOUR, DAY = 60, 24 * 60
LINES = json.loads(Path(__file__).with_name("lines.json").read_text())


def event(minute, name, count=1, **members):
    known = LINES[name]
    unknown = members.keys() - known["line"].keys() - {"shopId"}
    assert not unknown, f"the line has no {unknown}"
    return Event(minute, known["logs"], known["line"] | members, count)


def every(minutes, start, end, name, count=1, **members):
    return [event(minute, name, count, **members) for minute in range(start, end, minutes)]


def sweeps(end):
    return every(1, 0, end, "sweep") + every(1, 0, end, "waiting")


def served(start, end, each, count=1, shop="demo-shop"):
    """`count` orders every `each` minutes: accepted, called back and told, with a reading that finds nothing new."""
    return (
        every(each, start, end, "accepted", count, shopId=shop)
        + every(each, start + 1, end, "applied", count, shopId=shop)
        + every(each, start + 1, end, "delivered", count, shopId=shop)
        + every(each, start + 2, end, "unchanged", shopId=shop)
    )


def failing(name, *others, **members):
    """Each order fails; what `others` name happens beside it."""

    def happens(start, end, each, count=1):
        lines = every(each, start, end, name, count, **members)
        return lines + [one for other in others for one in every(each, start + 2, end, other, count)]

    return happens


def callbacks_lost(start, end, each, count=1):
    """The worker's readings find the status that the callback would have told, at most 30 in a sweep."""
    return every(each, start, end, "accepted", count) + every(each, start + 2, end, "news", min(count, 30))


def one_of_two(name, **members):
    """The first shop is served, and each order of the second one is refused."""

    def happens(start, end, each, count=1):
        first = served(start, end, 2 * each, count)
        return first + every(2 * each, start + each, end, name, count, **members)

    return happens


# Orders a minute, every so many minutes.
SPARSE = {"two a day": (12 * HOUR, 1), "two an hour": (30, 1)}
DENSE = {"two thousand an hour": (3, 100)}
RATES = SPARSE | DENSE

# An outage, the alarm that is about it, and how soon it is to go off at each rate, in minutes from its beginning.
SOON = {"two a day": DAY, "two an hour": 3 * HOUR, "two thousand an hour": 2 * HOUR + 5}
OUTAGES = {
    "connections are refused": (failing("no connection"), "orders-failing", SOON),
    "the base URL is that of another API": (failing("another API"), "orders-failing", SOON),
    "each order is rejected": (failing("rejected"), "orders-rejected", SOON),
    "all callbacks are lost": (callbacks_lost, "no-callback", SOON),
    "status reads fail": (failing("accepted", "applied", "reading failed"), "readings-failed", SOON),
    "orders take 15 s": (failing("accepted", "applied", totalMs=15_000), "orders-slow", SOON | {"two an hour": HOUR}),
    "one of two shops has a wrong key": (
        one_of_two("unauthorized"),
        "shop-refused",
        {"two a day": 2 * DAY, "two an hour": DAY, "two thousand an hour": DAY},
    ),
    "one of two shops sends invalid orders": (
        one_of_two("invalid", shopId="second-shop"),
        "shop-refused",
        {"two a day": 2 * DAY, "two an hour": DAY, "two thousand an hour": DAY},
    ),
}
# With many orders, somebody is told within an hour: what has to be more than a part of many takes its time.
FAST = {
    "connections are refused": "api-5xx",
    "the base URL is that of another API": "api-5xx",
    "each order is rejected": "orders-not-accepted",
    "all callbacks are lost": "callbacks-missed",
    "status reads fail": "front-payment-failures",
}


def alarms_without_sweeps(history, start, end):
    return cloudwatch.alarms(history, start, end, NoOrderAlarmHours=168)


def alarms(history, start, end):
    return alarms_without_sweeps(history + sweeps(end), start, end)


class Outages(unittest.TestCase):
    def test_each_outage_sets_off_its_alarm_at_every_rate(self):
        for outage, (happens, alarm, soon) in OUTAGES.items():
            for rate, (each, count) in RATES.items():
                with self.subTest(outage=outage, rate=rate):
                    found = alarms(served(0, DAY, each, count) + happens(DAY, 3 * DAY, each, count), DAY, 3 * DAY)
                    self.assertIn(alarm, found)
                    self.assertLessEqual(found[alarm] - DAY, soon[rate])

    def test_with_many_orders_an_alarm_goes_off_within_the_hour(self):
        (each, count) = DENSE["two thousand an hour"]
        for outage, alarm in FAST.items():
            with self.subTest(outage=outage):
                happens = OUTAGES[outage][0]
                found = alarms(served(0, DAY, each, count) + happens(DAY, DAY + 2 * HOUR, each, count), DAY, DAY + 2 * HOUR)
                self.assertLessEqual(found[alarm] - DAY, 55 if alarm == "callbacks-missed" else 20)

    def test_guesses(self):
        quiet = served(0, DAY, 30)
        for name in ["wrong token", "unauthorized"]:
            flood = every(1, DAY, DAY + 10, name, 300)
            self.assertLessEqual(alarms(quiet + flood, DAY, DAY + 10)["guessing"] - DAY, 5)
        erased = every(20, DAY, 2 * DAY, "wrong token")
        self.assertEqual(alarms(quiet + served(DAY, 2 * DAY, 30) + erased, DAY, 2 * DAY), {}, "callbacks of erased orders")


# A single minute that sets off an alarm, on a day of two orders an hour.
SIGNALS = {
    "unknown-order": [event(DAY, "waiting", waiting=1)],
    "order-twice": [event(DAY, "twice")],
    "error-logged": [event(DAY, "twice")],
    "forged-callback": [event(DAY, "unverified")],
    "notification-failed": [event(DAY, "not told")],
    "undelivered-old": [event(DAY, "sweep", oldestUndeliveredSeconds=3601)],
    "worker-behind": every(1, DAY, DAY + 15, "sweep", left=1),
    "callbacks-slow": every(1, DAY, DAY + 15, "applied", totalMs=11_000),
    "orders-errors": [Event(DAY, None, ("AWS/Lambda", "Errors", "OrdersFunction"))],
    "callbacks-errors": [Event(DAY, None, ("AWS/Lambda", "Errors", "CallbacksFunction"))],
    "worker-errors": [Event(DAY, None, ("AWS/Lambda", "Errors", "WorkerFunction"))],
    "throttled": [Event(DAY, None, ("AWS/Lambda", "Throttles", "CallbacksFunction"))],
}


class Signals(unittest.TestCase):
    def test_a_signal_sets_off_its_alarm_within_minutes(self):
        for alarm, lines in SIGNALS.items():
            with self.subTest(alarm=alarm):
                history = served(0, DAY + HOUR, 30) + lines
                # Of the minutes of "worker-behind", each has one sweep, and it leaves orders.
                ordinary = [one for one in sweeps(DAY + HOUR) if alarm != "worker-behind" or one.minute < DAY]
                found = cloudwatch.alarms(history + ordinary, DAY - HOUR, DAY + HOUR, NoOrderAlarmHours=168)
                self.assertIn(alarm, found)
                self.assertTrue(0 < found[alarm] - DAY <= 20, found)

    def test_no_order_and_a_silent_worker(self):
        history = served(0, DAY, 30) + sweeps(3 * DAY)
        found = cloudwatch.alarms(history, 10, 3 * DAY, NoOrderAlarmHours=24)
        self.assertEqual(set(found), {"no-order"})
        self.assertTrue(23 * HOUR <= found["no-order"] - DAY <= 25 * HOUR, found)
        self.assertEqual(cloudwatch.alarms(sweeps(20 * HOUR), 10, 20 * HOUR, NoOrderAlarmHours=24), {}, "a new stack")
        found = alarms_without_sweeps(served(0, DAY, 30) + sweeps(12 * HOUR), 10, DAY)
        self.assertEqual(found, {"worker-silent": 12 * HOUR + 5})

    def test_every_alarm_is_set_off_by_a_test(self):
        tested = {"no-order", "worker-silent", "guessing", *SIGNALS, *FAST.values(), *(alarm for _, alarm, _ in OUTAGES.values())}
        self.assertEqual(tested, set(cloudwatch.Template({"NoOrderAlarmHours": 168}).alarms))


class NoOutage(unittest.TestCase):
    def quiet(self, history, start=DAY, end=3 * DAY):
        self.assertEqual(alarms(history, start, end), {})

    def test_days_without_a_fault(self):
        for rate, (each, count) in RATES.items():
            with self.subTest(rate=rate):
                self.quiet(served(0, 3 * DAY, each, count))

    def test_a_new_stack_and_a_night(self):
        self.quiet([], 10, DAY)
        nights = [one for day in range(3) for one in served(day * DAY + 8 * HOUR, day * DAY + 20 * HOUR, 30)]
        self.quiet(nights)

    def test_a_single_failure_a_day(self):
        for rate, (each, count) in RATES.items():
            for name in ["no connection", "rejected", "invalid", "reading failed"]:
                with self.subTest(rate=rate, name=name):
                    once = [event(DAY + 7, name)]
                    self.quiet(served(0, 3 * DAY, each, count) + once, DAY, 2 * DAY)

    def test_two_slow_orders_among_many(self):
        (each, count) = DENSE["two thousand an hour"]
        slow = every(HOUR, DAY, 3 * DAY, "accepted", totalMs=12_000)
        self.quiet(served(0, 3 * DAY, each, count) + slow)

    def test_a_few_refused_orders_of_shops_that_are_served(self):
        for name in ["rejected", "invalid"]:
            with self.subTest(name=name):
                (each, count) = RATES["two thousand an hour"]
                some = every(30, 0, 3 * DAY, name, 3)
                self.quiet(served(0, 3 * DAY, each, count) + some)

    def test_a_reading_now_and_then_comes_before_its_callback(self):
        history = served(0, 3 * DAY, 30) + every(10 * HOUR, 5, 3 * DAY, "news")
        self.quiet(history)


class Reading(unittest.TestCase):
    """The evaluator itself, with literal expectations."""

    def test_patterns(self):
        line = {"outcome": "accepted", "statusCode": 201, "forged": True}
        for pattern, expected in [
            ('{ $.outcome = "accepted" }', True),
            ('{ $.outcome != "accepted" }', False),
            ('{ $.statusCode >= 201 && $.statusCode < 202 }', True),
            ('{ $.statusCode > 201 }', False),
            ('{ $.missing >= 0 }', False),
            ('{ $.forged IS TRUE }', True),
            ('{ $.missing = "*" }', False),
            ('{ $.outcome = "*" && ($.statusCode >= 500 || $.forged IS TRUE) }', True),
        ]:
            self.assertIs(filter_pattern(pattern)(line), expected, pattern)
        for wrong in ['{ $.outcome ~ "x" }', '{ $.outcome = "x" $.a = "b" }', "{ ($.a = 1 }"]:
            self.assertRaises((ValueError, IndexError), filter_pattern, wrong)

    def test_metric_math(self):
        values = {"a": 3.0, "b": 4.0, "none": None}
        for text, expected in [
            ("a + b * 2", 11),
            ("(a + b) * 2", 14),
            ("IF(a > 2 AND b == 4, 1, 0)", 1),
            ("IF(a > 3 OR b < 4, 1, 0)", 0),
            ("a + none", None),
            ("a + FILL(none, 0)", 3),
            ("IF(a > 3, 1)", None),
            ("IF(none > 3, 1, 0)", None),
            ("a > 2 AND (b == 5 OR a == 3)", 1),
        ]:
            self.assertEqual(expression(text)(values), expected, text)
        self.assertRaises(ValueError, expression, "SEARCH(a, b)")

    def test_metrics_have_zeros_only_in_minutes_with_lines(self):
        data = cloudwatch.Data(cloudwatch.Template({"NoOrderAlarmHours": 168}), [event(3, "invalid")])
        accepted = data.metrics[cloudwatch.STACK, "OrdersAccepted"]
        self.assertEqual((accepted.statistic("Sum", 4, 1), accepted.statistic("Sum", 3, 1)), (0, None))

    def test_every_alarm_of_the_runbook_is_in_the_template(self):
        runbook = (cloudwatch.TEMPLATE.parent / "docs/runbook.md").read_text()
        section = runbook.split("\n## Alarms\n")[1].split("\n## ")[0]
        headings = {line.removeprefix("### ") for line in section.splitlines() if line.startswith("### ")}
        self.assertEqual(headings, set(cloudwatch.Template({"NoOrderAlarmHours": 168}).alarms))


if __name__ == "__main__":
    unittest.main(argv=sys.argv, verbosity=2)
