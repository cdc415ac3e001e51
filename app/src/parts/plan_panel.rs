//! A computed plan: what will change, what will not, what was checked, and one button that names what it does.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::{GuardrailLevel, Plan, Ts, Verb};

use crate::{
    api::PlanPage,
    layout::Keys,
    ui::{
        banner::{Level, banner},
        form::hidden,
        text::{outside, visible},
        time,
    },
};

/// How long "wait for convergence" watches.
const WAIT_SECONDS: &str = "600";

/// The panel, as a page and in a dialog. `may_act` is false for readers whose role does not allow writing.
pub fn plan_panel(page: &PlanPage, keys: &Keys, may_act: bool, cancel: String, now: Ts) -> AnyView {
    let plan = &page.plan;
    let changes: Vec<_> = plan
        .will_change
        .iter()
        .map(|change| {
            view! {
                <tr>
                    <th scope="row">{outside(&change.field)}</th>
                    <td><del>{outside(&change.from)}</del>" → "<ins>{outside(&change.to)}</ins></td>
                </tr>
            }
        })
        .collect();
    let changes = if changes.is_empty() {
        view! { <p class="muted">"Nothing: desired state is already like this."</p> }.erased()
    } else {
        view! {
            <table class="plan-changes"><caption class="sr">"What will change"</caption><tbody>{changes}</tbody></table>
        }
        .erased()
    };
    let kept = list(&plan.will_not_change);
    let steps = (!plan.steps.is_empty()).then(|| {
        let steps: Vec<_> = plan.steps.iter().map(|step| view! { <li>{outside(step)}</li> }).collect();
        view! { <details class="fold" open><summary>"Steps"</summary><ol>{steps}</ol></details> }
    });
    view! {
        <div class="plan" data-verb=plan.verb.as_str()>
            {page.notice.as_deref().map(|notice| view! { <div role="alert">{banner(Level::Warn, outside(notice))}</div> })}
            <p class="muted">
                "Planned "{time::ago(plan.made_at, now)}" for generation "{plan.expected_generation}
                ". Nothing happens before you confirm."
            </p>
            {choose(page)}
            <div class="plan-columns">
                <section><h2>"Will change"</h2>{changes}</section>
                <section><h2>"Will not change"</h2>{kept}</section>
            </div>
            {steps}
            <h2>"Guardrails"</h2>
            {guardrails(plan)}
            {confirm(page, keys, may_act, cancel)}
        </div>
    }
    .erased()
}

fn list(items: &[String]) -> AnyView {
    if items.is_empty() {
        return view! { <p class="muted">"Nothing else is touched."</p> }.erased();
    }
    let items: Vec<_> = items.iter().map(|item| view! { <li>{outside(item)}</li> }).collect();
    view! { <ul>{items}</ul> }.erased()
}

fn guardrails(plan: &Plan) -> AnyView {
    let items: Vec<_> = plan
        .guardrails
        .iter()
        .map(|guardrail| {
            let (level, glyph, word) = match guardrail.level {
                GuardrailLevel::Pass => ("pass", "✓", "passed"),
                GuardrailLevel::Warn => ("warn", "▲", "warning"),
                GuardrailLevel::Block => ("block", "✖", "blocks"),
            };
            view! {
                <li data-level=level>
                    <span aria-hidden="true">{glyph}</span>
                    <span class="sr">{word}": "</span>
                    " "
                    {outside(&guardrail.text)}
                </li>
            }
        })
        .collect();
    view! { <ul class="guardrails">{items}</ul> }.erased()
}

/// Another release, or another number: asks for a new plan and changes nothing.
fn choose(page: &PlanPage) -> Option<AnyView> {
    let plan = &page.plan;
    let action = format!("/actions/{}/plan", plan.verb.as_str());
    let fields = match plan.verb {
        Verb::Deploy | Verb::Rollback if page.releases.len() > 1 => {
            let options: Vec<_> = page
                .releases
                .iter()
                .map(|(id, name)| {
                    let chosen = plan.intent.release.as_ref() == Some(id);
                    view! { <option value=id.to_string() selected=chosen>{visible(name)}</option> }
                })
                .collect();
            view! { <label>"Release "<select name="release">{options}</select></label> }.erased()
        }
        Verb::Scale => {
            let asked = plan.ask.process.clone();
            let options: Vec<_> = page
                .processes
                .keys()
                .map(|name| {
                    let chosen = asked.as_ref() == Some(name);
                    view! { <option value=name.clone() selected=chosen>{visible(name)}</option> }
                })
                .collect();
            let first = asked
                .as_ref()
                .and_then(|name| page.processes.get(name))
                .or_else(|| page.processes.values().next());
            let n = plan.ask.instances.or(first.copied()).unwrap_or(1).to_string();
            view! {
                <label>"Process "<select name="process">{options}</select></label>
                <label>"Instances "<input type="number" name="instances" min="0" max="1000" value=n required/></label>
            }
            .erased()
        }
        _ => return None,
    };
    Some(
        view! {
            <form method="get" action=action class="choose">
                {hidden("env", plan.target.env_id.to_string())}
                {fields}
                <button type="submit" class="button">"Plan again"</button>
            </form>
        }
        .erased(),
    )
}

fn confirm(page: &PlanPage, keys: &Keys, may_act: bool, cancel: String) -> AnyView {
    let plan = &page.plan;
    let why_not = match plan.blocked() {
        Some(why) => Some(why.to_owned()),
        None if !may_act => Some("Your role may read. Confirming needs the role operator.".to_owned()),
        None if plan.changes_nothing() => Some("There is nothing to change.".to_owned()),
        None => None,
    };
    let cancel = view! { <a class="button" href=cancel>"Cancel"</a> };
    if let Some(why) = why_not {
        return view! {
            <p class="blocked"><strong>"Cannot be confirmed: "</strong>{outside(&why)}</p>
            <p class="row">{cancel}</p>
        }
        .erased();
    }
    let ask = &plan.ask;
    let typed = plan.type_to_confirm.as_ref().map(|text| {
        let text = visible(text);
        view! {
            <label class="field">
                <span>"Type "<code>{text}</code>" to confirm"</span>
                <input type="text" name="typed" autocomplete="off" required/>
            </label>
        }
    });
    let action = format!("/actions/{}", plan.verb.as_str());
    view! {
        <form method="post" action=action class="confirm">
            {hidden("form_token", keys.token.clone())}
            {hidden("idempotency_key", keys.idempotency.clone())}
            {hidden("env", plan.target.env_id.to_string())}
            {hidden("generation", plan.expected_generation.to_string())}
            {hidden("plan_hash", plan.hash.clone())}
            {ask.release.as_ref().map(|release| hidden("release", release.to_string()))}
            {ask.process.clone().map(|process| hidden("process", process))}
            {ask.instances.map(|n| hidden("instances", n.to_string()))}
            <label class="field">
                <span>"Reason "<small>"(goes to the audit log)"</small></span>
                <input type="text" name="reason" maxlength="500" value=page.reason.clone()/>
            </label>
            {typed}
            <label class="check">
                <input type="checkbox" name="wait" value=WAIT_SECONDS checked/>
                <span>"Wait for convergence (10 min)"</span>
            </label>
            <p class="row end">
                {cancel}
                <button type="submit" class="button primary">{visible(&plan.confirm)}</button>
            </p>
        </form>
    }
    .erased()
}
