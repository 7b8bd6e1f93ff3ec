"""openapi.yaml against the other places that say the same."""

import re

import pytest

import description
from description import DESCRIPTION, ROOT, event

SCHEMAS = DESCRIPTION["components"]["schemas"]
DOCUMENTATION = (ROOT / "docs/api.md").read_text()


@pytest.mark.parametrize(("example", "name"), [("PrivateOrder", "private-order"), ("CorporateOrder", "corporate-order")])
def test_the_examples_are_the_orders_of_events(example, name):
    assert DESCRIPTION["components"]["examples"][example]["value"] == event(name)


def test_every_example_fits_its_closed_schema():
    def examples(node):
        if isinstance(node, dict):
            if "schema" in node:
                yield from ((example, node["schema"]) for example in node.get("examples", {}).values())
            node = list(node.values())
        for member in node if isinstance(node, list) else []:
            yield from examples(member)

    checked = [description.check(description.resolve(example)["value"], schema) for example, schema in examples(DESCRIPTION)]
    assert len(checked) > 20


def test_a_member_that_is_not_described_is_refused():
    order = DESCRIPTION["components"]["examples"]["InvoicedOrder"]["value"]
    for other in ({**order, "other": 1}, {**order, "notified": {**order["notified"], "other": 1}}):
        with pytest.raises(ValueError):
            description.check(other, {"$ref": "#/components/schemas/Order"})


def names_in_table(header, column=1):
    """The names in a column of the first table of docs/api.md whose header line begins like this."""
    rows = DOCUMENTATION.split(f"\n{header}", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return {name for row in rows for name in re.findall(r"`([\w-]+)`", row.split("|")[column])}


def test_the_slugs_are_those_of_the_documentation():
    problems = [schema for schema in SCHEMAS.values() if {"$ref": "#/components/schemas/Problem"} in schema.get("allOf", [])]
    types = [problem["allOf"][1]["properties"]["type"]["const"] for problem in problems]
    assert set(types) == {f"urn:front-payment-bridge:{slug}" for slug in names_in_table("| slug |")}


def test_the_codes_are_those_of_the_documentation():
    assert {*SCHEMAS["ErrorCode"]["enum"], "provider"} == names_in_table("| code | meaning |")
    assert {*SCHEMAS["AdvisoryCode"]["enum"], "not_notifiable"} == names_in_table("| code in `warnings` |")


def test_the_statuses_are_those_of_the_documentation():
    assert set(SCHEMAS["BridgeStatus"]["enum"]) == names_in_table("| status | meaning |")
    assert set(SCHEMAS["ProviderStatus"]["enum"]) == names_in_table("| rank | status |", column=2)


def test_the_errors_of_notifications_are_those_of_the_documentation():
    errors = names_in_table("| `lastError` | what happened |")
    pattern = SCHEMAS["Notified"]["properties"]["lastError"]["pattern"]
    assert len(errors) == 7 and all(re.search(pattern, error) for error in errors)


def test_the_version_is_that_of_the_package():
    assert f'\nversion = "{DESCRIPTION["info"]["version"]}"\n' in (ROOT / "Cargo.toml").read_text()
