//! What all pages have in common: navigation, the clock, style, and events that reload them.

mod table;

pub use table::table;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use futures_util::{Stream, stream};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, StatusCode};
use jiff::{SignedDuration, Timestamp};
use maud::{DOCTYPE, Markup, html};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::clock::MovableClock;

const STYLE: &str = concat!(include_str!("simple.min.css"), "\n", include_str!("own.css"));
const SCRIPT: &str = include_str!("live.js");
/// How far the buttons move the clock.
const STEPS: [(&str, &str); 4] = [("1m", "a minute"), ("1h", "an hour"), ("1d", "a day"), ("30d", "30 days")];
const DAY_SECONDS: i64 = 86_400;

/// A page loads nothing from other sites, runs no foreign script, and is shown in no frame.
const SECURITY: [(HeaderName, &str); 4] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'",
    ),
    (REFERRER_POLICY, "same-origin"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CACHE_CONTROL, "no-store"),
];

/// What the pages of a running `local` have in common.
pub struct Frame {
    /// The server's base URL, for example `http://127.0.0.1:3000`.
    pub base: String,
    /// Whether a bridge runs here, and not the sandbox alone.
    pub has_bridge: bool,
    pub clock: Arc<MovableClock>,
    news: broadcast::Sender<()>,
}

impl Frame {
    #[must_use]
    pub fn new(base: String, has_bridge: bool, clock: Arc<MovableClock>) -> Self {
        Self { base, has_bridge, clock, news: broadcast::channel(64).0 }
    }

    /// Tells open pages to reload.
    pub fn announce(&self) {
        // Fails only if no page is open.
        drop(self.news.send(()));
    }

    /// A page that does not reload by itself. `at` is its place in the navigation.
    pub fn page(&self, at: &str, title: &str, content: &Markup) -> Response {
        self.framed(at, title, &html! { (self.banner()) h1 { (title) } (content) })
    }

    /// A page whose content reloads when something happens. The part `fixed`, above the content, does not reload.
    pub fn live_page(&self, at: &str, title: &str, fixed: &Markup, content: &Markup) -> Response {
        let main = html! {
            div data-live { (self.banner()) }
            h1 { (title) }
            (fixed)
            div data-live { (content) }
            script src="/front-payment/live.js" {}
        };
        self.framed(at, title, &main)
    }

    /// A page that says what is wrong.
    pub fn error(&self, status: StatusCode, title: &str, text: &str) -> Response {
        let mut reply = self.page("", title, &html! { p { (text) } });
        *reply.status_mut() = status;
        reply
    }

    /// The page for an address that does not exist.
    pub fn not_found(&self) -> Response {
        self.error(
            StatusCode::NOT_FOUND,
            "Page not found",
            "There is no page at this address. The links above lead to all pages.",
        )
    }

    /// The page after a failure of the database.
    pub fn broken(&self, error: &front_payment_bridge::store::StoreError) -> Response {
        tracing::error!(error = %error, "the embedded database failed");
        let text = "The embedded database failed. The terminal says why. Try again.";
        self.error(StatusCode::INTERNAL_SERVER_ERROR, "The database failed", text)
    }

    /// A page for customers, without the tools for engineers.
    pub fn customer_page(&self, title: &str, content: &Markup) -> Response {
        whole(title, &html! { main #content.customer { h1 { (title) } (content) } })
    }

    fn framed(&self, at: &str, title: &str, main: &Markup) -> Response {
        let current = |path: &str, name: &str| (path == at).then_some(if name == title { "page" } else { "true" });
        whole(
            title,
            &html! {
                a.skip href="#content" { "To the content" }
                header {
                    nav aria-label="Pages" {
                        @for (path, name) in self.pages() { a href=(path) aria-current=[current(path, name)] { (name) } }
                    }
                    details.clock {
                        summary { "Clock" }
                        form method="post" action="/front-payment/clock" {
                            p { "Move it forward by" }
                            @for (step, name) in STEPS { button.secondary name="forward" value=(step) { (name) } }
                        }
                    }
                }
                main #content { (main) }
            },
        )
    }

    fn pages(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let of_sandbox = [("/front-payment/portal", "Portal"), ("/front-payment/shop", "Shop")];
        let of_bridge = [
            ("/console", "Try an order"),
            ("/console/orders", "Orders"),
            ("/console/operator", "Operator"),
            ("/console/explain", "Explain"),
            ("/console/api", "API"),
        ];
        of_bridge.into_iter().filter(|_| self.has_bridge).chain(of_sandbox)
    }

    /// Says what it means that the clock was moved.
    fn banner(&self) -> Markup {
        let Some(ahead) = ahead(self.clock.ahead()) else { return html! {} };
        html! {
            div.banner role="status" {
                p {
                    strong { "The clock is " (ahead) " ahead." }
                    " Everything stored before is that much older. New orders, and what shops are told, have the real time."
                }
                form method="post" action="/front-payment/clock" {
                    button.secondary name="reset" value="true" { "Reset the clock" }
                }
            }
        }
    }
}

fn whole(title: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Front Payment bridge" }
                link rel="stylesheet" href="/front-payment/style.css";
                link rel="icon" href="data:,";
            }
            body { (body) }
        }
    };
    (SECURITY, Html(page.into_string())).into_response()
}

/// A time in the form that all pages use, in UTC.
pub fn time(at: Timestamp) -> Markup {
    html! { time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M:%S")) } }
}

/// A status in a colour that shows what it means for the shop.
pub fn badge(status: &str) -> Markup {
    let tone = match status.to_ascii_uppercase().replace(' ', "_").as_str() {
        "RESERVED" | "RESEVRED" | "INVOICED" | "CHARGED" | "CAPTURED" | "PAID" | "DELIVERED" => "good",
        "SENT" | "SUBMITTING" | "PURRING" | "INKASSO" | "REFUND_PENDING" | "PENDING" => "open",
        "UNKNOWN" | "FAILED" | "REJECTED" => "bad",
        _ => "over",
    };
    html! { span class=(format!("badge {tone}")) { (status) } }
}

/// How far the clock was moved; `None` if it was not.
fn ahead(ahead: SignedDuration) -> Option<String> {
    let seconds = ahead.as_secs();
    match (seconds / DAY_SECONDS, seconds % DAY_SECONDS) {
        (0, 0) => None,
        (0, rest) => Some(format!("{:#}", SignedDuration::from_secs(rest))),
        (1, 0) => Some("1 day".to_owned()),
        (days, 0) => Some(format!("{days} days")),
        (days, rest) => Some(format!("{days}d {:#}", SignedDuration::from_secs(rest))),
    }
}

/// The style, the script, and the events that open pages wait for.
pub fn routes(frame: Arc<Frame>) -> Router {
    let file = |media_type: &'static str, text: &'static str| get(move || async move { ([(CONTENT_TYPE, media_type)], text) });
    Router::new()
        .route("/front-payment/style.css", file("text/css; charset=utf-8", STYLE))
        .route("/front-payment/live.js", file("text/javascript; charset=utf-8", SCRIPT))
        .route("/front-payment/events", get(events))
        .with_state(frame)
}

async fn events(State(frame): State<Arc<Frame>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = stream::unfold(frame.news.subscribe(), async |mut news| match news.recv().await {
        // A page that has missed events must reload, too.
        Ok(()) | Err(RecvError::Lagged(_)) => Some((Ok(Event::default().data("changed")), news)),
        Err(RecvError::Closed) => None,
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
