//! Trusted reverse proxies, and what they say about their clients.

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};
use ipnet::{IpNet, Ipv4Net};
use std::net::IpAddr;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Trusted reverse proxies: they may state whom a request comes from, and what it asks a protected API for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Parses addresses and networks separated by commas, such as `127.0.0.1, 172.18.0.0/16, fd00::/8`. IPv4 addresses
    /// may be written as IPv6 (`::ffff:127.0.0.1`), as a dual-stack socket shows them.
    ///
    /// # Errors
    /// A sentence that names what cannot be used.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts
            .map(|part| network(part).map_err(|problem| format!("{part} {problem}")))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Returns whether no proxy is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether this address is that of a trusted proxy.
    pub fn include(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Returns the nearest address that is not a trusted proxy, going from hop to hop. Anything further away was
    /// written by the client and is ignored.
    ///
    /// `X-Forwarded-For` is used if it is present, and `Forwarded` (RFC 7239) only if not: nearly all proxies write the
    /// first and forward the second unchanged, so a client could write anything there.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer.to_canonical();
        if !self.include(nearest) {
            return nearest;
        }
        let is_plain = headers.contains_key(X_FORWARDED_FOR);
        let lines = headers.get_all(if is_plain { X_FORWARDED_FOR } else { FORWARDED });
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        for line in lines.iter().rev() {
            let hops = if is_plain { line.split(',').map(node).collect() } else { forwarded(line) };
            for hop in hops.into_iter().rev() {
                match hop {
                    Hop::Nothing => {}
                    Hop::Unknown => return nearest,
                    Hop::At(address) => nearest = address,
                }
                if !self.include(nearest) {
                    return nearest;
                }
            }
        }
        nearest
    }
}

/// An address, or a network with the length of its prefix.
fn network(text: &str) -> Result<IpNet, &'static str> {
    if text.contains('%') {
        return Err("has a zone (%…); leave it out");
    }
    let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    let address: IpAddr =
        address.parse().map_err(|_| "is no IP address or network, such as 127.0.0.1 or 172.18.0.0/16")?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        None => most,
        Some(digits) => {
            digits.parse().ok().filter(|length| *length <= most).ok_or("has no length of a prefix behind /")?
        }
    };
    let network = canonical(address, length).ok_or("reaches beyond the IPv4 addresses; write it as IPv4")?;
    if network.prefix_len() == 0 {
        return Err(
            "would believe everybody, so that anybody could pass for anybody; name the networks of your proxies",
        );
    }
    Ok(network)
}

/// Returns the network as IPv4 if it is one of IPv4-mapped addresses.
fn canonical(address: IpAddr, length: u8) -> Option<IpNet> {
    match (address, address.to_canonical()) {
        (IpAddr::V6(_), IpAddr::V4(short)) => Some(Ipv4Net::new(short, length.checked_sub(96)?).ok()?.trunc().into()),
        _ => Some(IpNet::new(address, length).ok()?.trunc()),
    }
}

/// What a proxy says about the previous hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hop {
    /// Nothing, between two commas.
    Nothing,
    /// The address is withheld, or cannot be parsed.
    Unknown,
    At(IpAddr),
}

/// Parses an element of a list, in all forms that proxies write: with or without a port, IPv6 with or without brackets,
/// with a zone, in quotes.
fn node(text: &str) -> Hop {
    let text = text.trim_matches([' ', '\t', '"']);
    if text.is_empty() {
        return Hop::Nothing;
    }
    let alone = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => Some(address).filter(|_| is_port(port)),
        None => Some(text),
    };
    let read = |text: &str| text.split('%').next().and_then(|text| text.parse::<IpAddr>().ok());
    let with_port = || text.rsplit_once(':').filter(|(_, port)| is_number(port)).and_then(|(address, _)| read(address));
    match alone.and_then(read).or_else(with_port) {
        Some(address) => Hop::At(address.to_canonical()),
        None => Hop::Unknown,
    }
}

