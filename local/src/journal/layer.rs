//! Adds log lines to the journal.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use uuid::Uuid;

use super::{Entry, Journal};

/// The fields of a span or of an event.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

/// When a span was made.
struct Made(Timestamp);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Journal {
    /// A layer that adds every log line to this journal.
    pub fn layer<S: Subscriber + for<'s> LookupSpan<'s>>(self: &Arc<Self>) -> impl Layer<S> {
        JournalLayer(self.clone())
    }
}

struct JournalLayer(Arc<Journal>);

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for JournalLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
        span.extensions_mut().insert(Made(Timestamp::now()));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<Fields>() {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = BTreeMap::new();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(Fields(of_span)) = span.extensions().get::<Fields>() {
                fields.extend(of_span.clone());
            }
        }
        let mut own = Fields::default();
        event.record(&mut own);
        fields.extend(own.0);
        let at = Timestamp::now();
        let made_at = context.event_span(event).and_then(|span| span.extensions().get::<Made>().map(|made| made.0));
        // Only the last line of a call has `totalMs`, so this line is about the whole call, which began when its span was
        // made.
        let began_at = made_at.filter(|_| fields.contains_key("totalMs")).unwrap_or(at);
        let message = fields.remove("message").unwrap_or_default();
        let order_id = fields.remove("orderId").and_then(|id| Uuid::parse_str(&id).ok());
        self.0.add(Entry { at, began_at, level: *event.metadata().level(), message, order_id, fields });
    }
}
