"""Verifies a notification with the library of Standard Webhooks.

Reads {"headers", "body", "keys"} from the standard input. Every key has to verify the notification; another key, another
body and another id must not. tests/interop/main.rs runs this.
"""

import json
import sys

from standardwebhooks import Webhook, WebhookVerificationError

sample = json.load(sys.stdin)
headers, body = sample["headers"], sample["body"]
for key in sample["keys"]:
    assert Webhook(key).verify(body, headers) == json.loads(body)

for key, body, headers in [
    ("whsec_" + "A" * 32, body, headers),
    (sample["keys"][0], body + " ", headers),
    (sample["keys"][0], body, headers | {"webhook-id": "another"}),
]:
    try:
        Webhook(key).verify(body, headers)
    except WebhookVerificationError:
        continue
    sys.exit("verified what was not signed")
print("verified")
