"""Made-up traffic: orders that arrive at random, what follows from each, and outages.

The functions' lines are those of lines.json, which the tests in tests/it compare with what the functions log.
"""

import json
import math
import random
from pathlib import Path

from cloudwatch import History

HOUR, DAY = 60, 24 * 60
LINES = json.loads(Path(__file__).with_name("lines.json").read_text())
SHOPS = ["demo-shop", "second-shop"]


class Traffic:
    def __init__(self, days, seed):
        self.history = History(days * DAY)
        self.random = random.Random(seed)

    def line(self, minute, name, count=1, **members):
        line = LINES[name]["line"] | members
        assert not members.keys() - LINES[name]["line"].keys(), f"the line {name} has no such member"
        add = self.history.add_request if line.get("message") == "request" else lambda *rest: self.history.add(rest[0], "FunctionLogs", *rest[1:])
        add(minute, line, count)

    def clock(self, start=0, end=None, worker=True, health=True):
        """What happens without any order: sweeps, and the health check from outside."""
        for minute in range(start, self.history.minutes if end is None else end):
            if worker:
                self.line(minute, "sweep")
                self.line(minute, "waiting")
            if minute % 5 == 0:
                self.history.add_service(minute, ("AWS/Events", "Invocations", "HealthCheck"))
                if not health:
                    self.history.add_service(minute, ("AWS/Events", "FailedInvocations", "HealthCheck"))

    def arrivals(self, rate, start, end, is_open=lambda minute: True):
        """The minutes of a Poisson process, and how many come in each."""
        for minute in range(start, end):
            count = self.poisson(rate / 60) if is_open(minute) else 0
            if count:
                yield minute, count

    def poisson(self, mean):
        if mean > 20:
            return max(0, round(self.random.gauss(mean, math.sqrt(mean))))
        count, left = 0, math.exp(-mean)
        product = self.random.random()
        while product > left:
            count += 1
            product *= self.random.random()
        return count

    def served(self, rate, start, end, refused=0.03, shops=SHOPS, **options):
        """Orders of which some are rightly refused, and the others accepted, called back and told."""
        for shop in shops:
            for minute, count in self.arrivals(rate * (1 - refused) / len(shops), start, end, **options):
                self.accepted(minute, count, shop)
            for name in ["invalid", "rejected"]:
                for minute, count in self.arrivals(rate * refused / 2 / len(shops), start, end, **options):
                    self.line(minute, name, count, shopId=shop)

    def accepted(self, minute, count, shop, *, called_back=True, reading="unchanged", **members):
        self.line(minute, "accepted", count, shopId=shop, **members)
        self.line(minute + 2, reading, min(count, 100), shopId=shop)
        if called_back:
            for later in (1, 10):
                self.line(minute + later, "applied", count, shopId=shop)
                self.line(minute + later, "delivered", count, shopId=shop)


# Outages. Each gets the traffic, the rate, the beginning and the end, and returns the minutes in which affected orders came.


def each(happens, *, share=1, shops=SHOPS):
    """`happens` to each order."""

    def outage(traffic, rate, start, end):
        concerned = []
        for minute, count in traffic.arrivals(rate * share, start, end):
            happens(traffic, minute, count, traffic.random.choice(shops))
            concerned += [minute] * min(count, 10)
        return concerned

    return outage


def refused(name, *, error=False):
    def happens(traffic, minute, count, shop):
        traffic.line(minute, name, count, **({"shopId": shop} if "shopId" in LINES[name]["line"] else {}))
        if error:
            traffic.line(minute, "error", count)

    return happens


def accepted(**how):
    return lambda traffic, minute, count, shop: traffic.accepted(minute, count, shop, **how)


def unfinished(traffic, minute, count, shop):
    """The function does not start: no line of its own, and a 500 of API Gateway's."""
    traffic.history.add_api(minute, "POST /orders", 500, count)
    traffic.history.add_service(minute, ("AWS/Lambda", "Errors", "OrdersFunction"), count)


def not_told(traffic, minute, count, shop):
    """The shop's server is down: no delivery, and sweeps that find ever older changes."""
    traffic.line(minute, "accepted", count, shopId=shop)
    traffic.line(minute + 1, "applied", count, shopId=shop)
    for later in (1, 6, 21, 51, 111, 231, 471):  # the notification attempts of the sweep
        age = round(later * traffic.random.uniform(0.8, 1.2))
        traffic.line(minute + age, "sweep", oldestUndeliveredSeconds=age * 60)


def unverified(traffic, minute, count, shop):
    traffic.line(minute, "accepted", count, shopId=shop)
    traffic.line(minute + 1, "unverified", count, shopId=shop)
    traffic.line(minute + 1, "delivered", count, shopId=shop)


def one_of_two(name):
    """The first shop is served, and each order of the second one meets this."""

    def outage(traffic, rate, start, end):
        traffic.served(rate / 2, start, end, shops=SHOPS[:1])
        return each(refused(name), share=0.5, shops=SHOPS[1:])(traffic, rate, start, end)

    return outage
