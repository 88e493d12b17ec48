//! The tokens of programs.

use jiff::Timestamp;

use super::{
    super::Error,
    super::Scope,
    super::Token,
    super::Tokens,
    Refusal, Store,
    db::{Db, Row, params},
    micros, timestamp,
};

impl<S: Store> Tokens for S {
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

pub(super) fn enter(db: &Db<'_>, token: &Token, hash: &str) -> Result<bool, Refusal> {
    let sql = "INSERT INTO tokens (name, hash, scope, made) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    let scope = token.scope.as_str();
    Ok(db.execute(sql, params![token.name, hash, scope, micros(token.made)])? > 0)
}

pub(super) fn find(db: &Db<'_>, hash: &str) -> Result<Option<Token>, Refusal> {
    db.first("SELECT name, scope, made, used FROM tokens WHERE hash = ?1", params![hash], read)
}

pub(super) fn all(db: &Db<'_>) -> Result<Vec<Token>, Refusal> {
    db.query("SELECT name, scope, made, used FROM tokens ORDER BY name", &[], read)
}

pub(super) fn used(db: &Db<'_>, name: &str, now: Timestamp) -> Result<(), Refusal> {
    db.execute("UPDATE tokens SET used = ?2 WHERE name = ?1", params![name, micros(now)])?;
    Ok(())
}

pub(super) fn revoke(db: &Db<'_>, name: &str) -> Result<bool, Refusal> {
    Ok(db.execute("DELETE FROM tokens WHERE name = ?1", params![name])? > 0)
}

fn read(row: &Row<'_>) -> Result<Token, Refusal> {
    let scope: String = row.get(1)?;
    Ok(Token {
        name: row.get(0)?,
        scope: Scope::parse(&scope).ok_or_else(|| Refusal::Damaged(format!("a token that may `{scope}`")))?,
        made: timestamp(row.get(2)?)?,
        used: row.get::<Option<i64>>(3)?.map(timestamp).transpose()?,
    })
}
