//! Text that no log may show.

use std::fmt;

use subtle::ConstantTimeEq;

/// `Debug` does not show it. Comparing takes the same time for all texts of one length.
#[derive(Clone)]
pub struct Redacted(Box<str>);

impl Redacted {
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// For the one place that needs the text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for Redacted {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Redacted {}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
