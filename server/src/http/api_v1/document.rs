//! What all operations of the document have in common, said once: who may ask, how they refuse, what reads take and
//! answer. A handler describes only what is its own.

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

/// How an operation may refuse, and when.
const REFUSALS: [(&str, &str, Applies); 10] = [
    ("400", "something that was sent makes no sense; `details` says what", Applies::Always),
    ("401", "nobody is signed in", Applies::Always),
    ("403", "the role, the token, or the page that asks is not enough", Applies::Always),
    ("404", "there is no such thing that you may see", Applies::Named),
    ("409", "it changed meanwhile, or cannot be carried out", Applies::Writes),
    ("413", "what was sent is too large", Applies::Writes),
    ("429", "too much at a time; try again", Applies::Writes),
    ("500", "a fault of ours; `trace_id` finds it in the log", Applies::Always),
    ("503", "the store does not answer; try again", Applies::Always),
    ("507", "the store is full", Applies::Writes),
];

/// Which operations a refusal is for.
#[derive(Debug, Clone, Copy)]
enum Applies {
    Always,
    /// What the path, a parameter or the body names may not exist.
    Named,
    Writes,
}

/// The document as it is published.
pub(in crate::http) fn finish(document: &OpenApi) -> Value {
    let mut document = json!(document);
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        let tag = path.trim_start_matches("/api/v1/").split('/').next().unwrap_or_default().to_owned();
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Value::Object(operation) = operation {
                let id = id(&tag, operation);
                operation.insert("operationId".to_owned(), json!(id));
                operation.insert("tags".to_owned(), json!([tag]));
                complete(operation, path, method == "get");
            }
        }
    }
    document["security"] = json!([{ "token": [] }, { "session": [] }]);
    document["components"]["securitySchemes"] = json!({
        "token": { "type": "http", "scheme": "bearer", "description": "A named token, `vt token create`." },
        "session": { "type": "apiKey", "in": "cookie", "name": "vt_session", "description": "The console's session. Writes need an `Origin` of ours too." },
    });
    let refusals = REFUSALS.iter().map(|(status, why, _)| {
        let schema = json!({ "$ref": "#/components/schemas/ApiError" });
        let content = json!({ "application/problem+json": { "schema": schema } });
        (format!("Refused{status}"), json!({ "description": why, "content": content }))
    });
    document["components"]["responses"] = refusals.collect::<Map<_, _>>().into();
    document
}

/// What clients call the operation; handlers of several subjects have the same name.
fn id(tag: &str, operation: &Map<String, Value>) -> String {
    match operation.get("operationId").and_then(Value::as_str).unwrap_or_default() {
        name if name == tag => name.to_owned(),
        name => format!("{tag}_{name}"),
    }
}

fn complete(operation: &mut Map<String, Value>, path: &str, is_read: bool) {
    let has = |name: &str| operation.contains_key(name);
    let named = path.contains('{') || has("requestBody") || path.ends_with("/receipts");
    let list = is_list(operation);
    let mut parameters = operation.remove("parameters").unwrap_or_else(|| json!([]));
    if let Value::Array(parameters) = &mut parameters {
        parameters.push(if is_read { at() } else { key(path) });
    }
    operation.insert("parameters".to_owned(), parameters);
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (status, response) in responses.iter_mut() {
        // Required, but utoipa leaves out an empty one.
        if response["description"].as_str().is_none_or(str::is_empty) {
            response["description"] = json!(if status == "202" { "accepted, not done" } else { "done" });
        }
        if is_read && status.starts_with('2') {
            response["headers"] = headers(list);
        }
    }
    for (status, _, applies) in REFUSALS {
        let here = match applies {
            Applies::Always => true,
            Applies::Named => named,
            Applies::Writes => !is_read,
        };
        if here {
            let refused = json!({ "$ref": format!("#/components/responses/Refused{status}") });
            responses.entry(status).or_insert(refused);
        }
    }
}

fn is_list(operation: &Map<String, Value>) -> bool {
    let has = |name: &str| {
        let parameters = operation.get("parameters").and_then(Value::as_array);
        parameters.is_some_and(|all| all.iter().any(|parameter| parameter["name"] == name))
    };
    has("after") && has("limit")
}

fn at() -> Value {
    json!({
        "name": "at", "in": "query", "required": false, "schema": { "type": "string", "format": "date-time" },
        "description": "As of this instant. Only the present can be read yet; the refusal of anything older says from when on.",
    })
}

/// Whoever repeats a write with the same key gets the same answer.
fn key(path: &str) -> Value {
    let needed = path.ends_with("/actions/{verb}") || path.ends_with("/waits");
    json!({
        "name": "Idempotency-Key", "in": "header", "required": needed,
        "schema": { "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$" },
        "description": "Made up by the client; the same key again answers the same receipt.",
    })
}

fn headers(list: bool) -> Value {
    let mut headers = json!({ "X-Journal-Seq": {
        "description": "The journal position that this was read at.",
        "schema": { "type": "integer", "format": "int64", "minimum": 0 },
    } });
    if list {
        headers["Link"] = json!({
            "description": "`<address>; rel=\"next\"`, where the list goes on.",
            "schema": { "type": "string" },
        });
    }
    headers
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every `$ref` of a value.
    fn refs<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| refs(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| refs(value, found)),
            _ => {}
        }
    }

    #[test]
    fn the_document_says_what_it_is_about() {
        let document = finish(&super::super::router().1);
        assert_eq!(document["info"]["title"], "Vantage");
        assert!(document["info"]["description"].as_str().is_some_and(|text| text.contains("X-Journal-Seq")));
    }

    fn operations(document: &Value) -> impl Iterator<Item = &Value> {
        let paths = document["paths"].as_object().into_iter().flatten();
        paths.flat_map(|(_, item)| item.as_object().into_iter().flatten().map(|(_, operation)| operation))
    }

    /// The specification asks for both; clients are generated by the ids.
    #[test]
    fn every_operation_has_an_id_of_its_own_and_every_answer_says_what_it_is() {
        let document = finish(&super::super::router().1);
        let mut ids = BTreeSet::new();
        for operation in operations(&document) {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{id} twice");
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let said = answer["description"].as_str().is_some_and(|text| !text.is_empty());
                assert!(said || answer["$ref"].is_string(), "{id} {status}: {answer}");
            }
        }
        assert!(ids.len() > 30, "{ids:?}");
    }

    #[test]
    fn everything_that_the_document_refers_to_is_in_it() {
        let document = finish(&super::super::router().1);
        let mut found = BTreeSet::new();
        refs(&document, &mut found);
        assert!(found.len() > 20, "{found:?}");
        let pointer = |name: &str| name.trim_start_matches('#').to_owned();
        let missing: Vec<_> =
            found.iter().filter(|name| document.pointer(&pointer(name)).is_none()).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
