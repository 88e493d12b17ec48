//! Which form of a document a client takes, by the weights that it names (RFC 9110 §12.5.3).

use axum::http::{HeaderMap, header};

use crate::outbox::Coding;

/// What a client takes: for each form its weight in thousandths, or `None` for what it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    packed: [Option<u16>; Coding::ALL.len()],
    plain: Option<u16>,
}

impl Accepted {
    /// What the head of a request says. Without a word about it, a client gets the text as it is: old programs that say nothing
    /// can unpack nothing.
    pub(super) fn by(asked: &HeaderMap) -> Self {
        let mut named = [None; Coding::ALL.len()];
        let (mut plain, mut rest) = (None, None);
        let values = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        for item in values.flat_map(|value| value.split(',')) {
            let (token, parameters) = item.split_once(';').unwrap_or((item, ""));
            let Some(weight) = weight(parameters) else { continue };
            let is = |name: &str| token.trim().eq_ignore_ascii_case(name);
            let place = Coding::ALL.iter().position(|coding| is(coding.token()));
            // Both names mean the same (RFC 9110 §8.4.1.3).
            let gzip = Coding::ALL.iter().position(|coding| *coding == Coding::Gzip).filter(|_| is("x-gzip"));
            if let Some(place) = place.or(gzip) {
                named[place] = Some(weight);
            } else if is("identity") {
                plain = Some(weight);
            } else if is("*") {
                rest = Some(weight);
            }
        }
        let taken = |weight: Option<u16>| weight.filter(|weight| *weight > 0);
        Self {
            packed: named.map(|named| taken(named.or(rest))),
            // What nobody refused is acceptable, after everything that was asked for.
            plain: plain.or(rest).map_or(Some(0), |weight| taken(Some(weight))),
        }
    }

    /// How much a form is wanted, in thousandths; `None` where it is refused.
    pub(super) fn weight(self, coding: Option<Coding>) -> Option<u16> {
        match coding {
            None => self.plain,
            Some(coding) => {
                Coding::ALL.iter().position(|known| *known == coding).and_then(|at| self.packed[at])
            }
        }
    }
}

/// The weight among the parameters of an item, in thousandths: 1000 where there is none, `None` where it is no weight.
fn weight(parameters: &str) -> Option<u16> {
    for parameter in parameters.split(';') {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        if name.trim().eq_ignore_ascii_case("q") {
            let weight: f32 = value.trim().parse().ok()?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 0 to 1000")]
            return (0.0..=1.0).contains(&weight).then_some((weight * 1000.0).ceil() as u16);
        }
    }
    Some(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(asked: &[&str], expected: [Option<u16>; 4]) {
        let mut headers = HeaderMap::new();
        for value in asked {
            headers.append(header::ACCEPT_ENCODING, value.parse().expect("a header"));
        }
        let accepted = Accepted::by(&headers);
        let forms = [Some(Coding::Brotli), Some(Coding::Zstandard), Some(Coding::Gzip), None];
        assert_eq!(forms.map(|form| accepted.weight(form)), expected, "{asked:?}");
    }

    #[test]
    fn a_client_gets_what_it_weighs_most_and_nothing_that_it_refuses() {
        check(&[], [None, None, None, Some(0)]);
        check(&[""], [None, None, None, Some(0)]);
        check(&["gzip, deflate, br"], [Some(1000), None, Some(1000), Some(0)]);
        check(&["gzip;q=0.5", "BR;Q=0.25"], [Some(250), None, Some(500), Some(0)]);
        check(&["x-gzip"], [None, None, Some(1000), Some(0)]);
        check(&["identity;q=0, gzip"], [None, None, Some(1000), None]);
        check(&["identity, gzip;q=0.001"], [None, None, Some(1), Some(1000)]);
        check(&["*;q=0"], [None, None, None, None]);
        check(&["*;q=0, identity"], [None, None, None, Some(1000)]);
        check(&["br;q=0, *;q=0.1"], [None, Some(100), Some(100), Some(100)]);
        check(&["br;q=2, zstd;q=x, gzip;q=-1, *;q=nan"], [None, None, None, Some(0)]);
        check(&["gzip;level=9;q=0.5,,;,;q=1,=;="], [None, None, Some(500), Some(0)]);
    }
}
