//! The checks of single values.

use email_address::EmailAddress;
use url::Url;

use super::fields::FieldError;
use super::texts;
use crate::order::decimal::{MAX_DIGITS, MAX_LENGTH};
use crate::order::json::Json;
use crate::order::{Code, Decimal, DecimalError};

const MAX_STORED_BYTES: usize = 2_048;

/// The items of an array. Also accepts an object with the member names 0 to n-1, as PHP writes some arrays.
pub(super) fn lines<'d>(value: &'d Json<'d>) -> Result<Vec<&'d Json<'d>>, FieldError> {
    let items = match value {
        Json::Array(items) => Some(items.iter().collect()),
        Json::Object(members) if !members.is_empty() => {
            (0..members.len()).map(|index| members.get(index.to_string().as_str())).collect()
        }
        _ => None,
    };
    items.ok_or_else(|| FieldError::wrong_type(texts::LINES_TYPE, value))
}

pub(super) fn text(value: &Json<'_>) -> Result<String, FieldError> {
    match value {
        Json::String(text) => Ok(text.to_string()),
        other => Err(FieldError::wrong_type("a string", other)),
    }
}

pub(super) fn text_of(value: &Json<'_>, most_chars: usize) -> Result<String, FieldError> {
    let text = text(value)?;
    if text.chars().count() > most_chars {
        return Err(FieldError::new(Code::TooLong, texts::too_long(most_chars, "characters")));
    }
    Ok(text)
}

pub(super) fn stored_text(value: &Json<'_>) -> Result<String, FieldError> {
    let text = text(value)?;
    if text.len() > MAX_STORED_BYTES {
        return Err(FieldError::new(Code::TooLong, texts::too_long(MAX_STORED_BYTES, "bytes")));
    }
    Ok(text)
}

fn formatted(value: &Json<'_>, is_right: impl FnOnce(&str) -> bool, expected: &'static str) -> Result<String, FieldError> {
    let text = text(value)?;
    if is_right(&text) { Ok(text) } else { Err(FieldError::new(Code::InvalidFormat, expected)) }
}

/// Front Payment also accepts 0 and 1, as numbers and as strings.
pub(super) fn boolean(value: &Json<'_>) -> Result<bool, FieldError> {
    let digit = match value {
        Json::Bool(flag) => return Ok(*flag),
        Json::Number(digits) => digits.as_str(),
        Json::String(text) => text.as_ref(),
        _ => "",
    };
    match digit {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(FieldError::wrong_type("a boolean", value)),
    }
}

pub(super) fn number(value: &Json<'_>) -> Result<Decimal, FieldError> {
    let decimal = match value {
        Json::Number(text) => Decimal::parse(text).map(Decimal::unquoted),
        Json::String(text) => Decimal::parse(text),
        other => return Err(FieldError::wrong_type(texts::NUMBER_TYPE, other)),
    };
    decimal.map_err(|error| match error {
        DecimalError::Format => FieldError::new(Code::InvalidFormat, texts::DECIMAL),
        DecimalError::Digits => FieldError::new(Code::OutOfRange, texts::too_long(MAX_DIGITS, "significant digits")),
        DecimalError::Length => FieldError::new(Code::OutOfRange, texts::too_long(MAX_LENGTH, "characters")),
    })
}

pub(super) fn positive(value: &Json<'_>) -> Result<Decimal, FieldError> {
    let number = number(value)?;
    if number.is_positive() { Ok(number) } else { Err(FieldError::new(Code::OutOfRange, texts::POSITIVE)) }
}

pub(super) fn not_negative(value: &Json<'_>) -> Result<Decimal, FieldError> {
    let number = number(value)?;
    if number.is_negative() { Err(FieldError::new(Code::OutOfRange, texts::NOT_NEGATIVE)) } else { Ok(number) }
}

pub(super) fn one_of_numbers(value: &Json<'_>, allowed: &[u8]) -> Result<Decimal, FieldError> {
    let number = number(value)?;
    let is_allowed = allowed.iter().any(|&one| Decimal::from(one) == number);
    if is_allowed { Ok(number) } else { Err(FieldError::new(Code::NotAllowed, texts::one_of(allowed))) }
}

pub(super) fn one_of<T: Copy>(value: &Json<'_>, allowed: &[(&str, T)]) -> Result<T, FieldError> {
    let text = text(value)?;
    allowed.iter().find(|(name, _)| *name == text).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = allowed.iter().map(|(name, _)| *name).collect();
        FieldError::new(Code::NotAllowed, texts::one_of(&names))
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

pub(super) fn unix_seconds(value: &Json<'_>) -> Result<String, FieldError> {
    let seconds = formatted(value, is_digits, texts::DATE)?;
    if seconds.len() > 10 {
        return Err(FieldError::new(Code::OutOfRange, texts::DATE_DIGITS));
    }
    Ok(seconds)
}

pub(super) fn country_code(value: &Json<'_>) -> Result<String, FieldError> {
    let is_right = |text: &str| text.strip_prefix('+').is_some_and(|digits| is_digits(digits) && digits.len() <= 4);
    formatted(value, is_right, texts::COUNTRY_CODE)
}

pub(super) fn msisdn(value: &Json<'_>) -> Result<String, FieldError> {
    formatted(value, |text| is_digits(text) && (4..=15).contains(&text.len()), texts::MSISDN)
}

/// Removes white space around the address, which shops' forms leave there and Front Payment ignores.
pub(super) fn email(value: &Json<'_>) -> Result<String, FieldError> {
    let text = text(value)?;
    let email = text.trim();
    let options = email_address::Options::default().with_required_tld().without_display_text().without_domain_literal();
    match EmailAddress::parse_with_options(email, options) {
        Ok(_) => Ok(email.to_owned()),
        Err(_) => Err(FieldError::new(Code::InvalidFormat, texts::EMAIL)),
    }
}

pub(super) fn personal_number(value: &Json<'_>) -> Result<String, FieldError> {
    formatted(value, |text| text.chars().count() == 11, texts::PERSONAL_NUMBER)
}

pub(super) fn organization_id(value: &Json<'_>) -> Result<String, FieldError> {
    formatted(value, |text| text.bytes().all(|byte| byte.is_ascii_alphanumeric()), texts::ORGANIZATION_ID)
}

pub(super) fn country(value: &Json<'_>) -> Result<String, FieldError> {
    let is_right = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
    let code = formatted(value, is_right, texts::COUNTRY)?;
    if rust_iso3166::from_alpha2(&code).is_none() {
        return Err(FieldError::new(Code::NotAllowed, texts::COUNTRY));
    }
    Ok(code)
}

pub(super) fn url(value: &Json<'_>) -> Result<String, FieldError> {
    let text = stored_text(value)?;
    if is_absolute_url(&text) { Ok(text) } else { Err(FieldError::new(Code::InvalidFormat, texts::URL)) }
}

/// Refuses a URL that `Url` would repair, for example by dropping tabs or adding slashes.
fn is_absolute_url(text: &str) -> bool {
    let after_scheme = ["http://", "https://"].iter().find_map(|scheme| {
        let (head, rest) = text.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    });
    after_scheme.is_some_and(|rest| !rest.starts_with(['/', '\\', '?', '#']))
        && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        && Url::parse(text).is_ok_and(|url| url.has_host())
}
