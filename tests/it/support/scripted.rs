//! A Front Payment that replies what a test tells it.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use front_payment_bridge::front_payment::{FrontPayment, ReplyHead, StatusCall, StatusError, SubmitCall, SubmitReply};
use front_payment_bridge::order::{Code, CreatedOrder, Order, Status, StatusWord, Violation};
use front_payment_bridge::secrets::Redacted;

/// What happens while a call waits for its reply. It gets the callback URL of a submit, or the uuid of a status call.
type Meanwhile = Box<dyn FnOnce(String) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

#[derive(Debug, Clone)]
pub struct Submit {
    pub callback_url: String,
    pub token: String,
    pub within: Duration,
}

#[derive(Default)]
pub struct ScriptedProvider {
    replies: Mutex<VecDeque<SubmitReply>>,
    statuses: Mutex<VecDeque<Result<&'static str, StatusError>>>,
    retry_after: Mutex<Option<Duration>>,
    meanwhile: Mutex<VecDeque<Meanwhile>>,
    submits: Mutex<Vec<Submit>>,
    status_calls: Mutex<Vec<(String, String)>>,
}

impl ScriptedProvider {
    /// Adds a reply to the script. Submits beyond the script create `ODR1`, with a link.
    pub fn will_reply(&self, reply: SubmitReply) {
        self.replies.lock().unwrap().push_back(reply);
    }

    /// Replaces the script by one reply.
    pub fn will_only_reply(&self, reply: SubmitReply) {
        *self.replies.lock().unwrap() = VecDeque::from([reply]);
    }

    /// Adds a status to the script. Status calls beyond the script fail.
    pub fn will_tell(&self, status: Result<&'static str, StatusError>) {
        self.statuses.lock().unwrap().push_back(status);
    }

    /// Sets the `Retry-After` of all later replies.
    pub fn will_ask_to_wait(&self, seconds: u64) {
        *self.retry_after.lock().unwrap() = Some(Duration::from_secs(seconds));
    }

    /// Happens while the next call waits for its reply.
    pub fn meanwhile<F: Future<Output = ()> + Send + 'static>(&self, happens: impl FnOnce(String) -> F + Send + 'static) {
        self.meanwhile.lock().unwrap().push_back(Box::new(move |url| Box::pin(happens(url))));
    }

    pub fn submits(&self) -> Vec<Submit> {
        self.submits.lock().unwrap().clone()
    }

    pub fn submit_count(&self) -> usize {
        self.submits.lock().unwrap().len()
    }

    /// The uuid and the bearer token of every status call.
    pub fn status_calls(&self) -> Vec<(String, String)> {
        self.status_calls.lock().unwrap().clone()
    }

    pub fn status_call_count(&self) -> usize {
        self.status_calls.lock().unwrap().len()
    }

    fn head(&self) -> ReplyHead {
        ReplyHead { retry_after: *self.retry_after.lock().unwrap(), ..ReplyHead::default() }
    }

    async fn wait(&self, about: &str) {
        let meanwhile = self.meanwhile.lock().unwrap().pop_front();
        if let Some(happens) = meanwhile {
            happens(about.to_owned()).await;
        }
    }
}

/// The order id and the token in a callback URL.
pub fn id_and_token(callback_url: &str) -> (String, String) {
    let mut segments = callback_url.rsplit('/');
    let token = segments.next().unwrap().to_owned();
    (segments.next().unwrap().to_owned(), token)
}

pub fn created(order_uuid: &str, bank_id_url: Option<&str>) -> SubmitReply {
    SubmitReply::Created(CreatedOrder {
        order_uuid: order_uuid.to_owned(),
        customer_uuid: Some("CSRT1".to_owned()),
        bank_id_url: bank_id_url.map(str::to_owned),
        has_unusable_link: false,
        status: if bank_id_url.is_some() { Status::Sent } else { Status::Invoiced },
    })
}

/// A 201 whose customer has to sign.
pub fn sent(order_uuid: &str) -> SubmitReply {
    created(order_uuid, Some("https://bankid.example/login"))
}

/// A 201 of a company's order: it is INVOICED at once.
pub fn invoiced(order_uuid: &str) -> SubmitReply {
    created(order_uuid, None)
}

/// A 417.
pub fn rejected() -> SubmitReply {
    SubmitReply::Rejected(vec![Violation::new("/orderDate", Code::Provider, "The order date does not match the format d M, Y.")])
}

/// A 500 in Front Payment's own JSON: it says that nothing was created, which is no proof.
pub fn failed() -> SubmitReply {
    SubmitReply::Failed { may_exist: true, unproven: true }
}

/// A 429: the order was not let in.
pub fn rate_limited() -> SubmitReply {
    SubmitReply::Unavailable { may_exist: false }
}

/// A 503, which says nothing about the order.
pub fn unavailable() -> SubmitReply {
    SubmitReply::Unavailable { may_exist: true }
}

/// No whole reply.
pub fn unknown() -> SubmitReply {
    SubmitReply::Unknown
}

impl FrontPayment for ScriptedProvider {
    async fn submit(&self, _: &Order, callback_url: &str, token: &Redacted, within: Duration) -> SubmitCall {
        let submit = Submit { callback_url: callback_url.to_owned(), token: token.expose().to_owned(), within };
        self.submits.lock().unwrap().push(submit);
        self.wait(callback_url).await;
        let reply = self.replies.lock().unwrap().pop_front().unwrap_or_else(|| sent("ODR1"));
        SubmitCall { reply, head: self.head(), reason: "scripted".to_owned() }
    }

    async fn status(&self, order_uuid: &str, token: &Redacted, _: Duration) -> StatusCall {
        self.status_calls.lock().unwrap().push((order_uuid.to_owned(), token.expose().to_owned()));
        self.wait(order_uuid).await;
        let status = self.statuses.lock().unwrap().pop_front();
        let status = status.unwrap_or_else(|| Err(StatusError::Other("scripted to be down".to_owned()))).map(StatusWord::read);
        StatusCall { status, head: self.head() }
    }
}
