//! Reads a callback's query by the provider's page, without the bridge's code.

use sha2::{Digest, Sha256};

use crate::{is_plain_decimal, is_provider_id, significant_digits};

/// The documented parameters beside `checksum`.
pub const NAMES: [&str; 6] = ["orderUuid", "status", "paymentMethod", "amount", "createdAt", "timestamp"];

/// Names and values, decoded as PHP does: `+` is a space, and `%` stays itself where two hex digits do not follow.
pub fn parameters(query: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let parts = query.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    let pairs = parts.map(|part| match part.iter().position(|byte| *byte == b'=') {
        Some(place) => (decoded(&part[..place]), decoded(&part[place + 1..])),
        None => (decoded(part), Vec::new()),
    });
    pairs.collect()
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |place: usize| text.get(place).and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::new();
    let mut place = 0;
    while place < text.len() {
        match (text[place], digit(place + 1), digit(place + 2)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                place += 2;
            }
            (b'+', ..) => bytes.push(b' '),
            (byte, ..) => bytes.push(byte),
        }
        place += 1;
    }
    bytes
}

/// The query, signed as Front Payment would sign it; an existing checksum is replaced.
pub fn signed(query: &str, key: &str) -> String {
    let parts = query.split('&').filter(|part| !part.is_empty());
    let is_checksum = |part: &&str| parameters(part.as_bytes()).iter().any(|(name, _)| name == b"checksum");
    let bare = parts.filter(|part| !is_checksum(part)).collect::<Vec<_>>().join("&");
    let mut digest = Sha256::new();
    parameters(bare.as_bytes()).iter().for_each(|(_, value)| digest.update(value));
    let checksum: String = digest.chain_update(key).finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{bare}&checksum={checksum}")
}

/// The values of a query that has each documented name once, no other name, and a valid form for every value.
pub struct Said {
    pub order_uuid: String,
    /// In capitals, with underscores, and RESEVRED corrected to RESERVED.
    pub word: String,
    pub amount: String,
    pub payment_method: String,
}

/// Whether a query has the checksum that Front Payment would give it.
pub fn is_signed(query: &str, key: &str) -> bool {
    let checksum = |query: &str| parameters(query.as_bytes()).into_iter().find(|(name, _)| name == b"checksum");
    checksum(query) == checksum(&signed(query, key))
}

/// Reads a query by the rules of docs/api.md.
pub fn said(query: &str) -> Option<Said> {
    let parameters = parameters(query.as_bytes());
    let value = |name: &str| {
        let mut values = parameters.iter().filter(|(known, _)| known == name.as_bytes()).map(|(_, value)| value);
        let value = values.next().filter(|_| values.next().is_none())?;
        String::from_utf8(value.clone()).ok()
    };
    value("checksum")?;
    if parameters.len() != NAMES.len() + 1 {
        return None;
    }
    let [order_uuid, status, method, amount, created_at, timestamp] = NAMES.map(value);
    let (status, amount) = (status?, amount?);
    let is_word = |c: char| matches!(c, 'A'..='Z' | 'a'..='z' | ' ' | '_' | '-');
    let is_seconds = |text: &String| matches!(text.len(), 1..=13) && text.chars().all(|c| c.is_ascii_digit());
    let shapes = is_provider_id(order_uuid.as_deref()?)
        && matches!(status.len(), 1..=40)
        && status.chars().all(is_word)
        && method.as_ref().is_some_and(|method| method.chars().count() <= 64 && !method.chars().any(char::is_control))
        && is_plain_decimal(&amount)
        && significant_digits(&amount) <= 28
        && amount.len() <= 2_048
        && is_seconds(&created_at?)
        && is_seconds(&timestamp?);
    let trimmed = status.trim_matches(' ');
    let word = if trimmed.is_empty() { &status } else { trimmed }.to_uppercase().replace(' ', "_");
    let word = if word == "RESEVRED" { "RESERVED".to_owned() } else { word };
    shapes.then_some(Said { order_uuid: order_uuid?, word, amount, payment_method: method? })
}
