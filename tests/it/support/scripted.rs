//! A Front Payment with scripted replies.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use front_payment_bridge::front_payment::{
    CancelCall, CancelReply, FrontPayment, ReplyHead, StatusCall, StatusError, SubmitCall,
};
use front_payment_bridge::order::{Code, CreatedOrder, Decimal, Order, Status, StatusRead, StatusWord, SubmitReply, Violation};
use front_payment_bridge::secrets::Redacted;

/// Runs while a call waits for its reply. It gets the callback URL of a submit, or the uuid of a status read.
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
    statuses: Mutex<VecDeque<Result<StatusRead, StatusError>>>,
    cancels: Mutex<VecDeque<CancelReply>>,
    retry_after: Mutex<Option<Duration>>,
    meanwhile: Mutex<VecDeque<Meanwhile>>,
    submits: Mutex<Vec<Submit>>,
    status_calls: Mutex<Vec<(String, String)>>,
    cancel_calls: Mutex<Vec<(String, String, String)>>,
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

    /// Adds a status to the script. Status reads beyond the script fail.
    pub fn will_tell(&self, status: Result<&'static str, StatusError>) {
        let read = |word| StatusRead { word: StatusWord::read(word), order_amount: None, refunded_amount: None };
        self.statuses.lock().unwrap().push_back(status.map(read));
    }

    /// Like [`Self::will_tell`], with orderAmount and refundedAmount.
    pub fn will_tell_amounts(&self, word: &str, order_amount: &str, refunded_amount: &str) {
        let [order_amount, refunded_amount] = [order_amount, refunded_amount].map(|amount| Decimal::parse(amount).ok());
        let read = StatusRead { word: StatusWord::read(word), order_amount, refunded_amount };
        self.statuses.lock().unwrap().push_back(Ok(read));
    }

    /// Adds a reply to a cancellation. Cancellations beyond the script are accepted.
    pub fn will_answer_cancel(&self, reply: CancelReply) {
        self.cancels.lock().unwrap().push_back(reply);
    }

    /// The uuid, the note and the bearer token of every request for a cancellation.
    pub fn cancel_calls(&self) -> Vec<(String, String, String)> {
        self.cancel_calls.lock().unwrap().clone()
    }

    /// Sets the `Retry-After` of all later replies.
    pub fn will_ask_to_wait(&self, seconds: u64) {
        *self.retry_after.lock().unwrap() = Some(Duration::from_secs(seconds));
    }

    /// Runs while the next call waits for its reply.
    pub fn meanwhile<F: Future<Output = ()> + Send + 'static>(&self, happens: impl FnOnce(String) -> F + Send + 'static) {
        self.meanwhile.lock().unwrap().push_back(Box::new(move |url| Box::pin(happens(url))));
    }

    pub fn submits(&self) -> Vec<Submit> {
        self.submits.lock().unwrap().clone()
    }

    pub fn submit_count(&self) -> usize {
        self.submits.lock().unwrap().len()
    }

    /// The uuid and the bearer token of every status read.
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

/// A 417: the order was refused.
pub fn rejected() -> SubmitReply {
    SubmitReply::Rejected(vec![Violation::new("/orderDate", Code::Provider, "The order date does not match the format d M, Y.")])
}

/// A 403, for example: nothing was created.
pub fn failed() -> SubmitReply {
    SubmitReply::Failed
}

/// A 429 or 503, or no connection: nothing was created.
pub fn unavailable() -> SubmitReply {
    SubmitReply::Unavailable
}

/// No whole reply, or a failure that proves nothing.
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
        let status = status.unwrap_or_else(|| Err(StatusError::Other("scripted to be down".to_owned())));
        StatusCall { status, head: self.head() }
    }

    async fn cancel(&self, order_uuid: &str, note: &str, token: &Redacted, _: Duration) -> CancelCall {
        let call = (order_uuid.to_owned(), note.to_owned(), token.expose().to_owned());
        self.cancel_calls.lock().unwrap().push(call);
        self.wait(order_uuid).await;
        let reply = self.cancels.lock().unwrap().pop_front().unwrap_or(CancelReply::Accepted);
        CancelCall { reply, head: self.head(), reason: "scripted".to_owned() }
    }
}
