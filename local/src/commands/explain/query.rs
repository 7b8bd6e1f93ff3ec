//! A call whose values and checksum are in its query: a callback, or a notification in the format front-payment.

use front_payment_bridge::front_payment::callback::SignedCallback;
use front_payment_bridge::order::Decimal;
use sha2::{Digest, Sha256};
use url::Url;

use super::{Explanation, Known, NamedKey, Verdict};

/// Front Payment's parameters, in its sequence. In a notification they follow the shop's own.
const NAMES: [&str; 6] = ["orderUuid", "status", "paymentMethod", "amount", "createdAt", "timestamp"];
/// A value of the right form for each of [`NAMES`].
const VALID: [&str; 6] = ["ODR1", "SENT", "Invoice", "40", "1", "1"];

/// The order in a callback's path; `None` for a notification, whose URL is the shop's own.
pub(super) fn order_id(url: &Url) -> Option<String> {
    let mut segments = url.path_segments()?.skip_while(|segment| *segment != "callbacks").skip(1);
    let order_id = segments.next()?;
    segments.next().map(|_token| order_id.to_owned())
}

pub(super) fn explained(url: &Url, keys: &[NamedKey], known: Option<&Known>) -> Explanation {
    let query = url.query().unwrap_or_default();
    let parameters: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let is_callback = order_id(url).is_some();
    let mut said = vec![if is_callback {
        "A callback of Front Payment's to the bridge.".to_owned()
    } else {
        "A notification of the bridge's to a shop, in the format front-payment.".to_owned()
    }];
    said.extend(names(&parameters, is_callback));
    let has_its_form = !is_callback || SignedCallback::read(query).is_some();
    if !has_its_form {
        said.extend(forms(&parameters));
    }
    let is_signed = signature(&parameters, keys, &mut said);
    let is_about_it = known.filter(|_| is_callback).map(|known| compared(&parameters, known, &mut said));
    let (verdict, conclusion) = verdict(is_callback, has_its_form && is_signed, is_about_it);
    Explanation { verdict, conclusion, reasons: said }
}

/// One sentence for each parameter that is missing, repeated or not documented.
fn names(parameters: &[(String, String)], is_callback: bool) -> Vec<String> {
    let count = |name: &str| parameters.iter().filter(|(known, _)| known == name).count();
    let documented = NAMES.into_iter().chain(["checksum"]);
    let faults = documented.filter_map(|name| match count(name) {
        0 => Some(format!("{name} is missing.")),
        1 => None,
        times => Some(format!("{name} is there {times} times.")),
    });
    let others = parameters.iter().map(|(name, _)| name.as_str()).filter(|name| !NAMES.contains(name) && *name != "checksum");
    let others: Vec<_> = others.filter(|_| is_callback).map(|name| format!("{name} is not a parameter of a callback.")).collect();
    faults.chain(others).collect()
}

/// Which values do not have their form. Each is put into an otherwise valid query, so that the bridge's own parser decides.
fn forms(parameters: &[(String, String)]) -> Vec<String> {
    let value = |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let is_wrong = |tried: &&'static str| {
        let Some(given) = value(tried) else { return false };
        let pairs = NAMES.iter().zip(VALID).map(|(name, valid)| (*name, if *name == *tried { given } else { valid }));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        SignedCallback::read(&query.extend_pairs(pairs).append_pair("checksum", "x").finish()).is_none()
    };
    NAMES.into_iter().filter(is_wrong).map(|name| format!("{name} does not have its form.")).collect()
}

/// Says which formula and key give the checksum. Returns whether that is the newest formula, the only one that is accepted.
fn signature(parameters: &[(String, String)], keys: &[NamedKey], said: &mut Vec<String>) -> bool {
    let Some((_, checksum)) = parameters.iter().find(|(name, _)| name == "checksum") else { return false };
    for (formula, text) in formulas(parameters) {
        for (name, key) in keys {
            let expected = hex::encode(Sha256::new().chain_update(&text).chain_update(key.expose()).finalize());
            if expected == *checksum {
                said.push(format!("The checksum is right: {formula}, and {name}."));
                return formula == NEWEST;
            }
            if expected.eq_ignore_ascii_case(checksum) {
                said.push(format!("The checksum is right but for its capitals: {formula}, and {name}."));
                return false;
            }
        }
    }
    let keys: Vec<_> = keys.iter().map(|(name, _)| name.as_str()).collect();
    said.push(format!("The checksum is wrong: with {}, no formula that Front Payment has documented gives it.", keys.join(", ")));
    said.push("Either the key is another one, or a value was changed, or something between changed the query.".to_owned());
    false
}

