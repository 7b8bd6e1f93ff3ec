// What verify.py does, with the library for JavaScript. NODE_PATH names the node_modules that has it.

const assert = require("node:assert");
const { readFileSync } = require("node:fs");
const { Webhook, WebhookVerificationError } = require("standardwebhooks");

const { headers, body, keys } = JSON.parse(readFileSync(0, "utf8"));
for (const key of keys) {
  assert.deepStrictEqual(new Webhook(key).verify(body, headers), JSON.parse(body));
}

for (const [key, otherBody, otherHeaders] of [
  ["whsec_" + "A".repeat(32), body, headers],
  [keys[0], body + " ", headers],
  [keys[0], body, { ...headers, "webhook-id": "another" }],
]) {
  assert.throws(() => new Webhook(key).verify(otherBody, otherHeaders), WebhookVerificationError);
}
console.log("verified");
