//! A Front Payment with scripted answers. It fails if it gets an order that it may already have.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use front_payment_bridge::front_payment::{
    CancelCall, CancelReply, FrontPayment, ReplyHead, StatusCall, StatusError, SubmitCall,
};
use front_payment_bridge::order::{Code, CreatedOrder, Decimal, Order, Status, StatusRead, StatusWord, SubmitReply, Violation};
use front_payment_bridge::secrets::Redacted;
use uuid::Uuid;

/// A secret that must be neither in a reply nor in the log. It is so long that no input contains it by chance.
pub const TOKEN: &str = "4c1f0e6b9a7d43f58e21c3b06d9f7a12";
/// A link that may be in a reply, but not in the log.
pub const LINK: &str = "https://bankid.example/auth?state=91fb40d7a35c4e2e";

/// An order as Front Payment knows it.
pub struct Sent {
    /// The token in its callback URL.
    pub token: String,
    /// Its uuid, if it was created.
    pub order_uuid: Option<String>,
    /// Whether sending it again would be a fault, because it was or may have been created.
    is_final: bool,
}

#[derive(Default)]
pub struct Provider {
    answer: Mutex<Option<String>>,
    cancel_answer: Mutex<Option<String>>,
    status: Mutex<Option<String>>,
    retry_after: Mutex<Option<u64>>,
    sent: Mutex<BTreeMap<String, Sent>>,
    submits: AtomicUsize,
    status_reads: AtomicUsize,
    cancels: AtomicUsize,
}

/// How many calls there were.
#[derive(Clone, Copy)]
pub struct Calls {
    pub submits: usize,
    pub status_reads: usize,
    pub cancels: usize,
}

impl Calls {
    pub fn since(self, before: Self) -> Self {
        Self {
            submits: self.submits - before.submits,
            status_reads: self.status_reads - before.status_reads,
            cancels: self.cancels - before.cancels,
        }
    }

    pub fn all(self) -> usize {
        self.submits + self.status_reads + self.cancels
    }
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Provider {
    /// Sets the reply to the next submit. By default, an order is created.
    pub fn will_answer(&self, answer: &str) {
        *locked(&self.answer) = Some(answer.to_owned());
    }

    /// Sets the reply to the next cancellation. By default, it is accepted.
    pub fn will_answer_cancel(&self, answer: &str) {
        *locked(&self.cancel_answer) = Some(answer.to_owned());
    }

    /// Sets the status of the next status read: the word, or the word and the refunded amount.
    pub fn will_tell(&self, word: &str) {
        *locked(&self.status) = Some(word.to_owned());
    }

    /// Sets `Retry-After` for the next replies.
    pub fn will_ask(&self, retry_after: Option<u64>) {
        *locked(&self.retry_after) = retry_after;
    }

    pub fn retry_after(&self) -> Option<u64> {
        *locked(&self.retry_after)
    }

    pub fn calls(&self) -> Calls {
        let [submits, status_reads, cancels] =
            [&self.submits, &self.status_reads, &self.cancels].map(|number| number.load(Ordering::SeqCst));
        Calls { submits, status_reads, cancels }
    }

    pub fn sent<T>(&self, look: impl FnOnce(&BTreeMap<String, Sent>) -> T) -> T {
        look(&locked(&self.sent))
    }

    /// The token in an order's callback URL, if the order was sent.
    pub fn callback_token(&self, order_id: &str) -> Option<String> {
        self.sent(|sent| sent.get(order_id).map(|sent| sent.token.clone()))
    }

    fn head(&self) -> ReplyHead {
        ReplyHead { http_status: None, rate_limit_remaining: None, retry_after: self.retry_after().map(Duration::from_secs) }
    }
}

impl FrontPayment for Provider {
    async fn submit(&self, _: &Order, callback_url: &str, token: &Redacted, within: Duration) -> SubmitCall {
        assert_eq!(token.expose(), TOKEN);
        assert!(within <= Duration::from_secs(20) && !within.is_zero(), "{within:?}");
        let (base, path) = callback_url.split_once("/callbacks/").expect("the bridge's own URL");
        let (order_id, callback_token) = path.split_once('/').expect("an id and a token");
        assert!(base.starts_with("https://") && Uuid::parse_str(order_id).is_ok(), "{callback_url}");
        assert!(callback_token.len() >= 22 && callback_token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));

