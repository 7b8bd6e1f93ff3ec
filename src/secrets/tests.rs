use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use super::*;

/// A source with a scripted text. It counts how often it is fetched.
#[derive(Clone, Default)]
struct Scripted {
    text: Arc<std::sync::Mutex<Option<String>>>,
    asked: Arc<AtomicUsize>,
}

impl SecretSource for Scripted {
    fn fetch(&self) -> SecretFetch<'_> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let text = self.text.lock().unwrap().clone();
        Box::pin(async move { text.ok_or_else(|| "not to be had".to_owned()) })
    }
}

struct Bench {
    source: Scripted,
    seconds: Arc<AtomicI64>,
    secrets: SecretCache,
}

impl Bench {
    fn new() -> Self {
        let source = Scripted::default();
        let seconds = Arc::new(AtomicI64::new(1_000));
        let time = seconds.clone();
        let clock = Clock::new(move || Timestamp::from_second(time.load(Ordering::SeqCst)).unwrap());
        Self { secrets: SecretCache::new(source.clone(), clock), source, seconds }
    }

    fn holds(&self, token: &str) {
        *self.source.text.lock().unwrap() = Some(format!(r#"{{"token":"{token}","callbackSecret":"s","shops":{{}}}}"#));
    }

    fn holds_text(&self, text: Option<&str>) {
        *self.source.text.lock().unwrap() = text.map(str::to_owned);
    }

    fn pass(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, Ordering::SeqCst);
    }

    fn asked(&self) -> usize {
        self.source.asked.load(Ordering::SeqCst)
    }

    async fn token(&self) -> Option<String> {
        self.secrets.get().await.ok().map(|secret| secret.token.expose().to_owned())
    }

    async fn refreshed(&self) -> Option<String> {
        let seen = self.secrets.get().await.unwrap();
        self.secrets.newer_than(&seen).await.map(|secret| secret.token.expose().to_owned())
    }
}

#[tokio::test]
async fn it_is_cached_for_five_minutes() {
    let bench = Bench::new();
    bench.holds("one");
    bench.secrets.prefetch().await;
    bench.holds("two");
    bench.pass(300);
    assert_eq!(bench.token().await.as_deref(), Some("one"));
    assert_eq!(bench.asked(), 1);
    bench.pass(1);
    assert_eq!(bench.token().await.as_deref(), Some("two"));
    assert_eq!(bench.asked(), 2);
}

#[tokio::test]
async fn a_good_one_stays_in_use_while_a_newer_one_cannot_be_used() {
    let bench = Bench::new();
    bench.holds("one");
    bench.secrets.prefetch().await;
    for bad in [None, Some("{}"), Some("no json")] {
        bench.holds_text(bad);
        bench.pass(301);
        assert_eq!(bench.token().await.as_deref(), Some("one"));
        let asked = bench.asked();
        bench.pass(29);
        assert_eq!(bench.token().await.as_deref(), Some("one"));
        assert_eq!(bench.asked(), asked, "and is not asked for again at every request");
    }
    bench.holds("two");
    bench.pass(30);
    assert_eq!(bench.token().await.as_deref(), Some("two"));
}

#[tokio::test]
async fn where_there_is_none_it_is_asked_for_at_most_once_in_five_seconds() {
    let bench = Bench::new();
    bench.secrets.prefetch().await;
    assert_eq!(bench.token().await, None);
    assert_eq!(bench.token().await, None);
    assert_eq!(bench.asked(), 1, "init's");
    bench.holds_text(Some("{}"));
    bench.pass(4);
    assert_eq!(bench.token().await, None);
    assert_eq!(bench.asked(), 1);
    bench.pass(1);
    assert_eq!(bench.token().await, None);
    assert_eq!(bench.asked(), 2);
    bench.holds("one");
    bench.pass(5);
    assert_eq!(bench.token().await.as_deref(), Some("one"));
    bench.holds("two");
    assert_eq!(bench.refreshed().await, None, "of all fetches init's alone does not count");
}

#[tokio::test]
async fn a_refresh_is_made_once_in_thirty_seconds_and_inits_fetch_does_not_count() {
    let bench = Bench::new();
    bench.holds("one");
    bench.secrets.prefetch().await;
    assert_eq!(bench.refreshed().await, None, "asked, and the same");
    assert_eq!(bench.asked(), 2);
    bench.holds("two");
    bench.pass(29);
    assert_eq!(bench.refreshed().await, None);
    assert_eq!(bench.asked(), 2);
    bench.pass(1);
    assert_eq!(bench.refreshed().await.as_deref(), Some("two"));
    assert_eq!(bench.asked(), 3);
    bench.holds("three");
    bench.pass(30);
    let seen = bench.secrets.get().await.unwrap();
    let (first, second) = tokio::join!(bench.secrets.newer_than(&seen), bench.secrets.newer_than(&seen));
    assert!(first.is_some() && second.is_some(), "who waited for the fetch has its result");
    assert_eq!(bench.asked(), 4);
}

#[derive(Clone, Default)]
struct Captured(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_log_names_unknown_and_repeated_members() {
    crate::telemetry::tests::every_thread_has_a_log();
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let log = || String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();

    let bench = Bench::new();
    let shops = r#"{"a": {"apiKeySha256": [], "notify": {"keys": ["key-of-24-characters-000"], "host": ["shop.example"]}}}"#;
    bench.holds_text(Some(&format!(r#"{{"token": "one", "callbackSecret": "s", "shops": {shops}}}"#)));
    bench.secrets.prefetch().await;
    bench.pass(301);
    assert_eq!(bench.token().await.as_deref(), Some("one"), "it is used all the same");
    assert_eq!(bench.asked(), 2);
    assert_eq!(log().matches("shops.a.notify.host").count(), 1, "once, not at each fetch: {}", log());
    assert!(!log().contains("shop.example") && !log().contains("key-of-24"), "{}", log());

    bench.holds_text(Some(r#"{"token": "v4lue", "token": "v4lue", "callbackSecret": "s", "shops": {}}"#));
    bench.pass(301);
    assert_eq!(bench.token().await.as_deref(), Some("one"));
    assert!(log().contains("token is repeated at line 1") && !log().contains("v4lue"), "{}", log());
}
