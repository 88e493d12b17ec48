//! What a server means by a refusal: judged by its code, its enhanced code and its words, with a table of what providers say.
//!
//! Large providers answer 550 to senders who are too quick; taking that for a dead mailbox would end living subscriptions.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::{delivery::BounceKind, delivery::Phase, delivery::Reply};

/// What is to become of a letter that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// We are too quick for the receiving domain: it is offered again, and its neighbours wait.
    Pace,
    /// The server will not take mail from us: this says nothing of the reader.
    Ours,
    /// It is offered again.
    Later,
    /// It is not offered again; with what this says of the mailbox.
    Never(Option<BounceKind>),
}

/// One line of the table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    codes: Vec<u16>,
    #[serde(default)]
    status: Vec<String>,
    #[serde(default)]
    texts: Vec<String>,
    means: Means,
    bounce: Option<BounceKind>,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "examples are for the reader and for the test of the table")
    )]
    example: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Means {
    Pace,
    Ours,
    Later,
    Never,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rule: Vec<Rule>,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let table: Table = toml::from_str(include_str!("replies.toml")).expect("the table is read by a test");
    table.rule
});

impl Rule {
    fn fits(&self, code: u16, status: Option<&str>, text: &str, domain: &str) -> bool {
        let of_domain = |theirs: &String| {
            domain == theirs || domain.strip_suffix(theirs.as_str()).is_some_and(|rest| rest.ends_with('.'))
        };
        let of_code = |theirs: &u16| if *theirs < 10 { code / 100 == *theirs } else { code == *theirs };
        let of_status = |theirs: &String| {
            status
                .and_then(|status| status.strip_prefix(theirs.as_str()))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        (self.domains.is_empty() || self.domains.iter().any(of_domain))
            && (self.codes.is_empty() || self.codes.iter().any(of_code))
            && (self.status.is_empty() || self.status.iter().any(of_status))
            && (self.texts.is_empty() || self.texts.iter().any(|theirs| text.contains(theirs.as_str())))
    }

    fn verdict(&self) -> Verdict {
        match self.means {
            Means::Pace => Verdict::Pace,
            Means::Ours => Verdict::Ours,
            Means::Later => Verdict::Later,
            Means::Never => Verdict::Never(self.bounce),
        }
    }
}

/// The first rule that fits, and its number.
fn rule(reply: &Reply, domain: &str) -> Option<(usize, &'static Rule)> {
    let code = reply.code?;
    let text = reply.text.to_lowercase();
    RULES.iter().enumerate().find(|(_, rule)| rule.fits(code, reply.status.as_deref(), &text, domain))
}

/// What is to become of a letter to `domain` after this refusal. Whoever did not answer is asked later.
pub(super) fn judge(reply: &Reply, domain: &str) -> Verdict {
    rule(reply, domain).map_or(Verdict::Later, |(_, rule)| rule.verdict())
}

/// How much a refusal that somebody else tells of says of the mailbox, by the same table. The class of the status decides, not what
/// was done: of a greylisted letter that expired a server says `failed` and `4.2.0`.
#[must_use]
pub fn weigh(status: Option<&str>, code: Option<u16>, text: &str, domain: &str) -> BounceKind {
    let for_good = match status {
        Some(status) => status.starts_with("5."),
        None => code.is_some_and(|code| code >= 500),
    };
    if !for_good {
        return BounceKind::Soft;
    }
    // Reports often have the status alone.
    let code = Some(code.filter(|code| *code >= 500).unwrap_or(550));
    let reply = Reply { phase: Phase::Rcpt, code, status: status.map(str::to_owned), text: text.to_owned() };
    match judge(&reply, &domain.to_lowercase()) {
        Verdict::Never(Some(kind)) => kind,
        Verdict::Never(None) | Verdict::Pace | Verdict::Ours | Verdict::Later => BounceKind::Soft,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Reply {
        let mut words = text.split(' ');
        let code = words.next().and_then(|code| code.parse().ok());
        let status = words.next().filter(|word| word.split('.').count() == 3).map(str::to_owned);
        Reply { phase: Phase::Rcpt, code, status, text: text.to_owned() }
    }

    #[test]
    fn every_rule_of_the_table_is_reached_by_its_example() {
        for (n, rule_) in RULES.iter().enumerate() {
            let domain = rule_.domains.first().map_or("example.org", String::as_str);
            let found = rule(&said(&rule_.example), domain).map(|(n, _)| n);
            assert_eq!(found, Some(n), "`{}` at {domain}", rule_.example);
            assert!(rule_.bounce.is_none() || rule_.means == Means::Never, "{}", rule_.example);
            let lower = |text: &String| text.to_lowercase() == *text;
            assert!(rule_.texts.iter().all(lower) && rule_.domains.iter().all(lower), "{}", rule_.example);
        }
    }

    #[track_caller]
    fn check(domain: &str, text: &str, expected: Verdict) {
        assert_eq!(judge(&said(text), domain), expected, "{text}");
    }

    #[test]
    fn a_dead_mailbox_is_known_by_its_enhanced_code_or_by_words() {
        let hard = Verdict::Never(Some(BounceKind::Hard));
        check("example.org", "550 5.1.1 whatever it says", hard);
        check("example.org", "550 No Such User here", hard);
        check("qq.com", "550 Mailbox not found. http://service.mail.qq.com", hard);
        check("163.com", "550 User not found: li@163.com", hard);
    }

    #[test]
    fn who_finds_us_too_quick_is_not_taken_for_dead_whatever_the_code() {
        check("qq.com", "550 Domain frequency limited. http://service.mail.qq.com", Verdict::Pace);
        check("vip.qq.com", "550 Sender frequency limited", Verdict::Pace);
        check("qq.com", "550 Mailbox unavailable or access denied", Verdict::Later);
        check("126.com", "451 MI:DMC 126 smtp2, the sender's domain sends too much", Verdict::Pace);
        check("example.org", "550 5.7.1 Too many messages from your address", Verdict::Pace);
        check("example.org", "421 closing", Verdict::Pace);
        // Another domain that only ends alike has no part in it.
        let soft = Verdict::Never(Some(BounceKind::Soft));
        check("notqq.com", "550 Mailbox unavailable or access denied", soft);
    }

    #[test]
    fn policy_space_and_size_do_not_make_a_mailbox_dead() {
        let soft = Verdict::Never(Some(BounceKind::Soft));
        check("example.org", "550 5.7.1 the user unknown to our policy", soft);
        check("example.org", "552 5.2.2 mailbox full", soft);
        check("example.org", "550 this looks like spam to a user not found elsewhere", soft);
        check("example.org", "552 5.3.4 too big", Verdict::Never(None));
        check("example.org", "452 4.2.2 mailbox full", Verdict::Later);
        check("example.org", "450 4.2.0 greylisted", Verdict::Later);
        check("example.org", "554 5.7.1 <a@b.example>: Relay access denied", Verdict::Ours);
        assert_eq!(judge(&Reply { code: None, ..said("") }, "example.org"), Verdict::Later);
    }
}
