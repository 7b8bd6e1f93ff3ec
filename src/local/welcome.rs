//! What the terminal shows at the start.

use jiff::Timestamp;

use super::demo_secret::{API_KEY, WEBHOOKS_API_KEY};
use super::example_order;
use super::sandbox::{self, Misbehaviour, ShopMisbehaviour};

pub(super) fn of_bridge(base: &str) -> String {
    let curl = |reference: &str, key: &str| {
        format!(
            "curl -s {base}/orders -H 'Authorization: Bearer {API_KEY}' -H 'Idempotency-Key: {key}' \\\n  -d '{}'",
            example_order(base, reference)
        )
    };
    let now = Timestamp::now().as_second();
    format!(
        "The bridge listens on {base}; the demo shop's API key is {API_KEY}.\n\
         \n\
         In a browser, {base}/ sends orders, shows their lives, and moves the clock. In a terminal:\n\
         \n\
         1. Send an order, then open its bankIdUrl in a browser and sign:\n\n{}\n\
         \n\
         2. Read it (replace ORDER_ID by its orderId):\n\n\
         curl -s {base}/orders/ORDER_ID -H 'Authorization: Bearer {API_KEY}'\n\
         \n\
         3. Lose a reply of Front Payment. Send this twice, sign it in the portal, then send it again:\n\n{}\n\
         \n\
         Other words for referenceNo: {}\n\
         Words for a shop that misbehaves when it is notified: {}\n\
         Front Payment's portal, with all orders: {base}/front-payment/portal\n\
         The demo shop, with the notifications that it received: {base}/front-payment/shop\n\
         With the API key {WEBHOOKS_API_KEY}, the shop is notified in the format standard-webhooks.\n\
         Ctrl-C ends it.\n",
        curl("Dhaka", &format!("first-{now}")),
        curl("lost-reply", &format!("lost-{now}")),
        Misbehaviour::words().join(", "),
        ShopMisbehaviour::words().join(", "),
    )
}

pub(super) fn of_sandbox(base: &str) -> String {
    let (token, secret_key, shop_key) = (sandbox::TOKEN, sandbox::SECRET_KEY, sandbox::SHOP_KEY);
    let host = base.trim_start_matches("http://");
    format!(
        "The sandbox of Front Payment listens on {base}; a bridge elsewhere on this machine needs:\n\
         \n\
         FRONT_PAYMENT_BASE_URL={base}/front-payment/api/v1\n\
         the secret's token:          {token}\n\
         the secret's callbackSecret: {secret_key}\n\
         \n\
         To notify the sandbox's shop, it also needs:\n\
         \n\
         PRIVATE_SHOP_HOSTS={host}\n\
         the shop's notify:           {{\"keys\": [\"{shop_key}\"], \"hosts\": [\"127.0.0.1\"]}}\n\
         an order's callbackUrl:      {base}/front-payment/shop/status\n\
         \n\
         The portal, with all orders: {base}/front-payment/portal\n\
         The shop, with the notifications that it received: {base}/front-payment/shop\n\
         Ctrl-C ends it.\n",
    )
}
