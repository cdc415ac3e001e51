//! Objects: what is said about them, what is wanted, what is.

use model::{FieldState, Fields, Gap, Judgement, Object, Ts, Verdict, verdict::Attention, view::ObjectView};

use super::{Done, Part, Table, Terminal, bad, dim, event_table, good, log_line, plain, strong, warn};

/// `✖ Failed`: the word always comes with the glyph.
pub(crate) fn verdict(verdict: Verdict) -> Part {
    let text = format!("{} {}", verdict.glyph(), verdict.word());
    match (verdict, verdict.attention()) {
        (_, Attention::Act) => bad(text),
        (_, Attention::Look) => warn(text),
        (Verdict::Converged, _) => good(text),
        _ => plain(text),
    }
}

/// `✖ Stuck  checkout/prod …  (4 min)`.
pub(crate) fn judgement_line(terminal: &mut Terminal, judgement: &Judgement, now: Ts) -> Done {
    let Judgement { verdict: word, since, sentence, because: _ } = judgement;
    terminal.line(&[
        verdict(*word),
        plain("  "),
        strong(sentence),
        dim(format!("  since {} ({})", since.clock(), (now - *since).words())),
    ])
}

/// Desired beside current, and why they differ.
pub(crate) fn gap_table(gap: &Gap) -> Table {
    let mut table = Table::new(&["FIELD", "DESIRED", "CURRENT", "WHY"]);
    for row in &gap.rows {
        let current = row.current.clone().unwrap_or_else(|| "not reported".to_owned());
        let current = match row.state {
            FieldState::Equal => plain(current),
            FieldState::Moving => warn(format!("{current} ◔")),
            FieldState::Differs => bad(format!("{current} ≠")),
            FieldState::UnknownCurrent => warn(format!("{current} ?")),
        };
        let why = row.why.as_ref().map(|why| format!("{} ({}, {})", why.text, why.by, why.at.clock()));
        table.row([plain(&row.field), plain(&row.desired), current, plain(why.unwrap_or_default())]);
    }
    table
}

/// The chain of causes, the limit and the next step.
pub(crate) fn gap_notes(terminal: &mut Terminal, gap: &Gap) -> Done {
    for (depth, link) in gap.chain.iter().enumerate() {
        let attempt = link.attempt.map(|n| format!(", attempt {n}")).unwrap_or_default();
        terminal.line(&[
            plain(format!("{}└ ", "  ".repeat(depth.min(10)))),
            verdict(link.verdict),
            plain(format!(" {} {}: {}", link.object.kind(), link.name, link.text)),
            dim(format!("  since {}{attempt}", link.since.clock())),
        ])?;
    }
    for text in [&gap.limit, &gap.looked_at].into_iter().flatten() {
        terminal.line(&[dim(text)])?;
    }
    match &gap.next {
        Some(next) => {
            let command = next.command.as_ref().map(|command| format!(": {command}")).unwrap_or_default();
            terminal.say(format!("next  {}{command}", next.label))
        }
        None => Ok(()),
    }
}

/// Everything about one object.
pub(crate) fn object_page(terminal: &mut Terminal, view: &ObjectView, now: Ts) -> Done {
    let ObjectView { object, judgement, gap, related, events, logs, stale_since, .. } = view;
    judgement_line(terminal, judgement, now)?;
    if let Some(since) = stale_since {
        terminal.line(&[warn(format!("its source is silent since {since}; this is what was last known"))])?;
    }
    head(terminal, object, now)?;
    if !gap.rows.is_empty() {
        terminal.say("")?;
        terminal.table(&gap_table(gap), "")?;
        gap_notes(terminal, gap)?;
    }
    section(terminal, "DESIRED", &fields(&object.desired), "nothing is declared")?;
    section(terminal, "CURRENT", &fields(&object.current), "nothing is reported")?;
    section(terminal, "CONDITIONS", &conditions(object, now), "no condition was ever reported")?;
    let mut table = Table::new(&["RELATION", "KIND", "ID", "NAME", "VERDICT"]);
    for other in related {
        table.row([
            plain(&other.rel),
            plain(other.object.kind().as_str()),
            plain(other.object.id()),
            plain(&other.name),
            other.verdict.map_or_else(|| dim("not recorded"), verdict),
        ]);
    }
    section(terminal, "RELATED", &table, "no relations")?;
    section(terminal, "EVENTS", &event_table(events.iter().take(10).rev()), "no events")?;
    if let Some(lines) = logs {
        terminal.line(&[plain(""), dim("")])?;
        terminal.line(&[strong("LOGS")])?;
        for line in &lines[lines.len().saturating_sub(10)..] {
            log_line(terminal, line)?;
        }
    }
    Ok(())
}

fn head(terminal: &mut Terminal, object: &Object, now: Ts) -> Done {
    let place = [&object.app, &object.env].map(|name| name.clone().unwrap_or_else(|| "-".to_owned()));
    let observed = object.observed_generation.map_or_else(|| "not reported".to_owned(), |n| n.to_string());
    let mut rows = vec![
        ("kind", object.key.kind().to_string()),
        ("id", object.key.id().to_owned()),
        ("name", object.name.clone()),
        ("app/env", place.join("/")),
        ("generation", format!("{} (observed {observed})", object.generation)),
        ("created", format!("{} ({})", object.created_at, (now - object.created_at).words())),
        ("reported", format!("{} ({})", object.updated_at, (now - object.updated_at).words())),
    ];
    rows.extend(object.gone_at.map(|at| ("gone", at.to_string())));
    rows.into_iter().try_for_each(|(key, value)| terminal.say(format!("{key:<12}{value}")))
}

fn conditions(object: &Object, now: Ts) -> Table {
    let mut table = Table::new(&["TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"]);
    for condition in &object.conditions {
        let status = condition.status.as_str();
        let status = match condition.is_about_older(object.generation) {
            true => {
                format!("{status} (about generation {})", condition.observed_generation.unwrap_or_default())
            }
            false => status.to_owned(),
        };
        table.row([
            plain(&condition.ty),
            plain(status),
            plain(&condition.reason),
            plain((now - condition.since).words()),
            plain(&condition.message),
        ]);
    }
    table
}

fn fields(fields: &Fields) -> Table {
    let mut table = Table::new(&["FIELD", "VALUE"]);
    for (key, value) in fields {
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        table.row([plain(key), plain(value)]);
    }
    table
}

fn section(terminal: &mut Terminal, title: &str, table: &Table, nothing: &str) -> Done {
    terminal.say("")?;
    terminal.line(&[strong(title)])?;
    terminal.table(table, nothing)
}
