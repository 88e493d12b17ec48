//! A ledger carried over into another database, row by row, and compared afterwards.

use super::{
    Refusal,
    db::{Db, Row, Value, params},
    pieces, shelf,
};
use crate::{editions::Contribution, issue::Issue};

/// A table, as it is carried over.
pub(in crate::ledger) struct Table {
    pub(in crate::ledger) name: &'static str,
    /// Its columns; those of the key come first, in its order.
    columns: &'static str,
    /// How many columns the key has.
    n_key: usize,
    /// Whether its rows have numbers that are never given twice.
    is_numbered: bool,
}

const fn table(name: &'static str, n_key: usize, columns: &'static str) -> Table {
    Table { name, columns, n_key, is_numbered: false }
}

const fn numbered(name: &'static str, columns: &'static str) -> Table {
    Table { name, columns, n_key: 1, is_numbered: true }
}

/// Every table but those of words, which are cut anew; each behind those that it refers to.
pub(in crate::ledger) static TABLES: [Table; 18] = [
    table("arrivals", 1, "path, signature, hash, issue, fate, reason, at"),
    table(
        "releases",
        3,
        "publication, issue, version, manuscript, source, body, published, updated, out, current, name, date, headlines,
         book_path, book_length, status, embargo, ordinal, closed, listing",
    ),
    numbered("pieces", "id, publication, issue, place, date, line"),
    table("facets", 7, "publication, kind, slug, date, published, issue, place, piece"),
    table("tallies", 4, "publication, kind, slug, year, name, count"),
    numbered(
        "subscribers",
        "id, identity, address, standing, consent_at, consent_how, left_at, pace, form, sections, language, device,
         consent_from, confirmed_at, suppression, suppressed_at, suppression_text",
    ),
    table("old_links", 1, "link, subscriber"),
    table("forgotten", 1, "hash, at"),
    numbered("digests", "id, publication, pace, period, frozen, issues, since, until, status, stale, finished"),
    numbered("printings", "id, digest, form, sections, language, subject, text, html, books"),
    table("digest_issues", 3, "publication, issue, digest"),
    table(
        "deliveries",
        2,
        "digest, subscriber, address, state, attempts, due, queued, reply, settled, printing, domain, lease, phase, code,
         status",
    ),
    numbered("bounces", "id, subscriber, digest, at, kind, source, status, text"),
    table("counters", 1, "name, value"),
    table("tokens", 1, "name, hash, scope, made, used"),
    numbered("events", "id, name, kind, publication, issue, version, digest, at, body"),
    table("tellings", 2, "event, webhook, state, attempts, due, said, settled"),
    table("ended_webhooks", 1, "webhook, at"),
];

/// How many rows are read at once, and most of all values that are written at once.
const PAGE: usize = 500;
const VALUES: usize = 2000;

/// About how many bytes are held at once.
const BYTES: usize = 8 << 20;

/// What tells two tables apart that are not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ledger) struct Sum {
    /// How many rows there are.
    pub(in crate::ledger) n_rows: u64,
    /// A hash of all of them, in the order of the key.
    pub(in crate::ledger) hash: blake3::Hash,
}

/// A value that nobody else holds.
#[derive(Debug, Clone)]
enum Owned {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Owned {
    fn of(value: Value<'_>) -> Self {
        match value {
            Value::Int(Some(number)) => Self::Int(number),
            Value::Text(Some(text)) => Self::Text(text.to_owned()),
            Value::Bytes(Some(bytes)) => Self::Bytes(bytes.to_vec()),
            Value::Int(None) | Value::Text(None) | Value::Bytes(None) => Self::Null,
        }
    }

