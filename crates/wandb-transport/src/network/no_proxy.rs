//! `NO_PROXY`: which hosts are reached directly although a proxy is set.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The rules of one `NO_PROXY` text.
///
/// Entries are separated by commas or white space, and compared without regard to case:
///
/// | entry | matches |
/// |---|---|
/// | `*` | every host |
/// | `example.com`, `.example.com`, `*.example.com` | that name and every name under it, never `notexample.com` |
/// | `192.0.2.7`, `::1`, `[::1]` | that address |
/// | `10.0.0.0/8`, `fd00::/8` | the addresses of that network |
/// | any name or address, then `:8080` | only that port (an IPv6 address in brackets) |
///
/// Host names are not resolved, so an address rule never matches a name. An entry of another shape matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NoProxy {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// A name in lower case, without dots at its ends, and everything under it.
    Domain(String),
    Network {
        address: IpAddr,
        prefix: u8,
    },
}

impl NoProxy {
    /// Reads the rules. Every text is accepted.
    pub(super) fn parse(text: &str) -> Self {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace());
        Self {
            rules: entries.filter_map(Rule::parse).collect(),
        }
    }

    /// Whether the host is to be reached directly. `host` is a name or an address, an IPv6 address with or without
    /// brackets.
    pub(super) fn matches(&self, host: &str, port: u16) -> bool {
        let target = Target::parse(host);
        self.rules
            .iter()
            .any(|rule| rule.port.is_none_or(|only| only == port) && rule.hosts.contains(&target))
    }
}

impl Rule {
    fn parse(entry: &str) -> Option<Self> {
        let entry = entry.trim();
        if let Some(hosts) = Hosts::parse(entry) {
            return Some(Self { hosts, port: None });
        }
        let (host, port) = entry.rsplit_once(':')?;
        let port = Some(port.parse().ok()?);
        // An IPv6 address with a port is only unambiguous in brackets.
        if host.contains(':') && !host.starts_with('[') {
            return None;
        }
        Some(Self {
            hosts: Hosts::parse(host)?,
            port,
        })
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((address, prefix)) = text.split_once('/') {
            let address: IpAddr = unbracketed(address).parse().ok()?;
            let prefix = prefix.parse().ok()?;
            return (prefix <= width(address)).then_some(Self::Network { address, prefix });
        }
        match Target::parse(text) {
            Target::Address(address) => Some(Self::Network {
                address,
                prefix: width(address),
            }),
            Target::Name(name) => {
                let name = name.strip_prefix("*.").unwrap_or(&name).trim_start_matches('.');
                let is_name = !name.is_empty() && !name.contains(['*', ':', '[', ']']);
                is_name.then(|| Self::Domain(name.to_owned()))
            }
        }
    }

    fn contains(&self, target: &Target) -> bool {
        match (self, target) {
            (Self::All, _) => true,
            (Self::Domain(domain), Target::Name(name)) => name
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            (Self::Network { address, prefix }, Target::Address(target)) => {
                in_network(*target, *address, *prefix)
            }
            _ => false,
        }
    }
}

/// What a rule is compared with.
enum Target {
    Address(IpAddr),
    /// In lower case, without the dot of a fully qualified name.
    Name(String),
}

impl Target {
    fn parse(host: &str) -> Self {
        match unbracketed(host).parse::<IpAddr>() {
            Ok(address) => Self::Address(address.to_canonical()),
            Err(_) => Self::Name(host.trim_end_matches('.').to_ascii_lowercase()),
        }
    }
}

/// Whether the host is this machine: `localhost`, a name under it, or a loopback address.
pub(super) fn is_loopback(host: &str) -> bool {
    match Target::parse(host) {
        Target::Address(address) => address.is_loopback(),
        Target::Name(name) => name == "localhost" || name.ends_with(".localhost"),
    }
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host)
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => Ipv4Addr::BITS as u8,
        IpAddr::V6(_) => Ipv6Addr::BITS as u8,
    }
}

