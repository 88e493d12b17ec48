//! Reports as servers and providers write them, whole and in pieces.

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn told(returned: &Returned) -> String {
    let mut told = String::new();
    match &returned.content {
        Content::Nothing(why) => told = format!("{why}\n"),
        Content::Words => told.push_str("words\n"),
        Content::Reports(reports) => {
            for report in reports {
                let _ = writeln!(
                    told,
                    "{} {} {}: {}",
                    report.kind.as_str(),
                    report.status.as_deref().unwrap_or("-"),
                    report.recipient.as_deref().unwrap_or("-"),
                    report.text
                );
            }
        }
    }
    if let Some(id) = &returned.message_id {
        let _ = write!(told, "about {id}");
    }
    told.trim_end().to_owned()
}

#[track_caller]
fn check(letter: &str, expected: &Expect) {
    expected.assert_eq(&told(&read(letter.replace('\n', "\r\n").as_bytes())));
    // Files have either kind of line end.
    expected.assert_eq(&told(&read(letter.as_bytes())));
}

/// A delivery report around these groups of fields.
fn dsn(groups: &str) -> String {
    format!(
        "Return-Path: <>\nDelivered-To: b+1.2.abc@example.org\nFrom: MAILER-DAEMON@mx.example.net (Mail Delivery System)\n\
         To: b+1.2.abc@example.org\nSubject: Undelivered Mail Returned to Sender\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"B/1\"\n\n\
         --B/1\nContent-Type: text/plain; charset=us-ascii\n\nI'm sorry to have to inform you. 550 5.1.1 nobody\n\n\
         --B/1\nContent-Description: Delivery report\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; mx.example.net\nArrival-Date: Thu, 26 Nov 2026 08:00:00 +0000 (UTC)\n\n{groups}\n\
         --B/1\nContent-Type: message/rfc822\n\nReturn-Path: <b+1.2.abc@example.org>\nMessage-ID: <tide.a.2@example.org>\nSubject: One\n\n\
         The first words.\n\n--B/1--\n"
    )
}

