//! Tokens, sessions and sign-in links. Only hashes are stored: whoever reads the store cannot sign in.
//!
//! None of it is in the journal; who made or revoked a token is in the audit log, which the caller writes.

use model::{Actor, Role, TokenId, Ts};

use crate::{
    Session, Store, StoreError, Token,
    pool::{Tx, exec, row, rows},
    text::{clean, parse},
};

#[derive(sqlx::FromRow)]
struct TokenRow {
    ext: String,
    name: String,
    role: String,
    source: Option<String>,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    name: String,
    role: String,
    token: Option<String>,
    created_at: i64,
    expires_at: i64,
}

const TOKEN_INSERT: &str = "INSERT INTO tokens (id, ext, name, role, hash, created_at, expires_at, revoked_at, \
    source) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
// An expired token does not keep its name.
const TOKEN_FREE_NAME: &str =
    "UPDATE tokens SET revoked_at = expires_at WHERE name = $1 AND revoked_at IS NULL AND expires_at <= $2";
const TOKEN_BY_HASH: &str =
    "SELECT ext, name, role, source, created_at, expires_at, revoked_at FROM tokens WHERE hash = $1";
const TOKENS: &str =
    "SELECT ext, name, role, source, created_at, expires_at, revoked_at FROM tokens ORDER BY id";
const TOKEN_REVOKE: &str = "UPDATE tokens SET revoked_at = $2 WHERE ext = $1 AND revoked_at IS NULL";
const TOKEN_SESSIONS_END: &str = "DELETE FROM sessions WHERE token = $1";
const SESSION_INSERT: &str =
    "INSERT INTO sessions (hash, name, role, token, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
const SESSION_BY_HASH: &str =
    "SELECT name, role, token, created_at, expires_at FROM sessions WHERE hash = $1 AND expires_at > $2";
const SESSION_DELETE: &str = "DELETE FROM sessions WHERE hash = $1";
const LINK_INSERT: &str = "INSERT INTO sign_in_links (hash, expires_at) VALUES ($1, $2)";
const LINK_TAKE: &str = "DELETE FROM sign_in_links WHERE hash = $1 RETURNING expires_at";

fn role(op: &'static str, text: &str) -> Result<Role, StoreError> {
    Role::parse(text).ok_or_else(|| StoreError::damaged(op, "a role"))
}

impl TokenRow {
    fn into_token(self, op: &'static str) -> Result<Token, StoreError> {
        let Self { ext, name, role: text, source, created_at, expires_at, revoked_at } = self;
        Ok(Token {
            id: parse(op, "a token id", &ext)?,
            name,
            role: role(op, &text)?,
            source: source.map(|id| parse(op, "a source id", &id)).transpose()?,
            created_at: Ts(created_at),
            expires_at: expires_at.map(Ts),
            revoked_at: revoked_at.map(Ts),
        })
    }
}

impl Store {
    async fn look(&self, op: &'static str) -> Result<Tx, StoreError> {
        let tx = self.inner.pool.snapshot().await.map_err(|error| StoreError::of(op, error))?;
        self.inner.has_read();
        Ok(tx)
    }