const NEWEST: &str = "all values as they came";

/// The text that each formula hashes before the key. The last three are no formulas: a match says how the query was changed.
fn formulas(parameters: &[(String, String)]) -> Vec<(&'static str, String)> {
    let value = |name: &str| parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    let some = |names: &[&str]| names.iter().map(|name| value(name)).collect::<String>();
    // Like PHP's `$_GET`: a repeated name keeps its first place and its last value.
    let mut php: Vec<(&str, &str)> = Vec::new();
    for (name, value) in parameters.iter().filter(|(name, _)| name != "checksum") {
        match php.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => php.push((name, value)),
        }
    }
    let own = php.iter().filter(|(name, _)| NAMES.contains(name)).map(|(_, value)| *value).collect();
    let encoded =
        php.iter().map(|(_, value)| url::form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>()).collect();
    vec![
        (NEWEST, php.iter().map(|(_, value)| *value).collect()),
        ("the oldest formula (orderUuid, status, createdAt)", some(&["orderUuid", "status", "createdAt"])),
        (
            "the second formula (orderUuid, status, createdAt, amount, timestamp)",
            some(&["orderUuid", "status", "createdAt", "amount", "timestamp"]),
        ),
        ("the documented parameters alone, so that somebody has added others", own),
        ("the documented order, so that somebody has put the query into another one", some(&NAMES)),
        ("the values before they were decoded", encoded),
    ]
}

fn compared(parameters: &[(String, String)], known: &Known, said: &mut Vec<String>) -> bool {
    let value = |name: &str| parameters.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    let amount = [value("amount"), &known.grand_total].map(|text| Decimal::parse(text).ok());
    let is_same_amount = matches!(&amount, [Some(told), Some(stored)] if told == stored);
    if !is_same_amount {
        said.push(format!("The amount is {}, and the order's total is {}.", value("amount"), known.grand_total));
    }
    match known.order_uuid.as_deref() {
        None => said.push("The order has no uuid yet: a verified callback gives it this one.".to_owned()),
        Some(uuid) if uuid == value("orderUuid") => {}
        Some(uuid) => said.push(format!("The order is {uuid}: Front Payment has it twice, or this is another order's.")),
    }
    is_same_amount
}

