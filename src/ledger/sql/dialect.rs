//! What the two databases say differently: everything else is said in the same words to both.

use super::{
    Refusal,
    db::{Db, params},
};

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
    /// Claims letters: one, `?1` and `?2`, which is in the state `?3` then until `?4`, or settled at `?5`; or all of a list with whether each is
    /// wanted, until `?2`, or settled at `?3`.
    pub(in crate::ledger) claim: Letters,
    /// Settles letters: one with what came of it, or all of a list at the time `?2`.
    pub(in crate::ledger) settle: Letters,
    /// Gives letters back.
    pub(in crate::ledger) give_back: Letters,
    /// Gives those letters back as they are that are claimed.
    pub(in crate::ledger) still_claimed: Letters,
    /// The most bytes of terms that a piece can have.
    pub(in crate::ledger) most_words: usize,
    /// Asks for the last number that a row of a table was given; more than any row has, where rows are gone.
    pub(in crate::ledger) last_number: fn(&str) -> String,
    /// Sees to it that rows of a table get higher numbers than that.
    pub(in crate::ledger) set_last_number: fn(&Db<'_>, &str, i64) -> Result<(), Refusal>,
    /// Queues again what a process that died had claimed.
    pub(in crate::ledger) release_claims: &'static str,
    /// Tells others the news `?1` when this is committed; `None` where nobody can hear.
    pub(in crate::ledger) tell: Option<&'static str>,
    /// What keeps several holders of letters apart; `None` where there is one.
    pub(in crate::ledger) holders: Option<&'static Holders>,
}

/// How several processes that claim letters know of each other.
pub(in crate::ledger) struct Holders {
    /// Says that this one is at work until `?1`.
    pub(in crate::ledger) keep: &'static str,
    /// Queues again what those had claimed who were at work until `?1` at the latest.
    pub(in crate::ledger) end: &'static str,
    /// Forgets those of whom nothing is left.
    pub(in crate::ledger) forget: &'static str,
    /// Whether this one is known to be at work at `?1`.
    pub(in crate::ledger) knows: &'static str,
    /// How many are at work at `?1`.
    pub(in crate::ledger) count: &'static str,
    /// Closes the domain `?1` until `?2`.
    pub(in crate::ledger) close: &'static str,
    /// Forgets those that were closed until `?1`.
    pub(in crate::ledger) open: &'static str,
    /// Those that are closed at `?1`, and until when.
    pub(in crate::ledger) closed: &'static str,
}

