"""The worked example of docs/api.md raises no warning, and its mistakes raise those that the page names."""

import copy
import json

import pytest
import requests

from description import ROOT, event
from relay import BASE, SHOP

PAGE = (ROOT / "docs/api.md").read_text().split("### A worked example")[1]
EXAMPLE = json.loads(PAGE.split("```json\n")[1].split("```")[0])


def warnings(example, key):
    body = {**event("private-order"), **example, "referenceNo": key}
    body["callback"]["callbackUrl"] = f"{SHOP}/{key}"
    headers = {"Authorization": "Bearer demo-shop-key", "Idempotency-Key": f"example-{key}"}
    reply = requests.post(f"{BASE}/orders", json=body, headers=headers)
    assert reply.status_code == 201, reply.text
    return {(warning["pointer"], warning["code"]) for warning in reply.json().get("warnings", [])}


def test_the_example():
    assert warnings(EXAMPLE, "right") == set()


def test_the_example_with_vat_in_its_lines():
    example = copy.deepcopy(EXAMPLE)
    figures = [("1299.00", "129.90", "1169.10"), ("79.90", "23.97", "215.73"), ("69.00", "0", "69.00")]
    for line, (rate, discount, amount) in zip(example["products"], figures, strict=True):
        line.update(rate=rate, discount=discount, amount=amount)
    assert warnings(example, "gross") == set()


def test_the_example_without_its_coupon_and_with_the_total_of_the_price_tags():
    example = copy.deepcopy(EXAMPLE)
    for line, amount in zip(example["products"], ["1039.20", "208.43", "55.20"], strict=True):
        line.update(discount="0", amount=amount)
    figures = {"subTotal": "1302.83", "totalTax": "304.87", "totalDiscount": "0", "grandTotal": "1607.70"}
    assert warnings({**example, "orderSummary": figures}, "tags") == set()


def summary(**figures):
    return lambda example: example["orderSummary"].update(figures)


def without_freight(example):
    del example["products"][2]


def in_ore(example):
    for line in example["products"]:
        line.update({name: str(round(100 * float(line[name]))) for name in ("rate", "discount", "amount") if name in line})


def without_rates(example):
    for line in example["products"]:
        line["tax"] = "0"


MISTAKES = {
    "no coupon": (summary(totalDiscount="0"), ("/orderSummary/grandTotal", "totals_mismatch")),
    "gross sub-total": (summary(subTotal="1607.70"), ("/orderSummary/grandTotal", "totals_mismatch")),
    "no freight": (without_freight, ("/orderSummary/subTotal", "lines_mismatch")),
    "lines in ore": (in_ore, ("/orderSummary/subTotal", "lines_mismatch")),
    "no rates": (without_rates, ("/orderSummary/totalTax", "tax_mismatch")),
    "tax before the coupon": (summary(totalTax="304.86", grandTotal="1482.93"), ("/orderSummary/totalTax", "tax_mismatch")),
    "too precise": (summary(totalTax="275.7585"), ("/orderSummary/totalTax", "too_precise")),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_the_example(name):
    mistake, expected = MISTAKES[name]
    example = copy.deepcopy(EXAMPLE)
    mistake(example)
    assert expected in warnings(example, name.replace(" ", "-"))


def test_ore_everywhere_raises_no_warning():
    example = copy.deepcopy(EXAMPLE)
    in_ore(example)
    example["orderSummary"] = {name: figure.replace(".", "") for name, figure in example["orderSummary"].items()}
    assert warnings(example, "ore") == set()
