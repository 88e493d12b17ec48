//! Everybody gets the digests of his or her own pace, each once, whatever the clock does.

use std::collections::HashMap;

use gazetted::{
    delivery::{DigestStatus, Kind, State},
    issue::{IssueKey, Status},
    ledger::{Entry, Ledger},
    press::Press,
    subscriber::{
        Address, Form, Pace, Preferences, Sections, Standing, SubscriberId, Suppression, SuppressionReason,
        Wish,
    },
};
use jiff::{SignedDuration, Timestamp, Zoned, civil::Weekday, tz::TimeZone};

use crate::newsroom::{Newsroom, opened, page, until};

fn enter(ledger: &dyn Ledger, name: &str, standing: Standing, preferences: Preferences) -> SubscriberId {
    let address = Address::parse(&format!("{name}@example.org")).unwrap();
    let entry = Entry::confirmed(address, "a story", Timestamp::UNIX_EPOCH);
    ledger.enter(vec![Entry { standing, preferences, ..entry }]).unwrap()[0].id().unwrap()
}

fn of_pace(pace: Pace) -> Preferences {
    Preferences { pace, ..Preferences::default() }
}

#[test]
fn a_reader_who_wants_one_letter_a_week_gets_it_on_its_day() {
    let newsroom = Newsroom::with_subscribers(["each@example.org"]);
    let ledger = newsroom.ledger();
    enter(&*ledger, "weekly", Standing::Confirmed, of_pace(Pace::Weekly));
    enter(&*ledger, "daily", Standing::Confirmed, of_pace(Pace::Daily));
    newsroom.saves("a.md", page("The first", "The first words.")).is_out("a", 1);
    newsroom.saves("b.md", page("The second", "The second words.")).is_out("b", 1);
    newsroom.sink.letters_to("each@example.org", 2);
    assert_eq!(newsroom.sink.offers_to("daily@example.org"), 0);

    newsroom.after(SignedDuration::from_hours(24));
    let daily = newsroom.sink.letters_to("daily@example.org", 1).remove(0);
    assert!(daily.header("Message-ID").unwrap().starts_with("<tide.daily.20"), "{}", daily.text);
    newsroom.after(SignedDuration::from_hours(6 * 24));
    newsroom.sink.letters_to("weekly@example.org", 1);
    // Nothing came out since: nothing is sent.
    newsroom.after(SignedDuration::from_hours(48));
    newsroom.saves("c.md", page("The third", "The third words.")).is_out("c", 1);
    newsroom.sink.letters_to("each@example.org", 3);
    newsroom.sink.letters_to("daily@example.org", 1);
    newsroom.sink.letters_to("weekly@example.org", 1);
}

#[test]
fn a_digest_that_is_found_days_late_waits_for_its_operator() {
    let mut newsroom = Newsroom::closed("");
    enter(&*newsroom.ledger(), "weekly", Standing::Confirmed, of_pace(Pace::Weekly));
    let press = newsroom.press();
    publish(&newsroom, &press, 0, newsroom.now());
    let due = press.calendar.next(Pace::Weekly, newsroom.now()).unwrap();
    drop(press);
    // The machine is switched off from then until three days after the digest fell due.
    newsroom.after(due.duration_since(newsroom.now()) + SignedDuration::from_hours(24 * 3));
    newsroom.starts();
    let (ledger, publication) = (newsroom.ledger(), newsroom.publication());
    until("the digest", || !ledger.digests(&publication, 10).unwrap().is_empty());
    let waiting = ledger.digests(&publication, 10).unwrap().remove(0);
    assert_eq!((waiting.digest.status, waiting.letters), (DigestStatus::Asking, vec![(State::Withheld, 1)]));
    assert!(ledger.set_digest_status(waiting.digest.id, DigestStatus::Open, newsroom.now()).unwrap());
    newsroom.sink.letters_to("weekly@example.org", 1);
}

#[test]
fn letters_that_a_stopped_machine_left_are_not_sent_days_later_unasked() {
    let mut newsroom = Newsroom::closed("");
    newsroom.enters(&["li@example.org"]);
    let press = newsroom.press();
    publish(&newsroom, &press, 0, newsroom.now());
    drop(press);
    newsroom.after(SignedDuration::from_hours(24 * 5));
    newsroom.starts();
    newsroom.letters_stand("i0", &[(State::Withheld, 1)]);
    let ledger = newsroom.ledger();
    let waiting = ledger.digests(&newsroom.publication(), 10).unwrap().remove(0);
    assert_eq!(waiting.digest.status, DigestStatus::Asking);
    assert!(ledger.set_digest_status(waiting.digest.id, DigestStatus::Open, newsroom.now()).unwrap());
    newsroom.sink.letters_to("li@example.org", 1);
}

