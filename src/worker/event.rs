//! The events that wake the worker.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::operator::{Command, Note};

/// The names of the operator's events.
const OPERATOR: [&str; 4] = ["backfill", "waiting", "settle", "tell"];
/// The most characters of `by` and `reason`.
const MAX_NOTE_CHARS: usize = 200;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The table's stream: these orders changed.
    Stream(Vec<Uuid>),
    /// `{}`, or the schedule's event.
    Sweep,
    /// `{"backfill": true}`. With `"after": "<orderId>"`, it continues where the last one ended.
    Backfill {
        after: Option<Uuid>,
        note: Note,
    },
    Operator(Command, Note),
}

impl Event {
    /// # Errors
    /// What is wrong with the event, as a sentence without a full stop.
    pub(super) fn read(json: &str) -> Result<Self, String> {
        let Ok(Value::Object(mut event)) = serde_json::from_str(json) else {
            return Err("the event is not a JSON object".to_owned());
        };
        if let Some(Value::Array(records)) = event.get("Records") {
            return Ok(Self::Stream(order_ids(records)));
        }
        let names: Vec<&str> = OPERATOR.into_iter().filter(|name| event.contains_key(*name)).collect();
        match names.as_slice() {
            [] if event.is_empty() || event.contains_key("source") => Ok(Self::Sweep),
            [] => Err(format!("the event has none of {}", OPERATOR.join(", "))),
            [name] => operator_event(name, &mut event),
            _ => Err(format!("the event has more than one of {}", names.join(", "))),
        }
    }
}

fn operator_event(name: &str, event: &mut Map<String, Value>) -> Result<Event, String> {
    let value = event.remove(name).unwrap_or_default();
    let note = Note { event: name.to_owned(), by: text(event, "by")?, reason: text(event, "reason")? };
    event.remove("source");
    let after = if name == "backfill" { event.remove("after") } else { None };
    if let Some(unknown) = event.keys().next() {
        return Err(format!("beside {name} there is {unknown}, which this event does not have"));
    }
    match name {
        "backfill" if value == Value::Bool(true) => {
            let after = after.map(|after| read(after, "after is the orderId that an earlier answer names")).transpose()?;
            Ok(Event::Backfill { after, note })
        }
        "backfill" => Err("backfill is true, or left out".to_owned()),
        "waiting" => Ok(Event::Operator(Command::Waiting(read(value, "waiting is {}, or has after")?), note)),
        "settle" => {
            let expected = "settle has orderId, and orderUuid with referenceNo (and instead), or created with false";
            Ok(Event::Operator(Command::Settle(read(value, expected)?), note))
        }
        _ => Ok(Event::Operator(Command::Tell(read(value, "tell has shopId and since (RFC 3339), and may have after")?), note)),
    }
}

fn read<T: DeserializeOwned>(value: Value, expected: &str) -> Result<T, String> {
    serde_json::from_value(value).map_err(|_| expected.to_owned())
}

fn text(event: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match event.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() <= MAX_NOTE_CHARS => Ok(Some(text)),
        Some(_) => Err(format!("{name} is a text of at most {MAX_NOTE_CHARS} characters")),
    }
}

