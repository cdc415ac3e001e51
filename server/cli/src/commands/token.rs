//! `vt token create|list|revoke`. A secret is printed once, to standard output, and nowhere else.

use model::Ts;
use serde_json::{Value, json};

use super::{Context, Outcome};
use crate::{
    args::Token,
    error::{Error, Exit},
    output::{Table, plain},
};

/// `vt token …`.
pub(super) async fn run(context: &mut Context<'_>, token: Token) -> Outcome {
    match token {
        Token::Create { name, role, source, expires } => {
            let expires_s = expires.map(model::Span::as_seconds);
            let body = json!({ "name": name, "role": role, "source": source, "expires_s": expires_s });
            create(context, &body).await
        }
        Token::List => list(context).await,
        Token::Revoke { token } => revoke(context, &token).await,
    }
}

async fn create(context: &mut Context<'_>, body: &Value) -> Outcome {
    let made: Value = context.client.post("/tokens", body).await?;
    if context.terminal.json() {
        context.terminal.document(&made)?;
        return Ok(Exit::Done);
    }
    context.terminal.say(format!("token={}", text(&made["token"], "id")))?;
    context.terminal.say(format!("secret={}", text(&made, "secret")))?;
    context.terminal.note("this is the only time that the secret is shown");
    Ok(Exit::Done)
}

async fn list(context: &mut Context<'_>) -> Outcome {
    let tokens: Vec<Value> = context.client.list("/tokens").await?;
    if context.terminal.json() {
        context.terminal.document(&tokens)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["ID", "NAME", "ROLE", "CREATED", "EXPIRES", "REVOKED"]);
    for token in &tokens {
        let instant = |key, nothing: &str| {
            let at: Option<Ts> = token[key].as_str().and_then(|text| text.parse().ok());
            plain(at.map_or_else(|| nothing.to_owned(), |at| at.to_string()))
        };
        table.row([
            plain(text(token, "id")),
            plain(text(token, "name")),
            // The token of a source has no role.
            plain(
                token["role"]
                    .as_str()
                    .map_or_else(|| format!("reports {}", text(token, "source")), str::to_owned),
            ),
            instant("created_at", "-"),
            instant("expires_at", "never"),
            instant("revoked_at", ""),
        ]);
    }
    context.terminal.table(&table, "no tokens")?;
    Ok(Exit::Done)
}

async fn revoke(context: &mut Context<'_>, wanted: &str) -> Outcome {
    let tokens: Vec<Value> = context.client.list("/tokens").await?;
    let is_live = |token: &&Value| token["revoked_at"].is_null();
    let by_id = tokens.iter().find(|token| text(token, "id") == wanted);
    let by_name: Vec<&Value> =
        tokens.iter().filter(|token| text(token, "name") == wanted).filter(is_live).collect();
    let token = match (by_id, &by_name[..]) {
        (Some(token), _) => token,
        (None, [token]) => token,
        (None, []) => {
            return Err(Error::not_found(
                format!("there is no token {wanted}"),
                "`vt token list` shows them",
            ));
        }
        (None, several) => {
            let ids: Vec<&str> = several.iter().map(|token| text(token, "id")).collect();
            return Err(Error::usage_with(
                format!("several tokens are called {wanted}: {}", ids.join(", ")),
                "use an id",
            ));
        }
    };
    let id: model::TokenId =
        text(token, "id").parse().map_err(|error: model::id::IdError| Error::usage(error.to_string()))?;
    context.client.delete(&format!("/tokens/{id}")).await?;
    if context.terminal.json() {
        context.terminal.document(&json!({ "revoked": id }))?;
    } else {
        context.terminal.say(format!("revoked={id}"))?;
    }
    Ok(Exit::Done)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