#[test]
fn a_report_by_the_rules_is_read_recipient_by_recipient() {
    check(
        &dsn(
            "Final-Recipient: rfc822; li@example.net\nOriginal-Recipient: rfc822;li@example.net\nAction: failed\nStatus: 5.1.1\n\
              Remote-MTA: dns; mx.example.net\nDiagnostic-Code: smtp; 550 5.1.1 <li@example.net>: Recipient address\n    rejected: User unknown\n",
        ),
        &expect![[r"
            hard 5.1.1 li@example.net: 550 5.1.1 <li@example.net>: Recipient address rejected: User unknown
            about tide.a.2@example.org"]],
    );
    check(
        &dsn(
            "Final-Recipient: rfc822; li@example.net\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 full\n\n\
              Final-Recipient: rfc822; wang@example.net\nAction: failed\nStatus: 4.2.0\nDiagnostic-Code: smtp; 450 4.2.0 greylisted\n\n\
              Final-Recipient: rfc822; zhao@example.net\nAction: delivered\nStatus: 2.0.0\n",
        ),
        &expect![[r"
            soft 5.2.2 li@example.net: 552 5.2.2 full
            soft 4.2.0 wang@example.net: 450 4.2.0 greylisted
            about tide.a.2@example.org"]],
    );
    check(
        &dsn(
            "Final-Recipient: rfc822; li@example.net\nAction: delayed\nStatus: 4.4.1\nWill-Retry-Until: Tue, 1 Dec 2026 08:00:00 +0000\n",
        ),
        &expect![[r"
            it says that a letter is late, or has arrived
            about tide.a.2@example.org"]],
    );
    check(
        &dsn(
            "Final-Recipient: rfc822; li@qq.com\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 Domain frequency limited\n",
        ),
        &expect![[r"
            soft 5.0.0 li@qq.com: 550 Domain frequency limited
            about tide.a.2@example.org"]],
    );
    check(
        &dsn(
            "Final-Recipient: rfc822; li@example.net\nAction: failed\nStatus: 5.0.0 (permanent failure)\nDiagnostic-Code: smtp; 550 5.1.10 RecipientNotFound\n",
        ),
        &expect![[r"
            hard 5.1.10 li@example.net: 550 5.1.10 RecipientNotFound
            about tide.a.2@example.org"]],
    );
    check(
        &dsn("Final-Recipient: utf-8; 李@例子.cn\nAction: failed\nStatus: 5.1.2\n")
            .replace("message/delivery-status", "message/global-delivery-status"),
        &expect![[r"
            hard 5.1.2 李@例子.cn: 5.1.2
            about tide.a.2@example.org"]],
    );
}

#[test]
fn a_report_in_pieces_says_as_much_as_is_left_of_it() {
    let whole = dsn(
        "Final-Recipient: rfc822; li@example.net\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n",
    );
    let cut = |at: &str| whole.split(at).next().unwrap_or_default().to_owned();
    check(&cut("Message-ID: <tide"), &expect!["hard 5.1.1 li@example.net: 550 5.1.1 no such user"]);
    check(&cut("Status: 5.1.1"), &expect!["soft - li@example.net: it says no reason"]);
    // Nothing is left of the part for programs; the words for people say it too.
    check(
        &cut("Final-Recipient"),
        &expect!["hard 5.1.1 -: I'm sorry to have to inform you. 550 5.1.1 nobody"],
    );
    check(&cut("I'm sorry"), &expect!["soft - -: Undelivered Mail Returned to Sender"]);
    for length in 0..whole.len() {
        let _ = read(&whole.as_bytes()[..length]);
    }
}

#[test]
fn a_report_without_rules_is_known_by_its_sender_and_subject() {
    check(
        "From: MAILER-DAEMON@mx.example.net\nTo: b+1.2.abc@example.org\nSubject: failure notice\n\n\
         Hi. This is the qmail-send program at mx.example.net.\n\n<li@example.net>:\nSorry, no mailbox here by that name. (#5.1.1)\n",
        &expect!["hard 5.1.1 -: Sorry, no mailbox here by that name. (#5.1.1)"],
    );
    check(
        "From: =?gb18030?B?UVHTys/k?= <PostMaster@qq.com>\nTo: b+1.2.abc@example.org\nSubject: =?utf-8?B?57O757uf6YCA5L+h?=\n\
         Content-Type: text/plain; charset=utf-8\n\n您的邮件无法送达。\nhost mx3.qq.com said: 550 Mailbox not found\n",
        &expect!["hard - -: host mx3.qq.com said: 550 Mailbox not found"],
    );
    check(
        "From: postmaster@163.com\nSubject: =?utf-8?B?57O757uf6YCA5L+h?=\nContent-Type: text/plain; charset=utf-8\n\n\
         SMTP error, RCPT TO: 550 MI:FRE 163 smtp1, frequency limited\n",
        &expect!["soft - -: SMTP error, RCPT TO: 550 MI:FRE 163 smtp1, frequency limited"],
    );
}

#[test]
fn an_answer_of_a_machine_says_nothing_and_a_person_writes_words() {
    check(
        "From: Li <li@example.net>\nTo: b+1.2.abc@example.org\nSubject: Auto: out of office\nAuto-Submitted: auto-replied\n\nBack in May.\n",
        &expect!["it was written by a machine (RFC 3834)"],
    );
    check(
        "From: Li <li@example.net>\nTo: b+leave.2.abc@example.org\nSubject: unsubscribe\n\nplease\n",
        &expect!["words"],
    );
    check("", &expect!["words"]);
    check(
        "From: Li <li@example.net>\nSubject: Read: One\nContent-Type: multipart/report; report-type=disposition-notification; boundary=x\n\
         Auto-Submitted: auto-replied\n\n--x\nContent-Type: text/plain\n\nread\n--x\nContent-Type: message/disposition-notification\n\n\
         Final-Recipient: rfc822; li@example.net\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--x--\n",
        &expect!["it was written by a machine (RFC 3834)"],
    );
}

#[test]
fn a_complaint_is_told_from_other_feedback() {
    let arf = |kind: &str| {
        format!(
            "From: <feedback@provider.example>\nTo: <loop@example.org>\nSubject: FW: One\nMIME-Version: 1.0\n\
             Content-Type: multipart/report; report-type=feedback-report; boundary=\"x\"\n\n--x\nContent-Type: text/plain\n\n\
             This is an email abuse report.\n--x\nContent-Type: message/feedback-report\n\nFeedback-Type: {kind}\nUser-Agent: Provider/1.0\n\
             Version: 1\nOriginal-Mail-From: <b+1.2.abc@example.org>\nOriginal-Rcpt-To: <li@example.net>\n\n--x\n\
             Content-Type: text/rfc822-headers\n\nMessage-ID: <tide.a.2@example.org>\nSubject: One\n\n--x--\n"
        )
    };
    check(
        &arf("abuse"),
        &expect![[r"
            complaint - li@example.net: a complaint (abuse), told by Provider/1.0
            about tide.a.2@example.org"]],
    );
    check(
        &arf("not-spam"),
        &expect![[r"
            it is no complaint about a letter
            about tide.a.2@example.org"]],
    );
    assert!(read(arf("abuse").as_bytes()).addresses.contains(&"b+1.2.abc@example.org".to_owned()));
}

#[track_caller]
fn check_events(provider: &str, posted: &str, expected: &Expect) {
    let told = match events(provider, posted.as_bytes()) {
        None => "no such provider".to_owned(),
        Some(Err(error)) => error.to_string(),
        Some(Ok(events)) => events
            .iter()
            .map(|event| {
                let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
                let report = event.report.as_ref().map_or_else(
                    || "leaves".to_owned(),
                    |report| format!("{} {} {}", report.kind.as_str(), or(&report.status), report.text),
                );
                format!("{} {} {} | {report}", or(&event.sender), or(&event.message_id), or(&event.recipient))
            })
            .collect::<Vec<_>>()
            .join("\n"),
    };
    expected.assert_eq(&told);
}

#[test]
fn what_amazon_tells_is_read_as_it_is_and_inside_a_notification() {
    let bounce = r#"{"notificationType":"Bounce","bounce":{"bounceType":"Permanent","bounceSubType":"General","bouncedRecipients":[
        {"emailAddress":"li@example.net","status":"5.1.1","action":"failed","diagnosticCode":"smtp; 550 5.1.1 user unknown"}]},
        "mail":{"source":"b+1.2.abc@example.org","commonHeaders":{"messageId":"<tide.a.2@example.org>"}}}"#;
    let expected = expect![
        "b+1.2.abc@example.org tide.a.2@example.org li@example.net | hard 5.1.1 smtp; 550 5.1.1 user unknown"
    ];
    check_events("ses", bounce, &expected);
    let wrapped = serde_json::json!({ "Type": "Notification", "Message": bounce }).to_string();
    check_events("ses", &wrapped, &expected);
    check_events(
        "ses",
        r#"{"eventType":"Bounce","bounce":{"bounceType":"Transient","bounceSubType":"MailboxFull","bouncedRecipients":[{"emailAddress":"li@example.net"}]},"mail":{}}"#,
        &expect!["- - li@example.net | soft - SES says MailboxFull"],
    );
    check_events(
        "ses",
        r#"{"notificationType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"li@example.net"}]},"mail":{"source":"x@example.org"}}"#,
        &expect!["x@example.org - li@example.net | complaint - a complaint, told by SES"],
    );
    check_events("ses", r#"{"notificationType":"Delivery"}"#, &expect![""]);
    check_events(
        "ses",
        r#"{"Type":"SubscriptionConfirmation","SubscribeURL":"https://sns.example/confirm"}"#,
        &expect!["the provider wants to be confirmed: open `https://sns.example/confirm` once"],
    );
    check_events("ses", "{}", &expect!["it has no `notificationType`, which this provider posts"]);
    check_events("ses", "x=1", &expect!["it is no JSON"]);
    check_events("other", "{}", &expect!["no such provider"]);
}

#[test]
fn what_postmark_mailgun_and_sendgrid_tell_is_read() {
    check_events(
        "postmark",
        r#"{"RecordType":"Bounce","Type":"HardBounce","TypeCode":1,"Details":"smtp;550 5.1.1 no such user","Email":"li@example.net"}"#,
        &expect!["- - li@example.net | hard 5.1.1 smtp;550 5.1.1 no such user"],
    );
    check_events(
        "postmark",
        r#"{"RecordType":"Bounce","Type":"AutoResponder","Email":"li@example.net"}"#,
        &expect![""],
    );
    check_events(
        "postmark",
        r#"{"RecordType":"SpamComplaint","Type":"SpamComplaint","Email":"li@example.net"}"#,
        &expect!["- - li@example.net | complaint - a complaint, told by Postmark"],
    );
    check_events(
        "mailgun",
        r#"{"signature":{},"event-data":{"event":"failed","severity":"permanent","reason":"generic","recipient":"li@example.net",
            "delivery-status":{"code":550,"enhanced-code":"5.1.1","message":"no such user"},
            "envelope":{"sender":"b+1.2.abc@example.org"},"message":{"headers":{"message-id":"tide.a.2@example.org"}}}}"#,
        &expect!["b+1.2.abc@example.org tide.a.2@example.org li@example.net | hard 5.1.1 550 no such user"],
    );
    check_events(
        "mailgun",
        r#"{"event-data":{"event":"failed","severity":"temporary","recipient":"li@example.net","delivery-status":{"code":452}}}"#,
        &expect![""],
    );
    check_events(
        "mailgun",
        r#"{"event-data":{"event":"unsubscribed","recipient":"li@example.net"}}"#,
        &expect!["- - li@example.net | leaves"],
    );
    check_events(
        "sendgrid",
        r#"[{"event":"bounce","email":"li@example.net","reason":"550 5.1.1 unknown user","status":"5.1.1","type":"bounce","smtp-id":"<tide.a.2@example.org>"},
            {"event":"bounce","email":"wang@example.net","reason":"550 5.7.1 blocked by policy","status":"5.7.1","type":"blocked"},
            {"event":"spamreport","email":"zhao@example.net"},{"event":"open","email":"x@example.net"},{"event":"unsubscribe","email":"sun@example.net"}]"#,
        &expect![[r"
            - tide.a.2@example.org li@example.net | hard 5.1.1 550 5.1.1 unknown user
            - - wang@example.net | soft 5.7.1 550 5.7.1 blocked by policy
            - - zhao@example.net | complaint - a complaint, told by SendGrid
            - - sun@example.net | leaves"]],
    );
    check_events("sendgrid", "{}", &expect!["it has no `list of events`, which this provider posts"]);
}

/// What reports are made of: joined by chance they reach what chance bytes do not.
const PIECES: [&str; 24] = [
    "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n",
    "\r\n",
    "\r\n\r\n",
    "--x\r\n",
    "--x--\r\n",
    "Content-Type: message/delivery-status\r\n\r\n",
    "Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n",
    "Content-Type: message/feedback-report\r\n\r\n",
    "Content-Type: message/rfc822\r\n\r\n",
    "Content-Type: text/rfc822-headers\r\n\r\n",
    "Final-Recipient: rfc822; li@example.net\r\n",
    "Final-Recipient:;;;\r\n",
    "Action: failed\r\n",
    "Status: 5.1.1\r\n",
    "Status: (\r\n",
    "Diagnostic-Code: smtp; 550\r\n",
    " folded 5.",
    "Message-ID: <>\r\n",
    "Feedback-Type: abuse\r\n",
    "From: MAILER-DAEMON\r\n",
    "550 语",
    "5.1.1",
    "\u{0}",
    ":",
];

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(&bytes);
        for (provider, _) in PROVIDERS {
            let _ = events(provider, &bytes);
        }
    }

    #[test]
    fn any_pieces_of_reports_are_read(choices in proptest::collection::vec(0..PIECES.len(), 0..60)) {
        let letter: String = choices.into_iter().map(|choice| PIECES[choice]).collect();
        let _ = read(letter.as_bytes());
    }
}
