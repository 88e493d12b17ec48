//! What the simulation holds, with few readers.

use super::{Order, Outcome, Plan, Receivers, simulate};

fn plan(readers: u32, senders: usize) -> Plan {
    Plan {
        senders,
        readers,
        receivers: Receivers::ours().expect("ours can be read"),
        connections: 10,
        per_minute: None,
        per_minute_per_domain: None,
        are_throttles_shared: false,
        do_relays_queue: false,
        are_addresses_new: false,
        order: Order::Domains,
        round_trip: 50_000,
        processor: 50,
        ledger: 100,
        commit: 2_000,
        letter_bytes: 29_000,
        line: 1_000_000_000,
        seed: 7,
    }
}

fn sends(plan: &Plan) -> Outcome {
    simulate(plan, &mut |_, _| {})
}

/// Receivers of whom one has half of the readers and takes so many letters a minute.
fn with_a_giant(limits: &str) -> Receivers {
    let text = format!(
        "[others]\nanswer_ms = 100\ngreylisting = 0.1\ndead = 0.0\n[mailboxes]\ngone = 0.0\nfull = 0.0\n\
         [[receiver]]\ndomain = \"giant.example\"\nshare = 0.5\n{limits}\nsays = \"421 4.7.0 Too many messages\"\n"
    );
    Receivers::parse(&text).expect("receivers")
}

#[test]
fn a_thousand_readers_get_their_letter_once_each() {
    for senders in [1, 3] {
        let outcome = sends(&plan(1_000, senders));
        assert_eq!((outcome.taken, outcome.twice), (outcome.reachable, 0), "{senders}");
        assert_eq!(outcome.taken + outcome.failed, 1_000);
        assert_eq!(outcome.failed_though_reachable, 0);
        assert!(outcome.reachable > 950, "{}", outcome.reachable);
        assert!(outcome.seconds.iter().all(Option::is_some));
    }
}

#[test]
fn few_letters_are_claimed_in_vain_where_receivers_refuse() {
    let outcome = sends(&Plan { connections: 50, ..plan(20_000, 1) });
    assert!(outcome.too_quick > 300, "{}", outcome.too_quick);
    assert!(outcome.claimed < outcome.taken * 7, "{} claimed, {} taken", outcome.claimed, outcome.taken);
}

#[test]
fn the_same_seed_gives_the_same_outcome_and_another_one_another() {
    let first = plan(3_000, 2);
    assert_eq!(sends(&first), sends(&first));
    assert_ne!(sends(&first), sends(&Plan { seed: 8, ..first }));
}

#[test]
fn a_domain_takes_no_more_in_a_minute_than_its_limit_and_all_come_in_the_end() {
    let receivers = with_a_giant("per_minute = 100");
    let outcome = sends(&Plan { receivers, ..plan(2_000, 2) });
    assert_eq!(outcome.domains[0].most_a_minute, 100);
    assert_eq!(outcome.taken, 2_000);
    assert!(outcome.too_quick > 0);
}

#[test]
fn a_limit_that_all_senders_share_spares_refusals() {
    let receivers = with_a_giant("per_minute = 100");
    let apart = Plan { receivers, per_minute_per_domain: Some(80), ..plan(2_000, 4) };
    let together = Plan { are_throttles_shared: true, ..apart.clone() };
    let (apart, together) = (sends(&apart), sends(&together));
    assert_eq!((apart.taken, together.taken), (2_000, 2_000));
    assert!(apart.too_quick > 10, "{}", apart.too_quick);
    assert_eq!(together.too_quick, 0);
    assert!(together.seconds[2] < apart.seconds[2], "{:?} {:?}", together.seconds, apart.seconds);
}

#[test]
fn a_relay_that_queues_takes_every_letter_as_quickly_as_its_connections_carry_them() {
    let outcome = sends(&Plan { do_relays_queue: true, ..plan(5_000, 1) });
    // Ten connections, 50 ms a letter.
    assert!((150.0..=200.0).contains(&outcome.a_second), "{}", outcome.a_second);
    assert_eq!((outcome.taken, outcome.refused_for_now), (5_000, 0));
    assert_eq!(outcome.held_up[0].as_str(), "connections");
}

#[test]
fn what_is_wrong_with_a_file_of_receivers_is_said() {
    let wrong = |limits: &str| {
        let text = format!("[others]\nanswer_ms = 1\ngreylisting = 0.1\ndead = 0\n{limits}");
        Receivers::parse(&text).expect_err("it is wrong")
    };
    let said = wrong("");
    assert!(said.contains("receiver") || said.contains("mailboxes"), "{said}");
    let rest = "[mailboxes]\ngone = 0\nfull = 0\n[[receiver]]\ndomain = \"a.example\"\nsays = \"421 no\"\n";
    assert!(wrong(&format!("{rest}share = 2")).contains("`share` of `a.example`"));
    assert!(wrong(&format!("{rest}share = 0.1\nper_hour = 3")).contains("per_hour"));
}
