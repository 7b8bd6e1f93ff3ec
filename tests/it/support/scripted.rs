//! A Front Payment that answers as it is told.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::time::Duration;

use front_payment_bridge::front_payment::{FrontPayment, StatusCall, StatusError, SubmitCall, SubmitReply};
use front_payment_bridge::order::{Code, CreatedOrder, Order, Status, StatusWord, Violation};
use front_payment_bridge::secrets::Redacted;

/// What happens at Front Payment while it is asked.
pub type Meanwhile = Box<dyn FnOnce(String) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// What it was asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub callback_url: String,
    pub token: String,
    pub within: Duration,
}

#[derive(Default)]
pub struct ScriptedProvider {
    answers: Mutex<VecDeque<SubmitReply>>,
    statuses: Mutex<VecDeque<Result<&'static str, StatusError>>>,
    meanwhile: Mutex<VecDeque<Meanwhile>>,
    pub submits: Mutex<Vec<Asked>>,
    pub status_requests: Mutex<Vec<(String, String)>>,
}

impl ScriptedProvider {
    /// The next submit is answered so; without a script, orders are created as `ODR1`, with a link.
    pub fn will_answer(&self, answer: SubmitReply) {
        self.answers.lock().unwrap().push_back(answer);
    }

    /// The next submit is answered so, whatever was to be.
    pub fn will_only_answer(&self, answer: SubmitReply) {
        *self.answers.lock().unwrap() = VecDeque::from([answer]);
    }

    /// The next status request is answered so; without a script, Front Payment is down.
    pub fn will_tell(&self, status: Result<&'static str, StatusError>) {
        self.statuses.lock().unwrap().push_back(status);
    }

    /// This happens while the next call waits for its answer; it gets the callback URL, or the uuid.
    pub fn meanwhile<F: Future<Output = ()> + Send + 'static>(&self, happens: impl FnOnce(String) -> F + Send + 'static) {
        self.meanwhile.lock().unwrap().push_back(Box::new(move |url| Box::pin(happens(url))));
    }

    pub fn submitted(&self) -> usize {
        self.submits.lock().unwrap().len()
    }

    pub fn asked_for_status(&self) -> usize {
        self.status_requests.lock().unwrap().len()
    }
}

pub fn created(order_uuid: &str, bank_id_url: Option<&str>) -> SubmitReply {
    SubmitReply::Created(CreatedOrder {
        order_uuid: order_uuid.to_owned(),
        customer_uuid: Some("CSRT1".to_owned()),
        bank_id_url: bank_id_url.map(str::to_owned),
        status: if bank_id_url.is_some() { Status::Sent } else { Status::Invoiced },
    })
}

pub fn refused() -> SubmitReply {
    SubmitReply::Rejected(vec![Violation::new("/orderDate", Code::Provider, "The order date does not match the format d M, Y.")])
}

impl FrontPayment for ScriptedProvider {
    async fn submit(&self, _: &Order, callback_url: &str, token: &Redacted, within: Duration) -> SubmitCall {
        let asked = Asked { callback_url: callback_url.to_owned(), token: token.expose().to_owned(), within };
        self.submits.lock().unwrap().push(asked);
        let meanwhile = self.meanwhile.lock().unwrap().pop_front();
        if let Some(meanwhile) = meanwhile {
            meanwhile(callback_url.to_owned()).await;
        }
        let answer = self.answers.lock().unwrap().pop_front();
        let answer = answer.unwrap_or_else(|| created("ODR1", Some("https://bankid.example/login")));
        SubmitCall { reply: answer, http_status: None, rate_limit_remaining: None, reason: "scripted".to_owned() }
    }

    async fn status(&self, order_uuid: &str, token: &Redacted, _: Duration) -> StatusCall {
        self.status_requests.lock().unwrap().push((order_uuid.to_owned(), token.expose().to_owned()));
        let meanwhile = self.meanwhile.lock().unwrap().pop_front();
        if let Some(meanwhile) = meanwhile {
            meanwhile(order_uuid.to_owned()).await;
        }
        let status = self.statuses.lock().unwrap().pop_front();
        let status = status.unwrap_or_else(|| Err(StatusError::Other("scripted to be down".to_owned()))).map(StatusWord::read);
        StatusCall { status, http_status: None, rate_limit_remaining: None }
    }
}