    /// Adds a token. Names of tokens that are still good are unique.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn token_insert(&self, token: &Token, hash: [u8; 32]) -> Result<(), StoreError> {
        const OP: &str = "add a token";
        // One that has expired gives up its name.
        let _ends = self.inner.tokens.ends();
        let Token { id, name, role, source, created_at, expires_at, revoked_at } = token;
        let (name, hash) = (clean(name).into_owned(), hash.to_vec());
        let (expires_at, revoked_at) = (expires_at.map(|at| at.0), revoked_at.map(|at| at.0));
        let source = source.as_ref().map(ToString::to_string);
        let mut write = self.write(OP).await?;
        let (key, now) = (write.next_id(), write.now.0);
        exec!(&mut write.tx, OP, TOKEN_FREE_NAME, &name, now)?;
        exec!(
            &mut write.tx,
            OP,
            TOKEN_INSERT,
            key,
            id.as_str(),
            &name,
            role.as_str(),
            &hash,
            created_at.0,
            expires_at,
            revoked_at,
            &source
        )?;
        write.commit().await
    }

    /// The token with this hash, whether or not it is still good; see [`Token::is_valid`].
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn token_by_hash(&self, hash: &[u8; 32]) -> Result<Option<Token>, StoreError> {
        const OP: &str = "look up a token";
        let epoch = match self.inner.tokens.get(hash) {
            Ok(token) => return Ok(Some(token)),
            Err(epoch) => epoch,
        };
        let mut tx = self.look(OP).await?;
        let found = row!(&mut tx, OP, TokenRow, TOKEN_BY_HASH, hash.to_vec())?;
        let found = found.map(|row| row.into_token(OP)).transpose()?;
        found.iter().for_each(|token| self.inner.tokens.keep(epoch, *hash, token));
        Ok(found)
    }

    /// Every token, revoked ones too, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        const OP: &str = "list tokens";
        let mut tx = self.look(OP).await?;
        rows!(&mut tx, OP, TokenRow, TOKENS)?.into_iter().map(|row| row.into_token(OP)).collect()
    }

    /// Revokes a token and ends the sessions that came from it. False when there is no such token, or it was
    /// revoked already.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be written.
    pub async fn token_revoke(&self, id: &TokenId, at: Ts) -> Result<bool, StoreError> {
        const OP: &str = "revoke a token";
        let _ends = (self.inner.tokens.ends(), self.inner.sessions.ends());
        let mut write = self.write(OP).await?;
        let revoked = exec!(&mut write.tx, OP, TOKEN_REVOKE, id.as_str(), at.0)? > 0;
        exec!(&mut write.tx, OP, TOKEN_SESSIONS_END, id.as_str())?;
        write.commit().await?;
        Ok(revoked)
    }

    /// Adds a session.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be written.
    pub async fn session_insert(&self, session: &Session, hash: [u8; 32]) -> Result<(), StoreError> {
        const OP: &str = "add a session";
        let Session { actor, token, created_at, expires_at } = session;
        let (name, token) = (clean(&actor.name).into_owned(), token.as_ref().map(ToString::to_string));
        let mut write = self.write(OP).await?;
        exec!(
            &mut write.tx,
            OP,
            SESSION_INSERT,
            hash.to_vec(),
            &name,
            actor.role.as_str(),
            &token,
            created_at.0,
            expires_at.0
        )?;
        write.commit().await
    }

    /// The session with this hash, unless it has ended.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer.
    pub async fn session_by_hash(&self, hash: &[u8; 32], now: Ts) -> Result<Option<Session>, StoreError> {
        const OP: &str = "look up a session";
        let epoch = match self.inner.sessions.get(hash) {
            Ok(session) => return Ok(Some(session).filter(|session| session.expires_at > now)),
            Err(epoch) => epoch,
        };
        let mut tx = self.look(OP).await?;
        let found = row!(&mut tx, OP, SessionRow, SESSION_BY_HASH, hash.to_vec(), now.0)?
            .map(|SessionRow { name, role: text, token, created_at, expires_at }| {
                let token = token.map(|id| parse(OP, "a token id", &id)).transpose()?;
                let actor = Actor { name, role: role(OP, &text)? };
                Ok(Session { actor, token, created_at: Ts(created_at), expires_at: Ts(expires_at) })
            })
            .transpose()?;
        found.iter().for_each(|session| self.inner.sessions.keep(epoch, *hash, session));
        Ok(found)
    }

    /// Ends a session. False when there is none.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be written.
    pub async fn session_delete(&self, hash: &[u8; 32]) -> Result<bool, StoreError> {
        const OP: &str = "end a session";
        let _ends = self.inner.sessions.ends();
        let mut write = self.write(OP).await?;
        let ended = exec!(&mut write.tx, OP, SESSION_DELETE, hash.to_vec())? > 0;
        write.commit().await?;
        Ok(ended)
    }

    /// Adds a link that signs in once.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be written.
    pub async fn link_insert(&self, hash: [u8; 32], expires_at: Ts) -> Result<(), StoreError> {
        const OP: &str = "add a sign-in link";
        let mut write = self.write(OP).await?;
        exec!(&mut write.tx, OP, LINK_INSERT, hash.to_vec(), expires_at.0)?;
        write.commit().await
    }

    /// Uses a link up. True the first time, and only before it expired.
    ///
    /// # Errors
    /// [`StoreError`] when nothing could be written.
    pub async fn link_take(&self, hash: &[u8; 32], now: Ts) -> Result<bool, StoreError> {
        const OP: &str = "use a sign-in link";
        let mut write = self.write(OP).await?;
        let taken = row!(&mut write.tx, OP, (i64,), LINK_TAKE, hash.to_vec())?;
        write.commit().await?;
        Ok(taken.is_some_and(|(expires_at,)| now.0 < expires_at))
    }
}