/// Each id once, because a batch may have several changes of an order. Skips records without an order.
fn order_ids(records: &[Value]) -> Vec<Uuid> {
    let id = |record: &Value| Uuid::parse_str(record.pointer("/dynamodb/Keys/orderId/S")?.as_str()?).ok();
    let mut ids: Vec<Uuid> = records.iter().filter_map(id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "0198c2f0-7e4a-7000-8000-000000000001";
    const TWO: &str = "0198c2f0-7e4a-7000-8000-000000000002";

    fn id(text: &str) -> Uuid {
        text.parse().unwrap()
    }

    #[test]
    fn an_event_of_the_stream_names_orders() {
        let record = |id: &str| format!(r#"{{"eventName":"MODIFY","dynamodb":{{"Keys":{{"orderId":{{"S":"{id}"}}}}}}}}"#);
        let records = [record(TWO), record(ONE), record(TWO), record("x"), "{}".to_owned(), "5".to_owned(), "null".to_owned()];
        let stream = format!(r#"{{"Records":[{}]}}"#, records.join(","));
        assert_eq!(Event::read(&stream), Ok(Event::Stream(vec![id(ONE), id(TWO)])));
        assert_eq!(Event::read(r#"{"Records":[]}"#), Ok(Event::Stream(vec![])));
    }

    #[test]
    fn a_sweep_is_an_empty_object_or_has_a_source() {
        for sweep in ["{}", r#"{"source":"aws.scheduler"}"#, r#"{"version":"0","source":"aws.events","detail":{}}"#] {
            assert_eq!(Event::read(sweep), Ok(Event::Sweep), "{sweep}");
        }
    }

    #[test]
    fn a_backfill_may_go_on() {
        let read = |json: &str| match Event::read(json) {
            Ok(Event::Backfill { after, .. }) => after,
            other => panic!("{other:?}"),
        };
        assert_eq!(read(r#"{"backfill":true}"#), None);
        assert_eq!(read(&format!(r#"{{"backfill":true,"after":"{ONE}"}}"#)), Some(id(ONE)));
    }

    #[test]
    fn an_operators_event_has_one_name_and_says_by_whom() {
        let Ok(Event::Operator(Command::Waiting(_), note)) = Event::read(r#"{"waiting":{},"by":"op-7","reason":"evening"}"#)
        else {
            panic!("no operator's event")
        };
        assert_eq!((note.by.as_deref(), note.reason.as_deref()), (Some("op-7"), Some("evening")));
        for settle in [
            format!(r#"{{"settle":{{"orderId":"{ONE}","orderUuid":"ODR1","referenceNo":"1001"}}}}"#),
            format!(r#"{{"settle":{{"orderId":"{ONE}","orderUuid":"ODR1","instead":true}}}}"#),
            format!(r#"{{"settle":{{"orderId":"{ONE}","created":false}}}}"#),
        ] {
            assert!(matches!(Event::read(&settle), Ok(Event::Operator(Command::Settle(_), _))), "{settle}");
        }
        let tell = r#"{"tell":{"shopId":"shop-a","since":"2026-06-15T12:00:00+02:00"}}"#;
        assert!(matches!(Event::read(tell), Ok(Event::Operator(Command::Tell(_), _))));
    }

    #[test]
    fn the_files_of_events_can_be_read() {
        for (file, name) in [
            (include_str!("../../events/worker-waiting.json"), "waiting"),
            (include_str!("../../events/worker-settle.json"), "settle"),
            (include_str!("../../events/worker-settle-not-created.json"), "settle"),
            (include_str!("../../events/worker-settle-instead.json"), "settle"),
            (include_str!("../../events/worker-tell.json"), "tell"),
            (include_str!("../../events/worker-backfill.json"), "backfill"),
        ] {
            let (Ok(Event::Operator(_, read)) | Ok(Event::Backfill { note: read, .. })) = Event::read(file) else {
                panic!("no operator's event: {file}")
            };
            assert_eq!(read.event, name);
        }
        assert_eq!(Event::read(include_str!("../../events/worker-sweep.json")), Ok(Event::Sweep));
        let stream = include_str!("../../events/worker-stream.json");
        assert_eq!(Event::read(stream), Ok(Event::Stream(vec![id("516b7bd0-f7f6-507c-82dd-7382a97dbad0")])));
    }

    #[test]
    fn anything_else_is_an_error() {
        let long = "x".repeat(201);
        for event in [
            "null".to_owned(),
            "[]".to_owned(),
            "\"x\"".to_owned(),
            String::new(),
            r#"{"Records":5}"#.to_owned(),
            r#"{"detail":{}}"#.to_owned(),
            r#"{"backfill":false}"#.to_owned(),
            r#"{"backfill":true,"after":"x"}"#.to_owned(),
            r#"{"backfill":true,"waiting":{}}"#.to_owned(),
            r#"{"waiting":{},"after":"x"}"#.to_owned(),
            r#"{"waiting":5}"#.to_owned(),
            r#"{"waiting":{"afer":"x"}}"#.to_owned(),
            format!(r#"{{"waiting":{{}},"by":"{long}"}}"#),
            r#"{"waiting":{},"reason":5}"#.to_owned(),
            r#"{"settle":{}}"#.to_owned(),
            format!(r#"{{"settle":{{"orderId":"{ONE}"}}}}"#),
            format!(r#"{{"settle":{{"orderId":"{ONE}","created":true}}}}"#),
            format!(r#"{{"settle":{{"orderId":"{ONE}","created":false,"orderUuid":"ODR1"}}}}"#),
            format!(r#"{{"settle":{{"orderId":"{ONE}","orderUuid":"ODR1","insted":true}}}}"#),
            r#"{"settle":{"orderId":"x","created":false}}"#.to_owned(),
            r#"{"tell":{"shopId":"shop-a"}}"#.to_owned(),
            r#"{"tell":{"shopId":"shop-a","since":"yesterday"}}"#.to_owned(),
        ] {
            assert!(Event::read(&event).is_err(), "{event}");
        }
    }
}
