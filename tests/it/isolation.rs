//! One shop can neither read, replay nor block another's orders, whatever it puts into ids and keys: what
//! a shop gets is the same with and without the other one.

use front_payment_bridge::front_payment::SubmitReply;
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::scripted::{created, refused};
use crate::support::{Read, TestBridge, example, post_event};

/// What a shop does. Keys and ids are few, so that the shops meet.
#[derive(Debug, Clone)]
enum Act {
    Submit {
        key: Option<String>,
        total: &'static str,
        answer: Says,
    },
    /// Reads the order of one's n-th submit, or whatever id that is.
    Read(Target),
}

/// What Front Payment answers: some of it blocks a key, or frees it.
#[derive(Debug, Clone, Copy)]
enum Says {
    Created,
    Refused,
    Failed,
    Nothing,
}

#[derive(Debug, Clone)]
enum Target {
    Own(usize),
    Others(usize),
    Id(String),
}

fn key() -> impl Strategy<Value = String> {
    // Those of the other shop, and what could be mistaken for it and its key.
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
    let target = prop_oneof![
        (0..6usize).prop_map(Target::Own),
        (0..6usize).prop_map(Target::Others),
        "[ -~]{0,40}".prop_map(Target::Id),
        Just(Target::Id("../orders".to_owned())),
    ];
    let says = prop_oneof![2 => Just(Says::Created), 1 => Just(Says::Refused), 1 => Just(Says::Failed), 1 => Just(Says::Nothing)];
    let submit = (proptest::option::of(key()), prop_oneof![Just("40"), Just("50")], says);
    prop_oneof![
        3 => submit.prop_map(|(key, total, answer)| Act::Submit { key, total, answer }),
        2 => target.prop_map(Act::Read),
    ]
}

/// A shop that acts, and the ids that it was given.
struct Shop<'b> {
    bench: &'b TestBridge,
    api_key: &'static str,
    ids: Vec<String>,
}

impl<'b> Shop<'b> {
    fn new(bench: &'b TestBridge, api_key: &'static str) -> Self {
        Self { bench, api_key, ids: Vec::new() }
    }

    async fn act(&mut self, act: &Act, others: &[String]) -> Read {
        match act {
            Act::Submit { key, total, answer } => {
                self.bench.provider().will_only_answer(match answer {
                    Says::Created => created("ODR1", Some("https://bankid.example/login")),
                    Says::Refused => refused(),
                    Says::Failed => SubmitReply::Failed { unproven: true },
                    Says::Nothing => SubmitReply::Unknown,
                });
                let mut order = example();
                order["orderSummary"]["grandTotal"] = json!(total);
                let bearer = format!("Bearer {}", self.api_key);
                let read = self.bench.orders(post_event(&order.to_string(), &bearer, key.as_deref())).await;
                self.ids.extend(read.body["orderId"].as_str().map(str::to_owned));
                read
            }
            Act::Read(target) => {
                let pick = |ids: &[String], n: usize| ids.get(n % ids.len().max(1)).cloned().unwrap_or_default();
                let id = match target {
                    Target::Own(n) => pick(&self.ids, *n),
                    Target::Others(n) => pick(others, *n),
                    Target::Id(id) => id.clone(),
                };
                self.bench.get(&id, self.api_key).await
            }
        }
    }
}

/// A reply without what is random: the ids of orders without a key.
fn plain(read: &Read) -> String {
    let hide = |text: &str| Uuid::parse_str(text).is_ok_and(|id| id.get_version_num() == 7);
    let mut body = read.body.clone();
    if body["orderId"].as_str().is_some_and(hide) {
        body["orderId"] = Value::Null;
    }
    let replayed = read.header("idempotency-replayed");
    format!("{} {replayed:?} {body}", read.status)
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
                    let seen = a.act(act, &others).await;
                    if let Act::Read(Target::Others(_)) = act {
                        assert_eq!(seen.status, 404, "{act:?}");
                    }
                    assert_eq!(plain(&seen), plain(&alone.act(act, &others).await), "{act:?}");
                } else {
                    let seen = b.act(act, &a.ids.clone()).await;
                    if let Act::Read(Target::Others(_)) = act {
                        assert_eq!((seen.status, seen.slug()), (404, "not-found"), "{act:?}");
                    }
                }
            }
            assert!(a.ids.iter().all(|id| !b.ids.contains(id)), "an id of both");
        });
    }
}

#[tokio::test]
async fn a_shop_cannot_name_another_shops_order_to_front_payment() {
    let bench = TestBridge::new().await;
    bench.post(&example(), Some("key")).await;
    let sent = bench.provider().submitted();
    for (member, value) in [("fpgoUuid", "ODR1"), ("orderFrom", "PARTNER")] {
        let mut order = example();
        order[member] = json!(value);
        let read = bench.orders(post_event(&order.to_string(), "Bearer key-b", Some("key"))).await;
        assert_eq!((read.status, read.errors()), (422, vec![(format!("/{member}"), "not_allowed".to_owned())]));
    }
    assert_eq!(bench.provider().submitted(), sent);
}

#[tokio::test]
async fn many_unknown_keys_cost_one_look_into_the_secret_in_half_a_minute() {
    let bench = TestBridge::new().await;
    let asked = || bench.secret.asked.load(std::sync::atomic::Ordering::SeqCst);
    let order = example().to_string();
    for minute_half in 1..=3 {
        for guess in 0..50 {
            let read = bench.orders(post_event(&order, &format!("Bearer guess-{guess}"), None)).await;
            assert_eq!((read.status, read.header("www-authenticate")), (401, Some("Bearer")));
        }
        assert_eq!(asked(), 1 + minute_half, "init's, and one more");
        bench.pass(30);
    }
}
