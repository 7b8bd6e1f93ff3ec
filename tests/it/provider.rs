//! The client of Front Payment, over real sockets.

use std::time::{Duration, Instant};

use front_payment_bridge::clock::Clock;
use front_payment_bridge::front_payment::{CancelReply, Client, FrontPayment, SubmitCall};
use front_payment_bridge::http_client::Tls;
use front_payment_bridge::order::SubmitReply;
use front_payment_bridge::order::{Status, StatusWord};
use front_payment_bridge::secrets::Redacted;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::documents::{example, validated};
use crate::support::peer::{Behaviour, CREATED, NOBODY, Peer, reply, reply_bytes, status_reply};

fn client(base_url: &str) -> Client {
    let base_url = format!("{base_url}/api/v1").parse().unwrap();
    Client::new(Tls::new(None).unwrap(), Clock::system(), &base_url).unwrap()
}

async fn submit_to(base_url: &str, document: &str) -> SubmitCall {
    let token = Redacted::new("token-1");
    client(base_url).submit(&validated(document), "https://api.example.no/callbacks/1/2", &token, Duration::from_secs(1)).await
}

/// The row that the reply has in the table of docs/api.md.
fn row(call: &SubmitCall) -> &'static str {
    match call.reply {
        SubmitReply::Created(_) => "created",
        SubmitReply::Rejected(_) => "rejected",
        SubmitReply::Unauthorized => "unauthorized",
        SubmitReply::Unavailable => "unavailable",
        SubmitReply::Failed => "failed",
        SubmitReply::Unknown => "unknown",
    }
}

#[tokio::test]
async fn the_request_is_that_of_the_providers_page() {
    let peer = Peer::start(reply(201, "x-ratelimit-remaining: 239\r\n", CREATED)).await;
    let call = submit_to(&peer.base_url, &example().to_string()).await;
    assert_eq!((call.head.http_status, call.head.rate_limit_remaining, call.head.retry_after), (Some(201), Some(239), None));
    let SubmitReply::Created(created) = call.reply else { panic!("not created") };
    assert_eq!((created.order_uuid.as_str(), created.status), ("ODR1", Status::Sent));
    let request = peer.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/v1/connect/orders/invoice/submit HTTP/1.1\r\n"), "{head}");
    for header in ["authorization: Bearer token-1", "content-type: application/json", "accept: application/json"] {
        assert!(head.lines().any(|line| line.eq_ignore_ascii_case(header)), "{header} not in {head}");
    }
    let mut expected = example();
    expected["callback"]["callbackUrl"] = json!("https://api.example.no/callbacks/1/2");
    expected["customerDetails"].as_object_mut().unwrap().remove("organizationId");
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected);
}