fn verdict(is_callback: bool, is_signed: bool, is_about_it: Option<bool>) -> (Verdict, &'static str) {
    match (is_callback, is_signed, is_about_it) {
        (true, true, Some(true)) => (Verdict::Verified, "The callback is verified."),
        (true, true, None) => (
            Verdict::Depends,
            "The callback is verified if its amount is that of the order. No bridge was asked that knows the order.",
        ),
        (true, ..) => {
            (Verdict::Unverified, "The callback is unverified: the bridge reads the status from Front Payment instead.")
        }
        (false, true, _) => {
            (Verdict::Verified, "The notification is verified, if orderUuid and amount are those of the shop's order.")
        }
        (false, ..) => (Verdict::Unverified, "The notification is unverified: the shop must not use it."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::explain::sandbox_keys;
    use crate::sandbox::SHOP_KEY;
    use front_payment_bridge::secrets::Redacted;

    const CALLBACK: &str = "https://bridge.example/callbacks/0198c2f0-7e4a-7000-8000-000000000001/token?";
    const VALUES: &str =
        "orderUuid=ODR123&status=success&paymentMethod=Visa&amount=100&createdAt=1755764131&timestamp=1755764131";

    /// The reasons without the first, which names the kind of call; then the conclusion.
    fn of_callback(query: &str) -> Vec<String> {
        let keys = [("the key".to_owned(), Redacted::new("test-secret"))];
        let explained = explained(&Url::parse(&format!("{CALLBACK}{query}")).unwrap(), &keys, None);
        [&explained.reasons[1..], &[explained.conclusion.to_owned()]].concat()
    }

    #[test]
    fn the_documented_vectors() {
        let newest = of_callback(&format!("{VALUES}&checksum=cd158e29f18c921de003383e893f27e66669da35fe79909b67ad3b48e8e6f9f6"));
        assert_eq!(newest[0], "The checksum is right: all values as they came, and the key.");
        assert!(newest[1].starts_with("The callback is verified if its amount"), "{newest:?}");
        let oldest = of_callback(&format!("{VALUES}&checksum=4dcb86daa1b677e87e17dde303c329962af34c0a6ee9198709ca5bbd721ed727"));
        assert_eq!(oldest[0], "The checksum is right: the oldest formula (orderUuid, status, createdAt), and the key.");
        assert!(oldest[1].starts_with("The callback is unverified"), "{oldest:?}");
    }

    #[test]
    fn what_was_changed_is_named() {
        let checksum = "checksum=cd158e29f18c921de003383e893f27e66669da35fe79909b67ad3b48e8e6f9f6";
        let reordered = VALUES.replace("orderUuid=ODR123&status=success", "status=success&orderUuid=ODR123");
        assert!(of_callback(&format!("{reordered}&{checksum}"))[0].contains("put the query into another one"));
        let added = of_callback(&format!("{VALUES}&utm=1&{checksum}"));
        assert_eq!(added[0], "utm is not a parameter of a callback.");
        assert!(added.iter().any(|line| line.contains("somebody has added others")), "{added:?}");
        let formless = of_callback(&format!("{}&{checksum}", VALUES.replace("amount=100", "amount=1e2")));
        assert_eq!(formless[0], "amount does not have its form.");
        assert!(formless[1].starts_with("The checksum is wrong"), "{formless:?}");
        let missing = of_callback(&format!("{}&{checksum}", VALUES.replace("&timestamp=1755764131", "")));
        assert_eq!(missing[0], "timestamp is missing.");
        let capitals =
            of_callback(&format!("{VALUES}&checksum=CD158E29F18C921DE003383E893F27E66669DA35FE79909B67AD3B48E8E6F9F6"));
        assert!(capitals[0].contains("but for its capitals") && capitals[1].contains("is unverified"), "{capitals:?}");
    }

    #[test]
    fn a_stored_order_is_compared() {
        let query = format!("{VALUES}&checksum=cd158e29f18c921de003383e893f27e66669da35fe79909b67ad3b48e8e6f9f6");
        let url = Url::parse(&format!("{CALLBACK}{query}")).unwrap();
        let keys = [("the key".to_owned(), Redacted::new("test-secret"))];
        let known = |uuid: &str, total: &str| Known { order_uuid: Some(uuid.to_owned()), grand_total: total.to_owned() };
        let verdict = |known: Known| {
            let explained = explained(&url, &keys, Some(&known));
            (explained.verdict, explained.conclusion)
        };
        assert_eq!(verdict(known("ODR123", "100.00")), (Verdict::Verified, "The callback is verified."));
        assert_eq!(verdict(known("ODR123", "40")).0, Verdict::Unverified);
        let twice = explained(&url, &keys, Some(&known("ODR9", "100"))).reasons;
        assert!(twice.iter().any(|line| line.starts_with("The order is ODR9: Front Payment has it twice")), "{twice:?}");
    }

    #[test]
    fn a_notification_has_parameters_of_the_shops_own() {
        let text = "1001ODR1INVOICEDInvoice4012";
        let checksum = hex::encode(Sha256::new().chain_update(text).chain_update(SHOP_KEY).finalize());
        let query = "order=1001&orderUuid=ODR1&status=INVOICED&paymentMethod=Invoice&amount=40&createdAt=1&timestamp=2";
        let url = Url::parse(&format!("https://shop.example/status?{query}&checksum={checksum}")).unwrap();
        let said = explained(&url, &sandbox_keys(false), None);
        assert_eq!(said.reasons[1], "The checksum is right: all values as they came, and the demo shop's key.");
        assert_eq!(said.conclusion, "The notification is verified, if orderUuid and amount are those of the shop's order.");
    }
}
