//! The JSON Schema of the app file, so that editors complete and underline it.
//!
//! It says what the parser accepts, less the rules that a schema cannot say (a health check needs a port).

use serde_json::{Value, json};

/// The schema; served at `/api/v1/schemas/vantage.yaml.json`.
#[must_use]
pub fn json_schema() -> Value {
    let duration = |default: &str| {
        json!({
            "type": "string", "pattern": "^([0-9]+(ms|s|m|h|d))+$", "default": default,
            "description": "A duration such as 250ms, 2s or 1m30s."
        })
    };
    let name = "^[a-z0-9-]{1,40}$";
    let health = json!({
        "description": "How readiness is found out.",
        "default": "none",
        "oneOf": [
            { "enum": ["none", "tcp"] },
            {
                "type": "object", "additionalProperties": false,
                "properties": {
                    "http": { "type": "string", "pattern": "^/[!-~]*$", "description": "GET this path; 2xx is healthy." },
                    "tcp": { "type": "boolean", "description": "Connect; nothing is sent." },
                    "interval": duration("2s"), "timeout": duration("1s"),
                    "failures": { "type": "integer", "minimum": 1, "maximum": 100, "default": 3 }
                }
            }
        ]
    });
    let process = json!({
        "type": "object", "additionalProperties": false, "required": ["command"],
        "properties": {
            "command": {
                "type": "array", "minItems": 1, "maxItems": 200, "items": { "type": "string" },
                "description": "Program and arguments. $PORT becomes the port that the platform chose."
            },
            "workdir": { "type": "string", "description": "Inside the artefact, unless absolute." },
            "environment": { "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } },
            "instances": { "type": "integer", "minimum": 0, "maximum": 100, "default": 1 },
            "port": {
                "type": "integer", "minimum": 1, "maximum": 65535,
                "description": "What the process documents. Each instance really listens on $PORT."
            },
            "health": health,
            "restart": {
                "type": "object", "additionalProperties": false,
                "properties": { "from": duration("1s"), "to": duration("60s") },
                "description": "Back-off between starts; it doubles."
            },
            "stop_grace": duration("10s")
        }
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "vantage.yaml",
        "description": "One app in one env of the embedded platform.",
        "type": "object", "additionalProperties": false, "required": ["app", "env", "processes"],
        "properties": {
            "app": { "type": "string", "pattern": name },
            "env": { "type": "string", "pattern": name },
            "artefact": {
                "type": "array", "items": { "type": "string" }, "uniqueItems": true,
                "description": "Files and folders that a release pins, relative to this file."
            },
            "processes": {
                "type": "object", "minProperties": 1, "maxProperties": 20, "additionalProperties": false,
                "patternProperties": { name: process }
            },
            "rollout": {
                "type": "object", "additionalProperties": false,
                "properties": {
                    "strategy": { "enum": ["rolling", "all_at_once", "all-at-once"], "default": "rolling" },
                    "max_unavailable": { "type": "integer", "minimum": 1, "maximum": 100, "default": 1 }
                }
            }
        }
    })
}
