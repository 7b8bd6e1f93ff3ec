//! The expected signatures were made by the standard's libraries for Python (1.1.0) and JavaScript (1.1.1).

use serde_json::json;

use super::*;

const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const ID_OF_CHANGE: &str = "0197b0c1-0000-7000-8000-000000000002";
const BODY: &str = r#"{"type":"order.status","timestamp":"2026-06-15T12:00:00.000Z","data":{"orderId":"0197b0c1-0000-7000-8000-000000000001","status":"PAID"}}"#;

fn signature(id: &str, body: &str, keys: &[&str]) -> String {
    let keys: Vec<Redacted> = keys.iter().copied().map(Redacted::new).collect();
    sign(id, 1_781_524_800, body, &keys)
}

#[test]
fn the_standards_own_vector() {
    assert_eq!(
        sign(
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            r#"{"email":"test@example.com","username":"test_user"}"#,
            &[Redacted::new(KEY)]
        ),
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
    );
}

#[test]
fn signatures_are_those_of_the_standards_libraries() {
    let longest = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";
    let slashes = "whsec_/////////////////////////////////w==";
    for (key, of_body, of_text) in [
        (KEY, "v1,yYR4vvisgLNBYEjbT5QafgImhfms625RXTwJC10qnf4=", "v1,SINZDNtiu6psRW9cTq1BfmuIVS4SyOiDThS+YdZaihU="),
        (longest, "v1,G91lVBav8rXL8nokhAf94uPCD97CSq4gOlWB6dXQr+g=", "v1,3/bAqc9o7G0D91MYfYvgpu/nE/uCOiejTZQn2SLCV7g="),
        (slashes, "v1,HOAOrQAVMiF41bl23phioJOqJ1jNwLCBVqvb7DpsZjU=", "v1,/Mw0O7UI0Bn8FjA99uFUS/z3H9gXMlF1F32adqAILyI="),
    ] {
        assert_eq!(signature(ID_OF_CHANGE, BODY, &[key]), of_body);
        assert_eq!(signature("m", r#"{"a":"æ€😀"}"#, &[key]), of_text);
    }
}

#[test]
fn each_key_signs_in_its_order() {
    assert_eq!(
        signature(ID_OF_CHANGE, BODY, &[KEY, "whsec_/////////////////////////////////w=="]),
        "v1,yYR4vvisgLNBYEjbT5QafgImhfms625RXTwJC10qnf4= v1,HOAOrQAVMiF41bl23phioJOqJ1jNwLCBVqvb7DpsZjU="
    );
    assert_eq!(signature(ID_OF_CHANGE, BODY, &["no key", KEY]), "v1,yYR4vvisgLNBYEjbT5QafgImhfms625RXTwJC10qnf4=");
}

#[test]
fn a_key_is_base64_behind_its_prefix() {
    let decoded = |text: &str| decode_key(&Redacted::new(text));
    assert_eq!(decoded("whsec_AP8="), Some(vec![0, 255]));
    for text in ["AP8=", "whsec_AP8", "whsec_AP8= ", "whsec_A-8=", "whsec_A_8=", "WHSEC_AP8=", "whsec_AP9=", " whsec_AP8="] {
        assert_eq!(decoded(text), None, "{text}");
    }
}

#[test]
fn the_body_is_an_event_about_the_order() {
    let data = json!({"orderId": "0197b0c1-0000-7000-8000-000000000001", "status": "PAID"});
    assert_eq!(body("2026-06-15T12:00:00Z".parse().unwrap(), &data).unwrap(), BODY);
    assert_eq!(
        body("2026-06-15T12:00:00.0709Z".parse().unwrap(), &json!({})).unwrap(),
        r#"{"type":"order.status","timestamp":"2026-06-15T12:00:00.070Z","data":{}}"#
    );
}
