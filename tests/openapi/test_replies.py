"""Every reply that the sandbox can bring about, Front Payment's callbacks and both notifications, against openapi.yaml."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
import requests
import schemathesis
from schemathesis import checks

import description
import hooks
import relay
from description import DESCRIPTION, ROOT, event
from relay import BASE, SHOP, callback, eventually, told

API = schemathesis.openapi.from_path(ROOT / "openapi.yaml")
CONFORMANCE = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    hooks.headers_of_the_bridge,
]
SCHEMAS = DESCRIPTION["components"]["schemas"]
REPORT = "GET /callbacks/{orderId}/{token}"


@pytest.fixture(scope="module", autouse=True)
def running_relay():
    server = relay.start()
    yield
    server.shutdown()


def call(operation, status, slug=None, api_key="demo-shop-key", base=BASE, **parts):
    method, path = operation.split(" ")
    case = API[path][method].Case(**parts)
    response = case.call(base_url=base, headers={"Authorization": f"Bearer {api_key}"})
    assert response.status_code == status, response.text
    case.validate_response(response, checks=CONFORMANCE)
    if slug:
        assert response.json()["type"] == f"urn:front-payment-bridge:{slug}"
    return response


def order(reference, kind="private", **changes):
    body = event(f"{kind}-order")
    body["callback"]["callbackUrl"] = f"{SHOP}/{reference}"
    return {**body, "referenceNo": reference, **changes}


def submit(body, status, slug=None, key=None, **more):
    headers = {"Idempotency-Key": key or body["referenceNo"]}
    return call("POST /orders", status, slug, headers=headers, body=body, media_type="application/json", **more)


def read(order_id, status, **parts):
    shown = call("GET /orders/{orderId}", 200, path_parameters={"orderId": order_id}, **parts).json()
    assert shown["status"] == status
    return shown


def tell_again(order_id, status, slug=None):
    return call("POST /orders/{orderId}/notifications", status, slug, path_parameters={"orderId": order_id})


def cancel(order_id, status, slug=None, **parts):
    parts = {"path_parameters": {"orderId": order_id}, "media_type": "application/json", **parts}
    return call("POST /orders/{orderId}/cancel", status, slug, **parts)


def listed(status=200, slug=None, **parts):
    return call("GET /orders", status, slug, **parts).json()


def set_status(accepted, word):
    portal = f"{BASE}/front-payment/portal/{accepted['orderUuid']}/status"
    requests.post(portal, {"status": word, "callback": "once"}, allow_redirects=False)


# Orders.


def test_an_order_from_start_to_end():
    body = order("start-to-end")
    accepted = submit(body, 201)
    assert "idempotency-replayed" not in accepted.headers and "warnings" not in accepted.json()
    order_id, link = accepted.json()["orderId"], accepted.json()["bankIdUrl"]
    read(order_id, "SENT")
    read(order_id.upper(), "SENT")
    assert "checkedAt" in read(order_id, "SENT", query={"refresh": "true"})

    again = submit(body, 201)
    assert again.headers["idempotency-replayed"] == ["true"] and again.json() == accepted.json()
    reused = submit({**body, "customerReference": "another"}, 422, "idempotency-key-reused")
    assert reused.json()["orderId"] == order_id
    call("GET /orders/{orderId}", 404, "not-found", "demo-webhooks-key", path_parameters={"orderId": order_id})

    assert tell_again(order_id, 202).json()["notified"]["state"] == "pending"
    check_front_payment(told("start-to-end"), "SENT", payment_method="")

    requests.post(f"{link}/sign", allow_redirects=False)
    _, path, query, headers, _ = callback(order_id)
    description.check_parameters(DESCRIPTION["paths"]["/callbacks/{orderId}/{token}"]["get"], query, headers)
    check_front_payment(told("start-to-end", 2), "INVOICED", payment_method="Invoice")
    shown = eventually(lambda: (it := read(order_id, "INVOICED"))["notified"]["state"] == "delivered" and it)
    assert [entry["source"] for entry in shown["history"]] == ["submit", "callback"]

    parameters = {"orderId": order_id, "token": path.split("/")[3]}
    values = dict(pair.split("=") for pair in query.split("&"))
    call(REPORT, 200, path_parameters=parameters, query=values)  # known already
    call(REPORT, 200, path_parameters=parameters)  # no query: the status is read
    call(REPORT, 200, path_parameters=parameters, query={**values, "amount": "1"})  # unverified: the status is read
    call(REPORT, 404, "not-found", path_parameters={**parameters, "token": "other"}, query=values)


def check_front_payment(request, status, payment_method):
    method, _, query, headers, body = request
    assert (method, body) == ("GET", b"") and f"&status={status}&paymentMethod={payment_method}&" in query
    described = DESCRIPTION["webhooks"]["front-payment"]["get"]
    description.check_parameters(described, query, headers)
    names = [description.resolve(parameter)["name"] for parameter in described["parameters"]]
    assert [pair.split("=")[0] for pair in query.split("&")] == names[:7]


def test_an_order_that_is_told_as_a_standard_webhook():
    accepted = submit(order("webhook", "corporate"), 201, api_key="demo-webhooks-key").json()
    assert accepted["status"] == "INVOICED"
    method, _, query, headers, body = told("webhook")
    described = DESCRIPTION["webhooks"]["standard-webhooks"]["post"]
    assert (method, query, headers["content-type"]) == ("POST", "", "application/json")
    description.check_parameters(described, query, headers)
    description.check(json.loads(body), described["requestBody"]["content"]["application/json"]["schema"])
    assert json.loads(body)["data"]["orderId"] == accepted["orderId"]


def test_every_status_of_front_payment():
    accepted = submit(order("statuses"), 201).json()
    words = ["RESEVRED", "EXPIRED", "INVOICED", "Purring", "Inkasso", "CHARGED", "CAPTURED", "PAID", "CANCELLED"]
    words += ["refund pending", "PARTIAL REFUNDED", "REFUNDED"]
    names = SCHEMAS["ProviderStatus"]["enum"][1:]
    for word, name in zip(words, names, strict=True):
        set_status(accepted, word)
        read(accepted["orderId"], name)


def test_an_order_whose_outcome_is_unknown():
    body = order("lost-reply", "corporate")
    order_id = submit(body, 504, "outcome-unknown").json()["orderId"]
    relay.held.add(order_id)  # the sandbox's callback, a second later, would settle the order
    assert submit(body, 409, "outcome-unknown").json()["orderId"] == order_id
    read(order_id, "UNKNOWN")
    tell_again(order_id, 409, "nothing-to-notify")
    assert cancel(order_id, 409, "not-accepted").json()["nextStep"] == "look"
    assert listed(headers={"Idempotency-Key": "lost-reply"})["orders"][0]["status"] == "UNKNOWN"
    _, path, *_ = callback(order_id)
    parameters = {"orderId": order_id, "token": path.split("/")[3]}
    call(REPORT, 403, "callback-not-verified", path_parameters=parameters)
    Path(os.environ["CALLBACK_FILE"]).write_text(json.dumps(parameters))  # for schemathesis


@pytest.mark.parametrize(
    ("word", "status", "slug"),
    [
        ("rate-limited", 503, "front-payment-unavailable"),
        ("unavailable", 503, "front-payment-unavailable"),
    ],
)
def test_an_order_that_front_payment_does_not_take(word, status, slug):
    order_id = submit(order(word), status, slug).json()["orderId"]
    read(order_id, "FAILED")


@pytest.mark.parametrize("word", ["error-500", "error-510"])
def test_an_order_whose_failure_is_no_proof(word):
    assert submit(order(word), 504, "outcome-unknown").json()["nextStep"] == "look"
    assert submit(order(word), 409, "outcome-unknown").json()["nextStep"] == "look"


def test_an_order_that_front_payment_refuses():
    body = order("refused")
    body["customerDetails"]["personalNumber"] = "eleven char"
    refused = submit(body, 422, "rejected-by-front-payment").json()
    assert refused["errors"][0]["pointer"] == "/customerDetails/personalNumber"
    read(refused["orderId"], "REJECTED")


def test_an_order_that_is_being_sent():
    body = order("slow")
    with ThreadPoolExecutor() as pool:
        first = pool.submit(submit, body, 201)
        eventually(lambda: "slow" in requests.get(f"{BASE}/front-payment/portal").text)
        assert submit(body, 409, "submission-in-progress").headers["retry-after"] == ["2"]
        first.result()


def test_a_cancellation():
    accepted = submit(order("cancelled"), 201).json()
    order_id = accepted["orderId"]
    assert cancel(order_id, 202, body={"note": "The customer has changed the cart"}).json()["status"] == "CANCELLED"
    shown = read(order_id, "CANCELLED")
    entries = [(entry["status"], entry["source"]) for entry in shown["history"]]
    assert entries[:2] == [("SENT", "submit"), ("CANCEL_REQUESTED", "shop")]
    assert "cancelRequestedAt" in shown
    assert cancel(order_id, 200).json() == {"orderId": order_id, "orderUuid": accepted["orderUuid"], "status": "CANCELLED"}
    cancel(order_id, 404, "not-found", api_key="demo-webhooks-key")
    cancel(str(uuid4()), 404, "not-found")


def test_a_cancellation_that_front_payment_refuses():
    accepted = submit(order("paid"), 201).json()
    set_status(accepted, "PAID")
    refused = cancel(accepted["orderId"], 409, "cannot-be-cancelled").json()
    assert refused["nextStep"] == "read" and refused["errors"][0]["code"] == "provider"
    assert read(accepted["orderId"], "PAID")["history"][-1]["status"] == "CANCEL_REFUSED"


def test_a_cancellation_that_is_wrong():
    order_id = submit(order("not-cancelled"), 201).json()["orderId"]
    refused = cancel(order_id, 422, "validation-failed", body={"orderUuid": "ODR1"}).json()
    assert [(error["pointer"], error["code"]) for error in refused["errors"]] == [("/orderUuid", "not_allowed")]
    cancel(order_id, 422, "validation-failed", body={"note": "x" * 201})
    cancel(order_id, 400, "malformed-json", body=b"{")


def test_the_order_of_a_key():
    accepted = submit(order("found"), 201).json()
    [found] = listed(headers={"Idempotency-Key": "found"})["orders"]
    assert found["orderId"] == accepted["orderId"] and "history" not in found and "bankIdUrl" not in found
    [found] = listed(headers={"Idempotency-Key": '"found"'})["orders"]
    assert found["orderId"] == accepted["orderId"]
    assert listed(headers={"Idempotency-Key": "nothing"}) == {"orders": []}
    assert listed(headers={"Idempotency-Key": "found"}, api_key="demo-webhooks-key") == {"orders": []}


def test_the_orders_that_have_changed():
    accepted = submit(order("listed"), 201).json()
    since = read(accepted["orderId"], "SENT")["createdAt"]

    def look():
        page = listed(query={"updatedSince": since, "limit": 1})
        while "next" in page:
            if accepted["orderId"] in [it["orderId"] for it in page["orders"]]:
                return page
            page = listed(query={"updatedSince": since, "limit": 1, "cursor": page["next"]})
        return accepted["orderId"] in [it["orderId"] for it in page["orders"]] and page

    eventually(look)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"updatedSince": "today"}, "updatedSince"),
        ({"cursor": "x"}, "cursor"),
        ({"page": 2}, "page"),
    ],
)
def test_a_list_with_a_wrong_parameter(query, parameter):
    refused = listed(422, "validation-failed", query=query)
    assert [error["parameter"] for error in refused["errors"]] == [parameter]


def test_a_list_with_a_wrong_key():
    refused = listed(422, "validation-failed", headers={"Idempotency-Key": "a,b"})
    assert [error["parameter"] for error in refused["errors"]] == ["Idempotency-Key"]


def test_a_refund():
    accepted = submit(order("refunded"), 201).json()
    refund = f"{BASE}/front-payment/portal/{accepted['orderUuid']}/refund"
    requests.post(refund, {"amount": "24.50", "callback": "once"}, allow_redirects=False)

    def refunded():
        shown = call("GET /orders/{orderId}", 200, path_parameters={"orderId": accepted["orderId"]}).json()
        return (shown["status"], shown.get("refundedAmount")) == ("PARTIAL_REFUNDED", "24.5")

    eventually(refunded)


def test_the_health():
    assert call("GET /health", 200).json() == {"status": "ok"}


# Mistakes.


def test_an_invalid_order():
    invalid = submit(event("invalid-order"), 422, "validation-failed", key="invalid").json()
    codes = {error["code"] for error in invalid["errors"]}
    assert codes == set(SCHEMAS["ErrorCode"]["enum"])


def test_an_unknown_member_beside_an_error():
    refused = submit({**order("misspelt"), "orderdate": "1", "orderDate": ""}, 422, "validation-failed").json()
    assert [warning["pointer"] for warning in refused["warnings"]] == ["/orderdate"]


def test_every_warning():
    body = order("warned")
    del body["referenceNo"]
    body["unknown"] = 1
    body["products"][0]["amount"] = "1"
    body["orderSummary"]["grandTotal"] = "1.001"
    body["orderSummary"]["totalTax"] = "700"
    body["customerDetails"].update(personalNumber="11111111111", msisdn="004740000000")
    body["callback"]["callbackUrl"] = "http://shop.example.com/"
    warned = call("POST /orders", 201, body=body, media_type="application/json").json()["warnings"]
    names = {*SCHEMAS["AdvisoryCode"]["enum"], SCHEMAS["NotNotifiableCode"]["const"]}
    assert {warning["code"] for warning in warned} == names


@pytest.mark.parametrize(
    "body", [b"", b"a=b", b"\x1f\x8b\x08", b'"\xff"', b'{"a": 1, "a": 2}', b"[" * 65 + b"]" * 65, b'{"a": 1,}']
)
def test_a_body_that_is_not_json(body):
    call("POST /orders", 400, "malformed-json", body=body, media_type="application/json")


def test_a_body_that_is_too_large():
    call("POST /orders", 413, "payload-too-large", body=b" " * 262_145, media_type="application/json")


@pytest.mark.parametrize("key", ["a b", "a,a"])
def test_an_idempotency_key_that_is_none(key):
    refused = submit(order("key"), 422, "validation-failed", key=key).json()
    assert refused["errors"][0] == {**refused["errors"][0], "pointer": "", "code": "invalid_format"}


@pytest.mark.parametrize(
    "operation",
    [
        "POST /orders",
        "GET /orders",
        "GET /orders/{orderId}",
        "POST /orders/{orderId}/cancel",
        "POST /orders/{orderId}/notifications",
    ],
)
def test_an_unknown_api_key(operation):
    parameters = {"orderId": str(uuid4())} if "{" in operation else {}
    call(operation, 401, "unauthorized", "other", path_parameters=parameters)
