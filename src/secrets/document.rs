//! The secret's JSON document: `token`, `callbackSecret` and `shops`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use super::{Notify, Redacted};
use crate::order::json::{Json, Malformed};

#[derive(Debug, PartialEq, Eq)]
pub struct Secret {
    /// Front Payment's bearer token.
    pub token: Redacted,
    /// Front Payment's secretKey; several while it is being rotated.
    pub callback_secrets: Vec<Redacted>,
    shops: Vec<Shop>,
    unknown_members: Vec<String>,
}

#[derive(PartialEq, Eq)]
struct Shop {
    id: String,
    api_key_hashes: Vec<[u8; 32]>,
    notify: Option<Notify>,
}

impl std::fmt::Debug for Shop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.id)
    }
}

/// Why the secret is unusable: the field, and what is expected there. It never quotes a value. It quotes a member's name
/// only if that is too short to be a key, because an operator may have put a key in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("the secret's {field}: expected {expected}")]
    Field { field: &'static str, expected: &'static str },
    #[error("the secret's document: expected a JSON object; line {line}, column {column} is not JSON")]
    Syntax { line: usize, column: usize },
    #[error("the secret's document: expected no member name twice in an object; {member} is repeated at line {line}")]
    Repeated { member: String, line: usize },
}

impl SecretError {
    pub(super) fn new(field: &'static str, expected: &'static str) -> Self {
        Self::Field { field, expected }
    }
}

type Members<'a> = BTreeMap<Cow<'a, str>, Json<'a>>;

impl Secret {
    /// ```
    /// use front_payment_bridge::secrets::Secret;
    ///
    /// let secret = Secret::parse(r#"{"token": "t", "callbackSecret": ["new", "old"], "shops": {}}"#)?;
    /// assert_eq!(secret.callback_secrets.len(), 2);
    /// assert_eq!(secret.shop_of("some key"), None);
    /// # Ok::<(), front_payment_bridge::secrets::SecretError>(())
    /// ```
    ///
    /// # Errors
    /// [`SecretError`] names the first unusable field.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let document = read(text)?;
        let Json::Object(document) = document else {
            return Err(SecretError::new("document", "a JSON object"));
        };
        Ok(Self {
            token: token(&document)?,
            callback_secrets: callback_secrets(&document)?,
            shops: shops(&document)?,
            unknown_members: unknown_members(&document),
        })
    }

    /// The shop that an API key belongs to, and the number of the key, counted from 1. Compares all hashes, so that the time
    /// reveals nothing.
    #[must_use]
    pub fn shop_of(&self, api_key: &str) -> Option<(&str, u64)> {
        let hash: [u8; 32] = Sha256::digest(api_key).into();
        let (mut found_shop, mut found_key) = (u64::MAX, 0);
        for (index, shop) in (0u64..).zip(&self.shops) {
            for (number, known) in (1u64..).zip(&shop.api_key_hashes) {
                let is_same = known.ct_eq(&hash);
                found_shop.conditional_assign(&index, is_same);
                found_key.conditional_assign(&number, is_same);
            }
        }
        let shop = self.shops.get(usize::try_from(found_shop).ok()?)?;
        Some((&shop.id, found_key))
    }

    /// How a shop is notified; `None` if it is not.
    #[must_use]
    pub fn notify_of(&self, shop_id: &str) -> Option<&Notify> {
        self.shops.iter().find(|shop| shop.id == shop_id)?.notify.as_ref()
    }

    /// Members that the bridge does not know, like `shops.shop-a.notify.host`, perhaps a misspelt `hosts`.
    #[must_use]
    pub fn unknown_members(&self) -> &[String] {
        &self.unknown_members
    }

    /// The ids of all shops, each with the number of its API keys.
    pub fn shops(&self) -> impl Iterator<Item = (&str, usize)> {
        self.shops.iter().map(|shop| (shop.id.as_str(), shop.api_key_hashes.len()))
    }
}