        let number = self.submits.fetch_add(1, Ordering::SeqCst) + 1;
        let reply = reply(locked(&self.answer).take().as_deref(), number);
        let order_uuid = if let SubmitReply::Created(created) = &reply { Some(created.order_uuid.clone()) } else { None };
        let is_final = matches!(reply, SubmitReply::Created(_) | SubmitReply::Unknown);
        let sent = Sent { token: callback_token.to_owned(), order_uuid, is_final };
        if let Some(earlier) = locked(&self.sent).insert(order_id.to_owned(), sent) {
            assert!(!earlier.is_final, "sent again, though it was or may have been created");
            assert_eq!(earlier.token, callback_token, "callbacks of the earlier attempt would not be found");
        }
        SubmitCall { reply, head: self.head(), reason: "as told".to_owned() }
    }

    async fn status(&self, order_uuid: &str, token: &Redacted, within: Duration) -> StatusCall {
        assert_eq!(token.expose(), TOKEN);
        assert!(within <= Duration::from_secs(10), "{within:?}");
        assert!(crate::is_provider_id(order_uuid), "{order_uuid:?} in the path of a request");
        self.status_reads.fetch_add(1, Ordering::SeqCst);
        let status = match locked(&self.status).take().as_deref() {
            None => Err(StatusError::Other("as told".to_owned())),
            Some("404") => Err(StatusError::NotFound),
            Some("401") => Err(StatusError::Unauthorized),
            Some(told) => Ok(status_read(told)),
        };
        StatusCall { status, head: self.head() }
    }

    async fn cancel(&self, order_uuid: &str, note: &str, token: &Redacted, within: Duration) -> CancelCall {
        assert_eq!(token.expose(), TOKEN);
        assert!(within <= Duration::from_secs(20) && !within.is_zero(), "{within:?}");
        assert!(crate::is_provider_id(order_uuid), "{order_uuid:?} in the path of a request");
        assert!((1..=200).contains(&note.chars().count()), "{note:?}");
        self.cancels.fetch_add(1, Ordering::SeqCst);
        let reply = match locked(&self.cancel_answer).take().as_deref() {
            Some("refused") => CancelReply::Refused(vec![Violation::new("", Code::Provider, "This order cannot be cancelled.")]),
            Some("unauthorized") => CancelReply::Unauthorized,
            Some("unavailable") => CancelReply::Unavailable,
            Some("unknown") => CancelReply::Unknown,
            _ => CancelReply::Accepted,
        };
        CancelCall { reply, head: self.head(), reason: "as told".to_owned() }
    }
}

fn status_read(told: &str) -> StatusRead {
    let with_amount = told.rsplit_once(' ').and_then(|(word, amount)| Some((word, Some(Decimal::parse(amount).ok()?))));
    let (word, refunded_amount) = with_amount.unwrap_or((told, None));
    StatusRead { word: StatusWord::read(word), order_amount: None, refunded_amount }
}

fn reply(answer: Option<&str>, number: usize) -> SubmitReply {
    match answer {
        Some("refused") => {
            SubmitReply::Rejected(vec![Violation::new("/orderDate", Code::Provider, "The order date is invalid.")])
        }
        Some("unauthorized") => SubmitReply::Unauthorized,
        Some("unavailable") => SubmitReply::Unavailable,
        Some("failed") => SubmitReply::Failed,
        Some("unknown") => SubmitReply::Unknown,
        answer => {
            let (is_invoiced, is_unusable) = (answer == Some("invoiced"), answer == Some("unusable link"));
            SubmitReply::Created(CreatedOrder {
                order_uuid: format!("ODR{number}"),
                customer_uuid: Some(format!("CSRT{number}")),
                bank_id_url: (!is_invoiced && !is_unusable).then(|| LINK.to_owned()),
                has_unusable_link: is_unusable,
                status: if is_invoiced { Status::Invoiced } else { Status::Sent },
            })
        }
    }
}
