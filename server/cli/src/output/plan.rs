//! A plan: what will change, what will not, what was checked.

use model::{GuardrailLevel, Plan};

use super::{Done, Terminal, bad, dim, good, plain, strong, warn};

/// The whole plan, in the order in which a person decides.
pub(crate) fn plan_page(terminal: &mut Terminal, plan: &Plan) -> Done {
    terminal.line(&[strong(&plan.title)])?;
    terminal.say("will change")?;
    if plan.changes_nothing() {
        terminal.line(&[dim("  nothing")])?;
    }
    for change in &plan.will_change {
        terminal.say(format!("  {}: {} → {}", change.field, change.from, change.to))?;
    }
    list(terminal, "will not change", &plan.will_not_change)?;
    list(terminal, "steps", &plan.steps)?;
    if !plan.guardrails.is_empty() {
        terminal.say("guardrails")?;
    }
    for guardrail in &plan.guardrails {
        let mark = match guardrail.level {
            GuardrailLevel::Pass => good("  ✓ "),
            GuardrailLevel::Warn => warn("  ▲ warning: "),
            GuardrailLevel::Block => bad("  ✖ blocked: "),
        };
        terminal.line(&[mark, plain(&guardrail.text)])?;
    }
    Ok(())
}

fn list(terminal: &mut Terminal, title: &str, items: &[String]) -> Done {
    if items.is_empty() {
        return Ok(());
    }
    terminal.say(title)?;
    items.iter().try_for_each(|item| terminal.say(format!("  {item}")))
}
