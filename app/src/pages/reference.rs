//! `/api`: what programs can ask for, read from the same document that they read.

use leptos::prelude::*;
use model::ViewState;

use super::{Follow, Screen};
use crate::{
    api::{
        Page,
        reference::{Answer, Content, Field, Kind, Operation, Reference, Section, Shape},
    },
    layout::{Crumb, Keys, head},
    ui::{erase::Erase as _, table::columns, text::plural},
};

impl Screen for Reference {
    fn title(&self) -> String {
        "API · Vantage".to_owned()
    }

    fn follow(&self, _state: &ViewState) -> Follow {
        Follow::default()
    }

    fn view(page: Page<Self>, _state: ViewState, _keys: Keys) -> AnyView {
        let Reference { about, sections, shapes } = page.data;
        let n: usize = sections.iter().map(|section| section.operations.len()).sum();
        let sentence = format!("{} for programs.", plural(i64::try_from(n).unwrap_or(i64::MAX), "operation"));
        let sentence = view! { <h1 class="sentence"><span class="sentence-text">{sentence}</span></h1> };
        let subjects: Vec<_> = sections
            .iter()
            .map(|section| view! { <li><a href=format!("#{}", section.name)>{section.name.clone()}</a></li> })
            .collect();
        let sections: Vec<_> = sections.into_iter().map(section).collect();
        let shapes: Vec<_> = shapes.into_iter().map(shape).collect();
        view! {
            {head(vec![Crumb::to("Overview", "/"), Crumb::here("API")], sentence, ())}
            <p>{about}</p>
            <p class="muted">
                "Programs send " <code>"Authorization: Bearer …"</code> ". The same as "
                <a href="/api/v1/openapi.json">"an OpenAPI document"</a> "; codes of errors are listed under "
                <a href="/codes">"error codes"</a> "."
            </p>
            <nav aria-label="Subjects"><ul class="reference-subjects">{subjects}<li><a href="#shapes">"shapes"</a></li></ul></nav>
            {sections}
            <section class="panel" id="shapes" aria-labelledby="shapes-title">
                <h2 id="shapes-title">"Shapes"</h2>
                {shapes}
            </section>
        }
        .erased()
    }
}

fn section(section: Section) -> AnyView {
    let Section { name, operations } = section;
    let (id, title) = (name.clone(), format!("{name}-title"));
    let labelled = title.clone();
    let operations: Vec<_> = operations.into_iter().map(operation).collect();
    view! {
        <section class="panel" id=id aria-labelledby=labelled>
            <h2 id=title>{name}</h2>
            {operations}
        </section>
    }
    .erased()
}

fn operation(operation: Operation) -> AnyView {
    let Operation { method, path, about, parameters, body, answers } = operation;
    let parameters = (!parameters.is_empty()).then(|| fields("Parameters", true, parameters));
    let body = body.map(|body| view! { <p>"Send " {content(body)} "."</p> });
    let answers: Vec<_> = answers.into_iter().map(answer).collect();
    view! {
        <details class="reference">
            <summary><code><b>{method}</b> " " {path}</code> " " <span class="muted">{about}</span></summary>
            {parameters}
            {body}
            <h3>"Answers"</h3>
            <table class="stacks">
                <caption class="sr">"Answers"</caption>
                {columns(&["Status", "Means", "Holds"])}
                <tbody>{answers}</tbody>
            </table>
        </details>
    }
    .erased()
}

fn answer(answer: Answer) -> AnyView {
    let holds = answer.content.map_or_else(|| "nothing".into_any(), content);
    view! {
        <tr>
            <th scope="row"><code>{answer.status}</code></th>
            <td data-label="Means">{answer.about}</td>
            <td data-label="Holds">{holds}</td>
        </tr>
    }
    .erased()
}

fn content(content: Content) -> AnyView {
    view! { {kind(content.kind)} " as " <code>{content.media}</code> }.erased()
}

/// What something holds; a shape has a place on this page.
fn kind(kind: Kind) -> AnyView {
    match kind.shape {
        Some(shape) => view! { <a href=format!("#shape-{shape}")>{kind.words}</a> }.erased(),
        None => view! { <span>{kind.words}</span> }.erased(),
    }
}

fn fields(title: &'static str, placed: bool, fields: Vec<Field>) -> AnyView {
    let rows: Vec<_> = fields
        .into_iter()
        .map(|field| {
            let place = placed.then(|| view! { <td data-label="In">{field.place}</td> });
            view! {
                <tr>
                    <th scope="row"><code>{field.name}</code></th>
                    {place}
                    <td data-label="Holds">{kind(field.kind)}</td>
                    <td data-label="Needed">{if field.needed { "needed" } else { "may be left out" }}</td>
                    <td data-label="Means">{field.about}</td>
                </tr>
            }
        })
        .collect();
    let heads = match placed {
        true => columns(&["Name", "In", "Holds", "Needed", "Means"]),
        false => columns(&["Name", "Holds", "Needed", "Means"]),
    };
    view! {
        <h3>{title}</h3>
        <table class="stacks"><caption class="sr">{title}</caption>{heads}<tbody>{rows}</tbody></table>
    }
    .erased()
}

fn shape(shape: Shape) -> AnyView {
    let Shape { name, about, kind: what, fields: parts } = shape;
    let parts = match parts.is_empty() {
        true => view! { <p>{kind(what)}</p> }.erased(),
        false => fields("Fields", false, parts),
    };
    let id = format!("shape-{name}");
    view! {
        <details class="reference" id=id>
            <summary><code>{name}</code> " " <span class="muted">{about}</span></summary>
            {parts}
        </details>
    }
    .erased()
}