fn is_port(text: &str) -> bool {
    text.is_empty() || text.strip_prefix(':').is_some_and(is_number)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// Returns the hops in a line of `Forwarded`: separated by commas, each a list of `name=value` separated by `;`.
fn forwarded(line: &str) -> Vec<Hop> {
    match split(line, ',') {
        Some(elements) => elements.into_iter().map(element).collect(),
        // In an unterminated quoted string, it is unknown who wrote what.
        None => vec![Hop::Unknown],
    }
}

fn element(text: &str) -> Hop {
    if text.trim().is_empty() {
        return Hop::Nothing;
    }
    let pairs = split(text, ';').unwrap_or_default().into_iter().filter_map(|pair| pair.split_once('='));
    let mut nodes = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for")).map(|(_, value)| node(value));
    match (nodes.next(), nodes.next()) {
        (Some(Hop::At(address)), None) => Hop::At(address),
        _ => Hop::Unknown,
    }
}

/// Returns the parts between separators that are not in quotes; none if a quote is not terminated.
fn split(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|character| {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ => return character == separator && !is_quoted,
        }
        false
    });
    let parts = parts.collect();
    (!is_quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn seen(trusted: &str, peer: &str, lines: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, line) in lines {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        TrustedProxies::parse(trusted).unwrap().client(peer.parse().unwrap(), &headers).to_string()
    }

    /// Returns the address for an `X-Forwarded-For` that a trusted proxy sends.
    fn plain(line: &str) -> String {
        seen("127.0.0.1", "127.0.0.1", &[("x-forwarded-for", line)])
    }

    /// The same for `Forwarded`.
    fn standard(line: &str) -> String {
        seen("127.0.0.1", "127.0.0.1", &[("forwarded", line)])
    }

    #[test]
    fn proxies_are_named_by_address_or_network_in_every_notation() {
        for (trusted, inside, outside) in [
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("127.0.0.1", "::ffff:127.0.0.1", "::ffff:127.0.0.2"),
            ("::ffff:127.0.0.1", "127.0.0.1", "::1"),
            ("::ffff:7f00:1", "::ffff:127.0.0.1", "127.0.0.2"),
            ("172.18.0.0/16", "172.18.255.3", "172.19.0.0"),
            ("172.18.0.9/16", "172.18.0.1", "172.17.255.255"),
            ("::ffff:172.18.0.0/112", "172.18.4.4", "172.19.0.1"),
            ("fd00::/8", "fdff::1", "fe80::1"),
            ("fd00:0:0:0:0:0:0:1", "fd00::1", "fd00::2"),
            ("[FD00::1]", "fd00:0::1", "fd00::2"),
            ("10.0.0.1, ,172.18.0.0/16 , fd00::/8,", "fd12::1", "10.0.0.2"),
            ("10.0.0.1/32", "10.0.0.1", "10.0.0.2"),
        ] {
            let proxies = TrustedProxies::parse(trusted).unwrap();
            assert!(proxies.include(inside.parse().unwrap()), "{trusted} {inside}");
            assert!(!proxies.include(outside.parse().unwrap()), "{trusted} {outside}");
        }
        assert!(TrustedProxies::parse(" , ").unwrap().is_empty());
    }

    #[test]
    fn invalid_proxies_and_everybody_are_refused_by_name() {
        for (wrong, why) in [
            ("everybody", "no IP address"),
            ("127.0.0.1:80", "no IP address"),
            ("127.1", "no IP address"),
            ("10.0.0.1-10.0.0.9", "no IP address"),
            ("10.0.0.1 10.0.0.2", "no IP address"),
            ("10.0.0.0/33", "length"),
            ("10.0.0.0/", "length"),
            ("10.0.0.0/255.0.0.0", "length"),
            ("fd00::/129", "length"),
            ("fe80::1%eth0", "zone"),
            ("fe80::%2/64", "zone"),
            ("0.0.0.0/0", "everybody"),
            ("::/0", "everybody"),
            ("::ffff:0.0.0.0/96", "everybody"),
            ("::ffff:10.0.0.0/8", "beyond"),
        ] {
            let said = TrustedProxies::parse(&format!("127.0.0.1, {wrong}")).unwrap_err();
            assert!(said.starts_with(wrong) && said.contains(why), "{said}");
        }
    }

    #[test]
    fn only_configured_proxies_are_trusted_and_only_for_the_hop_before_them() {
        let both = "127.0.0.1,10.0.0.0/8";
        assert_eq!(seen("", "192.0.2.9", &[("x-forwarded-for", "203.0.113.1")]), "192.0.2.9");
        assert_eq!(seen("10.0.0.0/8", "192.0.2.9", &[("forwarded", "for=203.0.113.1")]), "192.0.2.9");
        assert_eq!(plain("6.6.6.6, 203.0.113.1"), "203.0.113.1");
        let lines = [
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "203.0.113.1, 10.0.0.2"),
            ("x-forwarded-for", "10.9.9.9"),
        ];
        assert_eq!(seen(both, "127.0.0.1", &lines), "203.0.113.1");
        assert_eq!(
            seen(both, "::ffff:127.0.0.1", &[("x-forwarded-for", "2001:db8::1,::ffff:10.0.0.7")]),
            "2001:db8::1"
        );
        assert_eq!(seen(both, "10.1.1.1", &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")]), "10.0.0.3", "all are ours");
        assert_eq!(seen(both, "10.1.1.1", &[]), "10.1.1.1");
        let lines = [("forwarded", "for=6.6.6.6"), ("forwarded", "for=203.0.113.1, for=10.0.0.2;by=10.0.0.3")];
        assert_eq!(seen(both, "127.0.0.1", &lines), "203.0.113.1");
    }

    #[test]
    fn a_client_is_read_in_every_form_that_proxies_use() {
        for (line, address) in [
            ("203.0.113.1", "203.0.113.1"),
            ("203.0.113.1:51442", "203.0.113.1"),
            ("\t203.0.113.1 ,", "203.0.113.1"),
            (", ,203.0.113.1, ,", "203.0.113.1"),
            ("\"203.0.113.1\"", "203.0.113.1"),
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("[2001:db8::1%eth0]:443", "2001:db8::1"),
            ("fe80::1%12", "fe80::1"),
            ("::ffff:203.0.113.1", "203.0.113.1"),
            ("::ffff:203.0.113.1:51442", "203.0.113.1"),
            ("[::ffff:cb00:7101]:9", "203.0.113.1"),
            ("6.6.6.6, \u{fffd}é, 203.0.113.1", "203.0.113.1"),
        ] {
            assert_eq!(plain(line), address, "{line}");
        }
        for (line, address) in [
            ("for=203.0.113.1", "203.0.113.1"),
            ("For=\"203.0.113.1:4711\";proto=https;by=203.0.113.43", "203.0.113.1"),
            ("proto=https ; for = \"[2001:db8::17]:4711\"", "2001:db8::17"),
            ("for=[2001:db8::17]", "2001:db8::17"),
            ("for=\"[::ffff:203.0.113.1]\"", "203.0.113.1"),
            ("for=6.6.6.6;host=\"a,for=6.6.6.6;b\\\",\", for=203.0.113.1", "203.0.113.1"),
            ("for=6.6.6.6, ,for=203.0.113.1,", "203.0.113.1"),
            ("for=203.0.113.1;host=\"x;for=6.6.6.6\"", "203.0.113.1"),
        ] {
            assert_eq!(standard(line), address, "{line}");
        }
    }

    #[test]
    fn without_a_header_the_client_is_the_proxy() {
        for line in [
            "unknown",
            "6.6.6.6, unknown",
            "6.6.6.6, _hidden",
            "not an address",
            "203.0.113",
            "203.0.113.1:port",
            "[::1",
            "é",
        ] {
            assert_eq!(plain(line), "127.0.0.1", "{line}");
        }
        for line in [
            "for=unknown",
            "for=6.6.6.6, for=\"_hidden\"",
            "proto=https",
            "for=6.6.6.6, by=10.0.0.1",
            "for=6.6.6.6;x=\", for=9.9.9.9",
            "for=6.6.6.6;x=\", for=\"[2001:db8::1]\"",
            "for=6.6.6.6;for=9.9.9.9",
            "203.0.113.1",
            "for=",
            "for",
        ] {
            assert_eq!(standard(line), "127.0.0.1", "{line}");
        }
    }

    #[test]
    fn of_both_headers_the_one_that_proxies_set_counts() {
        let both = [("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "203.0.113.1")];
        assert_eq!(seen("127.0.0.1", "127.0.0.1", &both), "203.0.113.1");
        let hidden = [("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "unknown")];
        assert_eq!(seen("127.0.0.1", "127.0.0.1", &hidden), "127.0.0.1");
    }
}
