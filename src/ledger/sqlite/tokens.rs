//! The tokens of programs.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::{super::Error, super::Scope, super::Token, super::Tokens, Refusal, Sqlite, micros, timestamp};

impl Tokens for Sqlite {
    fn enter_token(&self, token: &Token, hash: &str) -> Result<bool, Error> {
        let (token, hash) = (token.clone(), hash.to_owned());
        self.write(move |db| enter(db, &token, &hash))
    }

    fn token(&self, hash: &str) -> Result<Option<Token>, Error> {
        self.read(|db| find(db, hash))
    }

    fn token_used(&self, name: &str, now: Timestamp) -> Result<(), Error> {
        let name = name.to_owned();
        self.write(move |db| used(db, &name, now))
    }

    fn tokens(&self) -> Result<Vec<Token>, Error> {
        self.read(all)
    }

    fn revoke_token(&self, name: &str) -> Result<bool, Error> {
        let name = name.to_owned();
        self.write(move |db| revoke(db, &name))
    }
}

pub(super) fn enter(db: &Connection, token: &Token, hash: &str) -> Result<bool, Refusal> {
    let sql = "INSERT OR IGNORE INTO tokens (name, hash, scope, made) VALUES (?1, ?2, ?3, ?4)";
    let scope = token.scope.as_str();
    Ok(db.prepare_cached(sql)?.execute(params![token.name, hash, scope, micros(token.made)])? > 0)
}

pub(super) fn find(db: &Connection, hash: &str) -> Result<Option<Token>, Refusal> {
    let mut rows = db.prepare_cached("SELECT name, scope, made, used FROM tokens WHERE hash = ?1")?;
    let mut rows = rows.query([hash])?;
    rows.next()?.map(read).transpose()
}

pub(super) fn all(db: &Connection) -> Result<Vec<Token>, Refusal> {
    let mut rows = db.prepare_cached("SELECT name, scope, made, used FROM tokens ORDER BY name")?;
    let mut rows = rows.query([])?;
    let mut tokens = Vec::new();
    while let Some(row) = rows.next()? {
        tokens.push(read(row)?);
    }
    Ok(tokens)
}

pub(super) fn used(db: &Connection, name: &str, now: Timestamp) -> Result<(), Refusal> {
    db.prepare_cached("UPDATE tokens SET used = ?2 WHERE name = ?1")?.execute(params![name, micros(now)])?;
    Ok(())
}

pub(super) fn revoke(db: &Connection, name: &str) -> Result<bool, Refusal> {
    Ok(db.prepare_cached("DELETE FROM tokens WHERE name = ?1")?.execute([name])? > 0)
}

fn read(row: &Row<'_>) -> Result<Token, Refusal> {
    let scope: String = row.get(1)?;
    Ok(Token {
        name: row.get(0)?,
        scope: Scope::parse(&scope).ok_or_else(|| Refusal::Damaged(format!("a token that may `{scope}`")))?,
        made: timestamp(row.get(2)?)?,
        used: row.get::<_, Option<i64>>(3)?.map(timestamp).transpose()?,
    })
}
