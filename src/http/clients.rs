//! Who asks: the other end of the connection, or, where that is a web server of ours, whoever it says that it asks for.

use std::{fmt, net::IpAddr, str::FromStr};

use axum::http::HeaderMap;

/// What a web server says of those whom it asks for, the last hop at the end. We do not look at `Forwarded` (RFC 7239): a server that
/// writes one of the two passes the other on as its client has written it.
const FORWARDED: &str = "x-forwarded-for";

/// A network such as `10.0.0.0/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Net {
    address: IpAddr,
    /// How many bits of it count.
    bits: u8,
}

impl Net {
    /// Whether an address is in it.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        let head = |address: u128, width: u8| {
            if self.bits == 0 { 0 } else { address >> u32::from(width - self.bits) }
        };
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                head(u32::from(own).into(), 32) == head(u32::from(other).into(), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => head(own.into(), 128) == head(other.into(), 128),
            _ => false,
        }
    }
}

impl FromStr for Net {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not an address or a network such as `10.0.0.0/8`");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(width);
        if bits > width { Err(wrong()) } else { Ok(Self { address, bits }) }
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alone = self.bits == if self.address.is_ipv4() { 32 } else { 128 };
        if alone { write!(f, "{}", self.address) } else { write!(f, "{}/{}", self.address, self.bits) }
    }
}

/// Whose wish it is that came from `peer`: of the hops that the web servers in `trusted` have written down, the last one that is none of them.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[Net]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|net| net.has(address));
    let mut client = peer.to_canonical();
    let lines = headers.get_all(FORWARDED).iter().rev();
    let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for hop in hops {
        // What was written by somebody whom we do not trust, or what is no address, says nothing.
        let Some(before) = hop_of(hop).filter(|_| is_trusted(client)) else { break };
        client = before;
    }
    client
}

/// The address of a hop, which some servers write with its port.
fn hop_of(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(address, _)| address);
    let with_port = || text.rsplit_once(':').filter(|(address, _)| !address.contains(':'));
    let address = bare.or_else(|| with_port().map(|(address, _)| address)).unwrap_or(text);
    address.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Net {
        text.parse().expect("a network")
    }

    #[track_caller]
    fn check(peer: &str, forwarded: &[&str], expected: &str) {
        let trusted = [net("127.0.0.1"), net("10.0.0.0/8"), net("fd00::/8")];
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED, line.parse().expect("a header"));
        }
        let peer = peer.parse().expect("an address");
        assert_eq!(client(peer, &headers, &trusted).to_string(), expected);
    }

    #[test]
    fn only_a_web_server_of_ours_says_whom_it_asks_for() {
        check("203.0.113.9", &[], "203.0.113.9");
        check("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
        check("127.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("::ffff:127.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &[], "127.0.0.1");
    }

    #[test]
    fn what_a_client_writes_itself_is_not_believed() {
        check("127.0.0.1", &["1.1.1.1, 198.51.100.1"], "198.51.100.1");
        check("127.0.0.1", &["1.1.1.1", "198.51.100.1, 10.1.2.3"], "198.51.100.1");
        check("127.0.0.1", &["198.51.100.1, unknown"], "127.0.0.1");
        check("127.0.0.1", &["198.51.100.1, _hidden, 10.1.2.3"], "10.1.2.3");
        check("127.0.0.1", &["10.0.0.1, 10.0.0.2"], "10.0.0.1");
    }

    #[test]
    fn hops_are_written_in_more_than_one_way() {
        check("fd00::1", &["2001:db8::7"], "2001:db8::7");
        check("fd00::1", &["[2001:db8::7]:4711"], "2001:db8::7");
        check("10.9.9.9", &["198.51.100.1:4711"], "198.51.100.1");
        check("10.9.9.9", &["::ffff:198.51.100.1"], "198.51.100.1");
        check("10.9.9.9", &[""], "10.9.9.9");
    }

    #[test]
    fn a_network_is_written_as_it_was_read() {
        for text in ["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8", "0.0.0.0/0"] {
            assert_eq!(net(text).to_string(), text);
        }
        for wrong in ["", "x", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/"] {
            assert!(wrong.parse::<Net>().is_err(), "{wrong}");
        }
        assert!(net("0.0.0.0/0").has("1.2.3.4".parse().expect("an address")));
    }
}
