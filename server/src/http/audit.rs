//! The audit page, and its export for spreadsheets and programs.

use app::api::{Backend as _, PageError, Viewer};
use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use model::{
    ViewState,
    audit::{AuditLine, AuditState},
};

use super::pages::Ask4Page;
use crate::backend::Pages;

/// `/audit`
pub(super) async fn page(request: Ask4Page) -> Response {
    let (state, strange) = AuditState::parse(&request.query);
    let loaded = request.load(async |backend, who| backend.audit(&who, &state).await).await;
    request.answer(loaded, ViewState::default(), strange)
}

/// `/audit.csv`
pub(super) async fn csv(request: Ask4Page) -> Response {
    export(&request, "csv", |rows| {
        ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], as_csv(&rows)).into_response()
    })
    .await
}

/// `/audit.json`
pub(super) async fn json(request: Ask4Page) -> Response {
    export(&request, "json", |rows| Json(rows).into_response()).await
}

async fn export(request: &Ask4Page, ending: &str, write: impl Fn(Vec<AuditLine>) -> Response) -> Response {
    let (state, strange) = AuditState::parse(&request.query);
    if let Some(strange) = strange.first() {
        // A file cannot say that a filter was left out.
        return request.error(&PageError::Invalid { what: format!("the filter {strange} is not known") });
    }
    let load =
        async |backend: Pages, who: Viewer| backend.audit_export(&who, &state.filter, state.before).await;
    let (rows, rest) = match request.load(load).await {
        Ok(loaded) => loaded,
        Err(error) => return request.error(&error),
    };
    let mut response = write(rows);
    let headers = response.headers_mut();
    let name = format!("attachment; filename=\"vantage-audit.{ending}\"");
    headers.extend(HeaderValue::from_str(&name).map(|name| (header::CONTENT_DISPOSITION, name)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    let next = rest.map(|rest| {
        let path = format!("/audit.{ending}");
        HeaderValue::from_str(&format!("<{}>; rel=\"next\"", state.filter.link(&path, Some(rest))))
    });
    headers.extend(next.and_then(Result::ok).map(|next| (header::LINK, next)));
    response
}

const HEAD: &str = "seq,time,actor,role,verb,target,result,reason,receipt,trace_id\r\n";

fn as_csv(rows: &[AuditLine]) -> String {
    let mut out = String::with_capacity(HEAD.len() + rows.len() * 120);
    out.push_str(HEAD);
    for row in rows {
        let AuditLine { seq, at, actor, role, action, target, reason, outcome, receipt, trace_id } = row;
        let receipt = receipt.as_deref().unwrap_or_default();
        let (seq, at) = (seq.to_string(), at.to_string());
        let cells = [&seq, &at, actor, role.as_str(), action, target, outcome, reason, receipt, trace_id];
        for (i, text) in cells.into_iter().enumerate() {
            out.push_str(if i == 0 { "" } else { "," });
            cell(&mut out, text);
        }
        out.push_str("\r\n");
    }
    out
}

/// One cell of RFC 4180. What a spreadsheet would take for a formula gets an apostrophe in front.
fn cell(out: &mut String, text: &str) {
    let runs = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !runs && !text.contains(['"', ',', '\r', '\n']) {
        out.push_str(text);
        return;
    }
    out.push('"');
    if runs {
        out.push('\'');
    }
    out.push_str(&text.replace('"', "\"\""));
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_formulas_do_not_run() {
        let written = |text: &str| {
            let mut out = String::new();
            cell(&mut out, text);
            out
        };
        assert_eq!(written("plain text"), "plain text");
        assert_eq!(written("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
        assert_eq!(written("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!(written("-1"), "\"'-1\"");
    }
}
