//! Codes in texts that follow no rule. What they say of a mailbox, the table of `mail` knows, which judges answers, too.

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
    use crate::{delivery::BounceKind, mail::weigh};

    #[track_caller]
    fn check(text: &str, expected: BounceKind) {
        assert_eq!(weigh(status_in(text).as_deref(), code_in(text), text, "example.net"), expected, "{text}");
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
            "550 用户不存在",
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
            "550 发送频率过高",
            "554 greylisted, try again",
            "552 邮箱已满",
            "",
        ] {
            check(text, BounceKind::Soft);
        }
        // A provider's own words, told by somebody else.
        let said = "550 5.5.0 Requested action not taken: mailbox unavailable";
        assert_eq!(weigh(Some("5.5.0"), Some(550), said, "Outlook.com"), BounceKind::Hard);
        assert_eq!(weigh(Some("5.5.0"), Some(550), said, "example.net"), BounceKind::Soft);
    }

    #[test]
    fn an_address_of_a_host_is_no_code() {
        assert_eq!(status_in("host mx[5.1.1.9] said: 550 5.7.1 no"), Some("5.7.1".to_owned()));
        assert_eq!(status_in("see 10.5.1.1 and 15.1.1"), None);
        assert_eq!(status_in("said 5.1.1."), Some("5.1.1".to_owned()));
        assert_eq!(code_in("from 127.0.0.1 port 25: 452 full"), Some(452));
    }
}
