//! What the terminal shows at the start.

use front_payment_bridge::submit::order_id;
use jiff::Timestamp;

use crate::demo_secret::{API_KEY, SHOP, WEBHOOKS_API_KEY};
use crate::sandbox;

const EXAMPLE: &str = "examples/order.json";
/// The base URL and the reference in the text below, which are replaced by the real ones.
const ITS_BASE: &str = "http://127.0.0.1:3000";
const ITS_REFERENCE: &str = "1001";

/// The command that started the program, so that the commands in the text can be copied.
fn program() -> String {
    if std::env::var_os("CARGO").is_some() {
        return "cargo run --".to_owned();
    }
    std::env::args().next().unwrap_or_default()
}

pub(super) fn of_bridge(base: &str) -> String {
    let program = program();
    let now = Timestamp::now().as_second();
    let first = format!("first-{now}");
    let order = order_id(SHOP, &first);
    let url = if base == ITS_BASE { String::new() } else { format!(" --url {base}") };
    format!(
        "The bridge listens on {base}; the demo shop's API key is {API_KEY}.\n\
         \n\
         In a browser, {base}/ sends orders, shows their lives, and lets time pass. In a terminal:\n\
         \n\
         1. Send an order, then open its bankIdUrl in a browser and sign:\n\
         \n\
         {}\n\
         \n\
         2. Read it:\n\
         \n\
         curl -s {base}/orders/{order} -H 'Authorization: Bearer {API_KEY}'\n\
         \n\
         3. Have it paid:\n\
         \n\
         {program} trigger{url} status {order} PAID\n\
         \n\
         4. Lose a reply of Front Payment. Send this twice, sign it in the portal, then send it again:\n\
         \n\
         {}\n\
         \n\
         Everything else that can go wrong:  {program} trigger{url}\n\
         Notifications to your own shop:     {program} listen{url} --forward-to URL\n\
         Orders that wait for the operator:  {program} operator{url} '{{\"waiting\":{{}}}}'\n\
         Front Payment's portal:             {base}/front-payment/portal\n\
         The demo shop, and what it is told: {base}/front-payment/shop\n\
         The API:                            {base}/console/api\n\
         With the API key {WEBHOOKS_API_KEY}, the shop is notified in the format standard-webhooks.\n\
         Ctrl-C ends it.\n",
        submit(base, ITS_REFERENCE, &first),
        submit(base, "lost-reply", &format!("lost-{now}")),
    )
}

/// The command that sends the example order with this reference and key.
fn submit(base: &str, reference: &str, key: &str) -> String {
    let changes = [(ITS_BASE, base), (ITS_REFERENCE, reference)].into_iter().filter(|(from, to)| from != to);
    let changes: Vec<_> = changes.map(|(from, to)| format!("s|{from}|{to}|")).collect();
    let curl = format!("curl -s {base}/orders -H 'Authorization: Bearer {API_KEY}' -H 'Idempotency-Key: {key}'");
    if changes.is_empty() {
        format!("{curl} -d @{EXAMPLE}")
    } else {
        format!("sed '{}' {EXAMPLE} | {curl} -d @-", changes.join("; "))
    }
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