/// How something is done to many letters.
#[derive(Clone, Copy)]
pub(in crate::ledger) enum Letters {
    /// By a statement for each.
    Each(&'static str),
    /// By one for all, which are its first value: a list in JSON.
    All(&'static str),
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
    claim: Letters::Each(
        "UPDATE deliveries SET state = ?3, lease = ?4, settled = ?5 WHERE digest = ?1 AND subscriber = ?2",
    ),
    // What the server took is delivered, whatever else has happened to the row; the rest counts only while it is ours, also while
    // we have noted beforehand that nobody may know.
    settle: Letters::Each(
        "UPDATE deliveries SET state = ?3, due = ?4, settled = ?5, lease = NULL, phase = ?6, code = ?7, status = ?8,
             reply = ?9, attempts = attempts + (state <> 'unknown')
         WHERE digest = ?1 AND subscriber = ?2 AND (state IN ('claimed', 'unknown') OR ?3 = 'delivered')",
    ),
    give_back: Letters::Each(
        "UPDATE deliveries SET state = 'queued', due = 0, lease = NULL
         WHERE digest = ?1 AND subscriber = ?2 AND state = 'claimed'",
    ),
    still_claimed: Letters::Each(
        "SELECT digest, subscriber FROM deliveries WHERE digest = ?1 AND subscriber = ?2 AND state = 'claimed'",
    ),
    most_words: usize::MAX,
    last_number: |table| format!("SELECT seq FROM sqlite_sequence WHERE name = '{table}'"),
    set_last_number: |db, table, last| {
        let sql = "UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1";
        if db.execute(sql, params![table, last])? == 0 {
            let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)";
            db.execute(sql, params![table, last])?;
        }
        Ok(())
    },
    release_claims: "UPDATE deliveries SET state = 'queued', due = 0, lease = NULL WHERE state = 'claimed'",
    tell: None,
    holders: None,
};

/// `PostgreSQL`: letters are claimed and settled by many at once, each row by one; and a statement is a journey, so that one has many
/// letters.
pub(in crate::ledger) static POSTGRES: Dialect = Dialect {
    random_name: "replace(CAST(gen_random_uuid() AS text), '-', '')",
    enter_words: "INSERT INTO words (piece, terms) VALUES (?1, array_to_tsvector(string_to_array(?2, ' ')))",
    forget_words: "DELETE FROM words WHERE piece = ?1",
    count_found: "SELECT count(*) FROM words w JOIN pieces p ON p.id = w.piece
           WHERE w.terms @@ CAST(?1 AS tsquery) AND p.publication = ?2",
    find: "SELECT p.line FROM words w JOIN pieces p ON p.id = w.piece
           WHERE w.terms @@ CAST(?1 AS tsquery) AND p.publication = ?2
           ORDER BY p.date DESC, p.issue DESC, p.place LIMIT ?3 OFFSET ?4",
    question: |terms| {
        let quoted = terms.iter().map(|term| {
            let (term, beginning) = match term.strip_suffix('*') {
                Some(beginning) => (beginning, ":*"),
                None => (term.as_str(), ""),
            };
            format!("'{}'{beginning}", term.replace('\\', "\\\\").replace('\'', "''"))
        });
        quoted.collect::<Vec<_>>().join(" & ")
    },
    end_leases: "UPDATE deliveries d SET state = 'queued', due = 0
           FROM (SELECT digest, subscriber FROM deliveries WHERE state = 'claimed' AND lease <= ?1
                 FOR UPDATE SKIP LOCKED) AS over
           WHERE d.digest = over.digest AND d.subscriber = over.subscriber",
    due_at_once: waiting!(
        "",
        "JOIN subscribers s ON s.id = d.subscriber JOIN digests g ON g.id = d.digest",
        "d.due = 0 AND d.domain > ?2 AND d.domain < ?3 ORDER BY d.domain",
        "FOR UPDATE OF d SKIP LOCKED"
    ),
    due_in_time: waiting!(
        "",
        "JOIN subscribers s ON s.id = d.subscriber JOIN digests g ON g.id = d.digest",
        "d.due > 0 AND d.due <= ?2 AND NOT EXISTS
             (SELECT 1 FROM json_array_elements_text(CAST(?3 AS json)) AS closed (name) WHERE closed.name = d.domain)
         ORDER BY d.due",
        "FOR UPDATE OF d SKIP LOCKED"
    ),
    hold_letters: Some(|which| {
        format!(
            "SELECT 1 FROM deliveries WHERE {which} AND state IN ('queued', 'claimed', 'delayed', 'withheld', 'unknown')
             ORDER BY digest, subscriber FOR UPDATE"
        )
    }),
    settle: Letters::All(
        "UPDATE deliveries d SET state = s.state, due = s.due, settled = ?2, lease = NULL, phase = s.phase, code = s.code,
             status = s.status, reply = s.reply, attempts = attempts + CASE WHEN d.state <> 'unknown' THEN 1 ELSE 0 END
         FROM json_to_recordset(CAST(?1 AS json)) AS s
             (digest bigint, subscriber bigint, state text, due bigint, phase text, code bigint, status text, reply text)
         WHERE d.digest = s.digest AND d.subscriber = s.subscriber
             AND (d.state IN ('claimed', 'unknown') AND d.holder = current_setting('gazetted.holder') OR s.state = 'delivered')",
    ),
    give_back: Letters::All(
        "UPDATE deliveries d SET state = 'queued', due = 0, lease = NULL
         FROM json_array_elements(CAST(?1 AS json)) AS s (letter)
         WHERE d.digest = CAST(letter ->> 0 AS bigint) AND d.subscriber = CAST(letter ->> 1 AS bigint)
             AND d.state = 'claimed' AND d.holder = current_setting('gazetted.holder')",
    ),
    claim: Letters::All(
        "UPDATE deliveries d SET state = CASE s.letter ->> 2 WHEN '1' THEN 'claimed' ELSE 'canceled' END,
             lease = CASE s.letter ->> 2 WHEN '1' THEN ?2 END, holder = current_setting('gazetted.holder'), settled = CASE s.letter ->> 2 WHEN '1' THEN NULL ELSE ?3 END
         FROM json_array_elements(CAST(?1 AS json)) AS s (letter)
         WHERE d.digest = CAST(s.letter ->> 0 AS bigint) AND d.subscriber = CAST(s.letter ->> 1 AS bigint)",
    ),
    still_claimed: Letters::All(
        "SELECT d.digest, d.subscriber FROM json_array_elements(CAST(?1 AS json)) AS s (letter) JOIN deliveries d
             ON d.digest = CAST(letter ->> 0 AS bigint) AND d.subscriber = CAST(letter ->> 1 AS bigint)
         WHERE d.state = 'claimed' AND d.holder = current_setting('gazetted.holder') ORDER BY d.digest, d.subscriber",
    ),
    // A value of this kind has less than a megabyte.
    most_words: 900_000,
    last_number: |table| format!("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {table}_id_seq"),
    set_last_number: |db, table, last| {
        let sql = "SELECT setval(pg_get_serial_sequence(?1, 'id'), ?2)";
        db.value::<i64>(sql, params![table, last]).map(|_| ())
    },
    // Others may be about to send the rest. What no holder is known of was claimed in another database.
    release_claims: "UPDATE deliveries SET state = 'queued', due = 0, lease = NULL
         WHERE state = 'claimed' AND (holder IS NULL OR holder = current_setting('gazetted.holder')
             OR lease <= CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint))",
    tell: Some("SELECT pg_notify('gazetted', ?1)"),
    holders: Some(&Holders {
        keep: "INSERT INTO holders (name, until) VALUES (current_setting('gazetted.holder'), ?1)
            ON CONFLICT (name) DO UPDATE SET until = excluded.until",
        end: "UPDATE deliveries d SET state = 'queued', due = 0, lease = NULL
            FROM (SELECT digest, subscriber FROM deliveries
                  WHERE state = 'claimed' AND holder IN (SELECT name FROM holders WHERE until <= ?1)
                  FOR UPDATE SKIP LOCKED) AS over
            WHERE d.digest = over.digest AND d.subscriber = over.subscriber",
        forget: "DELETE FROM holders h WHERE until <= ?1
            AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.state = 'claimed' AND d.holder = h.name)",
        knows: "SELECT EXISTS (SELECT 1 FROM holders WHERE name = current_setting('gazetted.holder') AND until > ?1)",
        count: "SELECT count(*) FROM holders WHERE until > ?1",
        close: "INSERT INTO closed_domains (name, until) VALUES (?1, ?2)
            ON CONFLICT (name) DO UPDATE SET until = greatest(closed_domains.until, excluded.until)",
        open: "DELETE FROM closed_domains WHERE until <= ?1",
        closed: "SELECT name, until FROM closed_domains WHERE until > ?1 ORDER BY name",
    }),
};
