//! What every page has: navigation, the clock, style, and events that reload it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use futures_util::{Stream, stream};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use jiff::SignedDuration;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::clock::MovableClock;

const STYLE: &str = concat!(include_str!("simple.min.css"), "\n", include_str!("own.css"));
const SCRIPT: &str = include_str!("live.js");
/// How far the buttons move the clock.
const STEPS: [(&str, &str); 4] = [("1m", "a minute"), ("1h", "an hour"), ("1d", "a day"), ("30d", "30 days")];
const DAY_SECONDS: i64 = 86_400;

/// What the pages of a running `local` have in common.
pub struct Frame {
    /// Of the server, for example `http://127.0.0.1:3000`.
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
        // Fails when no page is open.
        drop(self.news.send(()));
    }

    /// A whole page. A live page reloads when something happens.
    pub fn page(&self, title: &str, is_live: bool, content: &Markup) -> Response {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width,initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) " · Front Payment bridge" }
                    link rel="stylesheet" href="/front-payment/style.css";
                }
                body {
                    a.skip href="#content" { "To the content" }
                    header {
                        nav aria-label="Pages" {
                            @for (path, name) in self.pages() { a href=(path) { (name) } " " }
                        }
                        h1 { (title) }
                        (self.clock_bar())
                    }
                    main #content data-live[is_live] { (content) }
                    @if is_live { script data-events="/front-payment/events" { (PreEscaped(SCRIPT)) } }
                }
            }
        };
        Html(page.into_string()).into_response()
    }

    /// A page that says what is wrong.
    pub fn error(&self, status: StatusCode, title: &str, text: &str) -> Response {
        let mut reply = self.page(title, false, &html! { p { (text) } });
        *reply.status_mut() = status;
        reply
    }

    fn pages(&self) -> Vec<(&'static str, &'static str)> {
        let of_sandbox = [("/front-payment/portal", "Front Payment's portal"), ("/front-payment/shop", "The shop")];
        let of_bridge = [
            ("/console", "Try an order"),
            ("/console/orders", "Orders"),
            ("/console/explain", "Explain a call"),
            ("/console/api", "The API"),
        ];
        of_bridge.into_iter().filter(|_| self.has_bridge).chain(of_sandbox).collect()
    }

    fn clock_bar(&self) -> Markup {
        html! {
            div.clock {
                form method="post" action="/front-payment/clock" {
                    "Clock: " time { (self.clock.now().strftime("%Y-%m-%d %H:%M:%S")) } " UTC"
                    @if let Some(ahead) = ahead(self.clock.ahead()) { ", " (ahead) " ahead" }
                    ". Move it forward by "
                    @for (step, name) in STEPS { button name="forward" value=(step) { (name) } }
                }
            }
        }
    }
}

/// `None` if the clock was not moved.
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

/// The style, and the events that open pages wait for.
pub fn routes(frame: Arc<Frame>) -> Router {
    let style = || async { ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) };
    Router::new().route("/front-payment/style.css", get(style)).route("/front-payment/events", get(events)).with_state(frame)
}

async fn events(State(frame): State<Arc<Frame>>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events = stream::unfold(frame.news.subscribe(), async |mut news| match news.recv().await {
        // A page that missed events reloads, too.
        Ok(()) | Err(RecvError::Lagged(_)) => Some((Ok(Event::default().data("changed")), news)),
        Err(RecvError::Closed) => None,
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
