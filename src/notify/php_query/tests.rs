//! The expectations are the results of PHP 8.2.

use proptest::prelude::*;

use super::*;

/// `name=value` of each entry, with `&` between.
fn get(raw_query: &str) -> String {
    let entries = read(raw_query, MAX_PARAMETERS).unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    entries.iter().map(|entry| format!("{}={}", text(&entry.name), text(&entry.value))).collect::<Vec<_>>().join("&")
}

#[test]
fn parameters_are_separated_by_ampersands_alone() {
    assert_eq!(get("a=1&b=2"), "a=1&b=2");
    assert_eq!(get("a;b=1;c=2"), "a;b=1;c=2");
    assert_eq!(get("&&a=1&&&b=2&"), "a=1&b=2");
    assert_eq!(get(""), "");
    assert_eq!(get("&"), "");
}

#[test]
fn the_first_equals_sign_ends_the_name() {
    assert_eq!(get("a=b=c"), "a=b=c");
    assert_eq!(get("a%3Db=c"), "a=b=c");
    assert_eq!(read("a%3Db=c", 1).unwrap(), [Parameter { name: b"a=b".to_vec(), value: b"c".to_vec() }]);
    assert_eq!(get("a"), "a=");
    assert_eq!(get("a="), "a=");
}

#[test]
fn plus_is_a_space_and_a_broken_escape_stays() {
    assert_eq!(get("a=x+y%20z%2B"), "a=x y z+");
    assert_eq!(get("a%=%&b=%4&c=%zz&d=%4+&e=%%41"), "a%=%&b=%4&c=%zz&d=%4 &e=%A");
    assert_eq!(get("%2B=%c3%A6"), "+=æ");
    assert_eq!(read("a=%FF%00b", 1).unwrap(), [Parameter { name: b"a".to_vec(), value: b"\xFF\0b".to_vec() }]);
}

#[test]
fn names_are_changed() {
    assert_eq!(get("a.b=1"), "a_b=1");
    assert_eq!(get("a+b%2Ec%20=1"), "a_b_c_=1");
    assert_eq!(get("++%20a=1"), "a=1");
    assert_eq!(get("+.=1"), "_=1");
    assert_eq!(get("%09a=1"), "\ta=1", "a tab is no space");
    assert_eq!(get("a%00b=1"), "a=1");
    assert_eq!(get("A=1&a=2"), "A=1&a=2");
    assert_eq!(get("a]=1"), "a]=1");
    assert_eq!(get("this=1&GLOBALS=2"), "this=1&GLOBALS=2");
}

#[test]
fn parameters_without_a_name_are_skipped() {
    assert_eq!(get("=1&+=2&%00=3&+%00a=4&=&a=5"), "a=5");
}

#[test]
fn a_change_creates_no_cookie_prefix() {
    assert_eq!(get("_.Host-a=1&..Secure-a=2&_+Host-a=3"), "");
    assert_eq!(get("__Host-a.b=1&+__Secure-=2"), "__Host-a_b=1&__Secure-=2");
    assert_eq!(get("_.host-a=1&_.Host=2"), "__host-a=1&__Host=2");
}

#[test]
fn a_repeated_name_has_its_last_value_at_its_first_place() {
    assert_eq!(get("a=1&b=2&a=3"), "a=3&b=2");
    assert_eq!(get("a.b=1&c=2&a+b=3&a_b"), "a_b=&c=2");
    assert_eq!(get("a=1&b=2&+a%00c=3"), "a=3&b=2");
    assert_eq!(get("05=a&5=b&05=c"), "05=c&5=b");
}

#[test]
fn an_array_is_an_error() {
    for query in ["a[]=1", "a%5B%5D=1", "a%5b0]=1", "a[=1", "[=1", "[a]=1", "b=1&a[b][c]=1", "a%00[=1"] {
        assert_eq!(read(query, MAX_PARAMETERS), Err(ReadError::Array), "{query}");
    }
    assert_eq!(get("a=[1]&b=%5B"), "a=[1]&b=[");
}

#[test]
fn the_thousandth_parameter_is_the_last() {
    let many = |count| vec!["a=1"; count].join("&&");
    assert_eq!(get(&many(1_000)), "a=1");
    assert_eq!(read(&many(1_001), MAX_PARAMETERS), Err(ReadError::TooMany));
    assert_eq!(read("=1&=2&a=1", 2), Err(ReadError::TooMany), "the skipped ones count");
}

proptest! {
    #[test]
    fn any_query_gets_an_answer(query in ".{0,200}", limit in 0_usize..20) {
        if let Ok(entries) = read(&query, limit) {
            prop_assert!(entries.len() <= limit);
            prop_assert!(entries.iter().all(|entry| !entry.name.is_empty() && !entry.name.contains(&0)));
        }
    }
}
