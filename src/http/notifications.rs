//! `POST /orders/{orderId}/notifications`: a shop has the status told again. Also the warning about a callbackUrl that the
//! bridge cannot call.

use http::StatusCode;
use serde::Serialize;
use uuid::Uuid;

use super::orders::Orders;
use super::problem::{Problem, Slug};
use super::request_log::HandlerResult;
use super::{ApiRequest, json};
use crate::bridge::{OnOutage, Updated};
use crate::front_payment::FrontPayment;
use crate::notify;
use crate::order::{Code, MAX_WARNINGS, Validated, Violation};
use crate::order_view::NotifiedView;
use crate::secrets::Secret;
use crate::store::OrderIndex;
use crate::telemetry::{RequestReport, error_chain};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NotificationView<'a> {
    order_id: Uuid,
    notified: Option<NotifiedView<'a>>,
}

impl<S: OrderIndex, F: FrontPayment> Orders<S, F> {
    pub(super) async fn post_notification(&self, request: &ApiRequest<'_>, report: &mut RequestReport) -> HandlerResult {
        let (secret, order) = self.find(request, report).await?;
        let order_id = order.order_id;
        if order.order_uuid.is_none() || secret.notify_of(&order.shop_id).is_none() {
            let detail = "Front Payment does not have this order, or the bridge does not notify this shop: its operator adds \
                notify to the shop in the secret.";
            return Err(Problem::new(Slug::NothingToNotify, detail).of(order_id));
        }
        let by = request.deadline.reply_by();
        let repeated = self.bridge.update(order, by, OnOutage::GiveUp, |order, now| order.repeat_notification(now)).await;
        let Updated { order, .. } = repeated.map_err(|failure| {
            tracing::error!(error = error_chain(&failure.error), "the notification is not stored");
            let detail = "The notification cannot be stored at the moment. Try again.";
            Problem::new(Slug::StorageUnavailable, detail).of(order_id)
        })?;
        let view = NotificationView { order_id, notified: NotifiedView::new(&order) };
        Ok(("notification-requested", json(StatusCode::ACCEPTED, "application/json", Vec::new(), &view)))
    }

    /// Adds a warning to the 201 if the shop is notified and the bridge cannot call this URL.
    pub(super) fn warn_if_not_notifiable(&self, validated: &mut Validated, secret: &Secret, shop_id: &str) {
        let Some(notify) = secret.notify_of(shop_id) else { return };
        let url = &validated.order.callback.callback;
        if let Err(error) = notify::check_callback_url(url, notify, &self.settings.private_shop_hosts) {
            let detail =
                format!("the bridge cannot notify this URL: {error}. Its statuses can be read with GET /orders/{{orderId}}");
            validated.warnings.truncate(MAX_WARNINGS - 1);
            validated.warnings.push(Violation::new("/callback/callbackUrl", Code::NotNotifiable, detail));
        }
    }
}
