//! The calls about an order as a sequence diagram, and as text for people who cannot see it.

use std::sync::Arc;

use jiff::Timestamp;
use maud::{Markup, html};

use crate::journal::{Entry, Party, Step};

const WIDTH: i32 = 1000;
const TOP: i32 = 44;
const ROW: i32 = 44;
/// The space between a lifeline and the text beside it.
const INDENT: i32 = 14;

pub(super) fn of(entries: &[Arc<Entry>]) -> Markup {
    let mut steps: Vec<(&Entry, Step)> = entries.iter().filter_map(|entry| Some((&**entry, Step::of(entry)?))).collect();
    steps.sort_by_key(|(entry, step)| drawn_at(entry, step));
    if steps.is_empty() {
        return html! { p { "Nothing since the bridge was started. What it stores of the order is below." } };
    }
    html! {
        div.diagram {
            (diagram(&steps))
            details { summary { "As text" } (list(&steps)) }
        }
        // A narrow page has no space for the diagram.
        div.narrow { (list(&steps)) }
    }
}

fn list(steps: &[(&Entry, Step)]) -> Markup {
    html! { ol { @for (entry, step) in steps { li { (text(entry, step)) } } } }
}

fn diagram(steps: &[(&Entry, Step)]) -> Markup {
    let height = TOP + ROW * (i32::try_from(steps.len()).unwrap_or(0) + 1);
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {height}")) role="img" aria-label=(format!("{} steps, listed below as text", steps.len())) {
            marker #head viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse" {
                path d="M0 0 L8 4 L0 8 z" {}
            }
            @for (party, name) in [(Party::Shop, "Shop"), (Party::Bridge, "Bridge"), (Party::FrontPayment, "Front Payment")] {
                text x=(x(party)) y="20" text-anchor="middle" font-weight="bold" { (name) }
                line x1=(x(party)) x2=(x(party)) y1="30" y2=(height) {}
            }
            @for ((entry, step), row) in steps.iter().zip(1..) { (arrow(entry, step, TOP + ROW * row)) }
        }
    }
}

fn arrow(entry: &Entry, step: &Step, y: i32) -> Markup {
    let (from, to) = (x(step.from), x(step.to));
    let class = if step.is_bad { "bad" } else { "good" };
    html! {
        text x="4" y=(y) { (time(entry, step)) }
        @if from == to {
            text x=(from + INDENT) y=(y) { (step.text) }
        } @else {
            text x=((from + to) / 2) y=(y - 6) text-anchor="middle" { (step.text) }
            line.(class) x1=(from) x2=(to) y1=(y) y2=(y) marker-end="url(#head)" {}
        }
    }
}

fn x(party: Party) -> i32 {
    match party {
        Party::Shop => 200,
        Party::Bridge => 520,
        Party::FrontPayment => 840,
    }
}

fn text(entry: &Entry, step: &Step) -> String {
    let name = |party| match party {
        Party::Shop => "shop",
        Party::Bridge => "bridge",
        Party::FrontPayment => "Front Payment",
    };
    let who = if step.from == step.to { name(step.from).to_owned() } else { format!("{} to {}", name(step.from), name(step.to)) };
    format!("{} {who}: {}", time(entry, step), step.text)
}

/// A call is drawn at its beginning, before the calls that it causes. Something that a party did by itself is drawn at its
/// end.
fn drawn_at(entry: &Entry, step: &Step) -> Timestamp {
    if step.from == step.to { entry.at } else { entry.began_at }
}

fn time(entry: &Entry, step: &Step) -> String {
    drawn_at(entry, step).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
