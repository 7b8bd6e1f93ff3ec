"""For schemathesis: what openapi.yaml cannot say, so that a request that fits it is also accepted; and one more check."""

import itertools
import json
import os
import time
from decimal import Decimal

import schemathesis
from hypothesis import provisional
from hypothesis import strategies as st

import description

TAX_RATES = ["0", "12", "15", "25"]
keys = itertools.count()
# A callback URL of an UNKNOWN order. schemathesis cannot guess a token, so without this, every callback would be a 404.
callback = json.loads(os.environ.get("CALLBACK", "{}"))

schemathesis.openapi.format("decimal", st.from_regex(r"-?[0-9]{1,14}(\.[0-9]{1,14})?", fullmatch=True))
schemathesis.openapi.format("uri", provisional.urls())


@schemathesis.hook
def before_load_schema(context, schema):
    description.close_replies(schema)


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if "Idempotency-Key" in (case.headers or {}):
        # A key may have only one order, so each request gets a new key of the same length.
        number, key = f"{next(keys)}-", case.headers["Idempotency-Key"]
        case.headers["Idempotency-Key"] = number + key[len(number) :]
    match case.operation.label:
        case "POST /orders":
            fit(case.body)
        case "GET /orders":
            # A key allows no parameters, and a cursor cannot be guessed.
            case.query = {} if "Idempotency-Key" in (case.headers or {}) else {**(case.query or {})}
            case.query.pop("cursor", None)
        case "POST /orders/{orderId}/cancel" if isinstance(case.body, dict):
            case.body.pop("orderUuid", None)  # it would have to be another uuid of the same order
        case "GET /callbacks/{orderId}/{token}":
            case.path_parameters.update(callback)


def fit(order):
    """Follows the rules that depend on the day, on the operator and on the sandbox."""
    now = int(time.time())
    order["orderDate"] = str(max(int(order["orderDate"]), now))
    for index, line in enumerate(order["products"]):
        if str(line["tax"]) not in TAX_RATES:
            line["tax"] = TAX_RATES[index % len(TAX_RATES)]
    customer = order["customerDetails"]
    if order.get("referenceNo"):
        order["referenceNo"] = "R" + order["referenceNo"][1:]  # The sandbox's words begin with small letters.
    number = customer.get("personalNumber")
    if number and not (number.isascii() and number.isdigit()):
        # The sandbox refuses personal numbers that are not digits.
        customer["personalNumber"] = "30908299902"


@schemathesis.serializer("application/json")
def plain_json(context, value):
    return value if isinstance(value, bytes) else without_exponents(value).encode()


def without_exponents(value):
    """Python writes floats with an exponent, which the bridge refuses and JSON Schema cannot exclude."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{without_exponents(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(without_exponents, value)) + "]"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return json.dumps(value, default=str)


@schemathesis.check
def headers_of_the_bridge(ctx, response, case):
    description.check_headers(response, case.operation.path)