#[test]
fn a_withdrawn_issue_leaves_the_digests_that_are_not_sent_yet() {
    let newsroom = Newsroom::closed("");
    let ledger = newsroom.ledger();
    let reader = enter(&*ledger, "weekly", Standing::Confirmed, of_pace(Pace::Weekly));
    let press = newsroom.press();
    let now = newsroom.now();
    for n in 0..3 {
        publish(&newsroom, &press, n, now);
    }
    let due = press.calendar.next(Pace::Weekly, now).unwrap();
    let made = press.make_digests(due).unwrap();
    let of = |pace| made.iter().filter(|made| made.pace == pace).map(|made| made.letters).collect::<Vec<_>>();
    assert_eq!((of(Pace::Weekly), of(Pace::Daily)), (vec![1], vec![0]), "nobody asked for the day's");
    let claim = || ledger.claim(due, due + SignedDuration::from_hours(1), 10, &[]).unwrap().letters;
    let printing = ledger.printing(claim()[0].printing).unwrap().unwrap();
    assert!(printing.text.contains("Number 1"), "{}", printing.text);

    press.set_status(&IssueKey::of("i1"), Status::Canceled, due).unwrap();
    let anew = claim();
    assert_eq!(anew.len(), 1, "the letter is printed anew and goes out");
    let printing = ledger.printing(anew[0].printing).unwrap().unwrap();
    assert!(!printing.text.contains("Number 1") && printing.text.contains("Number 2"), "{}", printing.text);

    for n in [0, 2] {
        press.set_status(&IssueKey::of(&format!("i{n}")), Status::Canceled, due).unwrap();
    }
    assert!(claim().is_empty());
    assert_eq!(ledger.history(reader, 10).unwrap()[0].state, State::Canceled);
}

/// One reader of the matrix, and the letters that he or she is to get.
struct Reader {
    id: SubscriberId,
    pace: Pace,
    only_harbour: bool,
    from: Timestamp,
    until: Timestamp,
    expected: Vec<(Kind, String)>,
}

/// What has been told to the readers of a pace.
#[derive(Default)]
struct Told {
    boundary: Option<Timestamp>,
    issues: Vec<usize>,
}

/// The sections take turns, and every third issue stands in none.
fn section(n: usize) -> Option<&'static str> {
    [Some("Harbour"), Some("Market"), None][n % 3]
}

fn publish(newsroom: &Newsroom, press: &Press, n: usize, now: Timestamp) {
    let section = section(n).map(|name| format!("section: {name}\n")).unwrap_or_default();
    let text = format!("---\ntitle: Number {n}\n{section}---\n\n# Piece {n}\n\nThe words of piece {n}.\n");
    let file = newsroom.path(&format!("inbox/i{n}.md"));
    std::fs::write(&file, text).unwrap();
    press.publish(&opened(&newsroom.path("inbox"), &file), now).unwrap();
}

/// The latest end of a period by `now`, found by walking back from there.
fn boundary(pace: Pace, now: Timestamp) -> Timestamp {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let mut day = now.to_zoned(zone.clone()).date();
    loop {
        let at = day.at(2, 30, 0, 0).to_zoned(zone.clone()).unwrap().timestamp();
        let is_day = match pace {
            Pace::Each | Pace::Daily => true,
            Pace::Weekly => day.weekday() == Weekday::Sunday,
            Pace::Monthly => day.day() == 25,
        };
        if is_day && at <= now {
            return at;
        }
        day = day.yesterday().unwrap();
    }
}

fn period(pace: Pace, boundary: Timestamp) -> String {
    let day: Zoned = boundary.to_zoned(TimeZone::get("Europe/Berlin").unwrap());
    match pace {
        Pace::Weekly => day.strftime("%G-W%V").to_string(),
        Pace::Monthly => day.strftime("%Y-%m").to_string(),
        Pace::Each | Pace::Daily => day.strftime("%Y-%m-%d").to_string(),
    }
}

/// Everybody of the matrix.
struct People {
    readers: Vec<Reader>,
    /// Those who are to get nothing.
    silent: Vec<SubscriberId>,
    /// Those who leave in autumn.
    leavers: Vec<SubscriberId>,
    /// Those who confirm in spring.
    joiners: Vec<SubscriberId>,
}

