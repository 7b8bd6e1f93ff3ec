use proptest::prelude::*;

use super::NotCallable::*;
use super::*;

fn parse(url: &str, notify_hosts: Option<&[&str]>, private: &str) -> Result<Target, NotCallable> {
    let hosts: Option<Vec<String>> = notify_hosts.map(|hosts| hosts.iter().map(|host| (*host).to_owned()).collect());
    let private = if private.is_empty() { PrivateHosts::default() } else { PrivateHosts::parse(private).unwrap() };
    Target::parse(url, hosts.as_deref(), &private)
}

#[test]
fn an_https_url_of_a_name_can_be_called() {
    for (url, called) in [
        ("https://shop.example/hook?a=1", "https://shop.example/hook?a=1"),
        ("HTTPS://SHOP.example:8443", "https://shop.example:8443/"),
        ("https://shop.example/#part", "https://shop.example/"),
        ("https://shop.example./hook", "https://shop.example/hook"),
        ("https://shop.example.:8443/hook", "https://shop.example:8443/hook"),
        ("https://blåbær.example/", "https://xn--blbr-roah.example/"),
        ("https://1e100.example/", "https://1e100.example/"),
        ("https://127.0.0.1.example/", "https://127.0.0.1.example/"),
        ("https://my_shop.example/", "https://my_shop.example/"),
        // Accepted here, because only the look-up shows that their addresses are private.
        ("https://localhost/", "https://localhost/"),
        ("https://a.localhost/", "https://a.localhost/"),
    ] {
        let target = parse(url, None, "").unwrap();
        assert_eq!((target.url().as_str(), target.may_be_private()), (called, false));
    }
}

#[test]
fn anything_else_cannot() {
    for (url, reason) in [
        ("", NotAbsolute),
        ("/hook", NotAbsolute),
        ("shop.example", NotAbsolute),
        ("https://", NotAbsolute),
        ("https://shop.example:65536/", NotAbsolute),
        ("https://1.2.3.256/", NotAbsolute),
        ("https://[::1/", NotAbsolute),
        ("https://[fe80::1%25eth0]/", NotAbsolute),
        ("https://shop example/", NotAbsolute),
        ("http://shop.example/", NotHttps),
        ("ftp://shop.example/", NotHttps),
        ("file:///etc/passwd", NotHttps),
        ("mailto:a@shop.example", NotHttps),
        ("gopher://127.0.0.1/", NotHttps),
        ("https://user@shop.example/", Credentials),
        ("https://:secret@shop.example/", Credentials),
        ("https://shop.example@127.0.0.1/", Credentials),
        ("https://./", NotAName),
        ("https://shop..example/", NotAName),
        ("https://shop.example../", NotAName),
        ("https://-shop.example/", NotAName),
        ("https://shop!.example/", NotAName),
        ("https://{shop}.example/", NotAName),
        (&format!("https://{}.example/", "a".repeat(64)), NotAName),
        (&format!("https://{}example/", "a.".repeat(124)), NotAName),
    ] {
        assert_eq!(parse(url, None, ""), Err(reason), "{url}");
    }
}

#[test]
fn an_ip_address_is_no_name_in_any_spelling() {
    for host in [
        "8.8.8.8",
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "0",
        "0.",
        "0x7f.1",
        "0X7F.0.0.1",
        "0x7f000001",
        "0177.0.0.1",
        "00000177.1",
        "2130706433",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "１２７.1",
        "%31%32%37.0.0.1",
        "127.0.0.%31",
        "127\u{ad}.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:8.8.8.8]",
        "[64:ff9b::7f00:1]",
        "[2001:4860:4860::8888]",
    ] {
        assert_eq!(parse(&format!("https://{host}/hook"), None, ""), Err(IpAddress), "{host}");
        assert_eq!(parse(&format!("https://{host}:8443"), None, "127.0.0.1,[::1],8.8.8.8"), Err(IpAddress), "{host}");
    }
}

#[test]
fn what_the_parser_mends_is_called_as_it_was_checked() {
    for (url, reason) in [
        ("https:/\\127.0.0.1/", IpAddress),
        ("https:127.0.0.1", IpAddress),
        ("ht\ntps://127.0.0.1/", IpAddress),
        (" https://12\t7.0.0.1/ ", IpAddress),
        ("https://shop.example\\@127.0.0.1/", NotListed),
        ("https:\\\\10.0.0.1#@shop.example/", NotListed),
    ] {
        let hosts: Option<&[&str]> = if reason == NotListed { Some(&["127.0.0.1"]) } else { None };
        assert_eq!(parse(url, hosts, ""), Err(reason), "{url}");
    }
}

#[test]
fn notify_hosts_are_compared_as_a_url_has_them() {
    let hosts: &[&str] =
        &["Shop.Example", "BLÅBÆR.example", "dotted.example.", "*.wild.example", "port.example:443", "https://x.example"];
    for (url, expected) in [
        ("https://shop.example/", Ok(())),
        ("https://SHOP.EXAMPLE.:1/", Ok(())),
        ("https://blåbær.example/", Ok(())),
        ("https://xn--blbr-roah.example/", Ok(())),
        ("https://dotted.example/", Ok(())),
        ("https://sub.shop.example/", Err(NotListed)),
        ("https://shop.example.evil.example/", Err(NotListed)),
        ("https://a.wild.example/", Err(NotListed)),
        ("https://port.example/", Err(NotListed)),
        ("https://x.example/", Err(NotListed)),
        ("https://127.0.0.1/", Err(NotListed)),
        ("http://shop.example/", Err(NotHttps)),
    ] {
        assert_eq!(parse(url, Some(hosts), "").map(drop), expected, "{url}");
    }
    assert_eq!(parse("https://shop.example/", Some(&[]), ""), Err(NotListed));
    // A listed host is not private unless `PRIVATE_SHOP_HOSTS` names it, too.
    assert_eq!(parse("https://10.0.0.7/", Some(&["10.0.0.7"]), ""), Err(IpAddress));
}

