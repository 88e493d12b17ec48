//! What the letters of a simulation would be written with.

use super::{
    super::{Letterhead, Sender, Stationery, Stencil},
    begin,
};
use crate::{
    delivery::Digest, delivery::DigestId, delivery::DigestStatus, delivery::Kind, delivery::Printing,
    delivery::PrintingId, prose::Language, publication::Design, publication::Forms, publication::Imprint,
    publication::Publication, subscriber::Address, subscriber::LeaveKey, subscriber::Pace, subscriber::Wish,
    theme::Theme,
};

/// What letters are written with; none is. Without a way to write one, addressing it would fail, and nobody does.
pub(in crate::mail) fn stencil(language: Language) -> Option<Stencil> {
    let publication = Publication {
        key: "simulation".to_owned(),
        title: "A Simulation".to_owned(),
        description: String::new(),
        language,
        time_zone: jiff::tz::TimeZone::UTC,
        base_url: "https://news.example/".to_owned(),
        authority: "news.example,2026".to_owned(),
        hub: None,
        imprint: Imprint::default(),
        theme: Theme::default(),
        design: Design::default(),
        forms: Forms::default(),
    };
    let sender = Sender {
        name: None,
        address: Address::parse("gazette@news.example").ok()?,
        reply_to: None,
        leave_url: "https://news.example/".to_owned(),
    };
    let digest = Digest {
        id: DigestId(1),
        kind: Kind::Digest(Pace::Each),
        period: "1".to_owned(),
        issues: Vec::new(),
        frozen: begin(),
        until: begin(),
        status: DigestStatus::Open,
    };
    let printing = Printing {
        id: PrintingId(1),
        digest,
        wish: Wish::default(),
        subject: "1".to_owned(),
        text: String::new(),
        html: String::new(),
        books: Vec::new(),
        previous: None,
    };
    let (leave_key, stationery) = (LeaveKey::new([0; 32]), Stationery::default());
    Some(Stencil::of(printing, Letterhead { publication, sender, leave_key, stationery }))
}
