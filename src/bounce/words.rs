//! How much a refusal says of a mailbox, by its enhanced code first and its words second.

use crate::delivery::BounceKind;

/// Enhanced codes (RFC 3463) that say that there is no such mailbox, or none any more.
const DEAD: [&str; 6] = ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"];

/// What servers write who are busy, or do not like the letter or its sender: of the mailbox it says nothing. Chinese providers answer
/// 550 with such words where others would say 4xx.
const PASSING: [&str; 18] = [
    "frequency",
    "rate limit",
    "too many",
    "too fast",
    "throttl",
    "greylist",
    "try again",
    "spam",
    "blacklist",
    "blocklist",
    "reputation",
    "policy",
    "quota",
    "mailbox full",
    "mailbox is full",
    "频率",
    "垃圾邮件",
    "已满",
];

/// What servers write, with a general code, when there is no such mailbox.
const GONE: [&str; 16] = [
    "user unknown",
    "unknown user",
    "no such user",
    "no such recipient",
    "no such mailbox",
    "mailbox not found",
    "user not found",
    "recipient not found",
    "recipient address rejected: access denied",
    "does not exist",
    "doesn't exist",
    "invalid recipient",
    "account is disabled",
    "account has been disabled",
    "用户不存在",
    "不存在",
];

/// How much a refusal for good, or a delay that ended in one, says of the mailbox. The class of the status decides, not what was
/// done: of a greylisted letter that expired a server says `failed` and `4.2.0`.
pub(super) fn weigh(status: Option<&str>, code: Option<u16>, text: &str) -> BounceKind {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
    let for_good = match status {
        Some(status) => status.starts_with("5."),
        None => code.is_some_and(|code| code >= 500),
    };
    if !for_good {
        return BounceKind::Soft;
    }
    match status {
        // Rates are told with any code.
        Some(status) if DEAD.contains(&status) && !says(&PASSING[..5]) => BounceKind::Hard,
        _ if says(&PASSING) => BounceKind::Soft,
        _ if says(&GONE) => BounceKind::Hard,
        _ => BounceKind::Soft,
    }
}

/// The first enhanced code in a text, such as `5.1.1`; addresses of hosts are none.
pub(super) fn status_in(text: &str) -> Option<String> {
    let numeric = |c: char| c.is_ascii_digit() || c == '.';
    text.split(|c: char| !numeric(c)).find_map(|word| {
        let word = word.trim_end_matches('.');
        is_status(word).then(|| word.to_owned())
    })
}

/// Whether a word is an enhanced code.
pub(super) fn is_status(word: &str) -> bool {
    let mut parts = word.split('.');
    let class = parts.next().is_some_and(|class| matches!(class, "2" | "4" | "5"));
    let mut number = || {
        parts
            .next()
            .is_some_and(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
    };
    class && number() && number() && parts.next().is_none()
}

/// The first code of SMTP in a text, from 400 on.
pub(super) fn code_in(text: &str) -> Option<u16> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|word| word.len() == 3)
        .find_map(|word| word.parse().ok().filter(|code| (400..560).contains(code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: BounceKind) {
        assert_eq!(weigh(status_in(text).as_deref(), code_in(text), text), expected, "{text}");
    }

    #[test]
    fn a_dead_mailbox_is_told_from_a_busy_server_and_a_disliked_letter() {
        for text in [
            "550 5.1.1 <li@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound",
            "550 5.4.1 Recipient address rejected: Access denied",
            "550 Mailbox not found. http://service.mail.qq.com/",
            "550 User not found: li@163.com",
            "550 no such user",
        ] {
            check(text, BounceKind::Hard);
        }
        for text in [
            "550 Domain frequency limited. http://service.mail.qq.com/",
            "550 5.1.1 Connection frequency limited",
            "550 Mailbox unavailable or access denied",
            "552 5.2.2 mailbox full",
            "554 5.7.1 refused by policy",
            "450 4.2.0 greylisted",
            "421 4.1.1 user unknown for now",
            "550 5.1.8 sender rejected",
            "",
        ] {
            check(text, BounceKind::Soft);
        }
    }

    #[test]
    fn an_address_of_a_host_is_no_code() {
        assert_eq!(status_in("host mx[5.1.1.9] said: 550 5.7.1 no"), Some("5.7.1".to_owned()));
        assert_eq!(status_in("see 10.5.1.1 and 15.1.1"), None);
        assert_eq!(status_in("said 5.1.1."), Some("5.1.1".to_owned()));
        assert_eq!(code_in("from 127.0.0.1 port 25: 452 full"), Some(452));
    }
}
