//! Tokens, sessions, links, the audit log.

use model::{Actor, EnvId, Role, Span, TokenId, audit::AuditFilter, fixtures, fixtures::NOON};
use store::{Session, StoreError, Token};

use crate::place::{Place, audit};

crate::on_both_engines!(
    a_token_is_found_by_its_hash_until_somebody_looks_at_its_end,
    a_name_is_taken_until_its_token_is_revoked_or_expired,
    revoking_a_token_ends_its_sessions,
    a_token_that_was_just_used_ends_when_it_is_revoked,
    a_session_that_was_just_used_ends_with_its_token_or_by_itself,
    a_link_works_once_and_only_in_time,
    the_audit_log_is_read_newest_first,
    the_audit_log_is_filtered_and_counted,
);

fn token(n: u64, name: &str) -> Token {
    Token {
        id: TokenId::mint(n),
        name: name.into(),
        role: Role::Operator,
        source: (n == 2).then(fixtures::source),
        created_at: NOON,
        expires_at: None,
        revoked_at: None,
    }
}

async fn a_token_is_found_by_its_hash_until_somebody_looks_at_its_end(place: Place) {
    let store = place.open().await;
    let token = Token { expires_at: Some(NOON + Span::seconds(60)), ..token(1, "ci") };
    store.token_insert(&token, [7; 32]).await.unwrap();
    assert_eq!(store.token_by_hash(&[7; 32]).await.unwrap(), Some(token.clone()));
    assert_eq!(store.token_by_hash(&[8; 32]).await.unwrap(), None);
    assert!(token.is_valid(NOON) && !token.is_valid(NOON + Span::seconds(60)));
    assert_eq!(store.tokens().await.unwrap(), [token]);
}

async fn a_name_is_taken_until_its_token_is_revoked_or_expired(place: Place) {
    let store = place.open().await;
    store
        .token_insert(&Token { expires_at: Some(NOON + Span::seconds(9)), ..token(1, "ci") }, [1; 32])
        .await
        .unwrap();
    let taken = store.token_insert(&token(2, "ci"), [2; 32]).await;
    assert!(matches!(taken, Err(StoreError::Conflict { .. })), "{taken:?}");
    place.pass(10);
    store.token_insert(&token(2, "ci"), [2; 32]).await.unwrap();
    assert!(store.token_revoke(&TokenId::mint(2), place.now()).await.unwrap());
    assert!(!store.token_revoke(&TokenId::mint(2), place.now()).await.unwrap());
    assert!(!store.token_revoke(&TokenId::mint(3), place.now()).await.unwrap());
    store.token_insert(&token(3, "ci"), [3; 32]).await.unwrap();
    let revoked: Vec<_> =
        store.tokens().await.unwrap().iter().map(|token| token.revoked_at.is_some()).collect();
    assert_eq!(revoked, [true, true, false]);
}

async fn revoking_a_token_ends_its_sessions(place: Place) {
    let store = place.open().await;
    store.token_insert(&token(1, "ci"), [1; 32]).await.unwrap();
    let actor = Actor { name: "ci".into(), role: Role::Operator };
    let end = NOON + Span::seconds(60);
    let session = Session { actor, token: Some(TokenId::mint(1)), created_at: NOON, expires_at: end };
    for n in 1..=3 {
        let token = if n == 3 { None } else { session.token.clone() };
        store.session_insert(&Session { token, ..session.clone() }, [n; 32]).await.unwrap();
    }
    assert_eq!(store.session_by_hash(&[1; 32], NOON).await.unwrap(), Some(session));
    assert_eq!(store.session_by_hash(&[1; 32], end).await.unwrap(), None);
    assert!(store.session_delete(&[1; 32]).await.unwrap());
    assert!(!store.session_delete(&[1; 32]).await.unwrap());
    store.token_revoke(&TokenId::mint(1), NOON).await.unwrap();
    assert_eq!(store.session_by_hash(&[2; 32], NOON).await.unwrap(), None);
    assert!(store.session_by_hash(&[3; 32], NOON).await.unwrap().is_some());
}

