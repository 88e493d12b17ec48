//! The articles that readers have: by author and section, by year, and by their words.

use rusqlite::{Connection, params};

use super::{Refusal, micros, shelf};
use crate::{
    editions::Contribution, editions::Facet, editions::FacetKind, editions::Listing, editions::Year,
    issue::Issue, issue::IssueKey, ledger::terms, prose,
};

/// Enters the articles of an issue that readers have from now on.
pub(super) fn enter(
    db: &Connection,
    publication: &str,
    issue: &Issue,
    line: &Listing,
) -> Result<(), Refusal> {
    let (key, date) = (line.key.as_str(), line.date.to_string());
    count(db, publication, ("issue", "", ""), line.date.year(), 1)?;
    for (place, article) in issue.articles.iter().enumerate() {
        let facets = Facet::of(article, issue);
        let contribution = Contribution::of(article, issue, line);
        db.prepare_cached(
            "INSERT INTO pieces (publication, issue, place, date, line) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![publication, key, place, date, shelf::to_json(&contribution)?])?;
        let piece = db.last_insert_rowid();
        for facet in facets {
            let (kind, slug) = (facet.kind.as_str(), facet.slug());
            db.prepare_cached(
                "INSERT INTO facets (publication, kind, slug, date, published, issue, place, piece)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                publication,
                kind,
                slug,
                date,
                micros(line.published),
                key,
                place,
                piece
            ])?;
            count(db, publication, (kind, &slug, &facet.name), line.date.year(), 1)?;
        }
        let body = prose::plain_blocks(&article.body);
        let around = [&article.kicker, &article.dek].into_iter().flatten().chain(&contribution.authors);
        let texts = around.map(String::as_str).chain([&*contribution.headline, &*body]);
        db.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?
            .execute(params![piece, terms::terms(texts)])?;
    }
    Ok(())
}

/// Takes the articles of an issue out again.
pub(super) fn take_out(db: &Connection, publication: &str, key: &IssueKey) -> Result<(), Refusal> {
    let key = key.as_str();
    let mut pieces: Vec<(i64, String)> = Vec::new();
    let mut rows = db.prepare_cached("SELECT id, date FROM pieces WHERE publication = ?1 AND issue = ?2")?;
    let mut rows = rows.query([publication, key])?;
    while let Some(row) = rows.next()? {
        pieces.push((row.get(0)?, row.get(1)?));
    }
    let Some((_, date)) = pieces.first() else { return Ok(()) };
    count(db, publication, ("issue", "", ""), year_of(date)?, -1)?;
    let mut rows =
        db.prepare_cached("SELECT kind, slug, date FROM facets WHERE publication = ?1 AND issue = ?2")?;
    let mut rows = rows.query([publication, key])?;
    while let Some(row) = rows.next()? {
        let (kind, slug, date): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        count(db, publication, (&kind, &slug, ""), year_of(&date)?, -1)?;
    }
    for (id, _) in &pieces {
        db.prepare_cached("DELETE FROM words WHERE rowid = ?1")?.execute([id])?;
    }
    for table in ["facets", "pieces"] {
        let sql = format!("DELETE FROM {table} WHERE publication = ?1 AND issue = ?2");
        db.prepare_cached(&sql)?.execute([publication, key])?;
    }
    Ok(())
}

fn count(
    db: &Connection,
    publication: &str,
    (kind, slug, name): (&str, &str, &str),
    year: i16,
    more: i64,
) -> Result<(), Refusal> {
    db.prepare_cached(
        "INSERT INTO tallies (publication, kind, slug, year, name, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET count = count + excluded.count",
    )?
    .execute(params![publication, kind, slug, year, name, more])?;
    if more < 0 {
        db.prepare_cached(
            "DELETE FROM tallies WHERE publication = ?1 AND kind = ?2 AND slug = ?3 AND year = ?4 AND count <= 0",
        )?
        .execute(params![publication, kind, slug, year])?;
    }
    Ok(())
}

fn year_of(date: &str) -> Result<i16, Refusal> {
    date.get(..4)
        .and_then(|year| year.parse().ok())
        .ok_or_else(|| Refusal::Damaged(format!("a date `{date}`")))
}

