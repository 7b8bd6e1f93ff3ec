//! A shop gets the same replies with and without another shop, whatever ids and keys the two send. So it can neither read,
//! nor replay, nor block the other shop's orders.

use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::documents::{example, example_of, post_event};
use crate::support::scripted::{failed, rejected, sent, unknown};
use crate::support::test_bridge::{TestBridge, TestReply};

/// What a shop does. There are few keys and ids, so that both shops use the same ones.
#[derive(Debug, Clone)]
enum Act {
    Submit { key: Option<String>, total: &'static str, reply: ProviderReply },
    Read(Target),
}

/// What Front Payment replies: some replies block a key, and some leave it free.
#[derive(Debug, Clone, Copy)]
enum ProviderReply {
    Created,
    Rejected,
    Failed,
    Lost,
}

/// Which order is read.
#[derive(Debug, Clone)]
enum Target {
    /// One of the shop's own.
    Own(usize),
    /// One of the other shop's.
    Others(usize),
    Id(String),
}

fn key() -> impl Strategy<Value = String> {
    // Keys that contain the other shop's id, or could be mistaken for the id and a key.
    prop_oneof![
        Just("key".to_owned()),
        Just("shop-a".to_owned()),
        Just("shop-a\u{7c}key".to_owned()),
        Just("a\\0key".to_owned()),
        Just("%00key".to_owned()),
        "[!-~]{1,12}",
    ]
}

fn act() -> impl Strategy<Value = Act> {
    use ProviderReply::{Created, Failed, Lost, Rejected};
    let target = prop_oneof![
        (0..6usize).prop_map(Target::Own),
        (0..6usize).prop_map(Target::Others),
        "[ -~]{0,40}".prop_map(Target::Id),
        Just(Target::Id("../orders".to_owned())),
    ];
    let reply = prop_oneof![2 => Just(Created), 1 => Just(Rejected), 1 => Just(Failed), 1 => Just(Lost)];
    let submit = (proptest::option::of(key()), prop_oneof![Just("40"), Just("50")], reply);
    prop_oneof![
        3 => submit.prop_map(|(key, total, reply)| Act::Submit { key, total, reply }),
        2 => target.prop_map(Act::Read),
    ]
}

struct Shop<'b> {
    bridge: &'b TestBridge,
    api_key: &'static str,
    /// The order ids in the shop's replies.
    ids: Vec<String>,
}

impl<'b> Shop<'b> {
    fn new(bridge: &'b TestBridge, api_key: &'static str) -> Self {
        Self { bridge, api_key, ids: Vec::new() }
    }

    async fn act(&mut self, act: &Act, others: &[String]) -> TestReply {
        match act {
            Act::Submit { key, total, reply } => {
                self.bridge.provider().will_only_reply(match reply {
                    ProviderReply::Created => sent("ODR1"),
                    ProviderReply::Rejected => rejected(),
                    ProviderReply::Failed => failed(),
                    ProviderReply::Lost => unknown(),
                });
                let event = post_event(&example_of(total).to_string(), &format!("Bearer {}", self.api_key), key.as_deref());
                let reply = self.bridge.orders(event).await;
                self.ids.extend(reply.body["orderId"].as_str().map(str::to_owned));
                reply
            }
            Act::Read(target) => {
                let pick = |ids: &[String], n: usize| ids.get(n % ids.len().max(1)).cloned().unwrap_or_default();
                let id = match target {
                    Target::Own(n) => pick(&self.ids, *n),
                    Target::Others(n) => pick(others, *n),
                    Target::Id(id) => id.clone(),
                };
                self.bridge.get(&id, self.api_key).await
            }
        }
    }
}

/// The reply without its random part, the id of an order without a key.
fn comparable(reply: &TestReply) -> String {
    let is_random = |text: &str| Uuid::parse_str(text).is_ok_and(|id| id.get_version_num() == 7);
    let mut body = reply.body.clone();
    if body["orderId"].as_str().is_some_and(is_random) {
        body["orderId"] = Value::Null;
    }
    format!("{} {} {body}", reply.status, reply.is_replay())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_shop_gets_the_same_with_and_without_another(acts in proptest::collection::vec((any::<bool>(), act()), 1..14)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let (shared, alone) = (TestBridge::new().await, TestBridge::new().await);
            let (mut a, mut b, mut alone) =
                (Shop::new(&shared, "key-a"), Shop::new(&shared, "key-b"), Shop::new(&alone, "key-a"));
            for (is_a, act) in &acts {
                if *is_a {
                    let others = b.ids.clone();
                    let reply = a.act(act, &others).await;
                    if let Act::Read(Target::Others(_)) = act {
                        assert_eq!(reply.status, 404, "{act:?}");
                    }
                    assert_eq!(comparable(&reply), comparable(&alone.act(act, &others).await), "{act:?}");
                } else {
                    let reply = b.act(act, &a.ids.clone()).await;
                    if let Act::Read(Target::Others(_)) = act {
                        assert_eq!((reply.status, reply.slug()), (404, "not-found"), "{act:?}");
                    }
                }
            }
            assert!(a.ids.iter().all(|id| !b.ids.contains(id)), "both shops got the same id");
        });
    }
}

#[tokio::test]
async fn a_shop_cannot_name_another_shops_order_to_front_payment() {
    let bridge = TestBridge::new().await;
    for (member, value) in [("fpgoUuid", "ODR1"), ("orderFrom", "PARTNER")] {
        let mut order = example();
        order[member] = json!(value);
        let reply = bridge.orders(post_event(&order.to_string(), "Bearer key-b", Some("key"))).await;
        assert_eq!((reply.status, reply.errors()), (422, vec![(format!("/{member}"), "not_allowed".to_owned())]));
    }
    assert_eq!(bridge.provider().submit_count(), 0);
}

#[tokio::test]
async fn many_unknown_keys_have_the_secret_fetched_once_in_30_seconds() {
    let bridge = TestBridge::new().await;
    let order = example().to_string();
    for round in 1..=3 {
        for guess in 0..50 {
            let reply = bridge.orders(post_event(&order, &format!("Bearer guess-{guess}"), None)).await;
            assert_eq!((reply.status, reply.header("www-authenticate")), (401, Some("Bearer")));
        }
        assert_eq!(bridge.secret.fetches(), 1 + round, "the first fetch is that of init");
        bridge.pass(30);
    }
}
