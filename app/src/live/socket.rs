//! The one socket of a page: connect, resume, apply, tell how fresh it is, and try again with patience.
//!
//! Freshness comes from the age of the last heartbeat and never from the state of the socket. What cannot
//! be continued is not patched over: the page says so and loads again.

use std::cell::RefCell;

use futures::{SinkExt as _, StreamExt as _, channel::mpsc, future::Either};
use gloo_net::websocket::{Message, futures::WebSocket};
use leptos::prelude::*;
use model::{
    Freshness, Outcome, Ts,
    live::{Applied, ServerMsg, reconnect_delay},
};

use super::{Link, Live, Outdated, live};
use crate::platform::{
    after_ms, every_second, is_busy, is_hidden, is_pressing, local_now, reload, server_now, set_server_now,
    tick_times,
};

/// How many messages wait while a reader has paused; beyond, the page has to be loaded again.
const MAX_WAITING: usize = 500;
/// How long a socket may take to open.
const CONNECT: model::Span = model::Span::seconds(10);
/// An open socket that is silent for so long is dead, whatever the browser believes: four heartbeats.
const SILENCE: model::Span = model::Span::seconds(20);
/// A page that is younger than this does not load itself again: it would go in circles.
const MIN_AGE: model::Span = model::Span::seconds(10);
/// While somebody types or clicks, a message waits so many times this long: what a press does is painted first.
const ASIDE: model::Span = model::Span::millis(100);
const MAX_ASIDE: u32 = 10;
/// A tab that was hidden for so long lets its socket go, so that forgotten tabs cost the server nothing.
const HIDDEN_MS: u64 = 5_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Close,
    Retry,
}

#[derive(Default)]
struct State {
    started_at: Ts,
    /// When the store last answered, by the server's clock.
    heard_at: Option<Ts>,
    /// When anything arrived, by our own clock.
    message_at: Ts,
    waiting: Vec<ServerMsg>,
    orders: Option<mpsc::UnboundedSender<Order>>,
    /// Failed events since the last announcement, and all of them.
    unsaid: (u32, u32),
    said_at: Ts,
    /// Counts the connections of the page; what an older one leaves behind does not count.
    run: u32,
    /// The tab is hidden and has let its socket go; nobody is told that the page grows old.
    released: bool,
    /// Events that came with a connection after the first one, until the server says that it is complete.
    caught_up: Option<u32>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State::default());
}

fn with<T>(f: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(f)
}

/// Starts the clock of the page and, where it follows something, its socket.
pub fn start() {
    let store = live();
    let made_at = store.board.read_untracked().now;
    let here = local_now();
    with(|state| state.started_at = here);
    // Clocks that agree roughly are taken as equal until the server says its time: a page that woke up
    // late must not believe that no time has passed.
    let apart = (here - made_at).0.abs();
    set_server_now(if apart < model::Span::minutes(10).0 { here.max(made_at) } else { made_at });
    every_second(move || tick(&live()));
    tick(&store);
    if store.board.read_untracked().topic.is_some() {
        connect();
        let hide = window_event_listener_untyped("pagehide", |_| order(Order::Close));
        let show = window_event_listener_untyped("pageshow", |event| {
            let event: &web_sys::PageTransitionEvent = wasm_bindgen::JsCast::unchecked_ref(&event);
            if event.persisted() {
                connect();
            }
        });
        let turn = window_event_listener_untyped("visibilitychange", |_| turned());
        std::mem::forget((hide, show, turn));
    }
}

/// The tab was hidden or is looked at again.
fn turned() {
    if is_hidden() {
        after_ms(HIDDEN_MS, || {
            if is_hidden() {
                with(|state| state.released = true);
                order(Order::Close);
            }
        });
    } else if with(|state| state.released) {
        connect();
    }
}

fn order(order: Order) {
    with(|state| {
        if let Some(orders) = &state.orders {
            // A closed channel means that nobody is left to be told.
            let _ = orders.unbounded_send(order);
        }
    });
}

/// Tries again now instead of waiting.
pub fn retry_now() {
    order(Order::Retry);
}

/// Stops or continues showing what arrives.
pub fn set_paused(paused: bool) {
    let store = live();
    store.paused.set(paused.then_some(0));
    if !paused {
        for message in with(|state| std::mem::take(&mut state.waiting)) {
            apply(&store, message);
        }
    }
    tick(&store);
}

