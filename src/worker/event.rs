//! What wakes the worker.

use serde::Deserialize;
use uuid::Uuid;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// These orders changed.
    Stream(Vec<Uuid>),
    /// `{"backfill": true}`, or with `"after": "<orderId>"` from where the last one ended.
    Backfill { after: Option<Uuid> },
    /// Anything else, such as the schedule's event.
    Sweep,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
    backfill: Option<bool>,
    after: Option<Uuid>,
}

#[derive(Deserialize)]
struct Record {
    dynamodb: Change,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "Keys")]
    keys: Keys,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Keys {
    order_id: Text,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

impl Event {
    pub(super) fn read(json: &str) -> Self {
        match serde_json::from_str(json) {
            Ok(Wire { records: Some(records), .. }) => Self::Stream(order_ids(&records)),
            Ok(Wire { backfill: Some(true), after, .. }) => Self::Backfill { after },
            _ => Self::Sweep,
        }
    }
}

/// Each once: several changes of an order may come in one batch.
fn order_ids(records: &[Record]) -> Vec<Uuid> {
    let ids = records.iter().filter_map(|record| Uuid::parse_str(&record.dynamodb.keys.order_id.text).ok());
    let mut ids: Vec<Uuid> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_the_stream_names_orders_and_any_other_is_a_sweep() {
        let record = |id: &str| format!(r#"{{"eventName":"MODIFY","dynamodb":{{"Keys":{{"orderId":{{"S":"{id}"}}}}}}}}"#);
        let (one, two) = ("0198c2f0-7e4a-7000-8000-000000000001", "0198c2f0-7e4a-7000-8000-000000000002");
        let stream = format!(r#"{{"Records":[{},{},{},{}]}}"#, record(two), record(one), record(two), record("x"));
        assert_eq!(Event::read(&stream), Event::Stream(vec![one.parse().unwrap(), two.parse().unwrap()]));
        assert_eq!(Event::read(r#"{"Records":[]}"#), Event::Stream(vec![]));
        assert_eq!(Event::read(r#"{"backfill":true}"#), Event::Backfill { after: None });
        let go_on = format!(r#"{{"backfill":true,"after":"{one}"}}"#);
        assert_eq!(Event::read(&go_on), Event::Backfill { after: Some(one.parse().unwrap()) });
        for sweep in
            ["{}", "null", "[]", "\"x\"", "", r#"{"backfill":false}"#, r#"{"source":"aws.scheduler"}"#, r#"{"Records":5}"#]
        {
            assert_eq!(Event::read(sweep), Event::Sweep, "{sweep}");
        }
    }
}
