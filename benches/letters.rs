//! What it costs to address one letter: `cargo bench --bench letters`. A letter of some 23 kB, unsigned and signed;
//! CPU time is this thread's own, from `/proc`.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

use std::{fs, process::Command, sync::Arc};

use gazetted::{
    delivery::{Delivery, Digest, DigestId, DigestStatus, Kind, Printing, PrintingId},
    editions,
    mail::{Letterhead, Sender, Signer, Stationery, Stencil, new_ed25519},
    prose::Language,
    publication::{Design, Forms, Imprint, Publication},
    subscriber::{Address, LeaveKey, Pace, SubscriberId, Wish},
    theme::Theme,
};
use jiff::Timestamp;

/// How many letters are timed at once: enough that the clock's steps, of some milliseconds, do not count.
const UNSIGNED: i64 = 50_000;
const SIGNED: i64 = 1000;

fn main() {
    let rsa = Command::new("openssl")
        .args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        .output()
        .unwrap()
        .stdout;
    let ed25519 = new_ed25519().unwrap().into_bytes();
    let signer = |keys: &[&Vec<u8>]| {
        let keys: Vec<_> = keys.iter().map(|pem| ("s".to_owned(), (*pem).clone())).collect();
        Some(Arc::new(Signer::of("example.org", &keys).unwrap()))
    };
    for (what, signer) in
        [("unsigned", None), ("Ed25519", signer(&[&ed25519])), ("RSA and Ed25519", signer(&[&rsa, &ed25519]))]
    {
        for chinese in [true, false] {
            let stencil = stencil(chinese, signer.clone());
            let n_letters = if signer.is_some() { SIGNED } else { UNSIGNED };
            let mut costs: Vec<f64> = (0..7).map(|_| cost(&stencil, n_letters)).collect();
            costs.sort_by(f64::total_cmp);
            let length = stencil.address(&delivery(1)).unwrap().wire.len();
            let tongue = if chinese { "Chinese" } else { "English" };
            println!(
                "{what}, {tongue}, {length} bytes: least {:.1} µs, median {:.1} µs CPU a letter",
                costs[0], costs[3]
            );
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of a second")]
fn cost(stencil: &Stencil, n_letters: i64) -> f64 {
    let before = cpu();
    for id in 0..n_letters {
        std::hint::black_box(stencil.address(&delivery(id)).unwrap());
    }
    (cpu() - before) as f64 / 1000.0 / n_letters as f64
}

/// The nanoseconds that this thread has had.
fn cpu() -> u64 {
    let spent = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    spent.split(' ').next().unwrap().parse().unwrap()
}

fn delivery(id: i64) -> Delivery {
    Delivery {
        digest: DigestId(12),
        printing: PrintingId(3),
        subscriber: SubscriberId(id),
        address: Address::parse("li.wei@example.com").unwrap(),
        queued: Timestamp::UNIX_EPOCH,
        attempts: 0,
    }
}

fn stencil(chinese: bool, signer: Option<Arc<Signer>>) -> Stencil {
    let publication = Publication {
        key: "tide".to_owned(),
        title: "The Tide Gazette".to_owned(),
        description: String::new(),
        language: Language::parse("en").unwrap(),
        time_zone: jiff::tz::TimeZone::UTC,
        base_url: "https://news.example.org/".to_owned(),
        authority: "example.org,2026".to_owned(),
        hub: None,
        imprint: Imprint::default(),
        theme: Theme::default(),
        design: Design::default(),
        forms: Forms::default(),
    };
    let sender = Sender {
        name: Some("The Tide Gazette".to_owned()),
        address: Address::parse("tide@example.org").unwrap(),
        reply_to: None,
        leave_url: publication.base_url.clone(),
    };
    let bounces = Address::parse("bounces@example.org").ok();
    let stationery = Stationery { bounces, thread: true, signer, books: None };
    let head = Letterhead { publication, sender, leave_key: LeaveKey::new([7; 32]), stationery };
    let (line, n_lines) = if chinese {
        ("渡口的船早已不再载客，每年春天仍有人给它上漆。", 150)
    } else {
        ("The boat at the landing carries nobody any more; “still”, they paint it each spring. ", 170)
    };
    let text = line.repeat(n_lines);
    let leave = editions::LEAVE;
    let printing = Printing {
        id: PrintingId(3),
        digest: Digest {
            id: DigestId(12),
            kind: Kind::Digest(Pace::Weekly),
            period: "2026-W28".to_owned(),
            issues: vec![],
            frozen: Timestamp::UNIX_EPOCH,
            until: Timestamp::UNIX_EPOCH,
            status: DigestStatus::Open,
        },
        wish: Wish::default(),
        subject: "渡口的钟又响了".to_owned(),
        text: format!(
            "Leave: {leave}\n\n{}\n\nLeave: {leave}\n",
            text.chars().take(2000).collect::<String>()
        ),
        html: format!("<p><a href=\"{leave}\">x</a></p><p>{text}</p><p><a href=\"{leave}\">x</a></p>\n"),
        books: vec![],
        previous: Some("weekly.2026-w27".to_owned()),
    };
    Stencil::of(printing, head)
}
