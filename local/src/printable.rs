//! Makes foreign texts safe for a terminal.

/// Escapes control characters: a line break would look like a line of its own, and an escape sequence could change what the
/// terminal shows. Also escapes characters that change the direction of writing.
pub(super) fn printable(text: &str) -> String {
    let is_harmful =
        |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let escaped = |c: char| if is_harmful(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

/// Like [`printable`], with a limited length.
pub(super) fn excerpt(text: &str) -> String {
    const MAX: usize = 500;
    let shown: String = text.chars().take(MAX).collect();
    printable(&shown) + if shown.len() < text.len() { "…" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_rewrites_the_terminal() {
        assert_eq!(printable("1001\n12:00:00 POST /orders 201"), r"1001\n12:00:00 POST /orders 201");
        assert_eq!(printable("\u{1b}[2J\u{9b}1m\u{202e}a"), r"\u{1b}[2J\u{9b}1m\u{202e}a");
        assert_eq!(printable("Tromsø → 3 '\\' 😀"), "Tromsø → 3 '\\' 😀");
        assert_eq!(excerpt(&"å".repeat(501)), "å".repeat(500) + "…");
        assert_eq!(excerpt("{}"), "{}");
    }
}
