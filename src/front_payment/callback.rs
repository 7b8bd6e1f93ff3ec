//! The status callback: its query, and whether it is verified.
//!
//! Front Payment signs only the values, without their names and separators. So a checksum alone proves little: digits can be
//! moved from one value to the next, and values to other names. A verified callback therefore has each documented name once,
//! no other name, and a valid form for every value. Its values are then compared with the stored order.

use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::is_provider_id;
use crate::order::{Decimal, StatusCallback, StatusWord};
use crate::secrets::Redacted;

/// The documented parameters, `checksum` aside.
const NAMES: [&str; 6] = ["orderUuid", "status", "paymentMethod", "amount", "createdAt", "timestamp"];

/// A callback with the right names and forms. Its checksum is still to be checked.
pub struct SignedCallback {
    /// The values of the callback.
    pub callback: StatusCallback,
    values_as_received: Vec<u8>,
    checksum: Vec<u8>,
}

type Parameter = (Vec<u8>, Vec<u8>);

impl SignedCallback {
    /// Reads a raw query string as PHP does, and keeps the sequence of the parameters.
    ///
    /// `None` if a documented name is missing or repeated, if there is another name, or if a value does not have its form.
    #[must_use]
    pub fn read(raw_query: &str) -> Option<Self> {
        let parameters = decode(raw_query);
        let documented = |name: &[u8]| name == b"checksum" || NAMES.iter().any(|known| known.as_bytes() == name);
        if parameters.len() != NAMES.len() + 1 || !parameters.iter().all(|(name, _)| documented(name)) {
            return None;
        }
        let callback = StatusCallback {
            order_uuid: value(&parameters, "orderUuid").filter(|uuid| is_provider_id(uuid))?.to_owned(),
            word: StatusWord::read(value(&parameters, "status").filter(|word| is_status(word))?),
            amount: Decimal::parse(value(&parameters, "amount")?).ok()?,
            payment_method: value(&parameters, "paymentMethod").filter(|method| is_payment_method(method))?.to_owned(),
            id: identity(&parameters)?,
        };
        value(&parameters, "createdAt").filter(|seconds| is_timestamp(seconds))?;
        value(&parameters, "timestamp").filter(|seconds| is_timestamp(seconds))?;
        let checksum = value(&parameters, "checksum")?.as_bytes().to_vec();
        let values = parameters.into_iter().filter(|(name, _)| name != b"checksum");
        Some(Self { callback, values_as_received: values.flat_map(|(_, value)| value).collect(), checksum })
    }

    /// Whether it is signed with this secretKey: lower-case hex of SHA-256 over all values as received, then the key.
    #[must_use]
    pub fn is_signed_with(&self, secret_key: &Redacted) -> bool {
        let digest = Sha256::new().chain_update(&self.values_as_received).chain_update(secret_key.expose()).finalize();
        hex::encode(digest).as_bytes().ct_eq(&self.checksum).into()
    }
}

/// The `orderUuid` that a query names, even if the callback is unverified. It is logged, so only a text of the right form is
/// returned.
#[must_use]
pub fn claimed_order_uuid(raw_query: &str) -> Option<String> {
    value(&decode(raw_query), "orderUuid").filter(|uuid| is_provider_id(uuid)).map(str::to_owned)
}

/// Names and values, decoded as PHP's `$_GET` is: `+` is a space, and a broken escape stays as it is.
fn decode(raw_query: &str) -> Vec<Parameter> {
    let decode = |text: &str| -> Vec<u8> { percent_decode_str(&text.replace('+', " ")).collect() };
    raw_query
        .split('&')
        .filter(|parameter| !parameter.is_empty())
        .map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// The value of a name that the query has exactly once.
fn value<'p>(parameters: &'p [Parameter], name: &str) -> Option<&'p str> {
    let mut found = parameters.iter().filter(|(known, _)| known == name.as_bytes());
    let (_, value) = found.next()?;
    if found.next().is_some() { None } else { std::str::from_utf8(value).ok() }
}

/// A digest that is equal for the same names and values, in whatever sequence.
fn identity(parameters: &[Parameter]) -> Option<String> {
    let mut digest = Sha256::new();
    for name in NAMES {
        digest.update(value(parameters, name)?);
        digest.update([0]);
    }
    hex::encode(digest.finalize()).get(..32).map(str::to_owned)
}

/// 1 to 40 letters, spaces, underscores and hyphens.
pub(super) fn is_status(word: &str) -> bool {
    (1..=40).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b' ' | b'_' | b'-'))
}

fn is_payment_method(method: &str) -> bool {
    method.chars().count() <= 64 && !method.contains(char::is_control)
}