#[tokio::test]
async fn figures_are_sent_digit_for_digit_defaults_are_filled_in_and_absent_fields_are_left_out() {
    let peer = Peer::start(reply(201, "", CREATED)).await;
    let document = example()
        .to_string()
        .replace(r#""rate":40"#, r#""rate":4017.8600"#)
        .replace(r#""quantity":"1""#, r#""quantity":"0.10000000000000000001""#)
        .replace(r#""amount":40"#, r#""amount":12345678901234567890"#)
        .replace(r#""discount":0"#, r#""discount":null,"unknown":1"#)
        .replace(r#""grandTotal":"40""#, r#""grandTotal":40.10"#)
        .replace(r#""invoiceMaturity":10,"#, "")
        .replace(r#""preferredLanguage":"en""#, r#""preferredLanguage":"""#)
        .replace(r#""invoiceInterval":0"#, r#""invoiceInterval":"2","settings":{"secureDetails":true}"#);
    assert_eq!(row(&submit_to(&peer.base_url, &document).await), "created");
    let body = peer.requests().remove(0).split_once("\r\n\r\n").unwrap().1.to_owned();
    for part in [
        r#"{"name":"Router","productId":"R_1","quantity":"0.10000000000000000001","rate":4017.8600,"tax":"0","amount":12345678901234567890}"#,
        r#""grandTotal":40.10"#,
        r#""invoiceMaturity":10"#,
        r#""preferredLanguage":"no""#,
        r#""invoiceInterval":"2""#,
        r#""settings":{"secureDetails":true}"#,
    ] {
        assert!(body.contains(part), "{part} not in {body}");
    }
    assert!(!body.contains("unknown") && !body.contains("null") && !body.contains("organizationId"), "{body}");
}

#[tokio::test]
async fn a_thousand_lines_are_sent() {
    let peer = Peer::start(reply(201, "", CREATED)).await;
    let mut document = example();
    document["products"] = json!(vec![document["products"][0].clone(); 1_000]);
    assert_eq!(row(&submit_to(&peer.base_url, &document.to_string()).await), "created");
    let body = peer.requests().remove(0).split_once("\r\n\r\n").unwrap().1.to_owned();
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap()["products"].as_array().unwrap().len(), 1_000);
}

#[tokio::test]
async fn every_reply_over_a_socket_has_its_row() {
    let big = format!("{{\"status_code\":201,\"data\":{{\"orderUuid\":\"ODR1\",\"x\":\"{}\"}}}}", "x".repeat(10_000_000));
    let whole = reply_bytes(201, "", CREATED);
    let half = whole[..whole.len() - 60].to_vec();
    for (behaviour, expected) in [
        (reply(201, "", CREATED), "created"),
        (reply(201, "content-type: text/html\r\n", CREATED), "created"),
        (reply(201, "", "<html>"), "unknown"),
        (reply(201, "", &big), "unknown"),
        (Behaviour::Writes(half.clone()), "unknown"),
        (Behaviour::WritesAndHangs(half), "unknown"),
        (Behaviour::Writes(b"HTTP/1.1 503 X\r\ncontent-length: 100\r\n\r\nhalf".to_vec()), "unknown"),
        (Behaviour::Writes(b"no HTTP at all\r\n\r\n".to_vec()), "unknown"),
        (Behaviour::Closes, "unknown"),
        (Behaviour::Resets, "unknown"),
        (Behaviour::Hangs, "unknown"),
        (reply(417, "", r#"{"status_code":417,"errors":["The order date does not match."]}"#), "rejected"),
        (reply(401, "", ""), "unauthorized"),
        (reply(429, "", ""), "unavailable"),
        (reply(503, "", ""), "unavailable"),
        (reply(302, "location: http://127.0.0.1:1/\r\n", ""), "failed"),
        (reply(307, "location: /elsewhere\r\n", ""), "failed"),
        (reply(404, "", "<html>"), "failed"),
        (reply(500, "", r#"{"status_code":500,"errors":{}}"#), "unknown"),
        (reply(500, "", "<html>"), "unknown"),
        (reply(502, "", ""), "unknown"),
    ] {
        let peer = Peer::start(behaviour.clone()).await;
        let began = Instant::now();
        let call = submit_to(&peer.base_url, &example().to_string()).await;
        assert_eq!(row(&call), expected, "{:.80}", format!("{behaviour:?}"));
        assert_eq!(peer.requests().len(), 1, "sent once: {behaviour:?}");
        assert!(began.elapsed() < Duration::from_secs(10), "it took {:?}", began.elapsed());
        assert!(!call.reason.contains("127.0.0.1"), "{}", call.reason);
    }
}

#[tokio::test]
async fn without_a_connection_nothing_is_sent() {
    let call = submit_to(NOBODY, &example().to_string()).await;
    assert_eq!((row(&call), call.head.http_status), ("unavailable", None));
    // A server without TLS makes no connection either.
    let peer = Peer::start(Behaviour::Writes(b"HTTP/1.1 400 X\r\n\r\n".to_vec())).await;
    let call = submit_to(&peer.base_url.replace("http:", "https:"), &example().to_string()).await;
    assert_eq!((row(&call), peer.requests().len()), ("unavailable", 0));
}

#[tokio::test]
async fn only_servers_that_ssl_cert_file_trusts_get_the_order() {
    let (peer, authority) = Peer::start_tls(reply(201, "", CREATED)).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("roots.pem");
    std::fs::write(&file, authority).unwrap();
    let (order, token) = (validated(&example().to_string()), Redacted::new("token-1"));
    let submit = async |trusting: Option<&std::path::Path>| {
        let client = Client::new(Tls::new(trusting).unwrap(), Clock::system(), &peer.base_url.parse().unwrap()).unwrap();
        client.submit(&order, "https://api.example.no/callbacks/1/2", &token, Duration::from_secs(5)).await
    };
    assert_eq!(row(&submit(Some(&file)).await), "created");
    assert_eq!(row(&submit(None).await), "unavailable", "no connection, so nothing is sent");
    assert_eq!(peer.requests().len(), 1);
}

#[tokio::test]
async fn retry_after_is_read_in_seconds_and_as_a_date() {
    let date =
        |seconds: i64| (Timestamp::now() + SignedDuration::from_secs(seconds)).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let head = async |status, value: &str| {
        let peer = Peer::start(reply(status, &format!("Retry-After: {value}\r\n"), "")).await;
        submit_to(&peer.base_url, &example().to_string()).await.head
    };
    let limited = head(429, "120").await;
    assert_eq!((limited.http_status, limited.retry_after), (Some(429), Some(Duration::from_secs(120))));
    let unavailable = head(503, &date(90)).await;
    assert_eq!(unavailable.http_status, Some(503));
    assert!((60..=90).contains(&unavailable.retry_after.unwrap().as_secs()), "{unavailable:?}");
    for none in ["soon", "-1", &date(-90)] {
        assert_eq!(head(503, none).await.retry_after, None, "{none}");
    }
}

#[tokio::test]
async fn a_status_is_read() {
    let peer = Peer::start(status_reply("ODR1", "Purring")).await;
    let token = Redacted::new("token-1");
    let call = client(&peer.base_url).status("ODR1", &token, Duration::from_secs(1)).await;
    assert_eq!(call.status.unwrap().word, StatusWord::Known(Status::Purring));
    let request = peer.requests().remove(0);
    assert!(request.starts_with("GET /api/v1/connect/orders/status/ODR1 HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("authorization: bearer token-1"));
    for behaviour in [Behaviour::Closes, Behaviour::Hangs, reply(404, "", "{}"), reply(302, "location: /\r\n", "")] {
        let peer = Peer::start(behaviour).await;
        assert!(client(&peer.base_url).status("ODR1", &token, Duration::from_secs(1)).await.status.is_err());
    }
}

#[tokio::test]
async fn a_cancellation_is_asked_for() {
    let peer = Peer::start(reply(202, "", r#"{"message":"cancelledOrderSuccessfully"}"#)).await;
    let token = Redacted::new("token-1");
    let cancel = async |base_url: &str| client(base_url).cancel("ODR1", "A \"note\"", &token, Duration::from_secs(1)).await.reply;
    assert_eq!(cancel(&peer.base_url).await, CancelReply::Accepted);
    let request = peer.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/v1/connect/orders/cancel/ODR1 HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("authorization: bearer token-1"));
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), json!({"cancellationNote": "A \"note\""}));
    assert_eq!(cancel(NOBODY).await, CancelReply::Unavailable, "nothing was sent");
    for behaviour in [Behaviour::Closes, Behaviour::Hangs, reply(500, "", "{}"), reply(302, "location: /\r\n", "")] {
        let peer = Peer::start(behaviour).await;
        assert_eq!(cancel(&peer.base_url).await, CancelReply::Unknown);
    }
}
