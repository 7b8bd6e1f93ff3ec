//! The header `Idempotency-Key`, by docs/api.md.

/// The key, or `None` if the header has no valid one: 1 to 255 visible ASCII characters without a comma. Quotation marks
/// around it do not belong to it.
pub fn key(header: &str) -> Option<&str> {
    let is_quoted = header.len() >= 2 && header.starts_with('"') && header.ends_with('"');
    let key = if is_quoted { &header[1..header.len() - 1] } else { header };
    let is_usable = matches!(key.len(), 1..=255) && key.chars().all(|c| c > ' ' && c <= '~' && c != ',');
    is_usable.then_some(key)
}