/// Drops the parsers' own messages, because they could quote the secret.
fn read(text: &str) -> Result<Json<'_>, SecretError> {
    Json::parse(text.as_bytes()).map_err(|malformed| match serde_json::from_str::<Value>(text) {
        Ok(_) => repeated(&malformed).unwrap_or_else(|| SecretError::new("document", "at most 64 levels")),
        Err(error) => SecretError::Syntax { line: error.line(), column: error.column() },
    })
}

fn repeated(malformed: &Malformed) -> Option<SecretError> {
    let Malformed::Syntax { reason, line, .. } = malformed else { return None };
    let name = reason.strip_prefix("repeated member ")?.trim_matches('"');
    Some(SecretError::Repeated { member: shown(name).unwrap_or("a member").to_owned(), line: *line })
}

/// Shorter than any key, which has at least 24 characters.
const MAX_SHOWN_BYTES: usize = 23;

/// A member's name, unless it could be a key.
fn shown(name: &str) -> Option<&str> {
    Some(name).filter(|name| name.len() <= MAX_SHOWN_BYTES && is_shop_id(name))
}

fn unknown_members(document: &Members<'_>) -> Vec<String> {
    let mut unknown = unknown_of("", document, &["token", "callbackSecret", "shops"]);
    let Some(Json::Object(shops)) = document.get("shops") else { return unknown };
    for (id, shop) in shops {
        let Json::Object(shop) = shop else { continue };
        let at = format!("shops.{}.", shown(id).unwrap_or("*"));
        unknown.extend(unknown_of(&at, shop, &["apiKeySha256", "notify"]));
        if let Some(Json::Object(notify)) = shop.get("notify") {
            unknown.extend(unknown_of(&format!("{at}notify."), notify, &["keys", "format", "hosts"]));
        }
    }
    unknown
}

fn unknown_of(at: &str, members: &Members<'_>, known: &[&str]) -> Vec<String> {
    let unknown = members.keys().filter(|name| !known.contains(&name.as_ref()));
    unknown.map(|name| format!("{at}{}", shown(name).unwrap_or("(a name that may be a key)"))).collect()
}

fn token(document: &Members<'_>) -> Result<Redacted, SecretError> {
    let token = document.get("token").and_then(text).filter(|token| !token.is_empty() && is_visible_ascii(token));
    token.map(Redacted::new).ok_or_else(|| SecretError::new("token", "a string of visible ASCII characters"))
}

fn callback_secrets(document: &Members<'_>) -> Result<Vec<Redacted>, SecretError> {
    let expected = "a string that is not empty and has no white space at either end, or an array of such strings";
    let is_usable = |secret: &&str| !secret.is_empty() && secret.trim() == *secret;
    let one = |value| text(value).filter(is_usable).map(Redacted::new);
    let secrets = match document.get("callbackSecret") {
        Some(Json::Array(items)) => items.iter().map(one).collect::<Option<Vec<_>>>().filter(|items| !items.is_empty()),
        Some(value) => one(value).map(|secret| vec![secret]),
        None => None,
    };
    secrets.ok_or_else(|| SecretError::new("callbackSecret", expected))
}

fn shops(document: &Members<'_>) -> Result<Vec<Shop>, SecretError> {
    let Some(Json::Object(members)) = document.get("shops") else {
        return Err(SecretError::new("shops", "an object with a member a shop"));
    };
    let mut shops: Vec<Shop> = Vec::new();
    for (id, value) in members {
        if !is_shop_id(id) {
            return Err(SecretError::new("shops", "names of 1 to 64 of A-Z a-z 0-9 . _ -"));
        }
        let Json::Object(shop) = value else {
            return Err(SecretError::new("shops.*", "an object"));
        };
        let api_key_hashes = api_key_hashes(shop)?;
        if shops.iter().any(|other| other.api_key_hashes.iter().any(|hash| api_key_hashes.contains(hash))) {
            return Err(SecretError::new("shops.*.apiKeySha256", "hashes that no other shop has"));
        }
        shops.push(Shop { id: id.to_string(), api_key_hashes, notify: shop.get("notify").map(Notify::read).transpose()? });
    }
    Ok(shops)
}