/// The years of the archive, or of an author or section, newest first.
pub(super) fn years(db: &Connection, publication: &str, facet: Option<&Facet>) -> Result<Vec<Year>, Refusal> {
    let sql =
        "SELECT year, count FROM tallies WHERE publication = ?1 AND kind = ?2 AND slug = ?3 AND count > 0
               ORDER BY year DESC";
    let (kind, slug) = facet.map_or(("issue", String::new()), |facet| (facet.kind.as_str(), facet.slug()));
    let mut rows = db.prepare_cached(sql)?;
    let years = rows.query_map(params![publication, kind, slug], |row| {
        Ok(Year { year: row.get(0)?, count: row.get(1)? })
    })?;
    Ok(years.collect::<Result<_, _>>()?)
}

/// Every author or section that has articles, by name.
pub(super) fn facets(db: &Connection, publication: &str, kind: FacetKind) -> Result<Vec<Facet>, Refusal> {
    let sql =
        "SELECT DISTINCT name FROM tallies WHERE publication = ?1 AND kind = ?2 AND count > 0 ORDER BY name";
    let mut rows = db.prepare_cached(sql)?;
    let names = rows.query_map([publication, kind.as_str()], |row| row.get(0))?;
    Ok(names.map(|name| name.map(|name| Facet { kind, name })).collect::<Result<_, _>>()?)
}

/// The articles of an author or a section, newest first: those of a year, or of all years at most `most`.
pub(super) fn contributions(
    db: &Connection,
    publication: &str,
    facet: &Facet,
    year: Option<i16>,
    most: usize,
) -> Result<Vec<Contribution>, Refusal> {
    let sql = "SELECT p.line FROM facets f JOIN pieces p ON p.id = f.piece
               WHERE f.publication = ?1 AND f.kind = ?2 AND f.slug = ?3 AND f.date BETWEEN ?4 AND ?5
               ORDER BY f.date DESC, f.published DESC, f.issue DESC, f.place DESC LIMIT ?6";
    let (from, to) = year.map_or(("0000".to_owned(), "9999-99".to_owned()), |year| {
        (format!("{year:04}-01-01"), format!("{year:04}-12-31"))
    });
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query(params![publication, facet.kind.as_str(), facet.slug(), from, to, most])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        lines.push(shelf::from_json(&row.get::<_, String>(0)?)?);
    }
    Ok(lines)
}

/// The keys of the issues that came out last with articles of an author or a section, newest first.
pub(super) fn issues_of(
    db: &Connection,
    publication: &str,
    facet: &Facet,
    most: usize,
) -> Result<Vec<IssueKey>, Refusal> {
    let sql = "SELECT issue FROM facets WHERE publication = ?1 AND kind = ?2 AND slug = ?3
               GROUP BY published, issue ORDER BY published DESC, issue LIMIT ?4";
    let mut rows = db.prepare_cached(sql)?;
    let keys = rows.query_map(params![publication, facet.kind.as_str(), facet.slug(), most], |row| {
        row.get::<_, String>(0)
    })?;
    Ok(keys.map(|key| key.map(|key| IssueKey::of(&key))).collect::<Result<_, _>>()?)
}

/// The articles that have all of these terms, newest first, after the first `skip`; and how many there are.
pub(super) fn search(
    db: &Connection,
    publication: &str,
    terms: &[String],
    skip: usize,
    most: usize,
) -> Result<(Vec<Contribution>, usize), Refusal> {
    // A term in quotation marks is only a term, whatever it looks like.
    let quoted = terms.iter().map(|term| match term.strip_suffix('*') {
        Some(beginning) => format!("\"{}\" *", beginning.replace('"', "")),
        None => format!("\"{}\"", term.replace('"', "")),
    });
    let question = quoted.collect::<Vec<_>>().join(" AND ");
    if question.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let sql = "SELECT count(*) FROM words JOIN pieces p ON p.id = words.rowid
               WHERE words MATCH ?1 AND p.publication = ?2";
    let found = db.prepare_cached(sql)?.query_row([&question, publication], |row| row.get(0))?;
    let sql = "SELECT p.line FROM words JOIN pieces p ON p.id = words.rowid
               WHERE words MATCH ?1 AND p.publication = ?2 ORDER BY p.date DESC, p.issue DESC, p.place LIMIT ?3 OFFSET ?4";
    let mut rows = db.prepare_cached(sql)?;
    let mut rows = rows.query(params![question, publication, most, skip])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        lines.push(shelf::from_json(&row.get::<_, String>(0)?)?);
    }
    Ok((lines, found))
}
