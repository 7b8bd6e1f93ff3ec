//! Compares what the shops were told with what is stored.

use std::collections::HashMap;

use front_payment_bridge::order::{NotificationState, Status, StoredOrder};

use crate::shops::{Manner, Told};

/// What the shops were told, and which shop each URL belongs to.
#[derive(Clone, Default)]
pub struct Notified {
    pub told: Vec<Told>,
    pub urls: Vec<(Manner, String)>,
}

impl Notified {
    fn manner_of(&self, stored: &StoredOrder) -> Option<Manner> {
        let url = &stored.shop_callback_url;
        self.urls.iter().find(|(_, known)| url.starts_with(known)).map(|(manner, _)| *manner)
    }

    /// Every last status was told, no older status was told after a newer one, and only the dead shop has notifications
    /// left.
    pub fn findings(&self, stored: &[StoredOrder]) -> Vec<String> {
        let mut found = Vec::new();
        let mut told: HashMap<&str, Vec<Status>> = HashMap::new();
        for notification in &self.told {
            let Told { order_uuid, status, is_verified } = notification;
            let Ok(status) = status.parse::<Status>() else {
                found.push(format!("{order_uuid}: {status} was told, which is no status"));
                continue;
            };
            if !is_verified {
                found.push(format!("{order_uuid}: the checksum of {status:?} is wrong"));
            }
            // The sandbox never lowers a status.
            let earlier = told.entry(order_uuid).or_default();
            if earlier.last().is_some_and(|earlier| *earlier > status) {
                found.push(format!("{order_uuid}: {status:?} was told after {:?}", earlier.last()));
            }
            earlier.push(status);
        }
        for order in stored {
            let last = order.order_uuid.as_deref().and_then(|uuid| told.get(uuid)?.last());
            found.extend(self.fault(order, last).map(|fault| format!("{} ({:?}): {fault}", order.order_id, order.status)));
        }
        found
    }

    fn fault(&self, order: &StoredOrder, last: Option<&Status>) -> Option<String> {
        let state = order.notifications.as_ref().map(|notifications| notifications.state);
        match (self.manner_of(order), state) {
            (_, None) => order.order_uuid.is_some().then(|| "it is accepted, and nothing is known of telling it".to_owned()),
            // The 201 told the SENT.
            (Some(Manner::Dead), Some(NotificationState::Delivered)) if order.status == Status::Sent => None,
            (Some(Manner::Dead), Some(NotificationState::Pending)) => None,
            (Some(Manner::Steady | Manner::Unsteady | Manner::Down), Some(NotificationState::Delivered)) => {
                let is_told = last == Some(&order.status) || last.is_none() && order.status == Status::Sent;
                (!is_told).then(|| format!("the shop was last told {last:?}"))
            }
            // The URL cannot be called.
            (None, Some(NotificationState::Failed)) => None,
            (None, Some(NotificationState::Delivered)) if order.status == Status::Sent => None,
            (manner, state) => Some(format!("the notification of a shop that is {manner:?} is {state:?}")),
        }
    }
}
