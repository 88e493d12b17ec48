//! How the operations reach `PostgreSQL`.

use std::{cell::Cell, cell::RefCell, collections::HashMap, error::Error};

use tokio_postgres::{
    Client, Statement,
    types::{IsNull, ToSql, Type, private::BytesMut},
};

use super::{
    super::sql::{
        Refusal,
        db::{Columns, Driver, EachRow, Prepared, Row, Value},
        dialect::{self, Dialect},
    },
    waiting::wait,
};

/// How many statements a connection keeps prepared: all that there are, and more.
const STATEMENTS: usize = 512;

/// A connection, with what is prepared on it.
pub(super) struct Connection {
    pub(super) client: Client,
    prepared: RefCell<HashMap<Box<str>, Statement>>,
    is_old: Cell<bool>,
}

impl Connection {
    pub(super) fn new(client: Client) -> Self {
        Self { client, prepared: RefCell::default(), is_old: Cell::new(false) }
    }

    /// Whether it has lain idle, so that it may have been cut meanwhile.
    pub(super) fn is_old(&self) -> bool {
        self.is_old.get()
    }

    /// Notes that it lies idle from now on.
    pub(super) fn rests(&self) {
        self.is_old.set(true);
    }

    /// Runs statements that give nothing.
    pub(super) fn run(&self, sql: &str) -> Result<(), tokio_postgres::Error> {
        wait(self.client.batch_execute(sql))
    }

    fn statement(&self, sql: &str, values: &[Value<'_>]) -> Result<Statement, Refusal> {
        if let Some(known) = self.prepared.borrow().get(sql) {
            return Ok(known.clone());
        }
        let types: Vec<Type> = values.iter().map(type_of).collect();
        let statement = wait(self.client.prepare_typed(&numbered(sql), &types)).map_err(refused(sql))?;
        let mut prepared = self.prepared.borrow_mut();
        if prepared.len() >= STATEMENTS {
            prepared.clear();
        }
        prepared.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    fn rows(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<tokio_postgres::Row>, Refusal> {
        let statement = self.statement(sql, values)?;
        let given: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        wait(self.client.query(&statement, &given)).map_err(refused(sql))
    }
}

impl Driver for Connection {
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Refusal> {
        let statement = self.statement(sql, values)?;
        let given: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        wait(self.client.execute(&statement, &given)).map_err(refused(sql))
    }

    fn query(&self, sql: &str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), Refusal> {
        for row in self.rows(sql, values)? {
            if !each(&Row(&row))? {
                break;
            }
        }
        Ok(())
    }

    fn prepare(&self, sql: &str) -> Result<Box<dyn Prepared + '_>, Refusal> {
        Ok(Box::new(Repeated { connection: self, sql: sql.into() }))
    }

    fn dialect(&self) -> &'static Dialect {
        &dialect::POSTGRES
    }
}

struct Repeated<'c> {
    connection: &'c Connection,
    sql: Box<str>,
}

impl Prepared for Repeated<'_> {
    fn execute(&mut self, values: &[Value<'_>]) -> Result<u64, Refusal> {
        self.connection.execute(&self.sql, values)
    }
}

/// What the database says of a statement. The statement is told in debugging only: it holds no values.
fn refused(sql: &str) -> impl FnOnce(tokio_postgres::Error) -> Refusal + '_ {
    move |error| {
        tracing::debug!(sql, error = &error as &dyn Error, "a statement was refused");
        Refusal::Database(Box::new(Told(error)))
    }
}

/// An error of the database, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{}", said(.0))]
pub(super) struct Told(pub(super) tokio_postgres::Error);

fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => said.message().to_owned(),
        None => match error.source() {
            Some(why) => format!("{error}: {why}"),
            None => error.to_string(),
        },
    }
}

fn type_of(value: &Value<'_>) -> Type {
    match value {
        Value::Int(_) => Type::INT8,
        Value::Text(_) => Type::TEXT,
        Value::Bytes(_) => Type::BYTEA,
    }
}

/// The statement with `$1` for `?1`. There is no `?` in any text that our statements hold.
pub(super) fn numbered(sql: &str) -> String {
    sql.replace('?', "$")
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Int(Some(number)) => number.to_sql(kind, out),
            // A text of this database holds no NUL.
            Self::Text(Some(text)) if text.contains('\0') => text.replace('\0', "\u{FFFD}").to_sql(kind, out),
            Self::Text(Some(text)) => text.to_sql(kind, out),
            Self::Bytes(Some(bytes)) => bytes.to_sql(kind, out),
            Self::Int(None) | Self::Text(None) | Self::Bytes(None) => Ok(IsNull::Yes),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    tokio_postgres::types::to_sql_checked!();
}

impl Columns for tokio_postgres::Row {
    fn column(&self, n: usize) -> Result<Value<'_>, Refusal> {
        let unknown = || Refusal::Damaged(format!("a value of a kind that is not ours (column {n})"));
        let kind = self.columns().get(n).ok_or_else(unknown)?.type_();
        let value = match *kind {
            Type::INT8 => self.try_get(n).map(Value::Int),
            Type::INT4 => self.try_get::<_, Option<i32>>(n).map(|number| Value::Int(number.map(i64::from))),
            Type::BOOL => self.try_get::<_, Option<bool>>(n).map(|is| Value::Int(is.map(i64::from))),
            Type::TEXT => self.try_get(n).map(Value::Text),
            Type::BYTEA => self.try_get(n).map(Value::Bytes),
            _ => return Err(unknown()),
        };
        value.map_err(|_| unknown())
    }
}
