use proptest::prelude::*;

use super::*;

#[track_caller]
fn said(document: &str) -> String {
    Json::parse(document.as_bytes()).expect_err(document).to_string()
}

#[test]
fn numbers_keep_their_digits() {
    let long = "1".repeat(400);
    let integers = ["0", "-0", "40", "-7", "18446744073709551615", "18446744073709551616", "-9223372036854775809", &long];
    let others = ["40.00", "0.1", "-0.0", "12345678901234567890.123456789", "1.5e-3"];
    for digits in integers.into_iter().chain(others) {
        assert_eq!(Json::parse(digits.as_bytes()), Ok(Json::Number(digits.to_owned())));
    }
    assert_eq!(Json::parse(b"1E400"), Ok(Json::Number("1e+400".to_owned())), "no float, though an exponent gets a sign");
}

#[test]
fn an_object_is_no_number_even_if_its_member_has_serde_jsons_name_for_one() {
    for value in ["\"40\"", "\"\\u0034\"", "40", "40.5", "null", "{}", "[]"] {
        let document = format!("{{\"{DIGITS}\": {value}}}");
        let json = Json::parse(document.as_bytes());
        assert!(matches!(&json, Ok(Json::Object(members)) if members.len() == 1), "{value}: {json:?}");
    }
    let nested = format!("{}{}", format!("{{\"{DIGITS}\":").repeat(MAX_DEPTH), "{}");
    assert_eq!(said(&format!("{nested}{}", "}".repeat(MAX_DEPTH))).split(" at ").next(), Some("nested deeper than 64 levels"));
    assert!(Json::parse(format!("{}{}", nested.replace("{}", "40.5"), "}".repeat(MAX_DEPTH)).as_bytes()).is_ok());
}

#[test]
fn everything_else_than_json_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":}",
        "NaN",
        "Infinity",
        "01",
        "+1",
        ".5",
        "1.",
        "'a'",
        "\"a",
        "\"\u{1}\"",
        "\"\\ud800\"",
        "{} {}",
        "tru",
        "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}",
        "[{\"x\":{\"b\":1,\"b\":1}}]",
        "{\"a\":\"\\udc00\"}",
        "[1 2]",
        "{\"a\" 1}",
        "[]]",
    ] {
        assert!(Json::parse(text.as_bytes()).is_err(), "{text:?} was taken");
    }
}

#[test]
fn a_body_of_another_kind_is_named() {
    let multipart = b"--x1\r\nContent-Disposition: form-data; name=\"order\"\r\n\r\n{}\r\n--x1--\r\n";
    let binary_part = b"--x1\r\ncontent-type: image/png\r\n\r\n\xff\xd8\r\n--x1--\r\n";
    for (body, kind) in [
        (&b""[..], Malformed::Empty),
        (b" \r\n\t", Malformed::Empty),
        (b"\xef\xbb\xbf", Malformed::Empty),
        (b"a=b&c=d", Malformed::Form),
        (b"products%5B0%5D%5Bname%5D=Router&orderDate=1", Malformed::Form),
        (b"products[0][name]=Router", Malformed::Form),
        (b"payload={\"products\":[]}", Malformed::Form),
        (b"%7B%22products%22%3A%5B%5D%7D=", Malformed::Form),
        (b"name=\xe6", Malformed::Form),
        (multipart, Malformed::Form),
        (binary_part, Malformed::Form),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xab\xae\x05\0", Malformed::Compressed),
        (b"{\"a\": \"\xff\"}", Malformed::Encoding(8)),
        (b"\xff\xfe{\0}\0", Malformed::Encoding(1)),
        (b"\xef\xbb\xbf{\"a\": \"\xe6\"}", Malformed::Encoding(8)),
    ] {
        assert_eq!(Json::parse(body), Err(kind), "{}", String::from_utf8_lossy(body));
    }
    // These look like a form, but are JSON with a typing mistake.
    for text in ["{\"a\"=1}", "=1", "[a]=1", "--1", "a", "<order/>", "1 = 2", "\"a\"=b"] {
        assert!(matches!(Json::parse(text.as_bytes()), Err(Malformed::Syntax { .. })), "{text}");
    }
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert_eq!(Json::parse(b"\xef\xbb\xbf 40"), Ok(Json::Number("40".to_owned())));
    assert_eq!(said("\u{feff}[1,]"), "trailing comma at line 1 column 4", "and is no column");
    assert_eq!(said("\u{feff}\u{feff}1"), "expected value at line 1 column 1");
}

