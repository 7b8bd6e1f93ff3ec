//! Front Payment: the orders that were sent to it, and what it says about them.

use std::future::pending;
use std::time::Duration;

use front_payment_bridge::front_payment::{
    CancelCall, CancelReply, FrontPayment, ReplyHead, StatusCall, StatusError, SubmitCall,
};
use front_payment_bridge::order::{CreatedOrder, Decimal, Order, Status, StatusRead, StatusWord, SubmitReply};
use front_payment_bridge::secrets::Redacted;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::decisions::{Body, CancelAnswer, Decision, Op, ProviderReply, StatusReply, Word};
use crate::mutants::Mutant;
use crate::services::Services;
use crate::world::{Told, lock};

/// An order that was sent to Front Payment. If it exists, the n-th one has the uuid `ODRn`.
#[derive(Debug, Clone)]
pub struct ProviderOrder {
    /// The request that has sent it.
    pub task: usize,
    /// The stored attempt when it was sent.
    pub attempt: Option<Uuid>,
    /// The generation of the stored order when it was sent.
    pub generation: usize,
    pub body: Body,
    pub callback_url: String,
    /// Seconds since the beginning.
    pub sent_at: i64,
    pub reply: Option<ProviderReply>,
    pub exists: bool,
    /// How many callbacks with each [`Word`] were started.
    pub sent: [u8; 6],
    /// How many of these callbacks got a 200.
    pub taken: [u8; 6],
    /// Whether it was cancelled because the shop asked for it.
    pub is_cancelled: bool,
    /// The status that it got after it had been EXPIRED or CANCELLED.
    pub revived_as: Option<Word>,
    /// How many times 10 kroner of it were refunded.
    pub refunds: u8,
    /// Whether the operator has said that it was not created.
    pub is_ruled_out: bool,
}

impl ProviderOrder {
    /// The status that it has at Front Payment.
    pub fn status(&self) -> Status {
        if self.refunds > 0 {
            return Status::PartialRefunded;
        }
        let has = |word: Word| self.revived_as.map_or(self.had(word), |revived_as| revived_as == word);
        let highest = [
            (Word::Cancelled, Status::Cancelled),
            (Word::Paid, Status::Paid),
            (Word::Expired, Status::Expired),
            (Word::Reserved, Status::Reserved),
        ];
        highest.into_iter().find(|(word, _)| has(*word)).map_or(Status::Sent, |(_, status)| status)
    }

    pub fn had(&self, word: Word) -> bool {
        match word {
            Word::Cancelled => self.is_cancelled || self.sent[word as usize] > 0,
            Word::PartialRefunded => self.refunds > 0,
            _ => self.sent[word as usize] > 0,
        }
    }

    pub fn is_dead(&self) -> bool {
        self.has_died() && self.revived_as.is_none() && self.refunds == 0
    }

    pub fn has_died(&self) -> bool {
        self.had(Word::Expired) || self.had(Word::Cancelled)
    }

    /// Whether a callback with a living status got a 200.
    pub fn has_shown_life(&self) -> bool {
        Word::ALL.into_iter().any(|word| !word.is_dead() && self.taken[word as usize] > 0)
    }

    pub fn callbacks(&self) -> u8 {
        self.sent.iter().sum()
    }

