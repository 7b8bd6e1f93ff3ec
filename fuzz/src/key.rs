//! The header `Idempotency-Key`, by the contract.

/// The key, or nothing where the header is none: 1 to 255 visible ASCII characters, no comma, quotation marks around it aside.
pub fn key(header: &str) -> Option<&str> {
    let is_quoted = header.len() >= 2 && header.starts_with('"') && header.ends_with('"');
    let key = if is_quoted { &header[1..header.len() - 1] } else { header };
    let is_usable = matches!(key.len(), 1..=255) && key.chars().all(|c| c > ' ' && c <= '~' && c != ',');
    is_usable.then_some(key)
}
