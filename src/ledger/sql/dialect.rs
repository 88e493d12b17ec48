//! What the two databases say differently: everything else is said in the same words to both.

/// The words of one database.
pub(in crate::ledger) struct Dialect {
    /// A random name of 32 hexadecimal digits.
    pub(in crate::ledger) random_name: &'static str,
    /// Enters the terms (`?2`) of a piece (`?1`).
    pub(in crate::ledger) enter_words: &'static str,
    /// Forgets the terms of a piece.
    pub(in crate::ledger) forget_words: &'static str,
    /// How many pieces of a publication (`?2`) have what a question (`?1`) asks for.
    pub(in crate::ledger) count_found: &'static str,
    /// Their lines, the newest first, at most `?3` after the first `?4`.
    pub(in crate::ledger) find: &'static str,
    /// The question that asks for all of these terms; of those that end in `*` only the beginning counts.
    pub(in crate::ledger) question: fn(&[String]) -> String,
    /// Queues again what was claimed until `?1` at the latest.
    pub(in crate::ledger) end_leases: &'static str,
    /// At most `?1` letters due at once, to domains behind `?2` and before `?3`.
    pub(in crate::ledger) due_at_once: &'static str,
    /// At most `?1` letters that were due until `?2`, but for those to the domains of the JSON list `?3`.
    pub(in crate::ledger) due_in_time: &'static str,
    /// What makes others wait who would change letters that are about to be taken back, for a `WHERE`; `None` where nobody else
    /// writes meanwhile.
    pub(in crate::ledger) hold_letters: Option<fn(&str) -> String>,
    /// Settles all letters of the JSON list `?1` at the time `?2`; `None` where one at a time is as quick.
    pub(in crate::ledger) settle_all: Option<&'static str>,
    /// Gives all letters of the JSON list `?1` back.
    pub(in crate::ledger) give_all_back: Option<&'static str>,
    /// Claims all letters of the JSON list `?1` until `?2`.
    pub(in crate::ledger) claim_all: Option<&'static str>,
    /// Those letters of the JSON list `?1` that are claimed.
    pub(in crate::ledger) all_claimed: Option<&'static str>,
    /// Queues again what a process that died had claimed.
    pub(in crate::ledger) release_claims: &'static str,
}

/// What a claim asks of letters that wait. They are in the order of an index, so that it ends with the last that is wanted.
macro_rules! waiting {
    ($index:literal, $join:literal, $which:literal, $lock:literal) => {
        concat!(
            "SELECT d.digest, d.printing, d.subscriber, d.address, d.queued, d.attempts,
                 s.standing = 'confirmed' OR (s.standing = 'pending' AND g.pace = 'confirmation')
             FROM deliveries d ",
            $index,
            " ",
            $join,
            " WHERE d.state IN ('queued', 'delayed') AND ",
            $which,
            " LIMIT ?1 ",
            $lock
        )
    };
}

/// `SQLite`: one writes at a time, and knows it.
pub(in crate::ledger) static SQLITE: Dialect = Dialect {
    random_name: "lower(hex(randomblob(16)))",
    enter_words: "INSERT INTO words (rowid, text) VALUES (?1, ?2)",
    forget_words: "DELETE FROM words WHERE rowid = ?1",
    count_found: "SELECT count(*) FROM words JOIN pieces p ON p.id = words.rowid WHERE words MATCH ?1 AND p.publication = ?2",
    find: "SELECT p.line FROM words JOIN pieces p ON p.id = words.rowid
           WHERE words MATCH ?1 AND p.publication = ?2 ORDER BY p.date DESC, p.issue DESC, p.place LIMIT ?3 OFFSET ?4",
    question: |terms| {
        // A term in quotation marks is only a term, whatever it looks like.
        let quoted = terms.iter().map(|term| match term.strip_suffix('*') {
            Some(beginning) => format!("\"{}\" *", beginning.replace('"', "")),
            None => format!("\"{}\"", term.replace('"', "")),
        });
        quoted.collect::<Vec<_>>().join(" AND ")
    },
    end_leases: "UPDATE deliveries SET state = 'queued', due = 0 WHERE state = 'claimed' AND lease <= ?1",
    due_at_once: waiting!(
        "INDEXED BY deliveries_open",
        "CROSS JOIN subscribers s ON s.id = d.subscriber CROSS JOIN digests g ON g.id = d.digest",
        "d.due = 0 AND d.domain > ?2 AND d.domain < ?3 ORDER BY d.domain",
        ""
    ),
    due_in_time: waiting!(
        "INDEXED BY deliveries_open",
        "CROSS JOIN subscribers s ON s.id = d.subscriber CROSS JOIN digests g ON g.id = d.digest",
        "d.due > 0 AND d.due <= ?2 AND d.domain NOT IN (SELECT value FROM json_each(?3)) ORDER BY d.due",
        ""
    ),
    hold_letters: None,
    settle_all: None,
    give_all_back: None,
    claim_all: None,
    all_claimed: None,
    release_claims: "UPDATE deliveries SET state = 'queued', due = 0, lease = NULL WHERE state = 'claimed'",
};
