//! The API's document for people: JSON into the plain data of its page. What it does not understand it leaves out; the
//! document itself is one link away.

use std::collections::BTreeMap;

use app::api::reference::{Answer, Content, Field, Kind, Operation, Reference, Section, Shape};
use serde_json::Value;

/// The document as its page shows it.
pub(crate) fn reference(document: &Value) -> Reference {
    let mut sections: BTreeMap<&str, Vec<Operation>> = BTreeMap::new();
    for (path, item) in fields(&document["paths"]) {
        for (method, operation) in fields(item) {
            let tag = text(&operation["tags"][0]);
            sections.entry(tag).or_default().push(one(document, method, path, operation));
        }
    }
    Reference {
        about: said(&document["info"]["description"]),
        sections: sections
            .into_iter()
            .map(|(name, operations)| Section { name: name.to_owned(), operations })
            .collect(),
        shapes: fields(&document["components"]["schemas"])
            .map(|(name, schema)| shape(name, schema))
            .collect(),
    }
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// What a comment says, without the marks of its code.
fn said(value: &Value) -> String {
    text(value).replace('`', "")
}

fn one(document: &Value, method: &str, path: &str, operation: &Value) -> Operation {
    let parameters = operation["parameters"].as_array().into_iter().flatten().map(|parameter| Field {
        name: text(&parameter["name"]).to_owned(),
        place: text(&parameter["in"]).to_owned(),
        kind: kind(&parameter["schema"]),
        needed: parameter["required"] == true,
        about: said(&parameter["description"]),
    });
    let answers = fields(&operation["responses"]).map(|(status, answer)| {
        let answer = followed(document, answer);
        Answer {
            status: status.clone(),
            about: said(&answer["description"]),
            content: content(&answer["content"]),
        }
    });
    // What utoipa makes of the first sentence and of the rest are two fields.
    let about = [&operation["summary"], &operation["description"]].map(said);
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        about: about.join(" ").trim().to_owned(),
        parameters: parameters.collect(),
        body: content(&operation["requestBody"]["content"]),
        answers: answers.collect(),
    }
}

fn followed<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let to = value["$ref"].as_str().and_then(|name| document.pointer(name.trim_start_matches('#')));
    to.unwrap_or(value)
}

fn content(content: &Value) -> Option<Content> {
    let (media, content) = fields(content).next()?;
    Some(Content { media: media.clone(), kind: kind(&content["schema"]) })
}

fn shape(name: &str, schema: &Value) -> Shape {
    let needed: Vec<&str> = schema["required"].as_array().into_iter().flatten().map(text).collect();
    let parts = fields(&schema["properties"]).map(|(name, schema)| Field {
        name: name.clone(),
        place: String::new(),
        kind: kind(schema),
        needed: needed.contains(&name.as_str()),
        about: said(&schema["description"]),
    });
    Shape {
        name: name.to_owned(),
        about: said(&schema["description"]),
        kind: kind(schema),
        fields: parts.collect(),
    }
}

/// What a schema allows, in words.
fn kind(schema: &Value) -> Kind {
    let plain = |words: &str| Kind { words: words.to_owned(), shape: None };
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        return Kind { words: name.to_owned(), shape: Some(name.to_owned()) };
    }
    if let Some(values) = schema["enum"].as_array() {
        return plain(&values.iter().map(|value| value.to_string()).collect::<Vec<_>>().join(", "));
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        let Some(kinds) = schema[several].as_array() else { continue };
        let kinds: Vec<Kind> = kinds.iter().filter(|one| one["type"] != "null").map(kind).collect();
        let shape = kinds.iter().find_map(|kind| kind.shape.clone());
        let words: Vec<String> = kinds.into_iter().map(|kind| kind.words).collect();
        return Kind { words: words.join(if several == "allOf" { " with " } else { " or " }), shape };
    }
    let ty = match &schema["type"] {
        Value::Array(several) => several.iter().map(text).find(|ty| *ty != "null").unwrap_or_default(),
        one => text(one),
    };
    match (ty, text(&schema["format"])) {
        ("array", _) => {
            let of = kind(&schema["items"]);
            Kind { words: format!("list of {}", of.words), shape: of.shape }
        }
        ("string", "date-time") => plain("instant"),
        ("string", _) => plain("text"),
        ("integer", _) => plain("whole number"),
        ("number", _) => plain("number"),
        ("boolean", _) => plain("true or false"),
        ("object", _) => plain("object"),
        _ => plain("anything"),
    }
}
