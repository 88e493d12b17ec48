//! Tables as programs and people write them.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use jiff::tz::TimeZone;

use super::*;
use crate::subscriber::{Standing, Subscriber, SubscriberId, Suppression, SuppressionReason};

fn assumed() -> Assumed {
    Assumed {
        how: Some("an import".to_owned()),
        from: Some("list.csv".to_owned()),
        now: "2026-11-26T00:00:00Z".parse().expect("a time"),
        standing: Standing::Confirmed,
        time_zone: TimeZone::get("Asia/Shanghai").expect("a zone"),
    }
}

fn read(bytes: &[u8]) -> String {
    let writing = Writing::of(bytes).expect("bytes in memory");
    let rows = match Rows::of(bytes, writing, assumed()) {
        Ok(rows) => rows,
        Err(error) => return error.to_string(),
    };
    let told = rows.map(|row| match row.expect("bytes in memory") {
        Ok(Row { line, entry }) => {
            let wish = &entry.preferences.wish;
            let sections: Vec<&str> = wish.sections.iter().collect();
            let mut told = format!(
                "{line} {} {} {} {} [{}] {} {} {}",
                entry.address,
                entry.standing.as_str(),
                entry.preferences.pace.as_str(),
                wish.form.as_str(),
                sections.join(" "),
                wish.language.as_ref().map_or("-", |language| language.as_str()),
                entry.consent.at,
                entry.consent.how,
            );
            if let Some(why) = &entry.suppression {
                let _ = write!(told, " ({}: {})", why.reason.as_str(), why.text);
            }
            told
        }
        Err(problem) => format!("{} ! {:?} {}", problem.line, problem.address, problem.reason),
    });
    told.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&read(text.as_bytes()));
}

