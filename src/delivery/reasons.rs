//! What a server answered, as people read it, and as many answers are counted together.

use super::Reply;
use crate::typography;

/// A longer reason says no more.
const LONGEST: usize = 160;

impl Reply {
    /// The answer on one line, with its phase: `after RCPT TO: 550 5.1.1 no such user`.
    #[must_use]
    pub fn told(&self) -> String {
        let text = typography::printable(&self.text);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let code = self.code.map(|code| code.to_string()).filter(|code| !text.starts_with(code.as_str()));
        let status = self.status.as_deref().filter(|status| !text.contains(status));
        let said: Vec<&str> = code.as_deref().into_iter().chain(status).chain([text.as_str()]).collect();
        format!("{}: {}", self.phase, said.join(" "))
    }

    /// The same without what differs from reader to reader: addresses, and long numbers such as the server's own for a letter.
    #[must_use]
    pub fn reason(&self) -> String {
        let told = self.told();
        let words: Vec<&str> = told
            .split(' ')
            .map(|word| {
                let digits = word.chars().filter(char::is_ascii_digit).count();
                let named = word.chars().filter(char::is_ascii_alphanumeric).count();
                match () {
                    () if word.contains('@') => "…@…",
                    () if named >= 8 && digits >= 3 && !word.contains("://") => "…",
                    () => word,
                }
            })
            .collect();
        words.join(" ").chars().take(LONGEST).collect()
    }
}