/// Whether the first `prefix` bits are the same. Addresses of different families never match.
fn in_network(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let (difference, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits() ^ b.to_bits()), Ipv4Addr::BITS),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits(), Ipv6Addr::BITS),
        _ => return false,
    };
    // A prefix of zero would shift by the whole width, which is not defined for 128 bits: it matches everything.
    difference.checked_shr(width - u32::from(prefix)).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(rules: &str, host: &str, port: u16, expected: bool) {
        assert_eq!(
            NoProxy::parse(rules).matches(host, port),
            expected,
            "{host}:{port} against {rules:?}"
        );
    }

    #[test]
    fn names_match_themselves_and_what_is_under_them() {
        for rules in [
            "example.com",
            ".example.com",
            "*.example.com",
            "a b,\tEXAMPLE.com. ,",
        ] {
            check(rules, "example.com", 443, true);
            check(rules, "API.Example.COM", 443, true);
            check(rules, "api.example.com.", 443, true);
            check(rules, "notexample.com", 443, false);
            check(rules, "example.com.evil", 443, false);
            check(rules, "example", 443, false);
        }
        check("", "example.com", 443, false);
        check("*", "example.com", 443, true);
        check("*", "192.0.2.1", 443, true);
    }

    #[test]
    fn addresses_and_networks_match_addresses_only() {
        check("192.0.2.7", "192.0.2.7", 80, true);
        check("192.0.2.7", "192.0.2.70", 80, false);
        check("192.0.2.7", "x.192.0.2.7", 80, false);
        check("10.0.0.0/8", "10.255.1.2", 80, true);
        check("10.0.0.0/8", "11.0.0.1", 80, false);
        check("0.0.0.0/0", "203.0.113.9", 80, true);
        check("0.0.0.0/0", "2001:db8::1", 80, false);
        check("::/0", "[2001:db8::1]", 80, true);
        check("fd00::/8", "[fdab::1]", 80, true);
        check("fd00::/8", "[fe80::1]", 80, false);
        check("[::1]", "::1", 80, true);
        check("10.0.0.0/33", "10.0.0.0", 80, false);
        check("10.0.0.0/8", "ten.example", 80, false);
    }

    #[test]
    fn a_port_narrows_a_rule() {
        check("example.com:8080", "api.example.com", 8080, true);
        check("example.com:8080", "api.example.com", 443, false);
        check("192.0.2.7:80", "192.0.2.7", 80, true);
        check("192.0.2.7:80", "192.0.2.7", 81, false);
        check("[::1]:80", "[::1]", 80, true);
        check("[::1]:80", "[::1]", 81, false);
        check("*:80", "anything", 80, true);
        check("*:80", "anything", 81, false);
        check("example.com:", "example.com", 80, false);
        check("example.com:70000", "example.com", 4464, false);
    }

    #[test]
    fn loopback_is_the_machine_itself() {
        for host in [
            "localhost",
            "LOCALHOST.",
            "api.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "::1",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "localhost.example.com",
            "notlocalhost",
            "128.0.0.1",
            "[::2]",
            "127.0.0.1.example.com",
            "",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_accepted(rules in ".*", host in ".*", port: u16) {
            NoProxy::parse(&rules).matches(&host, port);
            is_loopback(&host);
        }

        #[test]
        fn texts_of_the_grammars_own_characters_are_accepted(rules in "[-a-z0-9.,:/*\\[\\] ]{0,40}", host in "[a-z0-9.:\\[\\]]{0,20}", port: u16) {
            NoProxy::parse(&rules).matches(&host, port);
        }

        #[test]
        fn a_name_matches_exactly_the_names_under_it(
            labels in proptest::collection::vec("[a-z][a-z0-9-]{0,5}", 1..4),
            other in proptest::collection::vec("[a-z][a-z0-9-]{0,5}", 1..5),
            port: u16,
        ) {
            let rules = NoProxy::parse(&labels.join("."));
            prop_assert_eq!(rules.matches(&other.join("."), port), other.ends_with(&labels));
            let under = other.iter().chain(&labels).cloned().collect::<Vec<_>>().join(".");
            prop_assert!(rules.matches(&under, port));
        }

        #[test]
        fn a_network_holds_exactly_the_addresses_with_its_prefix(network: u32, address: u32, prefix in 0u8..=32) {
            let rules = NoProxy::parse(&format!("{}/{prefix}", Ipv4Addr::from_bits(network)));
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            for address in [address, (network & mask) | (address & !mask)] {
                let expected = address & mask == network & mask;
                prop_assert_eq!(rules.matches(&Ipv4Addr::from_bits(address).to_string(), 80), expected);
            }
        }
    }
}
