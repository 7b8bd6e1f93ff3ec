//! The expected checksums were computed by PHP: `hash('sha256', implode('', $get) . $key)`.

use proptest::prelude::*;

use super::*;
use crate::front_payment::callback::SignedCallback;

const KEY: &str = "shop-key-of-24-characters";

const REFUND: Notification<'_> = Notification {
    order_uuid: "ODR4286244937",
    status: "PARTIAL_REFUNDED",
    payment_method: "",
    amount: "4017.860",
    created_at: 1_781_524_800,
    timestamp: 1_781_525_000,
};

const REFUND_QUERY: &str = "orderUuid=ODR4286244937&status=PARTIAL_REFUNDED&paymentMethod=&amount=4017.860\
    &createdAt=1781524800&timestamp=1781525000";

fn parsed(callback_url: &str) -> Url {
    Url::parse(callback_url).unwrap()
}

fn called_with(callback_url: &str, notification: &Notification<'_>, key: &str) -> String {
    let mut url = parsed(callback_url);
    let query = query(&url, notification, &Redacted::new(key)).unwrap();
    url.set_query(Some(&query));
    url.set_fragment(None);
    url.into()
}

fn called(callback_url: &str, notification: &Notification<'_>) -> String {
    called_with(callback_url, notification, KEY)
}

fn error(callback_url: &str) -> QueryError {
    let checked = check_query(&parsed(callback_url)).unwrap_err();
    assert_eq!(query(&parsed(callback_url), &REFUND, &Redacted::new(KEY)).unwrap_err(), checked);
    checked
}

#[test]
fn the_providers_documented_vector() {
    let documented = Notification {
        order_uuid: "ODR123",
        status: "success",
        payment_method: "Visa",
        amount: "100",
        created_at: 1_755_764_131,
        timestamp: 1_755_764_131,
    };
    assert_eq!(
        called_with("https://shop.example/status", &documented, "test-secret"),
        "https://shop.example/status?orderUuid=ODR123&status=success&paymentMethod=Visa&amount=100&createdAt=1755764131\
         &timestamp=1755764131&checksum=cd158e29f18c921de003383e893f27e66669da35fe79909b67ad3b48e8e6f9f6"
    );
}

#[test]
fn the_shops_own_query_stays_and_comes_first() {
    assert_eq!(
        called("https://shop.example:8443/a%20b/?shop=1", &REFUND),
        format!(
            "https://shop.example:8443/a%20b/?shop=1&{REFUND_QUERY}\
             &checksum=4986d32dd6a584cb0dc43130b2297f5be992cde30eb4b1bb51cc554036642469"
        )
    );
    assert_eq!(
        called("https://shop.example/?a.b=1&id=x+y%2Bz&a_b=%C3%A6%FF", &REFUND),
        format!(
            "https://shop.example/?a.b=1&id=x+y%2Bz&a_b=%C3%A6%FF&{REFUND_QUERY}\
             &checksum=7f3f0ae66f0986b5dd7bd2b78e5aa23bc2da3fbabc67548298f0f38a671a826f"
        ),
        "to PHP, a.b and a_b are one name"
    );
}

#[test]
fn an_empty_query_is_none_and_a_fragment_is_no_query() {
    let plain = called("https://shop.example/status", &REFUND);
    assert_eq!(called("https://shop.example/status?", &REFUND), plain);
    assert_eq!(called("https://shop.example/status#top?a=1", &REFUND), plain);
    assert!(called("https://shop.example/?a&#top", &REFUND).starts_with("https://shop.example/?a&&orderUuid="));
}

#[test]
fn a_value_is_encoded_so_that_it_reads_the_same() {
    let card = Notification { status: "RESERVED", payment_method: "100% & æ+=", ..REFUND };
    assert_eq!(
        called("https://shop.example/", &card),
        "https://shop.example/?orderUuid=ODR4286244937&status=RESERVED&paymentMethod=100%25%20%26%20%C3%A6%2B%3D\
         &amount=4017.860&createdAt=1781524800&timestamp=1781525000\
         &checksum=41981ad9b13881a0e15b13359f7c261a433f6490f76dda2acafdbe0ed6801169"
    );
}

#[test]
fn a_reserved_name_is_an_error() {
    for name in NAMES {
        for query in [format!("{name}=1"), format!("a=1&{name}"), format!("+{name}=1"), format!("%20%20{name}=1")] {
            assert_eq!(error(&format!("https://shop.example/?{query}")), QueryError::ReservedName(name), "{query}");
        }
    }
    for query in ["order%55uid=1", "orderUuid%00x=1"] {
        assert_eq!(error(&format!("https://shop.example/?{query}")), QueryError::ReservedName("orderUuid"), "{query}");
    }
    for query in ["orderuuid=1", "order.Uuid=1", "order+Uuid=1", "orderUuid.=1", "a=orderUuid", "a=%26status=1", "Status"] {
        assert_eq!(check_query(&parsed(&format!("https://shop.example/?{query}"))), Ok(()), "{query}");
    }
    assert_eq!(check_query(&parsed("https://shop.example/status/?#orderUuid=1")), Ok(()));
}

