//! The schema on `PostgreSQL`: made, and migrated by one of those who come at once.

use super::{
    super::{
        Error,
        sql::{
            Refusal,
            db::{Db, params},
        },
    },
    Address, Postgres,
};

/// The schemas, oldest first.
pub(super) const SCHEMAS: [&str; 2] =
    [include_str!("../schema/postgres/001.sql"), include_str!("../schema/postgres/002.sql")];

/// The oldest `PostgreSQL` that we know to do.
const OLDEST: i64 = 150_000;

/// The schema that a ledger has; 0 where there is none.
pub(super) fn schema_of(db: &Db<'_>) -> Result<i64, Refusal> {
    let there: bool = db.value("SELECT to_regclass('ledger_schema') IS NOT NULL", &[])?;
    if !there {
        return Ok(0);
    }
    Ok(db.value::<Option<i64>>("SELECT max(version) FROM ledger_schema", &[])?.unwrap_or(0))
}

/// Makes or migrates the schema, while nobody else does.
pub(super) fn migrate(ledger: &Postgres, address: &Address) -> Result<(), Error> {
    let known = i64::try_from(SCHEMAS.len()).unwrap_or(i64::MAX);
    let found = ledger.alone(|connection| {
        let db = Db(connection);
        let version: i64 = db.value("SELECT CAST(current_setting('server_version_num') AS bigint)", &[])?;
        if version < OLDEST {
            let said = format!("it is PostgreSQL {}, and 15 or later is needed", version / 10_000);
            return Err(Refusal::Database(said.into()));
        }
        let encoding: String = db.value("SELECT current_setting('server_encoding')", &[])?;
        if encoding != "UTF8" {
            return Err(Refusal::Database(format!("its encoding is {encoding}, and UTF8 is needed").into()));
        }
        let found = schema_of(&db)?;
        for (number, schema) in (1_i64..).zip(SCHEMAS).skip(usize::try_from(found).unwrap_or(0)) {
            connection
                .run(schema)
                .map_err(|error| Refusal::Database(Box::new(super::driver::Told(error))))?;
            db.execute("INSERT INTO ledger_schema (version) VALUES (?1)", params![number])?;
        }
        Ok(found)
    })?;
    if found > known {
        return Err(Error::Newer { path: address.shown.clone().into(), found, known });
    }
    Ok(())
}