    fn length(&self) -> usize {
        match self {
            Self::Null | Self::Int(_) => 8,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    fn hash(&self, hasher: &mut blake3::Hasher) {
        let cleaned;
        let (kind, bytes): (u8, &[u8]) = match self {
            // One database keeps no NUL in a text.
            Self::Text(text) if text.contains('\0') => {
                cleaned = text.replace('\0', "\u{FFFD}");
                (2, cleaned.as_bytes())
            }
            Self::Null => (0, &[]),
            Self::Int(number) => {
                hasher.update(&[1]).update(&number.to_le_bytes());
                return;
            }
            Self::Text(text) => (2, text.as_bytes()),
            Self::Bytes(bytes) => (3, bytes),
        };
        hasher.update(&[kind]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    }

    fn value(&self) -> Value<'_> {
        match self {
            // Read back from either database it is nothing, of whatever kind.
            Self::Null => Value::Text(None),
            Self::Int(number) => Value::Int(Some(*number)),
            Self::Text(text) => Value::Text(Some(text)),
            Self::Bytes(bytes) => Value::Bytes(Some(bytes)),
        }
    }
}

impl Table {
    fn columns(&self) -> Vec<&'static str> {
        self.columns.split(',').map(str::trim).collect()
    }

    /// Hands over all rows, some at a time, in the order of the key.
    fn pages(
        &self,
        db: &Db<'_>,
        each: &mut dyn FnMut(Vec<Vec<Owned>>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let columns = self.columns();
        let key = columns[..self.n_key].join(", ");
        let marks = (1..=self.n_key).map(|n| format!("?{n}")).collect::<Vec<_>>().join(", ");
        let (name, all) = (self.name, self.columns);
        let first = format!("SELECT {all} FROM {name} ORDER BY {key} LIMIT {PAGE}");
        let next = format!("SELECT {all} FROM {name} WHERE ({key}) > ({marks}) ORDER BY {key} LIMIT {PAGE}");
        let mut last: Option<Vec<Owned>> = None;
        loop {
            let mut n_bytes = 0;
            let mut page: Vec<Vec<Owned>> = Vec::new();
            let mut n_rows = 0;
            let mut read = |row: &Row<'_>| -> Result<(), Refusal> {
                n_rows += 1;
                if n_bytes > BYTES {
                    return Ok(());
                }
                let values: Vec<Owned> =
                    (0..columns.len()).map(|n| row.0.column(n).map(Owned::of)).collect::<Result<_, _>>()?;
                n_bytes += values.iter().map(Owned::length).sum::<usize>();
                page.push(values);
                Ok(())
            };
            match &last {
                None => db.query(&first, &[], &mut read)?,
                Some(last) => {
                    let from: Vec<Value<'_>> = last[..self.n_key].iter().map(Owned::value).collect();
                    db.query(&next, &from, &mut read)?
                }
            };
            let Some(end) = page.last().cloned() else { return Ok(()) };
            let is_last = n_rows < PAGE && page.len() == n_rows;
            last = Some(end);
            each(page)?;
            if is_last {
                return Ok(());
            }
        }
    }

    /// What the table holds, told in one number and one hash.
    pub(in crate::ledger) fn sum(&self, db: &Db<'_>) -> Result<Sum, Refusal> {
        let (mut n_rows, mut hasher) = (0, blake3::Hasher::new());
        self.pages(db, &mut |page| {
            n_rows += page.len() as u64;
            page.iter().flatten().for_each(|value| value.hash(&mut hasher));
            Ok(())
        })?;
        Ok(Sum { n_rows, hash: hasher.finalize() })
    }

    /// Writes every row of the table into the other database, and tells what was read.
    fn carry(&self, from: &Db<'_>, to: &Db<'_>, done: &mut dyn FnMut(u64)) -> Result<Sum, Refusal> {
        let columns = self.columns();
        let at_once = (VALUES / columns.len()).max(1);
        let (mut n_rows, mut hasher) = (0, blake3::Hasher::new());
        self.pages(from, &mut |page| {
            page.iter().flatten().for_each(|value| value.hash(&mut hasher));
            for rows in page.chunks(at_once) {
                // Values that stand alone have no kind of their own: nothing is written as it stands.
                let values: Vec<Value<'_>> = rows
                    .iter()
                    .flatten()
                    .filter(|value| !matches!(value, Owned::Null))
                    .map(Owned::value)
                    .collect();
                to.execute(&self.insert(&columns, rows), &values)?;
            }
            n_rows += page.len() as u64;
            done(n_rows);
            Ok(())
        })?;
        Ok(Sum { n_rows, hash: hasher.finalize() })
    }

    fn insert(&self, columns: &[&str], rows: &[Vec<Owned>]) -> String {
        let mut n = 0;
        let rows: Vec<String> = rows
            .iter()
            .map(|row| {
                let marks: Vec<String> = row
                    .iter()
                    .map(|value| {
                        if matches!(value, Owned::Null) {
                            return "NULL".to_owned();
                        }
                        n += 1;
                        format!("?{n}")
                    })
                    .collect();
                format!("({})", marks.join(", "))
            })
            .collect();
        format!("INSERT INTO {} ({}) VALUES {}", self.name, columns.join(", "), rows.join(", "))
    }
}

/// The first table in which there is anything, but for what every new ledger has.
pub(in crate::ledger) fn taken(db: &Db<'_>) -> Result<Option<&'static str>, Refusal> {
    for table in &TABLES {
        let but = if table.name == "counters" { " WHERE name <> 'taken back'" } else { "" };
        let sql = format!("SELECT 1 FROM {}{but} LIMIT 1", table.name);
        if db.first(&sql, &[], |_| Ok(()))?.is_some() {
            return Ok(Some(table.name));
        }
    }
    Ok(None)
}

/// Carries everything over into a ledger that knows nothing, tells how far it is by table and rows, and compares both sides table by
/// table at the end. Gives how many rows there are of each.
///
/// # Errors
/// When a database refuses, or a table is not the same on both sides; the target is then to be left as it was.
pub(in crate::ledger) fn carry_all(
    from: &Db<'_>,
    to: &Db<'_>,
    progress: &mut dyn FnMut(&'static str, u64),
) -> Result<Vec<(&'static str, u64)>, Refusal> {
    to.execute("DELETE FROM counters", &[])?;
    let mut sums = Vec::with_capacity(TABLES.len());
    for table in &TABLES {
        sums.push(table.carry(from, to, &mut |n| progress(table.name, n))?);
    }
    for table in TABLES.iter().filter(|table| table.is_numbered) {
        let last: Option<i64> =
            from.first(&(from.dialect().last_number)(table.name), &[], |row| row.get(0))?;
        let highest: Option<i64> = from.value(&format!("SELECT max(id) FROM {}", table.name), &[])?;
        if let Some(last) = last.max(highest).filter(|last| *last > 0) {
            (to.dialect().set_last_number)(to, table.name, last)?;
        }
    }
    let n_words = cut_words(to, progress)?;
    let n_pieces: i64 = to.value("SELECT count(*) FROM pieces", &[])?;
    if n_words != n_pieces.unsigned_abs() {
        return Err(different(&format!("words of {n_words} of {n_pieces} articles")));
    }
    for (table, sum) in TABLES.iter().zip(&sums) {
        if table.sum(to)? != *sum {
            return Err(different(table.name));
        }
    }
    Ok(TABLES.iter().zip(sums).map(|(table, sum)| (table.name, sum.n_rows)).collect())
}

fn different(what: &str) -> Refusal {
    Refusal::Database(format!("`{what}` is not the same on both sides").into())
}

/// Cuts the words of all articles anew, from the issues that they are in. Gives of how many articles that were.
fn cut_words(db: &Db<'_>, progress: &mut dyn FnMut(&'static str, u64)) -> Result<u64, Refusal> {
    let issues: Vec<(String, String)> =
        db.query("SELECT DISTINCT publication, issue FROM pieces", &[], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let mut n_words = 0;
    for (publication, key) in issues {
        let sql = "SELECT body FROM releases WHERE publication = ?1 AND issue = ?2 AND current = 1";
        let body: Option<String> = db.first(sql, params![publication, key], |row| row.get(0))?;
        let issue: Issue = shelf::from_json(&body.unwrap_or_default())?;
        let sql = "SELECT id, place, line FROM pieces WHERE publication = ?1 AND issue = ?2";
        let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let lines: Vec<(i64, usize, String)> = db.query(sql, params![publication, key], read)?;
        for (piece, place, line) in lines {
            let Some(article) = issue.articles.get(place) else { continue };
            let line: Contribution = shelf::from_json(&line)?;
            pieces::enter_words(db, piece, article, &line)?;
            n_words += 1;
        }
        progress("words", n_words);
    }
    Ok(n_words)
}

/// The people who are known, and those who were forgotten, into a ledger that knows nobody.
pub(in crate::ledger) fn carry_people(from: &Db<'_>, to: &Db<'_>) -> Result<(), Refusal> {
    for table in TABLES.iter().filter(|table| ["subscribers", "forgotten"].contains(&table.name)) {
        table.carry(from, to, &mut |_| ())?;
    }
    Ok(())
}