    /// The refunded amount as the bridge stores it.
    pub fn refunded(&self) -> Option<String> {
        (self.refunds > 0).then(|| (10 * self.refunds).to_string())
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
            let task = shared.current;
            let truth = &mut shared.truth;
            let sent = ProviderOrder {
                task,
                attempt: truth.store.item.as_ref().map(|item| item.attempt),
                generation: truth.store.generation,
                body: (0..2).find(|&body| order.reference_no.as_deref() == Some(reference_no(body))).unwrap(),
                callback_url: callback_url.to_owned(),
                sent_at: truth.seconds,
                reply: None,
                exists: false,
                sent: [0; 6],
                taken: [0; 6],
                is_cancelled: false,
                revived_as: None,
                refunds: 0,
                is_ruled_out: false,
            };
            truth.orders.push(sent);
            truth.orders.len() - 1
        };
        let (reply, exists) = match self.gate(Op::Submit).await.1 {
            Decision::Answers(reply, exists) => (Some(reply), exists),
            Decision::KilledAfter => (None, true),
            other => panic!("{other:?} at a submit"),
        };
        {
            let sent = &mut lock(&self.shared).truth.orders[index];
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
            ProviderReply::Unavailable503 => SubmitReply::Unavailable,
            ProviderReply::Hangs => SubmitReply::Unknown,
        };
        SubmitCall { reply, head: ReplyHead::default(), reason: String::new() }
    }

    async fn status(&self, order_uuid: &str, _: &Redacted, _: Duration) -> StatusCall {
        let (place, decision) = self.gate(Op::Status).await;
        if decision == Decision::KilledAfter {
            pending::<()>().await;
        }
        let mut shared = lock(&self.shared);
        let order = index_of(order_uuid).and_then(|index| shared.truth.orders.get(index));
        let order = order.filter(|order| order.exists || shared.truth.store.mutant == Mutant::NoReadBeforeSettle);
        let read = |order: &ProviderOrder, word| StatusRead {
            word,
            order_amount: Some(Decimal::parse(total(order.body)).unwrap()),
            refunded_amount: Some(Decimal::parse(order.refunded().as_deref().unwrap_or("0")).unwrap()),
        };
        let status = match (order, decision) {
            (_, Decision::Tells(StatusReply::Nothing)) => Err(StatusError::Other("decided".to_owned())),
            (None, _) => Err(StatusError::NotFound),
            (Some(order), Decision::Tells(StatusReply::UnknownWord)) => {
                Ok(read(order, StatusWord::Unknown(Word::Unknown.text().to_owned())))
            }
            (Some(order), _) => Ok(read(order, StatusWord::Known(order.status()))),
        };
        let entries = shared.truth.store.item.as_ref().map_or(0, |stored| stored.history.len());
        let gate = &mut shared.gates[place.task];
        gate.entries_when_told = entries;
        gate.knows_status |= !matches!(status, Err(StatusError::Other(_)));
        gate.branches[place.branch].told.push(Told::Status(format!("{status:?}")));
        StatusCall { status, head: ReplyHead::default() }
    }

    async fn cancel(&self, order_uuid: &str, _: &str, _: &Redacted, _: Duration) -> CancelCall {
        let index = index_of(order_uuid).unwrap();
        lock(&self.shared).note_cancel(order_uuid);
        let (answer, is_cancelled) = match self.gate(Op::Cancel).await.1 {
            Decision::Cancels(answer, is_cancelled) => (Some(answer), is_cancelled),
            Decision::KilledAfter => (None, true),
            other => panic!("{other:?} at a cancellation"),
        };
        {
            let order = &mut lock(&self.shared).truth.orders[index];
            order.is_cancelled |= is_cancelled && order.exists && !order.has_died();
        }
        let Some(answer) = answer else { pending().await };
        let reply = match answer {
            CancelAnswer::Accepted => CancelReply::Accepted,
            CancelAnswer::Refused => CancelReply::Refused(Vec::new()),
            CancelAnswer::Hangs => CancelReply::Unknown,
        };
        CancelCall { reply, head: ReplyHead::default(), reason: String::new() }
    }
}

pub fn customer_uuid(index: usize) -> String {
    format!("CSRT{index}")
}

pub fn bank_id_url(index: usize) -> String {
    format!("https://bankid.example/ODR{index}")
}

pub fn total(body: Body) -> &'static str {
    ["40", "50"][usize::from(body)]
}

pub fn reference_no(body: Body) -> &'static str {
    ["body-0", "body-1"][usize::from(body)]
}

/// The body that a shop sends.
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

/// The query of a callback. Two refunds differ in `timestamp`.
pub fn query(index: usize, word: Word, amount: &str, timestamp: u8) -> String {
    let (uuid, word) = (uuid_of(index), word.text());
    let checksum = hex::encode(Sha256::digest(format!("{uuid}{word}x{amount}1{timestamp}k")));
    format!(
        "orderUuid={uuid}&status={word}&paymentMethod=x&amount={amount}&createdAt=1&timestamp={timestamp}&checksum={checksum}"
    )
}
