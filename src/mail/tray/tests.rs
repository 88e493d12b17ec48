//! What lanes find in the tray.

use std::pin::pin;

use super::{super::simulation::stencil::stencil, *};
use crate::{delivery::PrintingId, prose::Language, subscriber::Address};

fn tray() -> Tray {
    Tray::new(vec![Road::new("relay".to_owned(), 1, None, 1)], 1, 256, None, None)
}

fn letter() -> Work {
    let (begin, language) = (Timestamp::UNIX_EPOCH, Language::parse("en").expect("a language"));
    let delivery = Delivery {
        digest: DigestId(1),
        printing: PrintingId(1),
        subscriber: SubscriberId(1),
        address: Address::parse("mara@example.org").expect("an address"),
        queued: begin,
        attempts: 0,
    };
    let stencil = Arc::new(stencil(language).expect("a stencil"));
    Work { delivery, stencil, taken_back: 0, claimed: begin, begun: begin, counted: false }
}

#[test]
fn a_letter_that_is_settled_while_a_claim_brings_it_again_is_sent_once() {
    let (tray, now) = (tray(), Timestamp::UNIX_EPOCH);
    tray.turn(now);
    assert_eq!(tray.put(vec![letter()], now), 1);
    let Next::Letter(sent) = tray.take(0, 0, now) else { panic!("a letter lies there") };
    // The ledger could not take its outcome before its lease ended. Now it takes it right behind a claim.
    tray.turn(now);
    tray.done(0, *sent, &Heard::Taken, now);
    assert!(tray.knows(&letter()));
    assert_eq!(tray.put(vec![letter()], now), 0);
    assert!(!matches!(tray.take(0, 0, now), Next::Letter(_)), "it would come twice");
    // Had it been due again, it would only have come later.
    assert_eq!(tray.turn(now).back.len(), 1);
    assert_eq!(tray.put(vec![letter()], now), 1);
}

#[test]
fn a_claim_that_brings_nothing_calls_no_lane_so_that_idle_ones_hang_up() {
    let tray = tray();
    let mut called = pin!(tray.changed.notified());
    called.as_mut().enable();
    assert_eq!(tray.put(Vec::new(), Timestamp::UNIX_EPOCH), 0);
    assert!(!called.as_mut().enable());
}