#[test]
fn a_list_of_addresses_alone_needs_no_head() {
    check(
        "li@example.org\n\nWang <wang@example.org>\nzhao\n",
        &expect![[r#"
            1 li@example.org confirmed each html [] - 2026-11-26T00:00:00Z an import
            3 wang@example.org confirmed each html [] - 2026-11-26T00:00:00Z an import
            4 ! "zhao" `zhao` is not an e-mail address: it needs one `@` with a name before it and a domain after it"#]],
    );
}

#[test]
fn columns_are_known_by_the_names_that_programs_and_people_give_them() {
    check(
        "Email Address,First Name,Status,Created At,Opt-in IP\nli@example.org,Li,subscribed,2024-05-01 08:00:00,192.0.2.1\n\
         wang@example.org,Wang,unsubscribed,2024-05-01T00:00:00Z,\nzhao@example.org,Zhao,cleaned,,\nqian@example.org,,what,,\n",
        &expect![[r#"
            2 li@example.org confirmed each html [] - 2024-05-01T00:00:00Z an import
            3 wang@example.org left each html [] - 2024-05-01T00:00:00Z an import
            4 zhao@example.org suppressed each html [] - 2026-11-26T00:00:00Z an import (bounced: said so in an import)
            5 ! "qian@example.org" `what` is no standing that is known: say confirmed, pending, left or suppressed"#]],
    );
    check(
        "姓名;邮箱;订阅时间;栏目;频率\n李;li@example.org;2024年5月1日;理论、副刊;weekly\n王;wang@example.org;2024/5/1 9:30;;\n",
        &expect![[r"
            2 li@example.org confirmed weekly html [fu-kan li-lun] - 2024-04-30T16:00:00Z an import
            3 wang@example.org confirmed each html [] - 2024-05-01T01:30:00Z an import"]],
    );
    check(
        "id\temail\tsubscribed_to_emails\tcreated_at\n1\tli@example.org\ttrue\t2024-05-01 08:00:00.5+00\n2\twang@example.org\tfalse\t\n",
        &expect![[r"
            2 li@example.org confirmed each html [] - 2024-05-01T08:00:00.5Z an import
            3 wang@example.org left each html [] - 2026-11-26T00:00:00Z an import"]],
    );
}

#[test]
fn a_file_that_is_no_list_of_subscribers_is_refused() {
    check("", &expect!["there is no row in it"]);
    check("name,town\nLi,Tide\n", &expect!["none of its columns has addresses; it has `name`, `town`"]);
    check("email,mail\na@b.cn,c@d.cn\n", &expect!["two of its columns are `mail`; take one of them out"]);
}

#[test]
fn a_broken_row_is_told_with_its_line_and_costs_no_other() {
    check(
        "email,how\n\"li@example.org\",\"at the fair,\nby hand \"\"so\"\"\"\nwang@example.org,\"never closed\nzhao@example.org,x\n\
         qian@example.org,a,b\n,nobody\n\"sun\"@example.org,x\nzhou@example.org,5\" wide\n",
        &expect![[r#"
            2 li@example.org confirmed each html [] - 2026-11-26T00:00:00Z at the fair,
            by hand "so"
            4 ! "" a quotation mark in it is never closed
            5 zhao@example.org confirmed each html [] - 2026-11-26T00:00:00Z x
            6 ! "qian@example.org" it has 3 cells, and the first row has 2
            7 ! "" it has no address
            8 sun@example.org confirmed each html [] - 2026-11-26T00:00:00Z x
            9 zhou@example.org confirmed each html [] - 2026-11-26T00:00:00Z 5" wide"#]],
    );
}

#[test]
fn any_charset_separator_and_line_end_is_read() {
    let text = "邮箱;来源\r\nli@example.org;书展上的登记\r\nwang@example.org;写信来的，住在河边\r\n";
    let expected = "2 li@example.org confirmed each html [] - 2026-11-26T00:00:00Z 书展上的登记\n\
                    3 wang@example.org confirmed each html [] - 2026-11-26T00:00:00Z 写信来的，住在河边";
    let utf16 = |mark: &str, to: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{mark}{text}").encode_utf16().flat_map(to).collect()
    };
    for bytes in [
        text.as_bytes().to_vec(),
        text.replace("\r\n", "\r").into_bytes(),
        format!("\u{FEFF}{text}").into_bytes(),
        utf16("\u{FEFF}", u16::to_le_bytes),
        utf16("\u{FEFF}", u16::to_be_bytes),
        utf16("", u16::to_le_bytes),
        encoding_rs::GB18030.encode(text).0.into_owned(),
        [b"\x84\x31\x95\x33".to_vec(), encoding_rs::GB18030.encode(text).0.into_owned()].concat(),
    ] {
        assert_eq!(read(&bytes), expected, "{bytes:?}");
    }
    assert_eq!(
        read(b"email;source\nli@example.org;le caf\xe9 d\xe9j\xe0 ferm\xe9, \xe0 c\xf4t\xe9\n"),
        "2 li@example.org confirmed each html [] - 2026-11-26T00:00:00Z le café déjà fermé, à côté"
    );
    check(
        "sep=|\nemail|how\nli@example.org|x\n",
        &expect!["3 li@example.org confirmed each html [] - 2026-11-26T00:00:00Z x"],
    );
}

#[test]
fn a_damaged_byte_costs_its_own_row() {
    let mut bytes = "邮箱,来源\nli@example.org,书展\nwang@example.org,河边的书展\n".as_bytes().to_vec();
    let at = bytes.windows(4).position(|four| four == b"wang").expect("there");
    bytes[at] = 0xFF;
    assert_eq!(
        read(&bytes),
        "2 li@example.org confirmed each html [] - 2026-11-26T00:00:00Z 书展\n\
         3 ! \"\u{FFFD}ang@example.org\" a character of the address cannot be decoded"
    );
}

#[test]
fn what_is_written_reads_back_to_the_same() {
    let time = |text: &str| text.parse::<Timestamp>().expect("a time");
    let subscriber = |entry: Entry| Subscriber {
        id: SubscriberId(1),
        address: entry.address,
        standing: entry.standing,
        suppression: entry.suppression,
        consent: entry.consent,
        preferences: entry.preferences,
    };
    let rows = "address,standing,pace,form,sections,language,device,consent_at,consent_how,consent_from,confirmed_at,suppression,suppressed_at,suppression_text\n\
        =1+1@example.org,confirmed,weekly,kindle,fu-kan li-lun,zh-Hans,li@kindle.com,2026-01-02T03:04:05.678Z,\"asked, \"\"so\"\"\nin two lines\",192.0.2.1,2026-01-03T00:00:00Z,,,\n\
        wang@example.org,suppressed,each,html,,,,2026-01-02T03:04:05Z,@home,x.csv,,complained,2026-02-02T00:00:00Z,-1 said the server\n\
        zhao@example.org,left,monthly,text,,,,2026-01-02T03:04:05Z,=by hand,x.csv,,,,\n";
    let entries = |bytes: &[u8]| -> Vec<Entry> {
        let rows = Rows::of(bytes, Writing::of(bytes).expect("bytes"), assumed()).expect("a table");
        rows.map(|row| row.expect("bytes").expect("a row").entry).collect()
    };
    let first = entries(rows.as_bytes());
    assert_eq!(first.len(), 3);
    assert_eq!(
        first[1].suppression,
        Some(Suppression {
            reason: SuppressionReason::Complained,
            at: time("2026-02-02T00:00:00Z"),
            text: "-1 said the server".to_owned()
        })
    );
    assert_eq!(first[2].standing, Standing::Left);
    let mut written = csv::Writer::from_writer(Vec::new());
    written.write_record(COLUMNS).expect("memory");
    for entry in &first {
        let cells = row_of(&subscriber(entry.clone()));
        assert!(
            cells.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])),
            "a spreadsheet would reckon"
        );
        written.write_record(cells).expect("memory");
    }
    assert_eq!(entries(&written.into_inner().expect("memory")), first);
}

#[test]
fn a_quotation_mark_that_is_never_closed_costs_one_line_of_a_million() {
    let mut text = String::from("email,how\nli@example.org,\"open\n");
    for n in 0..20_000 {
        let _ = writeln!(text, "r{n}@example.org,x");
    }
    let bytes = text.as_bytes();
    let rows = Rows::of(bytes, Writing::of(bytes).expect("bytes"), assumed()).expect("a table");
    let (good, bad): (Vec<_>, Vec<_>) = rows.map(|row| row.expect("bytes")).partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (20_000, 1));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_row_by_row(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..2000)) {
        read(&bytes);
        let mut with_head = b"email,how\n".to_vec();
        with_head.extend_from_slice(&bytes);
        read(&with_head);
    }
}

#[test]
fn the_three_files_of_mailchimp_say_who_asked_who_left_and_whose_mailbox_is_dead() {
    let common = "\"Email Address\",\"First Name\",\"Last Name\",Interests,EMAIL_TYPE,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,\
                  LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION";
    check(
        &format!(
            "{common},LAST_CHANGED,LEID,EUID,NOTES,TAGS\n\
             li@example.org,Li,Wei,\"Sport, Town\",text,2,\"2018-06-12 07:53:28\",,\"2018-06-12 07:55:00\",192.0.2.7,,,,,,,,\"2018-06-12 07:55:00\",3e4f,fa7a,,\"\"\"A\"\",\"\"B\"\"\"\n\
             wang@example.org,,,,mobile,2,,,\"2019-01-01 00:00:00\",,,,,,,,,,1,2,,\n"
        ),
        &expect![[r"
            2 li@example.org confirmed each text [] - 2018-06-11T23:53:28Z an import
            3 wang@example.org confirmed each html [] - 2018-12-31T16:00:00Z an import"]],
    );
    check(
        &format!(
            "{common},UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER,LEID,EUID,NOTES,TAGS\n\
             li@example.org,,,,,2,\"2018-06-12 07:53:28\",,,,,,,,,,,\"2020-02-03 04:05:06\",May,1,NORMAL,,1,2,,\n\
             wang@example.org,,,,,2,\"2018-06-12 07:53:28\",,,,,,,,,,,\"2020-02-03 04:05:06\",May,1,SPAM,,1,2,,\n\
             zhao@example.org,,,,,2,,,,,,,,,,,,,,,\"N/A (Unsubscribed by an admin)\",,1,2,,\n"
        ),
        &expect![[r"
            2 li@example.org left each html [] - 2018-06-11T23:53:28Z an import
            3 wang@example.org suppressed each html [] - 2018-06-11T23:53:28Z an import (complained: said so in an import)
            4 zhao@example.org left each html [] - 2026-11-26T00:00:00Z an import"]],
    );
    check(
        &format!(
            "{common},CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,LEID,EUID,NOTES,TAGS\n\
             li@example.org,,,,,2,\"2018-06-12 07:53:28\",,,,,,,,,,,\"2020-02-03 04:05:06\",\"May letter\",9,1,2,,\n\
             wang@example.org,,,,,2,,,,,,,,,,,,,,,1,2,,\n"
        ),
        &expect![[r"
            2 li@example.org suppressed each html [] - 2018-06-11T23:53:28Z an import (bounced: May letter)
            3 wang@example.org suppressed each html [] - 2026-11-26T00:00:00Z an import (bounced: said so in an import)"]],
    );
}

#[test]
fn files_of_substack_ghost_listmonk_and_buttondown_are_known_by_their_first_row() {
    check(
        "email,active_subscription,expiry,email_disabled,prefer_digests,created_at\n\
         li@example.org,false,,false,false,2024-01-01T00:00:00.000Z\npaid@example.org,true,2027-01-01,false,false,2024-01-02T00:00:00.000Z\n\
         gone@example.org,false,,true,false,2024-01-03T00:00:00.000Z\nnot-an-email,false,,false,false,\n",
        &expect![[r#"
            2 li@example.org confirmed each html [] - 2024-01-01T00:00:00Z an import
            3 paid@example.org confirmed each html [] - 2024-01-02T00:00:00Z an import
            4 gone@example.org left each html [] - 2024-01-03T00:00:00Z an import
            5 ! "not-an-email" `not-an-email` is not an e-mail address: it needs one `@` with a name before it and a domain after it"#]],
    );
    check(
        "Email,Name,Stripe plan,Cancel date,Start date,Paid upgrade date,Activity,Type,Subscription source (free)\n\
         li@example.org,Li,,2025-05-05T00:00:00.000Z,2025-01-01T00:00:00.000Z,,5,Free,substack-notes\n",
        &expect![[r"
            2 li@example.org confirmed each html [] - 2025-01-01T00:00:00Z substack-notes"]],
    );
    check(
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers,gift_id\n\
         1,li@example.org,Li,,true,false,,2024-03-01T09:30:00.000Z,,,,\n2,wang@example.org,,,false,false,,2024-03-02T09:30:00.000Z,,,,\n\
         3,zhao@example.org,,,true,false,,2024-03-02T09:30:00.000Z,2025-01-01T00:00:00.000Z,,,\n",
        &expect![[r"
            2 li@example.org confirmed each html [] - 2024-03-01T09:30:00Z an import
            3 wang@example.org left each html [] - 2024-03-02T09:30:00Z an import
            4 zhao@example.org left each html [] - 2024-03-02T09:30:00Z an import"]],
    );
    check(
        "uuid,email,name,attributes,status,created_at,updated_at\n\
         0a,li@example.org,Li,\"{\"\"city\"\": \"\"Tide\"\"}\",enabled,2024-05-01 08:00:00.123456 +0000 UTC,2024-05-01 08:00:00 +0000 UTC\n\
         0b,wang@example.org,,{},disabled,2024-05-01 08:00:00.5 +0530 IST,\n0c,zhao@example.org,,{},blocklisted,2024-05-01 08:00:00 +0000 +0000,\n",
        &expect![[r"
            2 li@example.org confirmed each html [] - 2024-05-01T08:00:00.123456Z an import
            3 wang@example.org left each html [] - 2024-05-01T02:30:00.5Z an import
            4 zhao@example.org suppressed each html [] - 2024-05-01T08:00:00Z an import (operator: said so in an import)"]],
    );
    check(
        "id,email,subscriber_type,creation_date,subscription_date,ip_address,utm_source,utm_medium,utm_campaign,metadata,tags\n\
         1,li@example.org,premium,2024-01-02T03:04:05.678901+00:00,,192.0.2.9,,,,{},\n2,wang@example.org,unactivated,2024-01-02 03:04:05+00:00,,,,,,{},\n\
         3,zhao@example.org,unsubscribed,,,,,,,,\n4,qian@example.org,undeliverable,,,,,,,,\n5,sun@example.org,complained,,,,,,,,\n\
         6,wu@example.org,removed,,,,,,,,\n7,zhou@example.org,teleported,,,,,,,,\n",
        &expect![[r#"
            2 li@example.org confirmed each html [] - 2024-01-02T03:04:05.678901Z an import
            3 wang@example.org pending each html [] - 2024-01-02T03:04:05Z an import
            4 zhao@example.org left each html [] - 2026-11-26T00:00:00Z an import
            5 qian@example.org suppressed each html [] - 2026-11-26T00:00:00Z an import (bounced: said so in an import)
            6 sun@example.org suppressed each html [] - 2026-11-26T00:00:00Z an import (complained: said so in an import)
            7 wu@example.org suppressed each html [] - 2026-11-26T00:00:00Z an import (operator: said so in an import)
            8 ! "zhou@example.org" `teleported` is no standing that is known: say confirmed, pending, left or suppressed"#]],
    );
}

#[test]
fn lists_of_mailman_are_read_with_and_without_names() {
    check(
        "Anne Person <anne@example.com>\n\"Quill, Ada\" <ada@example.com>\nbart@example.com\ncris@example.com (Cris Person)\n\
         =?utf-8?q?Li_M=C3=ADng?= <li@example.com>\n",
        &expect![[r"
            1 anne@example.com confirmed each html [] - 2026-11-26T00:00:00Z an import
            2 ada@example.com confirmed each html [] - 2026-11-26T00:00:00Z an import
            3 bart@example.com confirmed each html [] - 2026-11-26T00:00:00Z an import
            4 cris@example.com confirmed each html [] - 2026-11-26T00:00:00Z an import
            5 li@example.com confirmed each html [] - 2026-11-26T00:00:00Z an import"]],
    );
    check(
        "test1@example.com has no members\n",
        &expect!["none of its columns has addresses; it has `test1@example.com has no members`"],
    );
}

#[test]
fn a_list_of_those_who_left_brings_nobody_back() {
    let text = "email,status,cleaned at\nli@example.org,subscribed,\nwang@example.org,bounced,\n";
    let assumed = Assumed { standing: Standing::Left, ..assumed() };
    let rows = Rows::of(text.as_bytes(), Writing::of(text.as_bytes()).expect("bytes"), assumed);
    let standings: Vec<Standing> =
        rows.expect("a table").map(|row| row.expect("bytes").expect("a row").entry.standing).collect();
    assert_eq!(standings, [Standing::Left, Standing::Suppressed]);
}

proptest::proptest! {
    /// Whatever a program says that stops letters, and wherever it says it, nobody is confirmed by the same row.
    #[test]
    fn who_must_not_be_written_to_is_never_confirmed(
        which in 0_usize..6, status in "(subscribed|active|yes|)", time in "(2020-01-02|2020-01-02 03:04:05)",
    ) {
        let (head, row) = [
            ("email,status,unsubscribed_at", format!("li@example.org,{status},{time}")),
            ("email,status,clean_time", format!("li@example.org,{status},{time}")),
            ("email,status,suppression", format!("li@example.org,{status},complaint")),
            ("email,subscribed,status", format!("li@example.org,{status},bounced")),
            ("Email Address,EUID,UNSUB_TIME", "li@example.org,1,".to_owned()),
            ("Email Address,EUID,CLEAN_TIME", "li@example.org,1,".to_owned()),
        ][which].clone();
        let told = read(format!("{head}\n{row}\n").as_bytes());
        proptest::prop_assert!(told.contains(" left ") || told.contains(" suppressed "), "{}", told);
    }
}