#[test]
fn every_error_has_its_place_in_the_whole_document() {
    for (document, expected) in [
        ("{\"a\": 1,\n \"b\": [1, 2,\n  3,]}", "trailing comma at line 3 column 5"),
        ("{\"a\": {\"b\": [\n\n  \"x\", \"\\ud800\"]}}", "unexpected end of hex escape at line 3 column 15"),
        ("[[\"\\ud800x\"]]", "unexpected end of hex escape at line 1 column 10"),
        ("{\"a\":\n{\"\\udc00\": 1}}", "lone leading surrogate in hex escape at line 2 column 8"),
        ("{\"a\": 1, \"a\": 2}", "repeated member \"a\" at line 1 column 12"),
        ("{\"a\": [\r\n  {\"b\": 1,\r\n   \"b\": 2}]}", "repeated member \"b\" at line 3 column 6"),
        ("{\"a\": {\"b\": 1, \"\\u0062\": 2}}", "repeated member \"b\" at line 1 column 23"),
        ("{\"navn\": \"Åse Ødegård\", \"navn\": 1}", "repeated member \"navn\" at line 1 column 30"),
        ("[\"blåbær\", x]", "expected value at line 1 column 12"),
        ("[1,\n", "EOF while parsing a value at line 2 column 1"),
        ("{\"a\": NaN}", "expected value at line 1 column 7"),
    ] {
        assert_eq!(said(document), expected, "{document}");
    }
}

#[test]
fn a_repeated_name_is_quoted_in_a_form_that_is_short_and_printable() {
    assert_eq!(said("{\"\\n\\u0000\": 1, \"\\n\\u0000\": 2}"), "repeated member \"\\n\\0\" at line 1 column 26");
    let long = "x".repeat(1_000);
    let expected = format!("repeated member \"{}\" at line 1 column 2008", "x".repeat(40));
    assert_eq!(said(&format!("{{\"{long}\":1,\"{long}\":2}}")), expected);
    let misleading = "a at line 9 column 9";
    let expected = format!("repeated member \"{misleading}\" at line 1 column 48");
    assert_eq!(said(&format!("{{\"{misleading}\":1,\"{misleading}\":2}}")), expected);
}

#[test]
fn nesting_ends_at_the_limit() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(Json::parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert_eq!(said(&nested(MAX_DEPTH + 1)), "nested deeper than 64 levels at line 1 column 66");
    assert_eq!(said(&nested(100_000)), "nested deeper than 64 levels at line 1 column 65");
    let scalar = format!("{}40{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert!(Json::parse(scalar.as_bytes()).is_ok(), "a number is no level");
}

#[test]
fn white_space_may_be_anywhere() {
    let document = b" { \"a\" : [ 1 , -2.50,\"x\",[ ], { } ,null ] ,\n\t\"b\\\"]}\":true , \"\": \"\" ,\"c\":\"\\\\\"\r}  ";
    let text = |text: &'static str| Json::String(text.into());
    let number = |digits: &str| Json::Number(digits.to_owned());
    let items = [number("1"), number("-2.50"), text("x"), Json::Array(vec![]), Json::Object([].into()), Json::Null];
    let members = [("a", Json::Array(items.into())), ("b\"]}", Json::Bool(true)), ("", text("")), ("c", text("\\"))];
    assert_eq!(Json::parse(document), Ok(Json::Object(members.map(|(name, value)| (name.into(), value)).into())));
}

#[test]
fn escapes_are_read() {
    assert_eq!(Json::parse(br#""\u00e6 \"b\"""#), Ok(Json::String("æ \"b\"".into())));
    assert_eq!(Json::parse(br#""\ud83d\ude00""#), Ok(Json::String("😀".into())), "a pair of surrogates");
}

/// Whether serde_json reads the same value; numbers are not compared.
fn is_as_serde_json_has_it(json: &Json<'_>, value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match (json, value) {
        (Json::Null, Value::Null) => true,
        (Json::Bool(mine), Value::Bool(its)) => mine == its,
        (Json::Number(mine), Value::Number(its)) => mine.parse().ok() == its.as_i64(),
        (Json::String(mine), Value::String(its)) => mine == its,
        (Json::Array(mine), Value::Array(its)) => {
            mine.len() == its.len() && mine.iter().zip(its).all(|(mine, its)| is_as_serde_json_has_it(mine, its))
        }
        (Json::Object(mine), Value::Object(its)) => {
            let is_same = |(name, mine): (&Cow<'_, str>, &Json<'_>)| is_as_serde_json_has_it(mine, &its[name.as_ref()]);
            mine.len() == its.len() && mine.iter().all(is_same)
        }
        _ => false,
    }
}

fn any_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_document_is_read_as_serde_json_reads_it(value in any_value(), is_pretty in any::<bool>()) {
        let text = if is_pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let json = Json::parse(text.as_bytes()).unwrap();
        prop_assert!(is_as_serde_json_has_it(&json, &value), "{}", text);
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _answered = Json::parse(&bytes);
    }

    #[test]
    fn any_nearly_json_gets_an_answer_with_a_place_that_exists(text in r#"[\[\]{}",:0-9eE.+\-a-z\\ \nø]{0,80}"#) {
        if let Err(Malformed::Syntax { line, column, .. }) = Json::parse(text.as_bytes()) {
            let at = text.split('\n').nth(line - 1);
            prop_assert!(column >= 1 && at.is_some_and(|at| column <= at.chars().count() + 1), "{}:{} of {:?}", line, column, text);
        }
    }
}
