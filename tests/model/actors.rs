//! What the shop, Front Payment and the workers do in a world: each starts a task, and runs it up to its first step.

use std::sync::Arc;

use front_payment_bridge::bridge::Bridge;
use front_payment_bridge::cancel::{CancelOutcome, CancelRequest, cancel};
use front_payment_bridge::deadline::Deadline;
use front_payment_bridge::notify::PrivateHosts;
use front_payment_bridge::order::{Status, StoredOrder, SubmitReply, Validated};
use front_payment_bridge::status::{self, CallbackOutcome, CallbackRequest, ReadBudget};
use front_payment_bridge::store::OrderStore;
use front_payment_bridge::submit::{self, SubmitOutcome, SubmitRequest};
use front_payment_bridge::worker::Worker;
use jiff::SignedDuration;
use uuid::Uuid;

use crate::decisions::{Body, Word};
use crate::mutants::Mutant;
use crate::provider::{ProviderOrder, bank_id_url, customer_uuid, index_of, query, total, uuid_of};
use crate::services::Services;
use crate::tasks::{Ended, Kind, NOT_VERIFIED, READ, TAKEN, TO_BE_REPEATED};
use crate::worker::{Event, TEN_MINUTES};
use crate::world::{World, bridge, lock};

impl World<'_> {
    /// Starts a shop's request with the key.
    pub async fn submit(&mut self, body: Body) {
        let (bridge, secret) = (self.bridge.clone(), self.setting.secret.clone());
        let order = self.setting.orders[usize::from(body)].clone();
        let validated = Validated { order, fresh_only: Vec::new(), warnings: Vec::new(), unknown: Vec::new() };
        let request = async move {
            let deadline = deadline(&bridge);
            let (idempotency_key, callback_base) = (Some("key"), "https://bridge");
            let request = SubmitRequest { shop_id: "shop", idempotency_key, validated, callback_base, secret, deadline };
            match submit::submit(&bridge, request).await.outcome {
                SubmitOutcome::Accepted { order, .. } if is_mixed_up(&order) => Ended::Other("mixed up"),
                SubmitOutcome::Accepted { order, .. } => Ended::Accepted(order.order_uuid.unwrap()),
                SubmitOutcome::NotAccepted(SubmitReply::Unknown) | SubmitOutcome::UnknownBefore => Ended::Other("unknown"),
                SubmitOutcome::NotAccepted(_) | SubmitOutcome::StoreUnavailable | SubmitOutcome::NotSendable(_) => {
                    Ended::NothingCreated
                }
                SubmitOutcome::InProgress => Ended::Other("in progress"),
                SubmitOutcome::KeyReused => Ended::Other("key reused"),
                SubmitOutcome::Internal => Ended::Other("internal"),
            }
        };
        self.start(Kind::Submit(body), Box::pin(request)).await;
    }

    /// Starts a callback about one of Front Payment's orders.
    pub async fn callback(&mut self, index: usize, word: Word) {
        let (url, raw_query) = {
            let truth = &mut lock(&self.shared).truth;
            let stored_total = truth.store.item.as_ref().map(|stored| stored.grand_total.clone());
            let order = &mut truth.orders[index];
            let timestamp = if word == Word::PartialRefunded { order.sent[word as usize] } else { 0 };
            order.sent[word as usize] += 1;
            let amount = match truth.store.mutant {
                Mutant::NoAmountCheck => stored_total.unwrap(),
                _ => total(order.body).to_owned(),
            };
            (order.callback_url.clone(), query(index, word, &amount, timestamp))
        };
        self.call(Kind::Callback(index, word), url, raw_query).await;
    }

    /// Starts a request without a query to the callback URL.
    pub async fn read(&mut self) {
        let url = {
            let shared = lock(&self.shared);
            let stored = shared.truth.store.item.as_ref().unwrap();
            format!("{}/{}", stored.order_id, stored.callback_token)
        };
        self.call(Kind::Read, url, String::new()).await;
    }

    /// Starts a cancellation of one of Front Payment's orders.
    pub async fn cancel(&mut self, index: usize) {
        let (bridge, secret) = (self.bridge.clone(), self.setting.secret.clone());
        let order_id = lock(&self.shared).truth.store.item.as_ref().unwrap().order_id;
        let request = async move {
            let (order_uuid, deadline) = (uuid_of(index), deadline(&bridge));
            let Ok(found) = bridge.store.load(order_id).await else { return Ended::Cancel("to be repeated") };
            let Some(order) = found.filter(|order| order.order_uuid.is_some() && order.knows_uuid(&order_uuid)) else {
                return Ended::Cancel("not known");
            };
            let request = CancelRequest { order, order_uuid: &order_uuid, note: "n", secret, deadline };
            let budget = ReadBudget::per_minute(60);
            Ended::Cancel(match cancel(&bridge, &budget, request).await.outcome {
                CancelOutcome::Cancelled => "cancelled",
                CancelOutcome::Requested => "requested",
                CancelOutcome::Refused(_) => "refused",
                CancelOutcome::Failed | CancelOutcome::ProviderUnavailable | CancelOutcome::StoreUnavailable => "to be repeated",
                CancelOutcome::Unknown => "unknown",
                CancelOutcome::Gone => "not known",
            })
        };
        self.start(Kind::Cancel(index), Box::pin(request)).await;
    }

    /// Starts a worker in a process of its own.
    pub async fn wake(&mut self, event: Event) {
        let (invocation, ahead) = {
            let truth = &mut lock(&self.shared).truth;
            if event == Event::NotCreated {
                let (generation, seconds) = (truth.store.generation, truth.seconds);
                let is_meant = |order: &&mut ProviderOrder| order.generation == generation && seconds - order.sent_at > 600;
                truth.orders.iter_mut().filter(is_meant).for_each(|order| order.is_ruled_out = true);
            }
            let is_early = event == Event::NotCreated && truth.store.mutant == Mutant::NoTenMinutes;
            let order_id = truth.store.item.as_ref().unwrap().order_id;
            (event.invocation(order_id, truth), if is_early { TEN_MINUTES } else { 0 })
        };
        let services = Services { shared: self.shared.clone() };
        let worker = Worker::new(Arc::new(bridge(&self.shared, ahead)), services, PrivateHosts::default());
        let work = async move {
            let answer = worker.invoke(invocation).await.unwrap();
            if answer.get("error").is_some() { Ended::NothingChanged } else { Ended::Worked }
        };
        self.start(Kind::Worker(event), Box::pin(work)).await;
    }

    async fn call(&mut self, kind: Kind, url: String, raw_query: String) {
        let (bridge, secret) = (self.bridge.clone(), self.setting.secret.clone());
        let request = async move {
            let mut path = url.rsplit('/');
            let token = path.next().unwrap();
            let order_id = Uuid::parse_str(path.next().unwrap()).unwrap();
            let request = CallbackRequest { order_id, token, raw_query: &raw_query, secret, deadline: deadline(&bridge) };
            let budget = ReadBudget::per_minute(60);
            match status::apply_callback(&bridge, &budget, request).await.0 {
                CallbackOutcome::Applied | CallbackOutcome::Duplicate | CallbackOutcome::Noted | CallbackOutcome::OtherOrder => {
                    TAKEN
                }
                CallbackOutcome::StatusRead => READ,
                CallbackOutcome::NotFound => Ended::Callback("not found"),
                CallbackOutcome::NotVerified => NOT_VERIFIED,
                CallbackOutcome::StatusUnavailable | CallbackOutcome::StoreUnavailable => TO_BE_REPEATED,
            }
        };
        self.start(kind, Box::pin(request)).await;
    }
}

fn deadline(bridge: &Bridge<Services, Services>) -> Deadline {
    Deadline(bridge.clock.now() + SignedDuration::from_secs(29))
}

/// Whether the ids and the link in a reply belong to different orders, or the link is no longer valid.
fn is_mixed_up(order: &StoredOrder) -> bool {
    let Some(index) = order.order_uuid.as_deref().and_then(index_of) else { return true };
    let is_other = |value: &Option<String>, own: String| value.as_ref().is_some_and(|value| *value != own);
    let is_late_link = order.bank_id_url.is_some() && order.status != Status::Sent;
    is_late_link || is_other(&order.customer_uuid, customer_uuid(index)) || is_other(&order.bank_id_url, bank_id_url(index))
}
