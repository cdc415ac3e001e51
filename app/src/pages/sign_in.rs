//! Signing in: a token pasted into a field, or the one-time link that `vt serve` printed.

use crate::ui::erase::Erase as _;
use leptos::prelude::*;
use model::Ts;

use super::{document, still};
use crate::{
    layout::{Crumb, Frame, Look, frame, head},
    ui::{
        banner::{Level, banner},
        form::hidden,
        id_chip::command,
        text::outside,
    },
};

/// The sign-in page. The form posts `token` and `return_to` to `/sign-in`; opened with a one-time link, it posts
/// `link` and `return_to` instead: opening a link changes nothing, its button does.
#[must_use]
pub fn render_sign_in(
    return_to: &str,
    link: Option<&str>,
    message: Option<&str>,
    now: Ts,
    look: &Look<'_>,
) -> String {
    let return_to = return_to.to_owned();
    let link = link.map(ToOwned::to_owned);
    let message = message.map(ToOwned::to_owned);
    let board = still(now, &look.assets.build_id);
    let around = Frame::bare(look);
    let token = look.form_token.to_owned();
    let place = return_to.split('?').next().filter(|place| *place != "/").map(ToOwned::to_owned);
    document("Sign in · Vantage".to_owned(), look, move || {
        frame(around, board, move || {
            view! {
                {head(vec![Crumb::here("Sign in")], view! { <h1 class="sentence"><span class="sentence-text">"Sign in to see this."</span></h1> }, ())}
                {message.map(|message| view! { <div role="alert">{banner(Level::Bad, outside(&message))}</div> })}
                <section class="panel narrow">
                    {place.map(|place| view! { <p>"You will come to "<code>{outside(&place)}</code>", which only people with a token may see."</p> })}
                    {form(link, token, return_to)}
                    <p class="muted">"Or open the one-time link that "<code>"vt serve"</code>" printed. Another token: "{command("vt token create NAME --role viewer")}</p>
                </section>
            }
            .erased()
        })
    })
}

fn form(link: Option<String>, token: String, return_to: String) -> AnyView {
    let what = match link {
        Some(link) => view! {
            {hidden("link", link)}
            <p>"This one-time link signs you in as the administrator of this server."</p>
        }
        .erased(),
        None => view! {
            <label class="field">
                <span>"Token"</span>
                <input type="password" name="token" autocomplete="current-password" required maxlength="200" placeholder="vt_…"/>
            </label>
        }
        .erased(),
    };
    view! {
        <form method="post" action="/sign-in" class="stack">
            {hidden("form_token", token)}
            {hidden("return_to", return_to)}
            {what}
            <p class="row end"><button type="submit" class="button primary">"Sign in"</button></p>
        </form>
    }
    .erased()
}
