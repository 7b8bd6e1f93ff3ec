"""Reads openapi.yaml more strictly than a client should."""

import json
from pathlib import Path
from urllib.parse import parse_qsl

import jsonschema_rs
import yaml

ROOT = Path(__file__).parents[2]
# These problems end by themselves.
WITH_RETRY_AFTER = {
    "submission-in-progress",
    "front-payment-unavailable",
    "storage-unavailable",
    "secret-unavailable",
    "unhealthy",
}


def close_replies(description):
    """Refuses members that are not described. Schemas of requests allow them with additionalProperties."""
    schemas = description["components"]["schemas"]
    parts = {part.get("$ref", "").rpartition("/")[2] for schema in schemas.values() for part in schema.get("allOf", [])}
    for name, schema in schemas.items():
        is_whole_object = name not in parts and {"properties", "allOf"} & schema.keys()
        if is_whole_object and "additionalProperties" not in schema:
            schema["unevaluatedProperties"] = False


def load():
    description = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    close_replies(description)
    return description


DESCRIPTION = load()


def resolve(node):
    while "$ref" in node:
        name = node["$ref"].split("/")[1:]
        node = DESCRIPTION
        for part in name:
            node = node[part]
    return node


def check(value, schema):
    whole = {**schema, "components": DESCRIPTION["components"]}
    jsonschema_rs.validator_for(whole, validate_formats=True).validate(value)


def event(name):
    """The body of a request in events/."""
    return json.loads(json.loads((ROOT / f"events/{name}.json").read_text())["body"])


def check_parameters(operation, query, headers):
    """The query and the headers of a request that Front Payment or the bridge sends."""
    values = {"query": dict(parse_qsl(query, keep_blank_values=True)), "header": headers}
    described = [resolve(parameter) for parameter in operation["parameters"]]
    assert len(values["query"]) == len(parse_qsl(query, keep_blank_values=True))
    assert values["query"].keys() <= {parameter["name"] for parameter in described}
    for parameter in described:
        check(values[parameter["in"]][parameter["name"]], parameter["schema"])


def check_headers(response, path):
    """What openapi.yaml cannot demand of a reply, because API Gateway's own replies lack it, or another route's."""
    kind = response.headers["content-type"][0]
    body = json.loads(response.content) if kind.endswith("json") else {}
    if body.keys() == {"message"}:
        return  # a reply of API Gateway itself
    assert response.headers["cache-control"] == ["no-store"], "Cache-Control is missing"
    if kind == "application/problem+json":
        assert body["status"] == response.status_code, "the member status is not the HTTP status"
        slug = body["type"].rpartition(":")[2]
        assert ("nextStep" in body) != path.startswith("/callbacks"), "Front Payment has no next step"
        assert ("retry-after" in response.headers) == (slug in WITH_RETRY_AFTER), f"Retry-After of {slug}"
