use proptest::prelude::*;

use super::*;

/// The IPv4 addresses that are not public, as ranges of integers.
const NOT_PUBLIC_V4: [(u32, u32); 14] = [
    (0x0000_0000, 0x00ff_ffff),
    (0x0a00_0000, 0x0aff_ffff),
    (0x6440_0000, 0x647f_ffff),
    (0x7f00_0000, 0x7fff_ffff),
    (0xa9fe_0000, 0xa9fe_ffff),
    (0xac10_0000, 0xac1f_ffff),
    (0xc000_0000, 0xc000_00ff),
    (0xc000_0200, 0xc000_02ff),
    (0xc058_6300, 0xc058_63ff),
    (0xc0a8_0000, 0xc0a8_ffff),
    (0xc612_0000, 0xc613_ffff),
    (0xc633_6400, 0xc633_64ff),
    (0xcb00_7100, 0xcb00_71ff),
    (0xe000_0000, 0xffff_ffff),
];

/// The IPv6 addresses that are public, as ranges of integers, without those that contain an IPv4 address.
const PUBLIC_V6: [(u128, u128); 5] = [
    (0x2000 << 112, (0x2001 << 112) - 1),
    (0x2001_0200 << 96, (0x2001_0db8 << 96) - 1),
    (0x2001_0db9 << 96, (0x2002 << 112) - 1),
    (0x2003 << 112, (0x3fff << 112) - 1),
    (0x3fff_1000 << 96, (0x4000 << 112) - 1),
];

fn is_public_v4(bits: u32) -> bool {
    !NOT_PUBLIC_V4.iter().any(|(first, last)| (first..=last).contains(&&bits))
}

fn is_public_v6(bits: u128) -> bool {
    match bits >> 32 {
        0 | 0xffff | 0x0064_ff9b_0000_0000_0000_0000 => is_public_v4(u32::try_from(bits & 0xffff_ffff).unwrap()),
        _ => PUBLIC_V6.iter().any(|(first, last)| (first..=last).contains(&&bits)),
    }
}

/// Any address, but mostly near the edge of a block, because a random address is hardly ever in a small block.
fn any_v4() -> impl Strategy<Value = u32> {
    let border = proptest::sample::select(NOT_PUBLIC_V4.iter().flat_map(|&(first, last)| [first, last]).collect::<Vec<_>>());
    prop_oneof![any::<u32>(), (border, -300..300).prop_map(|(border, offset)| border.wrapping_add_signed(offset))]
}

fn any_v6() -> impl Strategy<Value = u128> {
    let borders = PUBLIC_V6.iter().flat_map(|&(first, last)| [first, last]).collect::<Vec<_>>();
    let near = (proptest::sample::select(borders), -300_i128..300).prop_map(|(border, o)| border.wrapping_add_signed(o));
    let containing = (proptest::sample::select(vec![0, 0xffff_u128, 0x64_ff9b << 64, 0x64_ff9b << 64 | 1]), any_v4());
    prop_oneof![any::<u128>(), near, containing.prop_map(|(prefix, v4)| prefix << 32 | u128::from(v4))]
}

proptest! {
    #[test]
    fn ipv4_is_public_as_the_ranges_say(bits in any_v4()) {
        prop_assert_eq!(is_public(Ipv4Addr::from_bits(bits).into()), is_public_v4(bits), "{}", Ipv4Addr::from_bits(bits));
    }

    #[test]
    fn ipv6_is_public_as_the_ranges_say(bits in any_v6()) {
        prop_assert_eq!(is_public(Ipv6Addr::from_bits(bits).into()), is_public_v6(bits), "{}", Ipv6Addr::from_bits(bits));
    }

    /// An IPv4 address inside an IPv6 address is at most as public as it is by itself.
    #[test]
    fn an_ipv4_address_inside_ipv6_is_never_more_public(bits in any_v4()) {
        let v4 = Ipv4Addr::from_bits(bits);
        let [a, b, c, d] = v4.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        for v6 in [
            v4.to_ipv6_mapped(),
            v4.to_ipv6_compatible(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !high, !low),
        ] {
            prop_assert!(!is_public(v6.into()) || is_public(v4.into()), "{}", v6);
        }
    }
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The first and the last address of each block in the registries, and the public addresses next to it.
#[test]
fn each_special_block_ends_where_the_registry_says() {
    for (before, first, last, after) in [
        ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
        ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
        ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
        ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
        ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
        ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
        ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
        ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
        ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
        ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
        ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
        ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
        ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
        ("223.255.255.255", "224.0.0.0", "239.255.255.255", ""),
        ("", "240.0.0.0", "255.255.255.255", ""),
        ("", "::", "::1", ""),
        ("", "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", ""),
        ("", "100::", "100::ffff:ffff:ffff:ffff", ""),
        ("", "100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", ""),
        ("", "1fff::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
        ("2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"),
        ("", "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ("", "2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", ""),
        ("", "2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ("", "2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"),
        ("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"),
        ("3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"),
        ("3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ("", "5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ("", "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ("", "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ("", "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ("", "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
    ] {
        for inside in [first, last] {
            assert!(!is_public(address(inside)), "{inside} is public");
        }
        for outside in [before, after].into_iter().filter(|outside| !outside.is_empty()) {
            assert!(is_public(address(outside)), "{outside} is not public");
        }
    }
}

/// The IPv4 address inside decides, and the block ends where it should.
#[test]
fn ipv4_in_ipv6_is_looked_into() {
    for (text, expected) in [
        ("::ffff:8.8.8.8", true),
        ("::ffff:127.0.0.1", false),
        ("::ffff:169.254.169.254", false),
        ("::ffff:0.0.0.0", false),
        ("::ffff:255.255.255.255", false),
        ("::8.8.8.8", true),
        ("::10.0.0.1", false),
        ("::1:808:808", false),
        ("::fffe:808:808", false),
        ("::1:0:808:808", false),
        ("::ffff:0:8.8.8.8", false),
        ("64:ff9b::8.8.8.8", true),
        ("64:ff9b::10.0.0.1", false),
        ("64:ff9b::", false),
        ("64:ff9b::255.255.255.255", false),
        ("64:ff9b::1:808:808", false),
        ("64:ff9a:ffff:ffff:ffff:ffff:808:808", false),
        ("64:ff9b:1::8.8.8.8", false),
        ("2002:808:808::1", false),
        ("2001:0:808:808::1", false),
    ] {
        assert_eq!(is_public(address(text)), expected, "{text}");
    }
}

#[test]
fn well_known_addresses() {
    for (text, expected) in [
        ("8.8.8.8", true),
        ("192.0.0.9", false),
        ("192.0.0.10", false),
        ("192.31.196.1", true),
        ("192.52.193.1", true),
        ("192.175.48.1", true),
        ("2001:4860:4860::8888", true),
        ("2620:4f:8000::1", true),
        ("2001:1::1", false),
        ("2001:4:112::1", false),
        ("fd00:ec2::254", false),
    ] {
        assert_eq!(is_public(address(text)), expected, "{text}");
    }
}
