//! Which IP addresses are public.
//!
//! Source: IANA's registries of special-purpose addresses, iana.org/assignments/iana-ipv4-special-registry and
//! iana.org/assignments/iana-ipv6-special-registry (both of October 2025), its registries of multicast addresses, and
//! its IPv6 address space, of which only 2000::/3 is assigned to global unicast. A block that is "globally reachable" by
//! them is public (AS112: 192.31.196.0/24, 192.52.193.0/24, 192.175.48.0/24, 2620:4f:8000::/48), except inside
//! 192.0.0.0/24 and 2001::/23: these are protocols' own addresses, and no shop has one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks that are not public, with their prefix length.
const SPECIAL_IPV4: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this network, RFC 791
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private use, RFC 1918
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared address space (carrier-grade NAT), RFC 6598
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback, RFC 1122
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, RFC 3927; the cloud's metadata service
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private use, RFC 1918
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // IETF protocol assignments, RFC 6890
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation, RFC 5737
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relay anycast, deprecated, RFC 7526
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private use, RFC 1918
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarking, RFC 2544
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation, RFC 5737
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation, RFC 5737
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast, RFC 5771
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, RFC 1112; the limited broadcast address
];

/// Global unicast, RFC 4291. Outside are, among others, loopback, discard-only 100::/64, SRv6 5f00::/16, unique-local
/// fc00::/7, link-local fe80::/10, site-local fec0::/10, multicast ff00::/8 and the local NAT64 64:ff9b:1::/48.
const GLOBAL_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Blocks of [`GLOBAL_UNICAST`] that are not public, with their prefix length.
const SPECIAL_IPV6: [(Ipv6Addr, u32); 4] = [
    // IETF protocol assignments, RFC 2928: Teredo 2001::/32, benchmarking 2001:2::/48, ORCHID 2001:10::/28 and 2001:20::/28
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation, RFC 3849
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),     // 6to4, RFC 3056
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),     // documentation, RFC 9637
];

/// Blocks whose last 32 bits are an IPv4 address. That address decides whether the whole is public.
const IPV4_IN_IPV6: [(Ipv6Addr, u32); 3] = [
    (Ipv6Addr::UNSPECIFIED, 96), // IPv4-compatible, deprecated; also :: and ::1, RFC 4291
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96), // IPv4-mapped, RFC 4291
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96), // NAT64, RFC 6052
];

/// Whether an address belongs to the public Internet.
///
/// Not recognised: a network's own NAT64 prefix (other than `64:ff9b::/96`), and public addresses that a VPC uses privately.
/// Both look public.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_IPV4.iter().any(|&block| has_ipv4(block, address)),
        IpAddr::V6(address) if IPV4_IN_IPV6.iter().any(|&block| has_ipv6(block, address)) => {
            let [.., a, b, c, d] = address.octets();
            is_public(IpAddr::V4(Ipv4Addr::new(a, b, c, d)))
        }
        IpAddr::V6(address) => has_ipv6(GLOBAL_UNICAST, address) && !SPECIAL_IPV6.iter().any(|&block| has_ipv6(block, address)),
    }
}

fn has_ipv4((prefix, length): (Ipv4Addr, u32), address: Ipv4Addr) -> bool {
    (prefix.to_bits() ^ address.to_bits()).leading_zeros() >= length
}

fn has_ipv6((prefix, length): (Ipv6Addr, u32), address: Ipv6Addr) -> bool {
    (prefix.to_bits() ^ address.to_bits()).leading_zeros() >= length
}

#[cfg(test)]
mod tests;
