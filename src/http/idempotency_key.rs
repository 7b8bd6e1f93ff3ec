//! Reads the header `Idempotency-Key`.

use super::Event;

/// A sentence for errors: what a key must be.
pub(super) const EXPECTED: &str =
    "the header Idempotency-Key must be 1 to 255 visible ASCII characters without a comma, sent once";
const MAX_LENGTH: usize = 255;

/// The header does not have a usable key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadKey;

/// The key of a request, without the quotation marks of the header's draft standard. A header that was sent twice arrives as
/// one value, joined by a comma. Such a value is refused: if one of the two were used, a retry that sends the header once
/// could be another order.
pub(super) fn read(event: &Event) -> Result<Option<&str>, BadKey> {
    event.header("idempotency-key").map(parse).transpose()
}

fn parse(header: &str) -> Result<&str, BadKey> {
    let key = header.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(header);
    let is_usable = (1..=MAX_LENGTH).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
    if is_usable { Ok(key) } else { Err(BadKey) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idempotency_keys() {
        let (longest, quoted) = ("~".repeat(255), format!("\"{}\"", "~".repeat(255)));
        for (header, key) in [("!", "!"), ("k", "k"), ("\"k\"", "k"), ("k\"", "k\""), (&longest, &longest), (&quoted, &longest)] {
            assert_eq!(parse(header), Ok(key), "{header:?}");
        }
        for header in ["", "\"\"", &"a".repeat(256), "a b", "a\t", "æ", "a\u{7f}", "a\0", "k,k", "k, k", ",", "\"k\",\"k\""] {
            assert_eq!(parse(header), Err(BadKey), "{header:?}");
        }
    }
}