/// Somebody of every pace, form, choice of sections and standing.
fn people(ledger: &dyn Ledger, [begin, spring, autumn, end]: [Timestamp; 4]) -> People {
    let mut readers = Vec::new();
    let mut silent = Vec::new();
    let mut leavers = Vec::new();
    let mut joiners = Vec::new();
    for pace in Pace::ALL {
        for form in Form::ALL {
            for only_harbour in [false, true] {
                let sections = if only_harbour { Sections::of(["Harbour"]) } else { Sections::default() };
                let preferences =
                    Preferences { pace, wish: Wish { form, sections, language: None }, device: None };
                let name = format!("{}-{}-{only_harbour}", pace.as_str(), form.as_str());
                let enter = |kind: &str, standing| {
                    enter(ledger, &format!("{kind}-{name}"), standing, preferences.clone())
                };
                let mut reads = |id, from, until| {
                    readers.push(Reader { id, pace, only_harbour, from, until, expected: Vec::new() });
                    id
                };
                reads(enter("stays", Standing::Confirmed), begin, end);
                leavers.push(reads(enter("leaves", Standing::Confirmed), begin, autumn));
                joiners.push(reads(enter("joins", Standing::Pending), spring, end));
                silent.push(enter("pending", Standing::Pending));
                let left = enter("left", Standing::Confirmed);
                ledger.leave(left, begin).unwrap();
                let dead = enter("dead", Standing::Confirmed);
                let (reason, text) = (SuppressionReason::Bounced, "no such user".to_owned());
                ledger.suppress(dead, &Suppression { reason, at: begin, text }).unwrap();
                silent.extend([left, dead]);
            }
        }
    }
    People { readers, silent, leavers, joiners }
}

#[test]
fn in_a_year_with_clock_steps_every_reader_gets_exactly_the_right_letters() {
    // Half past two is left out on 29 March 2026 and comes twice on 25 October; the days of weekly and monthly digests fall there.
    let mut newsroom = Newsroom::closed("[digests]\nat = \"02:30\"\nweekday = \"sunday\"\nday = 25\n");
    newsroom.sets("publication", "time_zone = \"Europe/Berlin\"");
    let (ledger, press) = (newsroom.ledger(), newsroom.press());
    let time = |text: &str| text.parse::<Timestamp>().unwrap();
    let (begin, end) = (time("2026-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z"));
    let (spring, autumn) = (time("2026-03-15T12:00:00Z"), time("2026-09-15T12:00:00Z"));

    let People { mut readers, silent, mut leavers, mut joiners } =
        people(&*ledger, [begin, spring, autumn, end]);
    let mut told: HashMap<Pace, Told> = HashMap::new();
    let mut published: Vec<Timestamp> = Vec::new();
    // The first issue comes when the newsroom has been there for a month.
    let mut next_issue = time("2026-02-01T09:00:00Z");
    let mut now = begin;
    let mut nth = 0_u32;
    while now < end {
        now += SignedDuration::from_mins(11 * 60 + 7);
        nth += 1;
        if now >= spring {
            joiners.drain(..).for_each(|id| assert!(ledger.confirm(id, now).unwrap()));
        }
        if now >= autumn {
            leavers.drain(..).for_each(|id| assert!(ledger.leave(id, now).unwrap()));
        }
        if now >= next_issue {
            let n = published.len();
            publish(&newsroom, &press, n, now);
            let shelved = ledger.issue(&press.publication, &IssueKey::of(&format!("i{n}"))).unwrap().unwrap();
            published.push(shelved.release.published);
            for reader in readers.iter_mut().filter(|reader| reader.pace == Pace::Each) {
                let there = now >= reader.from && now < reader.until;
                if there && (!reader.only_harbour || section(n) != Some("Market")) {
                    reader.expected.push((Kind::Digest(Pace::Each), format!("i{n}")));
                }
            }
            // Some days apart, some hours, some weeks.
            next_issue = now + SignedDuration::from_hours([20, 170, 30, 400, 9, 260][n % 6]);
        }
        // Now and then the clock steps back for a look, and once it is nine days ahead for one.
        let looks = match nth {
            400 => vec![now + SignedDuration::from_hours(24 * 9), now],
            n if n % 5 == 0 => vec![now - SignedDuration::from_hours(5), now],
            n if n % 7 == 0 => vec![now, now],
            _ => vec![now],
        };
        for look in looks {
            press.make_digests(look).unwrap();
            for pace in [Pace::Daily, Pace::Weekly, Pace::Monthly] {
                let boundary = boundary(pace, look);
                let told = told.entry(pace).or_default();
                if told.boundary.is_some_and(|last| boundary <= last) {
                    continue;
                }
                let news: Vec<usize> = (0..published.len())
                    .filter(|&n| published[n] <= boundary && !told.issues.contains(&n))
                    .collect();
                if news.is_empty() {
                    continue;
                }
                told.boundary = Some(boundary);
                for reader in readers.iter_mut().filter(|reader| reader.pace == pace) {
                    let there = now >= reader.from && now < reader.until;
                    let wanted = news.iter().any(|&n| !reader.only_harbour || section(n) != Some("Market"));
                    if there && wanted {
                        reader.expected.push((Kind::Digest(pace), period(pace, boundary)));
                    }
                }
                told.issues.extend(news);
            }
        }
    }
    assert!(published.len() > 20, "{published:?}");

    for reader in &readers {
        let mut got: Vec<(Kind, String)> = ledger
            .history(reader.id, 1000)
            .unwrap()
            .into_iter()
            .map(|sent| (sent.kind, sent.period))
            .collect();
        got.reverse();
        let subscriber = ledger.subscriber_of(reader.id).unwrap().unwrap();
        assert_eq!(got, reader.expected, "{}", subscriber.address);
    }
    for id in silent {
        assert!(ledger.history(id, 10).unwrap().is_empty());
    }
    // Everything that anybody was told, in all, so that a year without letters cannot pass.
    let n_letters: usize = readers.iter().map(|reader| reader.expected.len()).sum();
    assert!(n_letters > 1000, "{n_letters}");
    assert!(ledger.examine().unwrap().is_empty());
}

