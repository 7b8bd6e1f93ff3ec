//! `cargo run -- check-secret`: whether the bridge can use a file as its secret.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use front_payment_bridge::secrets::{Notify, NotifyFormat, Secret, SecretError};

#[derive(Debug, thiserror::Error)]
pub enum CheckSecretError {
    #[error("cannot read {}", .0.display())]
    File(PathBuf, #[source] io::Error),
    #[error(transparent)]
    Secret(#[from] SecretError),
}

/// Says what the secret in a file configures, without keys and hashes. `-` reads standard input.
///
/// # Errors
/// [`CheckSecretError`] says which field is unusable, and what is expected there.
pub(super) fn run(file: &Path) -> Result<String, CheckSecretError> {
    Ok(summary(&read(file)?))
}

pub(super) fn read(file: &Path) -> Result<Secret, CheckSecretError> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| CheckSecretError::File(file.to_owned(), error))?;
    Ok(Secret::parse(&text)?)
}

fn summary(secret: &Secret) -> String {
    let shops = secret.shops().map(|(shop_id, api_keys)| {
        let notify = secret.notify_of(shop_id).map_or_else(|| "not notified".to_owned(), summary_of_notify);
        format!("{shop_id}: {}, {notify}", count(api_keys, "API key"))
    });
    let unknown = secret.unknown_members().iter().map(|member| format!("unknown member, which has no effect: {member}"));
    std::iter::once("ok".to_owned()).chain(shops).chain(unknown).collect::<Vec<_>>().join("\n")
}

fn summary_of_notify(notify: &Notify) -> String {
    let format = match notify.format {
        NotifyFormat::FrontPayment => "front-payment",
        NotifyFormat::StandardWebhooks => "standard-webhooks",
    };
    let hosts = notify.hosts.as_ref().map(|hosts| format!(", at these hosts only: {}", hosts.join(" ")));
    format!("notified as {format} with {}{}", count(notify.keys.len(), "key"), hosts.unwrap_or_default())
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use front_payment_bridge::telemetry;

    /// The result as `telemetry::exit_code` would print it.
    fn check(text: &[u8]) -> Result<String, String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text).unwrap();
        run(file.path()).map_err(|error| telemetry::error_chain(&error))
    }

    #[test]
    fn a_usable_secret_is_summed_up_without_a_key_or_a_hash() {
        let hash = |digit: &str| format!("\"{}\"", digit.repeat(64));
        let secret = format!(
            r#"{{"token": "t0ken", "callbackSecret": "s3cret", "shops": {{
                "b": {{"apiKeySha256": [{}, {}], "notify": {{"keys": ["whsec_{}"], "format": "standard-webhooks"}}}},
                "a.no": {{"apiKeySha256": [{}]}},
                "c": {{"apiKeySha256": [], "notify": {{"keys": ["{}", "{}"], "hosts": ["Shop.Example", "other.example"]}}}}
            }}}}"#,
            hash("1"),
            hash("2"),
            "A".repeat(32),
            hash("3"),
            "k".repeat(24),
            "l".repeat(24)
        );
        let expected = "ok\n\
            a.no: 1 API key, not notified\n\
            b: 2 API keys, notified as standard-webhooks with 1 key\n\
            c: 0 API keys, notified as front-payment with 2 keys, at these hosts only: shop.example other.example";
        assert_eq!(check(secret.as_bytes()).as_deref(), Ok(expected));
        assert_eq!(check(br#"{"token": "t", "callbackSecret": "s", "shops": {}}"#).as_deref(), Ok("ok"));
    }

    #[test]
    fn unknown_members_are_named() {
        let shops = r#"{"a": {"apiKeySha256": [], "notify": {"keys": ["key-of-24-characters-000"], "host": ["shop.example"]}}}"#;
        let secret = format!(r#"{{"token": "t", "callbackSecret": "s", "shops": {shops}}}"#);
        let expected = "ok\n\
            a: 0 API keys, notified as front-payment with 1 key\n\
            unknown member, which has no effect: shops.a.notify.host";
        assert_eq!(check(secret.as_bytes()).as_deref(), Ok(expected));
    }

    #[test]
    fn an_unusable_one_is_named_and_not_quoted() {
        let error = |text: &[u8]| check(text).unwrap_err();
        assert_eq!(error(b"{}"), "the secret's token: expected a string of visible ASCII characters");
        assert_eq!(error(b"{\"token\": s3cret}"), "the secret's document: expected a JSON object; line 1, column 11 is not JSON");
        let twice = error(br#"{"token": "t", "token": "t"}"#);
        assert_eq!(twice, "the secret's document: expected no member name twice in an object; token is repeated at line 1");
        assert!(error(b"\xff").contains("cannot read /"));
        let missing = run(Path::new("/no/such/secret.json")).map_err(|error| telemetry::error_chain(&error));
        assert!(missing.unwrap_err().starts_with("cannot read /no/such/secret.json: No such file"));
    }
}
