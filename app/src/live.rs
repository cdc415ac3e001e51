//! The page's one live store: the board that the server rendered from, kept current in the browser.
//!
//! On the server every render provides its own [`Live`] as context. In the browser there is one for the
//! page, parsed from the JSON script [`BOARD`], so that the first render of every island equals what the
//! server sent. Nothing here touches the socket; that is `live::socket`, and it starts only after every
//! island is awake.

#[cfg(any(test, feature = "hydrate"))]
pub mod read;
#[cfg(feature = "hydrate")]
pub mod socket;

use leptos::prelude::*;
use model::{
    Freshness, Seq, Ts,
    live::{Board, State},
    stream::EventList,
    view::{EnvView, ObjectView, Overview},
};

/// The id of the JSON script that carries the board.
pub const BOARD: &str = "vt-board";

/// How the connection stands, beside how fresh the data is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Link {
    /// Not yet tried, or nothing to follow.
    #[default]
    Off,
    /// Connecting now.
    Connecting,
    /// Open.
    Open,
    /// Closed; the next try is at this time of the server's clock, which the page ticks by.
    RetryAt(Ts),
}

/// Why the page should be loaded again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outdated {
    /// The server was replaced by another build.
    OtherBuild,
    /// A part of the stream was not sent.
    Missing,
    /// A message could not be read.
    Unreadable,
}

/// What islands read.
#[derive(Debug, Clone)]
pub struct Live {
    /// The board.
    pub board: ArcRwSignal<Board>,
    /// How fresh it is; `None` before the first heartbeat.
    pub fresh: ArcRwSignal<Option<Freshness>>,
    /// How the connection stands.
    pub link: ArcRwSignal<Link>,
    /// Why the page should be loaded again.
    pub outdated: ArcRwSignal<Option<Outdated>>,
    /// Whether updates wait, and how many do.
    pub paused: ArcRwSignal<Option<u32>>,
    /// What a screen reader is told next.
    pub said: ArcRwSignal<String>,
}

impl Live {
    /// A store that shows this board.
    #[must_use]
    pub fn new(board: Board) -> Self {
        Self {
            board: ArcRwSignal::new(board),
            fresh: ArcRwSignal::new(None),
            link: ArcRwSignal::new(Link::Off),
            outdated: ArcRwSignal::new(None),
            paused: ArcRwSignal::new(None),
            said: ArcRwSignal::new(String::new()),
        }
    }
}

/// A board about nothing, for pages whose script is missing or unreadable.
fn blank() -> Board {
    Board {
        build_id: String::new(),
        store_id: String::new(),
        as_of: Seq(0),
        now: Ts(0),
        topic: None,
        state: None,
        list: EventList::default(),
    }
}

/// The store of this page.
#[must_use]
pub fn live() -> Live {
    #[cfg(feature = "hydrate")]
    {
        thread_local! {
            static LIVE: Live = Live::new(
                crate::platform::text_of(BOARD)
                    .and_then(|text| read::from_json(&text).ok())
                    .unwrap_or_else(blank),
            );
        }
        LIVE.with(Live::clone)
    }
    #[cfg(not(feature = "hydrate"))]
    {
        use_context().unwrap_or_else(|| Live::new(blank()))
    }
}

/// The server's clock as this page knows it: the time of the render until the socket has said hello.
#[must_use]
pub fn now() -> Ts {
    crate::platform::server_now().unwrap_or_else(|| live().board.read_untracked().now)
}

/// A part of the board that re-renders only when it changes.
pub fn slice<T>(pick: impl Fn(&Board) -> T + Send + Sync + 'static) -> Memo<T>
where
    T: PartialEq + Send + Sync + 'static,
{
    let board = live().board;
    Memo::new(move |_| board.with(&pick))
}

/// The app-env that the page is about.
#[must_use]
pub fn env(board: &Board) -> Option<&EnvView> {
    match &board.state {
        Some(State::Env { view }) => Some(view),
        _ => None,
    }
}

/// The object that the page is about.
#[must_use]
pub fn object(board: &Board) -> Option<&ObjectView> {
    match &board.state {
        Some(State::Object { view }) => Some(view),
        _ => None,
    }
}

/// The overview.
#[must_use]
pub fn overview(board: &Board) -> Option<&Overview> {
    match &board.state {
        Some(State::Overview { view }) => Some(view),
        _ => None,
    }
}

/// The title of the tab, from what the page is about: `⧗ Stuck · checkout/prod · Vantage`.
#[must_use]
pub fn title(state: &State) -> String {
    let judged = |judgement: &model::Judgement, name: &str| {
        let name = crate::ui::text::visible(&crate::ui::text::clamp(name, 80));
        format!("{} {} · {name} · Vantage", judgement.verdict.glyph(), judgement.verdict.word())
    };
    match state {
        State::Overview { view } => match view.counts.attention {
            0 => "Overview · Vantage".to_owned(),
            n => format!("({n}) Overview · Vantage"),
        },
        State::Env { view } => judged(&view.judgement, &view.target.title()),
        State::Object { view } => {
            judged(&view.judgement, &format!("{} {}", view.object.key.kind(), view.object.name))
        }
        State::Receipt { view } => format!(
            "{} · {} · Vantage",
            view.phase.as_str().replace('_', " "),
            crate::ui::text::visible(&view.title())
        ),
        State::Wait { view } => {
            format!("{} · Vantage", crate::ui::text::visible(&crate::parts::wait_card::title(view)))
        }
        State::Gone => "Gone · Vantage".to_owned(),
    }
}
