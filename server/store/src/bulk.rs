//! Many rows of one table in few round trips, with no JSON in between.
//!
//! SQLite takes them as parameters of statements for a hundred, ten or one row: three constant texts, each prepared
//! once, where a list in JSON would be parsed again for every column. PostgreSQL takes a binary `COPY`.
//!
//! On SQLite a statement that fails keeps the rows before the failure (`OR FAIL`), which spares the engine a copy of
//! every page it touches: the transaction is given up in any case.

use crate::{StoreError, pool::Tx};

/// The texts for one table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    /// For how many rows, and the text; the most first.
    pub(crate) sqlite: [(usize, &'static str); 3],
    pub(crate) postgres: &'static str,
}

/// A value on its way into a column.
#[derive(Debug, Clone)]
pub(crate) enum Cell {
    Int(i64),
    Text(String),
    Word(&'static str),
    Null,
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&'static str> for Cell {
    fn from(value: &'static str) -> Self {
        Self::Word(value)
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// The texts that insert into these columns.
macro_rules! bulk_table {
    ($table:literal ($c0:ident $(, $c:ident)* $(,)?)) => {
        bulk_table!(@texts
            concat!("INSERT OR FAIL INTO ", $table, " (", stringify!($c0) $(, ", ", stringify!($c))*, ") VALUES "),
            concat!("(?" $(, bulk_table!(@mark $c))*, ")"),
            concat!("COPY ", $table, " (", stringify!($c0) $(, ", ", stringify!($c))*, ") FROM STDIN (FORMAT binary)")
        )
    };
    (@mark $c:ident) => { ", ?" };
    (@ten $row:expr) => {
        concat!($row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ",
            $row, ", ", $row)
    };
    (@texts $head:expr, $row:expr, $copy:expr) => {
        $crate::bulk::Table {
            sqlite: [
                (100, concat!($head, bulk_table!(@ten bulk_table!(@ten $row)))),
                (10, concat!($head, bulk_table!(@ten $row))),
                (1, concat!($head, $row)),
            ],
            postgres: $copy,
        }
    };
}
pub(crate) use bulk_table;

/// Inserts rows whose cells are the table's columns, in order.
pub(crate) async fn insert<const N: usize>(
    tx: &mut Tx,
    op: &'static str,
    table: &Table,
    rows: Vec<[Cell; N]>,
) -> Result<(), StoreError> {
    match tx {
        Tx::Sqlite(tx) => {
            let (mut left, mut rows) = (rows.len(), rows.into_iter());
            for (n, text) in table.sqlite {
                while left >= n {
                    left -= n;
                    let mut query = sqlx::query::<sqlx::Sqlite>(text);
                    for cell in rows.by_ref().take(n).flatten() {
                        query = match cell {
                            Cell::Int(value) => query.bind(value),
                            Cell::Text(value) => query.bind(value),
                            Cell::Word(value) => query.bind(value),
                            Cell::Null => query.bind(None::<i64>),
                        };
                    }
                    query.execute(&mut **tx).await.map_err(|error| StoreError::of(op, error))?;
                }
            }
            Ok(())
        }
        Tx::Postgres(tx) => {
            if rows.is_empty() {
                return Ok(());
            }
            let failed = |error| StoreError::of(op, error);
            let mut copy = tx.copy_in_raw(table.postgres).await.map_err(failed)?;
            if let Err(error) = copy.send(binary(&rows)).await {
                // The first error says more than that of giving up, which the transaction does in any case.
                let _ = copy.abort("the rows could not be sent").await;
                return Err(failed(error));
            }
            copy.finish().await.map(drop).map_err(failed)
        }
    }
}

/// The rows in PostgreSQL's binary format of `COPY`: a signature, rows of counted fields, an end.
fn binary<const N: usize>(rows: &[[Cell; N]]) -> Vec<u8> {
    let n_columns = i16::try_from(N).expect("a table has fewer columns than that");
    let mut out = Vec::with_capacity(64 + rows.len() * N * 16);
    out.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
    for row in rows {
        out.extend_from_slice(&n_columns.to_be_bytes());
        for cell in row {
            let bytes: &[u8] = match cell {
                Cell::Int(value) => &value.to_be_bytes(),
                Cell::Text(value) => value.as_bytes(),
                Cell::Word(value) => value.as_bytes(),
                Cell::Null => {
                    out.extend_from_slice(&(-1_i32).to_be_bytes());
                    continue;
                }
            };
            let length = i32::try_from(bytes.len()).expect("no text that is stored has 2 GiB");
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(bytes);
        }
    }
    out.extend_from_slice(&(-1_i16).to_be_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_text_for_a_hundred_rows_for_ten_and_for_one() {
        let Table { sqlite, postgres } = bulk_table!("t"(a, b));
        let marks = sqlite.map(|(n, text)| (n, text.matches("(?, ?)").count()));
        assert_eq!(marks, [(100, 100), (10, 10), (1, 1)]);
        assert_eq!(sqlite[2].1, "INSERT OR FAIL INTO t (a, b) VALUES (?, ?)");
        assert_eq!(postgres, "COPY t (a, b) FROM STDIN (FORMAT binary)");
    }

    #[test]
    fn the_binary_format_counts_every_field() {
        let out = binary(&[[Cell::Int(1), Cell::from("ab"), Cell::from(None::<String>)]]);
        assert_eq!(out[19..], *b"\0\x03\0\0\0\x08\0\0\0\0\0\0\0\x01\0\0\0\x02ab\xff\xff\xff\xff\xff\xff");
    }
}
