//! What PHP's `$_GET` contains for a query.
//!
//! Sources: the PHP manual ("Variables From External Sources", `parse_str`, `urldecode`, `max_input_vars`), and
//! `php_default_treat_data` and `php_register_variable_ex` in PHP's `main/php_variables.c`. `tests/interop` compares this with
//! a PHP interpreter. PHP, with its default settings:
//!
//! - splits at `&` alone; nothing between two of them is no parameter;
//! - splits at the first `=`; without one, the value is empty;
//! - decodes `+` to a space, and `%` with two hex digits to a byte; any other `%` stays;
//! - ends a name at its first zero byte, drops leading spaces, and makes `_` of each other space and each dot;
//! - skips a parameter whose name is then empty, or begins with `__Host-` or `__Secure-` and did not before;
//! - makes an array of a name with `[`;
//! - keeps a repeated name at its first place, with its last value;
//! - reads no parameter after the thousandth; those that it skips count too.
//!
//! PHP would end the query at a raw zero byte, but a URL cannot contain one.

use percent_encoding::percent_decode_str;

/// The default of PHP's `max_input_vars`.
pub const MAX_PARAMETERS: usize = 1_000;

/// Cookie prefixes with a meaning of their own. PHP changes characters of a name, but not into one of these prefixes.
const COOKIE_PREFIXES: [&[u8]; 2] = [b"__Host-", b"__Secure-"];

/// An entry of `$_GET`. Name and value need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: Vec<u8>,
    pub value: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadError {
    /// A name contains `[`. For some of these (`a[`), PHP makes no array, but no shop relies on that.
    Array,
    /// More parameters than the limit.
    TooMany,
}

/// The entries of `$_GET`, in its sequence.
///
/// # Errors
/// [`ReadError`] if `$_GET` would not be a flat list of all parameters.
pub fn read(raw_query: &str, limit: usize) -> Result<Vec<Parameter>, ReadError> {
    let mut entries: Vec<Parameter> = Vec::new();
    for (count, parameter) in raw_query.split('&').filter(|parameter| !parameter.is_empty()).enumerate() {
        if count >= limit {
            return Err(ReadError::TooMany);
        }
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let (name, value) = (decode(name), decode(value));
        if name.contains(&b'[') {
            return Err(ReadError::Array);
        }
        let Some(name) = variable_name(&name) else { continue };
        match entries.iter_mut().find(|entry| entry.name == name) {
            Some(entry) => entry.value = value,
            None => entries.push(Parameter { name, value }),
        }
    }
    Ok(entries)
}

fn decode(text: &str) -> Vec<u8> {
    percent_decode_str(&text.replace('+', " ")).collect()
}

/// `None` if PHP skips the parameter.
fn variable_name(decoded: &[u8]) -> Option<Vec<u8>> {
    let sent: Vec<u8> = decoded.iter().copied().take_while(|byte| *byte != 0).skip_while(|byte| *byte == b' ').collect();
    let name: Vec<u8> = sent.iter().map(|byte| if matches!(byte, b' ' | b'.') { b'_' } else { *byte }).collect();
    let creates = |prefix: &[u8]| name.starts_with(prefix) && !sent.starts_with(prefix);
    if name.is_empty() || COOKIE_PREFIXES.into_iter().any(creates) { None } else { Some(name) }
}

#[cfg(test)]
mod tests;