fn is_timestamp(seconds: &str) -> bool {
    (1..=13).contains(&seconds.len()) && seconds.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EXAMPLE: &str =
        "orderUuid=ODR123&status=success&paymentMethod=Visa&amount=100&createdAt=1755764131&timestamp=1755764131";
    const CHECKSUM: &str = "cd158e29f18c921de003383e893f27e66669da35fe79909b67ad3b48e8e6f9f6";

    fn is_well_formed(query: &str) -> bool {
        SignedCallback::read(query).is_some_and(|signed| signed.is_signed_with(&Redacted::new("test-secret")))
    }

    fn signed(query: &str) -> String {
        // Signs exactly these values, so that only the check under test can refuse them.
        let values: Vec<u8> = decode(query).into_iter().flat_map(|(_, value)| value).collect();
        format!("{query}&checksum={}", hex::encode(Sha256::new().chain_update(values).chain_update("test-secret").finalize()))
    }

    #[test]
    fn the_documented_vector() {
        assert!(is_well_formed(&format!("{EXAMPLE}&checksum={CHECKSUM}")));
        assert!(is_well_formed(&format!("checksum={CHECKSUM}&{EXAMPLE}")), "wherever the checksum stands");
        assert_eq!(signed(EXAMPLE), format!("{EXAMPLE}&checksum={CHECKSUM}"));
    }

    #[test]
    fn weaknesses_of_the_checksum_are_not_verified() {
        let shifted = EXAMPLE.replace("amount=100&createdAt=1755764131", "amount=1001&createdAt=755764131");
        let callback = SignedCallback::read(&format!("{shifted}&checksum={CHECKSUM}")).unwrap();
        assert!(callback.is_signed_with(&Redacted::new("test-secret")), "the checksum holds: the stored amount has to refuse it");
        assert_eq!(callback.callback.amount, Decimal::parse("1001").unwrap());
        let moved = EXAMPLE.replace("status=success&paymentMethod=Visa", "paymentMethod=success&status=Visa");
        assert!(is_well_formed(&format!("{moved}&checksum={CHECKSUM}")), "so an unknown word is read back");
        for (why, query) in [
            ("upper-case hex", format!("{EXAMPLE}&checksum={}", CHECKSUM.to_uppercase())),
            ("truncated", format!("{EXAMPLE}&checksum={}", &CHECKSUM[..63])),
            ("empty", format!("{EXAMPLE}&checksum=")),
            ("none", EXAMPLE.to_owned()),
            (
                "the oldest formula",
                format!("{EXAMPLE}&checksum=4dcb86daa1b677e87e17dde303c329962af34c0a6ee9198709ca5bbd721ed727"),
            ),
            (
                "another order of values",
                format!(
                    "status=success&orderUuid=ODR123&paymentMethod=Visa&amount=100&createdAt=1755764131&timestamp=1755764131&checksum={CHECKSUM}"
                ),
            ),
            ("an extra name", signed(&format!("{EXAMPLE}&extra="))),
            ("a name twice", signed(&EXAMPLE.replace("status=success", "status=success&status=PAID"))),
            ("a checksum twice", format!("{EXAMPLE}&checksum={CHECKSUM}&checksum={CHECKSUM}")),
            ("a missing name", signed(&EXAMPLE.replace("&paymentMethod=Visa", ""))),
            ("a missing name made up for by another twice", signed(&EXAMPLE.replace("paymentMethod=Visa", "status=Visa"))),
            ("another case", signed(&EXAMPLE.replace("status", "Status"))),
            ("an array of PHP's", signed(&EXAMPLE.replace("status=", "status[]="))),
        ] {
            assert!(!is_well_formed(&query), "{why}: {query}");
        }
    }

    #[test]
    fn values_in_another_shape_are_not_verified() {
        for (from, to) in [
            ("ODR123", ""),
            ("ODR123", "ODR%20123"),
            ("ODR123", &"O".repeat(65)),
            ("ODR123", "ODR%00"),
            ("ODR123", "%C3%A6"),
            ("success", ""),
            ("success", "PAID1"),
            ("success", &"a".repeat(41)),
            ("success", "PAID%0A"),
            ("Visa", "%0D%0A"),
            ("Visa", &"a".repeat(65)),
            ("Visa", "%FF"),
            ("Visa", "%7F"),
            ("amount=100", "amount=1e2"),
            ("amount=100", "amount="),
            ("amount=100", "amount=+100"),
            ("amount=100", "amount=100%20"),
            ("createdAt=1755764131", "createdAt="),
            ("createdAt=1755764131", "createdAt=12345678901234"),
            ("timestamp=1755764131", "timestamp=-1"),
            ("timestamp=1755764131", "timestamp=17.5"),
        ] {
            let query = signed(&EXAMPLE.replacen(from, to, 1));
            assert!(!is_well_formed(&query), "{query}");
        }
    }

    #[test]
    fn values_are_decoded_as_php_does() {
        for (raw, word) in [("refund+pending", "REFUND_PENDING"), ("refund%20pending", "REFUND_PENDING"), ("P%41ID", "PAID")] {
            let query = signed(&EXAMPLE.replace("success", raw));
            let signed = SignedCallback::read(&query).unwrap();
            assert!(signed.is_signed_with(&Redacted::new("test-secret")));
            assert_eq!(signed.callback.word.name(), word);
        }
        assert!(is_well_formed(&signed(&EXAMPLE.replace("Visa", ""))), "a method may be empty");
        assert!(is_well_formed(&signed(&EXAMPLE.replace("Visa", "100%25+%C3%A6"))));
        assert!(is_well_formed(&signed(&EXAMPLE.replace("Visa", "100%ZZ<b>"))), "a broken escape stands for itself");
        assert!(is_well_formed(&signed(&EXAMPLE.replace("&", "&&"))), "empty parameters are none");
        assert!(is_well_formed(&signed(&EXAMPLE.replace("status=", "st%61tus="))));
    }

    #[test]
    fn the_same_values_are_the_same_callback() {
        let id = |query: &str| SignedCallback::read(&signed(query)).unwrap().callback.id;
        let reordered = "status=success&orderUuid=ODR123&paymentMethod=Visa&amount=100&createdAt=1755764131&timestamp=1755764131";
        assert_eq!(id(EXAMPLE), id(reordered));
        assert_ne!(id(EXAMPLE), id(&EXAMPLE.replace("timestamp=1755764131", "timestamp=1755764132")));
        assert_ne!(id(EXAMPLE), id(&EXAMPLE.replace("amount=100&createdAt=1755764131", "amount=1001&createdAt=755764131")));
    }

    proptest! {
        #[test]
        fn any_query_gets_an_answer(query in ".{0,200}") {
            let _answered = SignedCallback::read(&query);
            let _named = claimed_order_uuid(&query);
        }
    }
}