fn connect() {
    let (sender, orders) = mpsc::unbounded();
    let n = with(|state| {
        state.orders = Some(sender);
        state.run += 1;
        state.caught_up = (state.run > 1).then_some(0);
        state.run
    });
    wasm_bindgen_futures::spawn_local(run(n, orders));
}

async fn run(n: u32, mut orders: mpsc::UnboundedReceiver<Order>) {
    let store = live();
    let mut attempt = 0;
    loop {
        store.link.set(Link::Connecting);
        match session(&store, &mut orders).await {
            End::Told => break,
            End::Outdated(why) => {
                outdated(&store, why);
                break;
            }
            End::Lost { was_open } => attempt = if was_open { 0 } else { attempt + 1 },
        }
        with(|state| {
            state.released = false;
            state.caught_up = Some(0);
        });
        let delay = reconnect_delay(attempt, random());
        store.link.set(Link::RetryAt(server_now().unwrap_or_else(local_now) + delay));
        if pause(delay, &mut orders).await == Some(Order::Close) {
            break;
        }
    }
    if with(|state| state.run) == n {
        store.link.set(Link::Off);
    }
}

enum End {
    /// The page asked for it.
    Told,
    /// The socket broke; whether anything had arrived on it.
    Lost { was_open: bool },
    /// The stream cannot be continued.
    Outdated(Outdated),
}

async fn session(store: &Live, orders: &mut mpsc::UnboundedReceiver<Order>) -> End {
    let mut was_open = false;
    let Some(resume) = store.board.read_untracked().resume() else { return End::Told };
    let Ok(text) = serde_json::to_string(&resume) else { return End::Told };
    let Ok(socket) = WebSocket::open(&url()) else { return End::Lost { was_open } };
    let (mut out, mut incoming) = socket.split();
    // Sending waits for the socket to open, which may never happen.
    let sent = {
        let sending = out.send(Message::Text(text));
        let patience = std::pin::pin!(pause(CONNECT, orders));
        match futures::future::select(sending, patience).await {
            Either::Left((sent, _)) => sent.is_ok(),
            Either::Right((Some(Order::Close), _)) => return End::Told,
            Either::Right(_) => false,
        }
    };
    if !sent {
        return End::Lost { was_open };
    }
    loop {
        let text = match futures::future::select(incoming.next(), orders.next()).await {
            Either::Left((Some(Ok(Message::Text(text))), _)) => text,
            Either::Left((Some(Ok(Message::Bytes(_))), _)) => return End::Outdated(Outdated::Unreadable),
            Either::Left(_) => return End::Lost { was_open },
            Either::Right((Some(Order::Retry), _)) => return End::Lost { was_open: false },
            Either::Right(_) => return End::Told,
        };
        with(|state| state.message_at = local_now());
        let Ok(message) = super::read::from_json::<ServerMsg>(&text) else {
            return End::Outdated(Outdated::Unreadable);
        };
        if !was_open {
            was_open = true;
            store.link.set(Link::Open);
        }
        for _ in 0..MAX_ASIDE {
            if !is_pressing() {
                break;
            }
            match pause(ASIDE, orders).await {
                Some(Order::Close) => return End::Told,
                Some(Order::Retry) => return End::Lost { was_open: false },
                None => {}
            }
        }
        if let Some(why) = receive(store, message) {
            return End::Outdated(why);
        }
    }
}

/// Takes one message: clock and heartbeat at once, content at once or when the reader continues.
fn receive(store: &Live, message: ServerMsg) -> Option<Outdated> {
    match &message {
        ServerMsg::Hello { server_now, .. } => {
            set_server_now(*server_now);
            with(|state| {
                state.heard_at = Some(*server_now);
                state.released = false;
            });
            tick(store);
        }
        // What waits must not be taken for known: only the clock moves on.
        ServerMsg::Heartbeat { server_now, store_read_at, .. } if store.paused.read_untracked().is_some() => {
            heard(store, *store_read_at, *server_now);
            return None;
        }
        ServerMsg::Frame { .. } if store.paused.read_untracked().is_some() => {
            let n = with(|state| {
                state.waiting.push(message);
                state.waiting.len()
            });
            store.paused.set(Some(u32::try_from(n).unwrap_or(u32::MAX)));
            return (n > MAX_WAITING).then_some(Outdated::Missing);
        }
        _ => {}
    }
    apply(store, message)
}