fn api_key_hashes(shop: &Members<'_>) -> Result<Vec<[u8; 32]>, SecretError> {
    let hashes = match shop.get("apiKeySha256") {
        Some(Json::Array(items)) => items.iter().map(|hash| parse_hash(text(hash)?)).collect(),
        _ => None,
    };
    hashes.ok_or_else(|| SecretError::new("shops.*.apiKeySha256", "an array of SHA-256 hashes, 64 hex digits each"))
}

fn is_shop_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn parse_hash(hex_digits: &str) -> Option<[u8; 32]> {
    hex::decode(hex_digits).ok()?.try_into().ok()
}

pub(super) fn is_visible_ascii(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

pub(super) fn text<'a>(value: &'a Json<'_>) -> Option<&'a str> {
    match value {
        Json::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn usable() -> Value {
        json!({"token": "t0ken", "callbackSecret": "s3cret", "shops": {"shop-a": {"apiKeySha256": [sha("key-a")]}, "shop-b": {"apiKeySha256": [sha("key-b"), sha("key-c")]}}})
    }

    fn sha(key: &str) -> String {
        hex::encode(Sha256::digest(key))
    }

    fn unusable(change: impl FnOnce(&mut Value)) -> String {
        let mut document = usable();
        change(&mut document);
        Secret::parse(&document.to_string()).unwrap_err().to_string()
    }

    #[test]
    fn an_api_key_belongs_to_one_shop_and_has_a_number_there() {
        let secret = Secret::parse(&usable().to_string()).unwrap();
        assert_eq!(secret.shop_of("key-a"), Some(("shop-a", 1)));
        assert_eq!(secret.shop_of("key-b"), Some(("shop-b", 1)));
        assert_eq!(secret.shop_of("key-c"), Some(("shop-b", 2)), "its second key");
        assert_eq!(secret.shop_of("key-d"), None);
        assert_eq!(secret.shop_of(""), None);
        assert_eq!(secret.shop_of(&sha("key-a")), None, "the hash is no key");
        assert_eq!(secret.shops().collect::<Vec<_>>(), [("shop-a", 1), ("shop-b", 2)]);
    }

    #[test]
    fn a_known_hash() {
        let known = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"; // printf key | sha256sum
        let secret = Secret::parse(&format!(
            r#"{{"token":"t","callbackSecret":"s","shops":{{"shop":{{"apiKeySha256":["{}"]}}}}}}"#,
            known.to_uppercase()
        ))
        .unwrap();
        assert_eq!(secret.shop_of("key"), Some(("shop", 1)));
    }

    #[test]
    fn errors_name_the_field_and_quote_nothing() {
        let error = |text: &str| Secret::parse(text).unwrap_err().to_string();
        assert_eq!(error("{}"), "the secret's token: expected a string of visible ASCII characters");
        assert_eq!(error("[]"), "the secret's document: expected a JSON object");
        assert_eq!(
            error("{\n\"token\": s3cret}"),
            "the secret's document: expected a JSON object; line 2, column 10 is not JSON"
        );
        for no_json in ["", "s3cret", "{\"token\": \"\\ud800\"}", "{} {}"] {
            assert!(error(no_json).starts_with("the secret's document: expected a JSON object; line 1, column "));
        }
        for wrong in [json!("two words"), json!(" t0ken"), json!("t0ken\n"), json!(""), json!("tøken"), json!(5), json!(["a"])] {
            assert!(unusable(|d| d["token"] = wrong).contains("token"));
        }
        for wrong in [json!(""), json!([]), json!(["a", ""]), json!(["a", 1]), json!({}), json!(null)] {
            assert!(unusable(|d| d["callbackSecret"] = wrong).contains("callbackSecret"));
        }
        for wrong in [json!(" a"), json!("a "), json!("a\n"), json!("\u{a0}a"), json!(" "), json!(["a", "b\t"])] {
            assert!(unusable(|d| d["callbackSecret"] = wrong).contains("no white space at either end"));
        }
        assert!(unusable(|d| d["shops"] = json!([])).contains("shops"));
        for id in ["no spaces", "", " shop-a", &"x".repeat(65), "shøp"] {
            assert!(unusable(|d| d["shops"] = json!({id: {"apiKeySha256": []}})).contains("shops"));
        }
        for wrong in [json!(null), json!("x"), json!([])] {
            assert!(unusable(|d| d["shops"]["shop-a"] = wrong).contains("shops.*: expected an object"));
        }
        for wrong in [json!("not an array"), json!(["short"]), json!(["g".repeat(64)]), json!([format!("{} ", sha("key"))])] {
            assert!(unusable(|d| d["shops"]["shop-a"]["apiKeySha256"] = wrong).contains("shops.*.apiKeySha256"));
        }
        assert!(unusable(|d| d["shops"]["shop-a"] = json!({})).contains("shops.*.apiKeySha256"));
        assert!(unusable(|d| d["shops"]["shop-b"]["apiKeySha256"] = json!([sha("key-a")])).contains("no other shop"));
        let debugged = format!("{:?}", Secret::parse(&usable().to_string()).unwrap());
        for secret in ["t0ken", "s3cret", &sha("key-a")] {
            assert!(!debugged.contains(secret), "{debugged}");
        }
    }

    #[test]
    fn a_member_name_stands_once_in_an_object() {
        let good = usable().to_string();
        let key = "k".repeat(24);
        let under_keys = format!("\"{key}\":1,\"{key}\":2,\"token\":\"t0ken\"");
        for (once, twice, member) in [
            ("\"token\":\"t0ken\"", "\"token\":\"t0ken\",\"token\":\"t0ken\"", "token"),
            ("\"token\":\"t0ken\"", "\"token\":\"t0ken\",\"t\\u006fken\":\"other\"", "token"),
            ("\"shop-a\":", "\"shop-a\":{\"apiKeySha256\":[]},\"shop-a\":", "shop-a"),
            ("\"apiKeySha256\":", "\"apiKeySha256\":[],\"apiKeySha256\":", "apiKeySha256"),
            ("\"token\":\"t0ken\"", "\"note\":{\"a\":1,\"a\":2},\"token\":\"t0ken\"", "a"),
            ("\"token\":\"t0ken\"", &under_keys, "a member"),
        ] {
            assert!(good.contains(once), "{good}");
            let error = Secret::parse(&good.replacen(once, twice, 1)).unwrap_err().to_string();
            let expected = "the secret's document: expected no member name twice in an object";
            assert_eq!(error, format!("{expected}; {member} is repeated at line 1"));
        }
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
        assert_eq!(Secret::parse(&deep).unwrap_err().to_string(), "the secret's document: expected at most 64 levels");
    }

    #[test]
    fn unknown_members_are_named_and_their_values_are_not() {
        assert_eq!(Secret::parse(&usable().to_string()).unwrap().unknown_members(), [""; 0]);
        let mut document = usable();
        document["tokn"] = json!("v4lue");
        document["shops"]["shop-a"]["notfy"] = json!({"v4lue": 1});
        document["shops"]["shop-b"]["notify"] = json!({"keys": ["k".repeat(24)], "host": ["v4lue"], "x".repeat(24): 1});
        let secret = Secret::parse(&document.to_string()).unwrap();
        let expected =
            ["tokn", "shops.shop-a.notfy", "shops.shop-b.notify.host", "shops.shop-b.notify.(a name that may be a key)"];
        assert_eq!(secret.unknown_members(), expected);
    }
}