#[test]
fn an_issue_that_comes_while_the_clock_stands_in_1970_waits_until_it_is_set() {
    let newsroom = Newsroom::with_subscribers(["li@example.org"]);
    let since_1970 = newsroom.now().duration_since(Timestamp::UNIX_EPOCH);
    newsroom.after(-since_1970);
    newsroom.saves("a.md", "# One\n\nThe tide is in.\n");
    let reason = newsroom.reason_beside("a.md");
    assert!(reason.contains("the clock of this machine says 1970-01-01 00:0"), "{reason}");
    assert!(reason.contains("timedatectl set-ntp true"), "{reason}");
    newsroom.after(since_1970);
    newsroom.is_out("a", 1).no_reason_beside("a.md").letters_stand("a", &[(State::Delivered, 1)]);
    let published = newsroom.shelved("a").release.published;
    assert!(newsroom.now().duration_since(published) < SignedDuration::from_hours(1), "{published}");
}

#[test]
fn a_newsroom_that_was_shut_over_its_first_days_tells_daily_readers_all_the_same() {
    let mut newsroom = Newsroom::closed("");
    let ledger = newsroom.ledger();
    enter(&*ledger, "wang", Standing::Confirmed, of_pace(Pace::Daily));
    drop(ledger);
    newsroom.starts();
    newsroom.saves("a.md", page("One", "The first words.")).is_out("a", 1);
    newsroom.stops();
    // Before the first digest was due the plug was pulled; it stays out for the weekend.
    newsroom.after(SignedDuration::from_hours(70));
    newsroom.starts();
    let letter = newsroom.sink.letters_to("wang@example.org", 1).remove(0);
    assert!(letter.plain().contains("The first words"), "{}", letter.plain());
}

#[test]
fn a_clock_that_stood_years_ahead_for_an_hour_keeps_no_digest_back_until_then() {
    let newsroom = Newsroom::closed("");
    let ledger = newsroom.ledger();
    let reader = enter(&*ledger, "wang", Standing::Confirmed, of_pace(Pace::Daily));
    let press = newsroom.press();
    let now = newsroom.now();
    let years = SignedDuration::from_hours(24 * 365 * 8);
    publish(&newsroom, &press, 0, now);
    publish(&newsroom, &press, 1, now + years);
    press.make_digests(now + years + SignedDuration::from_hours(48)).unwrap();
    publish(&newsroom, &press, 2, now);
    for day in 1..4 {
        press.make_digests(now + SignedDuration::from_hours(24 * day)).unwrap();
    }
    let told: Vec<IssueKey> = ledger
        .digests(&newsroom.publication(), 99)
        .unwrap()
        .into_iter()
        .filter(|line| line.digest.kind == Kind::Digest(Pace::Daily))
        .flat_map(|line| line.digest.issues)
        .collect();
    let mut once = told.clone();
    once.sort();
    assert_eq!(once, ["i0", "i1", "i2"].map(IssueKey::of), "each in one digest: {told:?}");
    assert!(ledger.history(reader, 9).unwrap().len() >= 2, "one was sent ahead of its time, and one in time");
}