fn heard(store: &Live, store_read_at: Ts, server_now: Ts) {
    set_server_now(server_now);
    with(|state| state.heard_at = Some(store_read_at));
    tick(store);
    if let Some(n) = with(|state| state.caught_up.take()) {
        // What comes next is said later, so that this can be heard.
        with(|state| state.said_at = local_now());
        store.said.set(match n {
            0 => "up to date again".to_owned(),
            n => format!("caught up {}", crate::ui::text::plural(i64::from(n), "event")),
        });
    }
}

fn apply(store: &Live, message: ServerMsg) -> Option<Outdated> {
    // Only news wakes the islands; a heartbeat must not.
    let result = store.board.try_maybe_update(|board| {
        let result = board.apply(message);
        (matches!(result, Applied::News { .. }), result)
    });
    match result.unwrap_or(Applied::Nothing) {
        Applied::News { n_events, n_failed } => announce(store, n_events, n_failed),
        Applied::Nothing => {}
        Applied::Missing { .. } => return Some(Outdated::Missing),
        Applied::OtherBuild => return Some(Outdated::OtherBuild),
        // The server closes the socket next; the new one continues.
        Applied::Behind => {}
        Applied::Heartbeat { store_read_at, server_now } => heard(store, store_read_at, server_now),
    }
    None
}

/// Says how much is new, at most every ten seconds.
fn announce(store: &Live, n_events: u32, n_failed: u32) {
    let now = local_now();
    let words = with(|state| {
        if let Some(n) = &mut state.caught_up {
            *n += n_events;
            return None;
        }
        state.unsaid.0 += n_events;
        state.unsaid.1 += n_failed;
        if state.unsaid.0 == 0 || now - state.said_at < model::Span::seconds(10) {
            return None;
        }
        state.said_at = now;
        let (events, failed) = std::mem::take(&mut state.unsaid);
        Some(match failed {
            0 => format!("{events} new events"),
            failed => format!("{events} new events, {failed} {}", Outcome::Failed.as_str()),
        })
    });
    if let Some(words) = words {
        store.said.set(words);
    }
}

/// Once a second: the times on the page, and how fresh it is.
fn tick(store: &Live) {
    let Some(now) = server_now() else { return };
    tick_times(now);
    if with(|state| state.released) {
        return;
    }
    if *store.link.read_untracked() == Link::Open && local_now() - with(|state| state.message_at) > SILENCE {
        with(|state| state.message_at = local_now());
        order(Order::Retry);
    }
    let paused = *store.paused.read_untracked();
    let heard = with(|state| state.heard_at);
    let fresh = match (paused, heard) {
        (Some(newer), _) => Some(Freshness::Paused { newer }),
        (None, Some(heard)) => Some(Freshness::of_heartbeat(heard, now)),
        // Never connected: as fresh as the page itself, once it should have been connected.
        (None, None) if store.board.read_untracked().topic.is_some() => {
            match Freshness::of_heartbeat(store.board.read_untracked().now, now) {
                Freshness::Live => None,
                older => Some(older),
            }
        }
        (None, None) => None,
    };
    if *store.fresh.read_untracked() != fresh {
        store.fresh.set(fresh);
    }
}

fn outdated(store: &Live, why: Outdated) {
    let age = local_now() - with(|state| state.started_at);
    if age > MIN_AGE && !is_busy() {
        reload();
    } else {
        store.outdated.set(Some(why));
    }
}

async fn pause(delay: model::Span, orders: &mut mpsc::UnboundedReceiver<Order>) -> Option<Order> {
    let (done, timer) = futures::channel::oneshot::channel();
    let ms = u64::try_from(delay.as_millis()).unwrap_or(0);
    after_ms(ms, move || {
        // The receiver is gone where the reader did not want to wait.
        let _ = done.send(());
    });
    match futures::future::select(timer, orders.next()).await {
        Either::Left(_) => None,
        Either::Right((order, _)) => Some(order.unwrap_or(Order::Close)),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a random number below 256")]
fn random() -> u32 {
    (js_sys::Math::random() * 256.0) as u32
}

fn url() -> String {
    let location = web_sys::window().map(|window| window.location());
    let part = |f: fn(&web_sys::Location) -> Result<String, wasm_bindgen::JsValue>| {
        location.as_ref().and_then(|location| f(location).ok()).unwrap_or_default()
    };
    let scheme = if part(web_sys::Location::protocol) == "https:" { "wss" } else { "ws" };
    format!("{scheme}://{}/live", part(web_sys::Location::host))
}
