//! The secret's JSON document: `token`, `callbackSecret` and `shops`.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::Redacted;

#[derive(Debug, PartialEq, Eq)]
pub struct Secret {
    /// Front Payment's bearer token.
    pub token: Redacted,
    /// Front Payment's secretKey; several while it is being rotated.
    pub callback_secrets: Vec<Redacted>,
    shops: Vec<Shop>,
}

#[derive(PartialEq, Eq)]
struct Shop {
    id: String,
    api_key_hashes: Vec<[u8; 32]>,
}

impl std::fmt::Debug for Shop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.id)
    }
}

/// The field that makes the secret unusable, and what is expected there. Never quotes the secret, not even a shopId: an
/// operator may have put an API key in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret's {field}: expected {expected}")]
pub struct SecretError {
    field: &'static str,
    expected: &'static str,
}

impl SecretError {
    fn new(field: &'static str, expected: &'static str) -> Self {
        Self { field, expected }
    }
}

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
        // The parser's own message could quote the secret, so it is dropped.
        let Ok(Value::Object(document)) = serde_json::from_str(text) else {
            return Err(SecretError::new("document", "a JSON object"));
        };
        Ok(Self { token: token(&document)?, callback_secrets: callback_secrets(&document)?, shops: shops(&document)? })
    }

    /// The shop that an API key belongs to. Compares all hashes, so that the time tells nothing.
    #[must_use]
    pub fn shop_of(&self, api_key: &str) -> Option<&str> {
        let hash: [u8; 32] = Sha256::digest(api_key).into();
        let mut found = u64::MAX;
        for (index, shop) in (0u64..).zip(&self.shops) {
            let matches = shop.api_key_hashes.iter().fold(Choice::from(0), |any, known| any | known.ct_eq(&hash));
            found.conditional_assign(&index, matches);
        }
        self.shops.get(usize::try_from(found).ok()?).map(|shop| shop.id.as_str())
    }
}

fn token(document: &Map<String, Value>) -> Result<Redacted, SecretError> {
    let is_usable = |token: &&str| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    let token = document.get("token").and_then(Value::as_str).filter(is_usable);
    token.map(Redacted::new).ok_or_else(|| SecretError::new("token", "a string of visible ASCII characters"))
}

fn callback_secrets(document: &Map<String, Value>) -> Result<Vec<Redacted>, SecretError> {
    let one = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(Redacted::new);
    let secrets = match document.get("callbackSecret") {
        Some(Value::Array(items)) => items.iter().map(one).collect::<Option<Vec<_>>>().filter(|items| !items.is_empty()),
        Some(value) => one(value).map(|secret| vec![secret]),
        None => None,
    };
    secrets.ok_or_else(|| SecretError::new("callbackSecret", "a string that is not empty, or an array of such strings"))
}

fn shops(document: &Map<String, Value>) -> Result<Vec<Shop>, SecretError> {
    let Some(Value::Object(members)) = document.get("shops") else {
        return Err(SecretError::new("shops", "an object with a member a shop"));
    };
    let mut shops: Vec<Shop> = Vec::new();
    for (id, value) in members {
        if !is_shop_id(id) {
            return Err(SecretError::new("shops", "names of 1 to 64 of A-Z a-z 0-9 . _ -"));
        }
        let expected = || SecretError::new("shops.*.apiKeySha256", "an array of SHA-256 hashes, 64 hex digits each");
        let hashes = value.get("apiKeySha256").and_then(Value::as_array).ok_or_else(expected)?;
        let hashes = hashes.iter().map(|hash| hash.as_str().and_then(parse_hash)).collect::<Option<Vec<_>>>();
        let api_key_hashes = hashes.ok_or_else(expected)?;
        if shops.iter().any(|other| other.api_key_hashes.iter().any(|hash| api_key_hashes.contains(hash))) {
            return Err(SecretError::new("shops.*.apiKeySha256", "hashes that no other shop has"));
        }
        shops.push(Shop { id: id.clone(), api_key_hashes });
    }
    Ok(shops)
}

fn is_shop_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
}

fn parse_hash(hex_digits: &str) -> Option<[u8; 32]> {
    hex::decode(hex_digits).ok()?.try_into().ok()
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
    fn an_api_key_belongs_to_one_shop() {
        let secret = Secret::parse(&usable().to_string()).unwrap();
        assert_eq!(secret.shop_of("key-a"), Some("shop-a"));
        assert_eq!(secret.shop_of("key-b"), Some("shop-b"));
        assert_eq!(secret.shop_of("key-c"), Some("shop-b"));
        assert_eq!(secret.shop_of("key-d"), None);
        assert_eq!(secret.shop_of(""), None);
        assert_eq!(secret.shop_of(&sha("key-a")), None, "the hash is no key");
    }

    #[test]
    fn a_known_hash() {
        let known = "2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683"; // printf key | sha256sum
        let secret = Secret::parse(&format!(
            r#"{{"token":"t","callbackSecret":"s","shops":{{"shop":{{"apiKeySha256":["{}"]}}}}}}"#,
            known.to_uppercase()
        ))
        .unwrap();
        assert_eq!(secret.shop_of("key"), Some("shop"));
    }

    #[test]
    fn errors_name_the_field_and_quote_nothing() {
        assert_eq!(
            Secret::parse("{}").unwrap_err().to_string(),
            "the secret's token: expected a string of visible ASCII characters"
        );
        assert_eq!(Secret::parse("s3cret").unwrap_err().to_string(), "the secret's document: expected a JSON object");
        assert_eq!(Secret::parse("").unwrap_err(), Secret::parse("[]").unwrap_err());
        assert!(unusable(|d| d["token"] = json!("two words")).contains("token"));
        assert!(unusable(|d| d["token"] = json!(5)).contains("token"));
        for wrong in [json!(""), json!([]), json!(["a", ""]), json!(["a", 1]), json!({}), json!(null)] {
            assert!(unusable(|d| d["callbackSecret"] = wrong).contains("callbackSecret"));
        }
        assert!(unusable(|d| d["shops"] = json!([])).contains("shops"));
        assert!(unusable(|d| d["shops"] = json!({"no spaces": {"apiKeySha256": []}})).contains("shops"));
        assert!(unusable(|d| d["shops"] = json!({"": {"apiKeySha256": []}})).contains("shops"));
        for wrong in [
            json!(null),
            json!("x"),
            json!({}),
            json!({"apiKeySha256": "not an array"}),
            json!({"apiKeySha256": ["short"]}),
            json!({"apiKeySha256": ["g".repeat(64)]}),
        ] {
            assert!(unusable(|d| d["shops"]["shop-a"] = wrong).contains("shops.*.apiKeySha256"));
        }
        assert!(unusable(|d| d["shops"]["shop-b"]["apiKeySha256"] = json!([sha("key-a")])).contains("no other shop"));
        let debugged = format!("{:?}", Secret::parse(&usable().to_string()).unwrap());
        assert!(!debugged.contains("t0ken") && !debugged.contains("s3cret") && !debugged.contains(&sha("key-a")), "{debugged}");
    }
}
