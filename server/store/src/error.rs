//! What can go wrong in the store, by what a caller can do about it.
//!
//! Engine errors never leave the crate as types: they are the chained source, for logs.

/// The cause of a [`StoreError`], for logs.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A failed operation of the store. Every variant names the operation; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Something that the operation needs does not exist.
    #[error("could not {op}: no such thing")]
    NotFound {
        /// What was tried.
        op: &'static str,
    },
    /// It contradicts what is stored: a name that is taken, an illegal move.
    #[error("could not {op}: it contradicts what is stored")]
    Conflict {
        /// What was tried.
        op: &'static str,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The disk is full.
    #[error("could not {op}: the disk of the store is full")]
    Full {
        /// What was tried.
        op: &'static str,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The store cannot be reached now; the same operation may work later.
    #[error("could not {op}: the store cannot be reached")]
    Unavailable {
        /// What was tried.
        op: &'static str,
        /// Why.
        #[source]
        source: Cause,
    },
    /// Anything else: our fault, or a damaged store.
    #[error("could not {op}")]
    Other {
        /// What was tried.
        op: &'static str,
        /// Why.
        #[source]
        source: Cause,
    },
}

/// A store that could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process serves this file.
    #[error("{path} is in use by process {pid}")]
    InUse {
        /// The file.
        path: String,
        /// Who holds it, as its lock file says; `unknown` where that is unreadable.
        pid: String,
    },
    /// A newer build made this store.
    #[error(
        "the store has schema {store_schema}, written by version {store_version}; \
         this is version {binary_version}, which knows schema {binary_schema}"
    )]
    Newer {
        /// Number of the newest migration that the store has.
        store_schema: i64,
        /// The build that applied it.
        store_version: String,
        /// Number of the newest migration that this binary has.
        binary_schema: i64,
        /// This build.
        binary_version: String,
    },
    /// A migration that was applied differs from the one of the same number in this binary.
    #[error("migration {number} of the store is not the one that this binary has")]
    Altered {
        /// Which.
        number: i64,
    },
    /// The lock file could not be made or locked.
    #[error("could not lock {path}")]
    Lock {
        /// The lock file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address of the store is not understood.
    #[error("the address of the store is not understood")]
    Address(#[source] Cause),
    /// A migration failed on a copy; the store itself was not touched.
    #[error("migrating a copy of the store failed; the store itself was not touched")]
    Trial(#[source] StoreError),
    /// A file that was to be restored is none of ours.
    #[error("{path} is not a backup of a store")]
    NotAStore {
        /// The file.
        path: String,
    },
    /// A file that was to be restored is not whole.
    #[error("{path} is damaged: {found}")]
    Damaged {
        /// The file.
        path: String,
        /// What the engine found first.
        found: String,
    },
    /// A database that a store was to move to has one already.
    #[error("{place} has a store in it already")]
    NotEmpty {
        /// Where, without the password.
        place: String,
    },
    /// Fewer or other rows arrived than were sent; nothing was kept.
    #[error("{table} has {arrived} rows and should have {sent}; nothing was kept")]
    Miscounted {
        /// Which table.
        table: &'static str,
        /// In the store that moves.
        sent: i64,
        /// In the other one.
        arrived: i64,
    },
    /// Everything else.
    #[error("could not open the store")]
    Store(#[from] StoreError),
}

/// A text or a number in the store that is none of ours.
#[derive(Debug, thiserror::Error)]
#[error("{what} in the store is not readable")]
pub(crate) struct Damaged {
    pub(crate) what: &'static str,
}

/// A rule of ours that a caller broke.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Broken(pub(crate) &'static str);

impl StoreError {
    /// Sorts an engine error by what a caller can do about it.
    pub(crate) fn of(op: &'static str, error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let code = match &error {
            E::Database(inner) => inner.code().map(std::borrow::Cow::into_owned).unwrap_or_default(),
            _ => String::new(),
        };
        let postgres = matches!(&error, E::Database(e) if e.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some());
        match &error {
            E::RowNotFound => Self::NotFound { op },
            E::Io(_) | E::Tls(_) | E::PoolTimedOut | E::PoolClosed | E::WorkerCrashed => {
                Self::Unavailable { op, source: error.into() }
            }
            E::Database(_) if postgres => match &code {
                c if c == "53100" => Self::Full { op, source: error.into() },
                c if c.starts_with("23") => Self::Conflict { op, source: error.into() },
                // Connection, resources, operator intervention, serialisation and time-outs.
                c if ["08", "53", "57", "40", "55"].iter().any(|class| c.starts_with(class)) => {
                    Self::Unavailable { op, source: error.into() }
                }
                _ => Self::Other { op, source: error.into() },
            },
            // SQLite: the primary code is the low byte of the extended one.
            E::Database(_) => match code.parse::<i32>().unwrap_or(0) & 0xff {
                13 => Self::Full { op, source: error.into() },
                19 => Self::Conflict { op, source: error.into() },
                5 | 6 | 8 | 10 | 14 => Self::Unavailable { op, source: error.into() },
                _ => Self::Other { op, source: error.into() },
            },
            _ => Self::Other { op, source: error.into() },
        }
    }

    pub(crate) fn damaged(op: &'static str, what: &'static str) -> Self {
        Self::Other { op, source: Box::new(Damaged { what }) }
    }

    pub(crate) fn refused(op: &'static str, why: &'static str) -> Self {
        Self::Conflict { op, source: Box::new(Broken(why)) }
    }

    /// Whether the same operation may work later.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Unavailable { .. })
    }
}
