//! How the operations reach `SQLite`.

use rusqlite::{
    CachedStatement, Connection,
    types::{ToSql, ToSqlOutput, ValueRef},
};

use super::super::sql::{
    Refusal,
    db::{Columns, Driver, EachRow, Prepared, Row, Value},
    dialect::{self, Dialect},
};

/// A connection.
pub(super) struct Handle<'c>(pub(super) &'c Connection);

impl Driver for Handle<'_> {
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Refusal> {
        let mut statement = self.0.prepare_cached(sql)?;
        statement.execute(values)
    }

    fn query(&self, sql: &str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), Refusal> {
        let mut statement = self.0.prepare_cached(sql)?;
        bind(&mut statement, values)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if !each(&Row(row))? {
                break;
            }
        }
        Ok(())
    }

    fn prepare(&self, sql: &str) -> Result<Box<dyn Prepared + '_>, Refusal> {
        Ok(Box::new(self.0.prepare_cached(sql)?))
    }

    fn dialect(&self) -> &'static Dialect {
        &dialect::SQLITE
    }
}

impl Prepared for CachedStatement<'_> {
    fn execute(&mut self, values: &[Value<'_>]) -> Result<u64, Refusal> {
        bind(self, values)?;
        Ok(self.raw_execute()? as u64)
    }
}

fn bind(statement: &mut CachedStatement<'_>, values: &[Value<'_>]) -> Result<(), Refusal> {
    for (n, value) in values.iter().enumerate() {
        statement.raw_bind_parameter(n + 1, value)?;
    }
    Ok(())
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Int(Some(number)) => ValueRef::Integer(*number),
            Self::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            Self::Int(None) | Self::Text(None) | Self::Bytes(None) => ValueRef::Null,
        }))
    }
}

impl Columns for rusqlite::Row<'_> {
    fn column(&self, n: usize) -> Result<Value<'_>, Refusal> {
        Ok(match self.get_ref(n)? {
            ValueRef::Null => Value::Int(None),
            ValueRef::Integer(number) => Value::Int(Some(number)),
            ValueRef::Text(text) => Value::Text(Some(
                std::str::from_utf8(text)
                    .map_err(|error| Refusal::Damaged(format!("a text (column {n}: {error})")))?,
            )),
            ValueRef::Blob(bytes) => Value::Bytes(Some(bytes)),
            ValueRef::Real(number) => return Err(Refusal::Damaged(format!("a number `{number}`"))),
        })
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}
