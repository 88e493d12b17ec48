//! A database as the operations ask it: statements with values, and rows.

use super::{Refusal, dialect::Dialect};

/// What a statement is given, and what a row has in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ledger) enum Value<'v> {
    /// A whole number, a time in microseconds, or 0 and 1 for no and yes.
    Int(Option<i64>),
    /// A text.
    Text(Option<&'v str>),
    /// Bytes.
    Bytes(Option<&'v [u8]>),
}

impl Value<'_> {
    /// Whether there is nothing.
    pub(in crate::ledger) fn is_null(&self) -> bool {
        matches!(self, Self::Int(None) | Self::Text(None) | Self::Bytes(None))
    }
}

/// What can be given to a statement.
pub(in crate::ledger) trait Param {
    /// What is given where there is nothing: a database wants to know of which kind that is.
    const NONE: Value<'static>;

    /// What is given.
    fn value(&self) -> Value<'_>;
}

impl Param for i64 {
    const NONE: Value<'static> = Value::Int(None);

    fn value(&self) -> Value<'_> {
        Value::Int(Some(*self))
    }
}

/// Numbers that are too large are given as the largest.
macro_rules! number {
    ($($kind:ty),*) => {$(
        impl Param for $kind {
            const NONE: Value<'static> = Value::Int(None);

            fn value(&self) -> Value<'_> {
                Value::Int(Some(i64::try_from(*self).unwrap_or(i64::MAX)))
            }
        }
    )*};
}
number!(i16, u16, u32, u64, usize);

impl Param for str {
    const NONE: Value<'static> = Value::Text(None);

    fn value(&self) -> Value<'_> {
        Value::Text(Some(self))
    }
}

impl Param for String {
    const NONE: Value<'static> = Value::Text(None);

    fn value(&self) -> Value<'_> {
        Value::Text(Some(self))
    }
}

impl Param for [u8] {
    const NONE: Value<'static> = Value::Bytes(None);

    fn value(&self) -> Value<'_> {
        Value::Bytes(Some(self))
    }
}

impl Param for Vec<u8> {
    const NONE: Value<'static> = Value::Bytes(None);

    fn value(&self) -> Value<'_> {
        Value::Bytes(Some(self))
    }
}

impl<T: Param + ?Sized> Param for &T {
    const NONE: Value<'static> = T::NONE;

    fn value(&self) -> Value<'_> {
        (**self).value()
    }
}

impl<T: Param> Param for Option<T> {
    const NONE: Value<'static> = T::NONE;

    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Self::NONE, Param::value)
    }
}

/// The values of a statement, the first being `?1`.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::ledger::sql::db::Param::value(&$value)),*] as &[$crate::ledger::sql::db::Value<'_>]
    };
}
pub(in crate::ledger) use params;

/// What can be read from a column; `None` where it is of another kind.
pub(in crate::ledger) trait Column: Sized {
    /// The value.
    fn of(value: Value<'_>) -> Option<Self>;
}

impl Column for i64 {
    fn of(value: Value<'_>) -> Option<Self> {
        if let Value::Int(number) = value { number } else { None }
    }
}

macro_rules! narrow {
    ($($kind:ty),*) => {$(
        impl Column for $kind {
            fn of(value: Value<'_>) -> Option<Self> {
                i64::of(value)?.try_into().ok()
            }
        }
    )*};
}
narrow!(i16, u16, u32, u64, usize);

impl Column for bool {
    fn of(value: Value<'_>) -> Option<Self> {
        Some(i64::of(value)? != 0)
    }
}

impl Column for String {
    fn of(value: Value<'_>) -> Option<Self> {
        if let Value::Text(text) = value { text.map(str::to_owned) } else { None }
    }
}

impl Column for Vec<u8> {
    fn of(value: Value<'_>) -> Option<Self> {
        if let Value::Bytes(bytes) = value { bytes.map(<[u8]>::to_vec) } else { None }
    }
}

impl<T: Column> Column for Option<T> {
    fn of(value: Value<'_>) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::of(value).map(Some) }
    }
}

/// The columns of a row, counted from 0.
pub(in crate::ledger) trait Columns {
    /// What is in one.
    ///
    /// # Errors
    /// When there is none of that number, or its kind is not one of ours.
    fn column(&self, n: usize) -> Result<Value<'_>, Refusal>;
}

/// A row that a question gave.
pub(in crate::ledger) struct Row<'r>(pub(in crate::ledger) &'r dyn Columns);

impl Row<'_> {
    /// What is in a column, counted from 0.
    pub(in crate::ledger) fn get<T: Column>(&self, n: usize) -> Result<T, Refusal> {
        T::of(self.0.column(n)?).ok_or_else(|| Refusal::Damaged(format!("a value (column {n})")))
    }
}

/// What is done with each row of a question. Says whether it wants the next.
pub(in crate::ledger) type EachRow<'e> = dyn FnMut(&Row<'_>) -> Result<bool, Refusal> + 'e;

/// A statement that is run many times.
pub(in crate::ledger) trait Prepared {
    /// Runs it, and gives how many rows it changed.
    fn execute(&mut self, values: &[Value<'_>]) -> Result<u64, Refusal>;
}

/// What every database can do. Statements are kept prepared.
pub(in crate::ledger) trait Driver {
    /// Runs a statement, and gives how many rows it changed.
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Refusal>;
    /// Asks, and hands over every row.
    fn query(&self, sql: &str, values: &[Value<'_>], each: &mut EachRow<'_>) -> Result<(), Refusal>;
    /// A statement to be run many times.
    fn prepare(&self, sql: &str) -> Result<Box<dyn Prepared + '_>, Refusal>;
    /// How it says what the other one says otherwise.
    fn dialect(&self) -> &'static Dialect;
}

/// A database, inside a transaction.
#[derive(Clone, Copy)]
pub(in crate::ledger) struct Db<'d>(pub(in crate::ledger) &'d dyn Driver);

impl<'d> Db<'d> {
    /// Runs a statement, and gives how many rows it changed.
    pub(in crate::ledger) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Refusal> {
        self.0.execute(sql, values)
    }

    /// What each row of a question is read as.
    pub(in crate::ledger) fn query<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Refusal>,
    ) -> Result<Vec<T>, Refusal> {
        let mut all = Vec::new();
        self.0.query(sql, values, &mut |row| {
            all.push(read(row)?);
            Ok(true)
        })?;
        Ok(all)
    }

    /// What the first row of a question is read as, if there is any.
    pub(in crate::ledger) fn first<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, Refusal>,
    ) -> Result<Option<T>, Refusal> {
        let (mut read, mut first) = (Some(read), None);
        self.0.query(sql, values, &mut |row| {
            if let Some(read) = read.take() {
                first = Some(read(row)?);
            }
            Ok(false)
        })?;
        Ok(first)
    }

    /// The only value of the only row: for questions that always have one, such as counts.
    pub(in crate::ledger) fn value<T: Column>(&self, sql: &str, values: &[Value<'_>]) -> Result<T, Refusal> {
        self.first(sql, values, |row| row.get(0))?
            .ok_or_else(|| Refusal::Damaged("no answer to a count".to_owned()))
    }

    /// A statement to be run many times.
    pub(in crate::ledger) fn prepare(&self, sql: &str) -> Result<Box<dyn Prepared + 'd>, Refusal> {
        self.0.prepare(sql)
    }

    /// How this database says what the other one says otherwise.
    pub(in crate::ledger) fn dialect(&self) -> &'static Dialect {
        self.0.dialect()
    }
}
