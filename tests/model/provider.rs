//! Front Payment: the orders that it was sent, and what it says about them.

use std::future::pending;
use std::time::Duration;

use front_payment_bridge::front_payment::{FrontPayment, ReplyHead, StatusCall, StatusError, SubmitCall, SubmitReply};
use front_payment_bridge::order::{CreatedOrder, Order, Status, StatusWord};
use front_payment_bridge::secrets::Redacted;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::decisions::{Body, Decision, Op, ProviderReply, StatusReply, Word};
use crate::services::Services;
use crate::world::{Told, lock};

/// An order that Front Payment was sent. The n-th one is `ODRn`, if it exists there.
#[derive(Debug, Clone)]
pub struct ProviderOrder {
    /// The request that sent it.
    pub task: usize,
    /// The attempt that was stored when it was sent.
    pub attempt: Option<Uuid>,
    /// The generation of the stored order when it was sent.
    pub generation: usize,
    pub body: Body,
    pub callback_url: String,
    pub reply: Option<ProviderReply>,
    pub exists: bool,
    /// How many callbacks with each [`Word`] began.
    pub sent: [u8; 5],
    /// How many of them got a 200.
    pub taken: [u8; 5],
    /// It was EXPIRED or CANCELLED, and has this status now.
    pub revived_as: Option<Word>,
    /// The operator did not find it in the portal.
    pub is_ruled_out: bool,
}

impl ProviderOrder {
    /// The status there. It has called back with every status that it had.
    pub fn status(&self) -> Status {
        let has = |word: Word| self.revived_as.map_or(self.sent[word as usize] > 0, |revived_as| revived_as == word);
        let highest = [
            (Word::Cancelled, Status::Cancelled),
            (Word::Paid, Status::Paid),
            (Word::Expired, Status::Expired),
            (Word::Reserved, Status::Reserved),
        ];
        highest.into_iter().find(|(word, _)| has(*word)).map_or(Status::Sent, |(_, status)| status)
    }

    pub fn is_dead(&self) -> bool {
        self.has_died() && self.revived_as.is_none()
    }

    pub fn has_died(&self) -> bool {
        self.sent[Word::Expired as usize] > 0 || self.sent[Word::Cancelled as usize] > 0
    }

    /// Whether a callback of it was taken that says that it lives.
    pub fn has_shown_life(&self) -> bool {
        Word::ALL.into_iter().any(|word| !word.is_dead() && self.taken[word as usize] > 0)
    }

    pub fn callbacks(&self) -> u8 {
        self.sent.iter().sum()
    }
}

pub fn uuid_of(index: usize) -> String {
    format!("ODR{index}")
}

pub fn index_of(order_uuid: &str) -> Option<usize> {
    order_uuid.strip_prefix("ODR")?.parse().ok()
}

impl FrontPayment for Services {
    async fn submit(&self, order: &Order, callback_url: &str, _: &Redacted, _: Duration) -> SubmitCall {
        let index = {
            let mut shared = lock(&self.shared);
            let sent = ProviderOrder {
                task: shared.current,
                attempt: shared.store.item.as_ref().map(|item| item.attempt),
                generation: shared.store.generation,
                body: (0..3).find(|&body| order.reference_no.as_deref() == Some(reference_no(body))).unwrap(),
                callback_url: callback_url.to_owned(),
                reply: None,
                exists: false,
                sent: [0; 5],
                taken: [0; 5],
                revived_as: None,
                is_ruled_out: false,
            };
            shared.orders.push(sent);
            shared.orders.len() - 1
        };
        let (reply, exists) = match self.gate(Op::Submit).await.1 {
            Decision::Answers(reply, exists) => (Some(reply), exists),
            Decision::KilledAfter => (None, true),
            other => panic!("{other:?} at a submit"),
        };
        {
            let sent = &mut lock(&self.shared).orders[index];
            (sent.reply, sent.exists) = (reply, exists);
        }
        let Some(reply) = reply else { pending().await };
        let reply = match reply {
            ProviderReply::Created201 => SubmitReply::Created(CreatedOrder {
                order_uuid: uuid_of(index),
                customer_uuid: Some(customer_uuid(index)),
                bank_id_url: Some(bank_id_url(index)),
                has_unusable_link: false,
                status: Status::Sent,
            }),
            ProviderReply::Rejected417 => SubmitReply::Rejected(Vec::new()),
            ProviderReply::Unauthorized401 => SubmitReply::Unauthorized,
            ProviderReply::TooMany429 => SubmitReply::Unavailable { may_exist: false },
            ProviderReply::Error500 => SubmitReply::Failed { may_exist: true, unproven: true },
            ProviderReply::Unavailable503 => SubmitReply::Unavailable { may_exist: true },
            ProviderReply::Hangs => SubmitReply::Unknown,
        };
        SubmitCall { reply, head: ReplyHead::default(), reason: String::new() }
    }

    async fn status(&self, order_uuid: &str, _: &Redacted, _: Duration) -> StatusCall {
        let (task, decision) = self.gate(Op::Status).await;
        if decision == Decision::KilledAfter {
            pending::<()>().await;
        }
        let mut shared = lock(&self.shared);
        let order = index_of(order_uuid).and_then(|index| shared.orders.get(index)).filter(|order| order.exists);
        let status = match (order, decision) {
            (Some(order), Decision::Tells(StatusReply::Status)) => Ok(StatusWord::Known(order.status())),
            (Some(_), Decision::Tells(StatusReply::UnknownWord)) => Ok(StatusWord::Unknown(Word::Unknown.text().to_owned())),
            _ => Err(StatusError::Other("decided".to_owned())),
        };
        shared.gates[task].told.push(Told::Status(format!("{status:?}")));
        StatusCall { status, head: ReplyHead::default() }
    }
}

pub fn customer_uuid(index: usize) -> String {
    format!("CSRT{index}")
}

pub fn bank_id_url(index: usize) -> String {
    format!("https://bankid.example/ODR{index}")
}

pub fn total(body: Body) -> &'static str {
    if body == 1 { "50" } else { "40" }
}

pub fn reference_no(body: Body) -> &'static str {
    ["body-0", "body-1", "body-2"][usize::from(body)]
}

/// What a shop sends.
pub fn document(body: Body) -> String {
    let (total, reference_no) = (total(body), reference_no(body));
    format!(
        r#"{{"products":[{{"name":"A","quantity":1,"rate":{total},"tax":0,"amount":{total}}}],"referenceNo":"{reference_no}",
        "orderSummary":{{"subTotal":{total},"totalTax":0,"totalDiscount":0,"grandTotal":"{total}"}},"orderDate":"4070908800",
        "customerDetails":{{"type":"private","countryCode":"+47","msisdn":"46567468","email":"a@b.no","name":"K",
        "personalNumber":"30908299902","address":{{"street":"S","zip":"1","city":"C","country":"NO"}}}},
        "invoiceFeeApplicable":true,
        "callback":{{"callbackUrl":"https://s.no","success":"https://s.no","failure":"https://s.no"}}}}"#
    )
}

/// The query of a callback.
pub fn query(index: usize, word: Word, body: Body) -> String {
    let (uuid, word, amount) = (uuid_of(index), word.text(), total(body));
    let checksum = Sha256::digest(format!("{uuid}{word}x{amount}11k"));
    let checksum: String = checksum.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("orderUuid={uuid}&status={word}&paymentMethod=x&amount={amount}&createdAt=1&timestamp=1&checksum={checksum}")
}
