//! The articles that readers have: by author and section, by year, and by their words.

use super::{
    Refusal,
    db::{Db, params},
    micros, shelf,
};
use crate::{
    editions::Contribution, editions::Facet, editions::FacetKind, editions::Listing, editions::Year,
    issue::Article, issue::Issue, issue::IssueKey, ledger::terms, prose,
};

/// Enters the articles of an issue that readers have from now on.
pub(super) fn enter(db: &Db<'_>, publication: &str, issue: &Issue, line: &Listing) -> Result<(), Refusal> {
    let (key, date) = (line.key.as_str(), line.date.to_string());
    count(db, publication, ("issue", "", ""), line.date.year(), 1)?;
    let mut pieces = Vec::with_capacity(issue.articles.len());
    for (place, article) in issue.articles.iter().enumerate() {
        let contribution = Contribution::of(article, issue, line);
        let piece: i64 = db.value(
            "INSERT INTO pieces (publication, issue, place, date, line) VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id",
            params![publication, key, place, date, shelf::to_json(&contribution)?],
        )?;
        for facet in Facet::of(article, issue) {
            let (kind, slug) = (facet.kind.as_str(), facet.slug());
            db.execute(
                "INSERT INTO facets (publication, kind, slug, date, published, issue, place, piece)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![publication, kind, slug, date, micros(line.published), key, place, piece],
            )?;
            count(db, publication, (kind, &slug, &facet.name), line.date.year(), 1)?;
        }
        pieces.push((piece, article, contribution));
    }
    // All words in a row: SQLite's index writes what it has of them before any other statement that can be undone.
    for (piece, article, contribution) in pieces {
        enter_words(db, piece, article, &contribution)?;
    }
    Ok(())
}

/// Enters the words of an article, by which it is found.
pub(super) fn enter_words(
    db: &Db<'_>,
    piece: i64,
    article: &Article,
    contribution: &Contribution,
) -> Result<(), Refusal> {
    let body = prose::plain_blocks(&article.body);
    let around = [&article.kicker, &article.dek].into_iter().flatten().chain(&contribution.authors);
    let texts = around.map(String::as_str).chain([&*contribution.headline, &*body]);
    let terms = terms::terms(texts);
    let most = db.dialect().most_words;
    let kept = match terms.get(..terms.floor_char_boundary(most)) {
        Some(kept) if kept.len() < terms.len() => kept.rsplit_once(' ').map_or(kept, |(whole, _)| whole),
        _ => &terms,
    };
    db.execute(db.dialect().enter_words, params![piece, kept])?;
    Ok(())
}

/// Takes the articles of an issue out again.
pub(super) fn take_out(db: &Db<'_>, publication: &str, key: &IssueKey) -> Result<(), Refusal> {
    let key = key.as_str();
    let sql = "SELECT id, date FROM pieces WHERE publication = ?1 AND issue = ?2";
    let pieces: Vec<(i64, String)> =
        db.query(sql, params![publication, key], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some((_, date)) = pieces.first() else { return Ok(()) };
    count(db, publication, ("issue", "", ""), year_of(date)?, -1)?;
    let sql = "SELECT kind, slug, date FROM facets WHERE publication = ?1 AND issue = ?2";
    let facets: Vec<(String, String, String)> =
        db.query(sql, params![publication, key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    for (kind, slug, date) in facets {
        count(db, publication, (&kind, &slug, ""), year_of(&date)?, -1)?;
    }
    for (id, _) in &pieces {
        db.execute(db.dialect().forget_words, params![id])?;
    }
    for table in ["facets", "pieces"] {
        let sql = format!("DELETE FROM {table} WHERE publication = ?1 AND issue = ?2");
        db.execute(&sql, params![publication, key])?;
    }
    Ok(())
}

fn count(
    db: &Db<'_>,
    publication: &str,
    (kind, slug, name): (&str, &str, &str),
    year: i16,
    more: i64,
) -> Result<(), Refusal> {
    db.execute(
        "INSERT INTO tallies (publication, kind, slug, year, name, count) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (publication, kind, slug, year) DO UPDATE SET count = tallies.count + excluded.count",
        params![publication, kind, slug, year, name, more],
    )?;
    if more < 0 {
        db.execute("DELETE FROM tallies WHERE publication = ?1 AND kind = ?2 AND slug = ?3 AND year = ?4 AND count <= 0", params![publication, kind, slug, year])?;
    }
    Ok(())
}

fn year_of(date: &str) -> Result<i16, Refusal> {
    date.get(..4)
        .and_then(|year| year.parse().ok())
        .ok_or_else(|| Refusal::Damaged(format!("a date `{date}`")))
}

/// The years of the archive, or of an author or section, newest first.
pub(super) fn years(db: &Db<'_>, publication: &str, facet: Option<&Facet>) -> Result<Vec<Year>, Refusal> {
    let sql =
        "SELECT year, count FROM tallies WHERE publication = ?1 AND kind = ?2 AND slug = ?3 AND count > 0
               ORDER BY year DESC";
    let (kind, slug) = facet.map_or(("issue", String::new()), |facet| (facet.kind.as_str(), facet.slug()));
    db.query(sql, params![publication, kind, slug], |row| Ok(Year { year: row.get(0)?, count: row.get(1)? }))
}

/// Every author or section that has articles, by name.
pub(super) fn facets(db: &Db<'_>, publication: &str, kind: FacetKind) -> Result<Vec<Facet>, Refusal> {
    let sql =
        "SELECT DISTINCT name FROM tallies WHERE publication = ?1 AND kind = ?2 AND count > 0 ORDER BY name";
    db.query(sql, params![publication, kind.as_str()], |row| Ok(Facet { kind, name: row.get(0)? }))
}

/// The articles of an author or a section, newest first: those of a year, or of all years at most `most`.
pub(super) fn contributions(
    db: &Db<'_>,
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
    db.query(sql, params![publication, facet.kind.as_str(), facet.slug(), from, to, most], |row| {
        shelf::from_json(&row.get::<String>(0)?)
    })
}

/// The keys of the issues that came out last with articles of an author or a section, newest first.
pub(super) fn issues_of(
    db: &Db<'_>,
    publication: &str,
    facet: &Facet,
    most: usize,
) -> Result<Vec<IssueKey>, Refusal> {
    let sql = "SELECT issue FROM facets WHERE publication = ?1 AND kind = ?2 AND slug = ?3
               GROUP BY published, issue ORDER BY published DESC, issue LIMIT ?4";
    db.query(sql, params![publication, facet.kind.as_str(), facet.slug(), most], |row| {
        Ok(IssueKey::of(&row.get::<String>(0)?))
    })
}

/// The articles that have all of these terms, newest first, after the first `skip`; and how many there are.
pub(super) fn search(
    db: &Db<'_>,
    publication: &str,
    terms: &[String],
    skip: usize,
    most: usize,
) -> Result<(Vec<Contribution>, usize), Refusal> {
    let dialect = db.dialect();
    let question = (dialect.question)(terms);
    if question.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let found = db.value(dialect.count_found, params![question, publication])?;
    let lines = db.query(dialect.find, params![question, publication, most, skip], |row| {
        shelf::from_json(&row.get::<String>(0)?)
    })?;
    Ok((lines, found))
}
