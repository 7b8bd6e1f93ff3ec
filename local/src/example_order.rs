use jiff::Timestamp;

/// The example of the provider's page with today's date, ready to be sent. The person is synthetic.
#[must_use]
pub fn example_order(base: &str, reference_no: &str) -> serde_json::Value {
    order_of(base, reference_no, Timestamp::now())
}

/// Like [`example_order`], with the date of `now`.
pub(super) fn order_of(base: &str, reference_no: &str, now: Timestamp) -> serde_json::Value {
    serde_json::json!({
        "products": [{
            "name": "Router", "productId": "R_1", "quantity": "1", "rate": 40, "discount": 0, "tax": "0", "amount": 40
        }],
        "orderSummary": { "subTotal": "40", "totalTax": "0", "totalDiscount": "0.00", "grandTotal": "40" },
        "orderDate": now.as_second().to_string(),
        "customerDetails": {
            "type": "private", "countryCode": "+47", "msisdn": "46567468", "email": "kari@example.com", "name": "Kari Nordmann",
            "preferredLanguage": "en", "personalNumber": "30908299902", "organizationId": "",
            "address": { "street": "Klosterenget 144", "zip": "7030", "city": "Trondheim", "country": "NO" }
        },
        "referenceNo": reference_no,
        "customerReference": "3500",
        "invoiceInterval": 0,
        "separateInvoices": true,
        "invoiceFeeApplicable": true,
        "invoiceMaturity": 10,
        "callback": {
            "callbackUrl": format!("{base}/front-payment/shop/status"),
            "success": format!("{base}/front-payment/shop/success"),
            "failure": format!("{base}/front-payment/shop/failure")
        }
    })
}