#[test]
fn a_private_host_must_be_in_both_lists() {
    let private = "shop.internal, 10.0.0.7:8080,[fd00::7],[::1]:9000,tls.internal:443,web.internal:80";
    let hosts: &[&str] = &["SHOP.internal", "10.0.0.7", "[fd00::7]", "[::1]", "tls.internal", "web.internal", "shop.example"];
    for (url, expected) in [
        ("http://shop.internal/", Ok(true)),
        ("http://shop.internal.:81/", Ok(true)),
        ("https://shop.internal/", Ok(true)),
        ("http://10.0.0.7:8080/", Ok(true)),
        ("http://0xa.7:8080/", Ok(true)),
        ("http://[FD00:0::7]:1/", Ok(true)),
        ("https://[::1]:9000/", Ok(true)),
        ("https://tls.internal/", Ok(true)),
        ("http://web.internal/", Ok(true)),
        ("https://web.internal/", Ok(false)),
        ("http://tls.internal/", Err(NotHttps)),
        ("https://10.0.0.7/", Err(IpAddress)),
        ("http://10.0.0.7/", Err(NotHttps)),
        ("https://[::1]/", Err(IpAddress)),
        ("https://shop.example/", Ok(false)),
        ("ftp://shop.internal/", Err(NotHttps)),
        ("http://user@shop.internal/", Err(Credentials)),
    ] {
        assert_eq!(parse(url, Some(hosts), private).map(|target| target.may_be_private()), expected, "{url}");
    }
    assert_eq!(parse("http://shop.internal/", Some(&["shop.example"]), private), Err(NotListed));
    assert_eq!(parse("http://shop.internal/", None, private), Err(NotHttps));
    assert_eq!(parse("https://shop.internal/", None, private).map(|target| target.may_be_private()), Ok(false));
    assert_eq!(parse("https://10.0.0.7:8080/", None, private), Err(IpAddress));
}

#[test]
fn unusable_private_hosts_say_what_is_wrong() {
    for (text, expected) in [
        ("", "an entry is empty; expected hosts like shop.internal,10.0.0.7:8443,[fd00::7]"),
        ("a.internal,", "an entry is empty; expected hosts like shop.internal,10.0.0.7:8443,[fd00::7]"),
        ("fd00::7", "fd00::7 is not a host or host:port; put an IPv6 address in brackets, without a scheme or a path"),
        ("http://a:1", "http://a:1 is not a host or host:port; put an IPv6 address in brackets, without a scheme or a path"),
        ("a.internal/x", "a.internal/x has no valid host; expected host or host:port"),
        ("10.0.0.0/8", "10.0.0.0/8 has no valid host; expected host or host:port"),
        ("*.internal", "*.internal has no valid host; expected host or host:port"),
        ("[fd00::7", "[fd00::7 has no valid host; expected host or host:port"),
        (":80", ":80 has no valid host; expected host or host:port"),
        ("a b", "a b has no valid host; expected host or host:port"),
        ("a.internal:", "a.internal: has no valid port; expected 1 to 65535"),
        ("a.internal:0", "a.internal:0 has no valid port; expected 1 to 65535"),
        ("a.internal:+80", "a.internal:+80 has no valid port; expected 1 to 65535"),
        ("[fd00::7]:65536", "[fd00::7]:65536 has no valid port; expected 1 to 65535"),
    ] {
        assert_eq!(PrivateHosts::parse(text).err().as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn another_query_leaves_the_rest() {
    let target = parse("https://shop.example/hook?a=%20+b#part", None, "").unwrap();
    assert_eq!(target.url().as_str(), "https://shop.example/hook?a=%20+b");
    let target = target.with_query("a=%20+b&status=SENT");
    assert_eq!(target.url().as_str(), "https://shop.example/hook?a=%20+b&status=SENT");
    assert_eq!(target.with_query("@127.0.0.1/#x").url().as_str(), "https://shop.example/hook?@127.0.0.1/%23x");
}

#[test]
fn the_url_is_not_in_the_debug_output() {
    assert_eq!(format!("{:?}", parse("https://shop.example/MARK", None, "").unwrap()), "Target { may_be_private: false, .. }");
}

proptest! {
    /// reqwest hands the URL on as an `http::Uri`. hyper must read the same host from it, and not an IP address.
    #[test]
    fn what_can_be_called_is_a_name_for_hyper_too(
        host in prop_oneof!["[0-9a-fx.]{1,12}", "\\PC{1,12}", "\\[[0-9a-f:.]{2,20}\\]"],
        rest in "\\PC{0,12}",
    ) {
        if let Ok(target) = parse(&format!("https://{host}{rest}"), None, "") {
            let uri: http::Uri = target.url().as_str().parse().unwrap();
            let host = uri.host().unwrap();
            prop_assert!(uri.scheme_str() == Some("https") && Some(host) == target.url().host_str());
            prop_assert!(host.parse::<std::net::IpAddr>().is_err() && !host.contains(['[', '@', ':']), "{}", host);
        }
    }
}