async fn a_token_that_was_just_used_ends_when_it_is_revoked(place: Place) {
    let store = place.open().await;
    store.token_insert(&token(1, "ci"), [1; 32]).await.unwrap();
    for _ in 0..2 {
        assert!(store.token_by_hash(&[1; 32]).await.unwrap().unwrap().is_valid(NOON));
    }
    store.token_revoke(&TokenId::mint(1), NOON).await.unwrap();
    assert!(!store.token_by_hash(&[1; 32]).await.unwrap().unwrap().is_valid(NOON));
}

async fn a_session_that_was_just_used_ends_with_its_token_or_by_itself(place: Place) {
    let store = place.open().await;
    store.token_insert(&token(1, "ci"), [1; 32]).await.unwrap();
    let actor = Actor { name: "ci".into(), role: Role::Operator };
    let (end, token) = (NOON + Span::seconds(60), Some(TokenId::mint(1)));
    let session = Session { actor, token, created_at: NOON, expires_at: end };
    for n in [1, 2] {
        store.session_insert(&session, [n; 32]).await.unwrap();
        assert!(store.session_by_hash(&[n; 32], NOON).await.unwrap().is_some());
    }
    store.session_delete(&[1; 32]).await.unwrap();
    assert_eq!(store.session_by_hash(&[1; 32], NOON).await.unwrap(), None);
    assert!(store.session_by_hash(&[2; 32], NOON).await.unwrap().is_some());
    store.token_revoke(&TokenId::mint(1), NOON).await.unwrap();
    assert_eq!(store.session_by_hash(&[2; 32], NOON).await.unwrap(), None);
}

async fn a_link_works_once_and_only_in_time(place: Place) {
    let store = place.open().await;
    let end = NOON + Span::seconds(60);
    store.link_insert([1; 32], end).await.unwrap();
    store.link_insert([2; 32], end).await.unwrap();
    assert!(store.link_take(&[1; 32], NOON).await.unwrap());
    assert!(!store.link_take(&[1; 32], NOON).await.unwrap());
    assert!(!store.link_take(&[2; 32], end).await.unwrap());
    assert!(!store.link_take(&[3; 32], NOON).await.unwrap());
}

async fn the_audit_log_is_read_newest_first(place: Place) {
    let store = place.open().await;
    let mut seqs = vec![];
    for action in ["token.create", "wait.stop\0", "token.revoke"] {
        seqs.push(store.audit_insert(audit(action, Some(EnvId::mint(5)))).await.unwrap());
    }
    let mut reader = store.read().await.unwrap();
    let any = AuditFilter::default();
    let rows = reader.audit(&any, None, 2).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [seqs[2], seqs[1]]);
    assert_eq!(rows[0].entry, audit("token.revoke", Some(EnvId::mint(5))));
    assert_eq!(rows[1].entry.action, "wait.stop\u{fffd}");
    assert_eq!(reader.audit(&any, Some(seqs[1]), 9).await.unwrap().len(), 1);
}

async fn the_audit_log_is_filtered_and_counted(place: Place) {
    let store = place.open().await;
    let actor = Actor { name: "viewer-7".into(), role: Role::Viewer };
    let refused = store::AuditEntry {
        actor,
        outcome: "refused: needs the operator role".into(),
        ..audit("rollback", Some(EnvId::mint(5)))
    };
    store.audit_insert(audit("deploy", Some(EnvId::mint(5)))).await.unwrap();
    store.audit_insert(refused.clone()).await.unwrap();
    store.audit_insert(audit("rollback", None)).await.unwrap();
    let mut reader = store.read().await.unwrap();
    let cases = [
        ("actor", "viewer-7", 1),
        ("verb", "rollback", 2),
        ("target", "checkout/prod", 3),
        ("target", "checkout", 0),
        ("result", "refused", 1),
        ("result", "%", 0),
        ("actor", "", 3),
    ];
    for (key, value, n) in cases {
        let filter = AuditFilter::default().with(key, value);
        let rows = reader.audit(&filter, None, 9).await.unwrap();
        assert_eq!(
            (rows.len(), reader.audit_count(&filter, 9).await.unwrap()),
            (n, n as i64),
            "{key} {value}"
        );
    }
    let filter = AuditFilter::default().with("result", "refused").with("verb", "rollback");
    assert_eq!(reader.audit(&filter, None, 9).await.unwrap()[0].entry, refused);
    assert_eq!(reader.audit_count(&AuditFilter::default(), 2).await.unwrap(), 2, "it counts no further");
}
