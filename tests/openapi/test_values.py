"""Values at the limits: what openapi.yaml allows is accepted, and what it does not allow is refused."""

import itertools

import jsonschema_rs
import pytest
import requests

from description import DESCRIPTION, event
from relay import BASE

ORDER = jsonschema_rs.validator_for(
    {"$ref": "#/components/schemas/NewOrder", "components": DESCRIPTION["components"]}, validate_formats=True
)
keys = itertools.count()

DECIMALS = [0, -1, "0", "-1", "1.", ".5", "+1", " 1", "1e3", "", None, True, []]
DECIMALS += ["0" * 99, "1" * 28, "1" * 29, "0.0" + "1" * 28]
FLAGS = [True, False, 0, 1, "0", "1", 2, "true", "", None, []]
TEXTS = ["x", "", " ", "\n", None, 1]
URLS = ["http://a", "HTTPS://a", "ftp://a", "//a", "/a", "http:///a", "http://?a", "http://a b", "", None]
URLS += ["http://a/" + "x" * 2039, "http://a/" + "x" * 2040]
VALUES = {
    "products": [[], {}, None, ""],
    "products/0/name": TEXTS,
    "products/0/productId": ["x" * 25, "x" * 26, "", None, 1],
    "products/0/quantity": [*DECIMALS, 0.5],
    "products/0/rate": DECIMALS,
    "products/0/discount": DECIMALS,
    "products/0/amount": DECIMALS,
    "orderSummary/subTotal": DECIMALS,
    "orderSummary": [{}, None, []],
    "orderDate": ["9" * 10, "9" * 11, 4070908800, "", None, "-1", "1.5"],
    "customerDetails/type": ["corporate", "other", "", None],
    "customerDetails/countryCode": ["+1", "+1234", "+12345", "47", "+", None],
    "customerDetails/msisdn": ["1234", "123", "1" * 15, "1" * 16, "12 34", 12345, None],
    "customerDetails/email": ["a@b.no", "a", "", None],
    "customerDetails/name": TEXTS,
    "customerDetails/personalNumber": ["1" * 11, "1" * 10, "1" * 12, " " * 11, "", None],
    "customerDetails/organizationId": ["A1", "A-1", "", None, 1],
    "customerDetails/preferredLanguage": ["en", "no", "sv", "da", "de", "EN", "fi", "", None],
    "customerDetails/address/street": TEXTS,
    "customerDetails/address/zip": [*TEXTS, 7030],
    "customerDetails/address/city": TEXTS,
    "customerDetails/address/country": ["NO", "no", "XX", "NOR", "", None],
    "referenceNo": ["x" * 2048, "x" * 2049, "", None, 1],
    "customerReference": ["x" * 2048, "x" * 2049, "", None, 1],
    "invoiceInterval": [0, 1, 2, 3, "2", "3", "", None, True],
    "separateInvoices": FLAGS,
    "invoiceFeeApplicable": FLAGS,
    "invoiceMaturity": [1, 10, 5, "10", "", None],
    "callback/callbackUrl": URLS,
    "callback/success": URLS,
    "settings": [{}, [], [1], "", None, {"secureDetails": 1}, {"secureDetails": 2}, {"secureDetails": None}],
    "fpgoUuid": ["", None, "ODR1"],
    "orderFrom": ["", None, "x"],
    "unknown": [1],
}


@pytest.mark.parametrize("pointer", VALUES)
@pytest.mark.parametrize("kind", ["private", "corporate"])
def test_the_bridge_accepts_what_is_described(kind, pointer):
    for value in VALUES[pointer]:
        order = event(f"{kind}-order")
        *parents, name = pointer.split("/")
        parent = order
        for step in parents:
            parent = parent[int(step) if isinstance(parent, list) else step]
        parent[name] = value
        headers = {"Authorization": "Bearer demo-shop-key", "Idempotency-Key": f"value-{next(keys)}"}
        reply = requests.post(f"{BASE}/orders", json=order, headers=headers)
        assert (reply.status_code == 201) == ORDER.is_valid(order), (value, reply.text)
        assert reply.status_code in (201, 422)