#[test]
fn an_array_is_an_error() {
    for query in ["ids[]=1", "ids%5B%5D=1", "ids%5b0%5d=1", "ids[=1", "a=1&[x]=2", "status[]=1"] {
        assert_eq!(error(&format!("https://shop.example/?{query}")), QueryError::Array, "{query}");
    }
    assert_eq!(check_query(&parsed("https://shop.example/?a=[1]&b=%5B&c]=2")), Ok(()));
}

#[test]
fn the_notification_has_to_fit_into_phps_limit() {
    let with = |count| format!("https://shop.example/?{}", vec!["a"; count].join("&"));
    assert_eq!(check_query(&parsed(&with(993))), Ok(()));
    let url = parsed(&called(&with(993), &REFUND));
    assert_eq!(php_query::read(url.query().unwrap(), MAX_PARAMETERS).unwrap().len(), 8);
    assert_eq!(error(&with(994)), QueryError::TooMany);
}

#[test]
fn an_error_says_what_is_wrong_with_the_query() {
    assert_eq!(
        QueryError::ReservedName("status").to_string(),
        "its query has the parameter `status`, which the notification adds"
    );
    assert_eq!(QueryError::TooMany.to_string(), "its query has more than 993 parameters");
}

proptest! {
    #[test]
    fn the_shop_hashes_what_the_bridge_hashed(
        own in "([a-c.+_=&%é|'\\]]|%(00|20|2E|26|3D|FF|2b|C3%A6)|__Host-){0,30}",
        order_uuid in ".{0,20}", status in ".{0,20}", payment_method in ".{0,20}", amount in ".{0,20}",
        created_at: i64, timestamp: i64, key in "[!-~]{24,40}",
    ) {
        let callback_url = parsed(&format!("https://shop.example/?{own}#fragment"));
        let notification = Notification {
            order_uuid: &order_uuid, status: &status, payment_method: &payment_method, amount: &amount, created_at, timestamp,
        };
        let query = query(&callback_url, &notification, &Redacted::new(key.as_str())).unwrap();
        prop_assert!(query.starts_with(callback_url.query().unwrap()));
        let mut url = callback_url;
        url.set_query(Some(&query));
        prop_assert_eq!(url.query(), Some(query.as_str()), "the URL does not encode it again");

        let mut read = php_query::read(&query, MAX_PARAMETERS).unwrap();
        let checksum = read.pop().unwrap();
        prop_assert_eq!(&checksum.name, b"checksum");
        let hashed: Vec<u8> = read.iter().flat_map(|parameter| parameter.value.clone()).chain(key.into_bytes()).collect();
        prop_assert_eq!(checksum.value, hex::encode(Sha256::digest(hashed)).into_bytes());

        let told: Vec<(&[u8], &[u8])> = read[read.len() - 6..].iter().map(|p| (&*p.name, &*p.value)).collect();
        let (created_at, timestamp) = (created_at.to_string(), timestamp.to_string());
        prop_assert_eq!(told, [
            (&b"orderUuid"[..], order_uuid.as_bytes()), (b"status", status.as_bytes()),
            (b"paymentMethod", payment_method.as_bytes()), (b"amount", amount.as_bytes()),
            (b"createdAt", created_at.as_bytes()), (b"timestamp", timestamp.as_bytes()),
        ]);
    }

    #[test]
    fn the_bridges_own_verifier_accepts_it(
        status in "[A-Z]([A-Z_]{0,30}[A-Z])?", payment_method in "[^\\p{Cc}]{0,64}", amount in "[0-9]{1,9}(\\.[0-9]{1,3})?",
        created_at in 0..9_999_999_999_999_i64, timestamp in 0..9_999_999_999_999_i64, key in "[!-~]{24,40}",
    ) {
        let key = Redacted::new(key);
        let notification = Notification {
            status: &status, payment_method: &payment_method, amount: &amount, created_at, timestamp, ..REFUND
        };
        let query = query(&parsed("https://shop.example/status"), &notification, &key).unwrap();
        let signed = SignedCallback::read(&query).unwrap();
        prop_assert!(signed.is_signed_with(&key));
        prop_assert!(!signed.is_signed_with(&Redacted::new("another-key-of-24-characters")));
        prop_assert_eq!(signed.callback.order_uuid, "ODR4286244937");
    }

    #[test]
    fn any_url_gets_an_answer(own in ".{0,100}") {
        let callback_url = parsed(&format!("https://shop.example/?{own}"));
        let query = query(&callback_url, &REFUND, &Redacted::new(KEY));
        prop_assert_eq!(query.map(drop), check_query(&callback_url));
    }
}
