//! What is written can be read: URLs, ids, times, keys and every message, with values that nobody would choose.

use std::{collections::BTreeMap, fmt, str::FromStr};

use model::{
    AppId, EnvId, EventId, InstanceId, ObjectKey, ObjectKind, Outcome, ReceiptId, ReleaseId, Seq, SourceId,
    Span, TokenId, TraceId, Ts, Verdict, ViewState, WaitId,
    view::Group,
    view_state::{Facet, FacetValue, When, decode, encode},
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Text as other systems choose it: any character, and the ones that mean something to us more often.
fn text() -> impl Strategy<Value = String> {
    let special = select(vec![',', '-', '\\', ':', '&', '=', '%', '+', '#', '\n', '\u{202e}', 'é', '𝄞']);
    vec(prop_oneof![special, any::<char>(), proptest::char::range('a', 'z')], 1..20)
        .prop_map(|chars| chars.into_iter().collect())
}

/// Instants of the years 0 to 9999: the ones that RFC 3339 can say.
fn ts() -> impl Strategy<Value = Ts> {
    (-62_167_219_200_000_000_i64..=253_402_300_799_999_999).prop_map(Ts)
}

/// Spans as URLs and app files carry them: to the millisecond.
fn span() -> impl Strategy<Value = Span> {
    prop_oneof![(0..10_i64.pow(12)).prop_map(Span::millis), (0..1_000_i64).prop_map(Span::minutes)]
}

fn key() -> impl Strategy<Value = ObjectKey> {
    let id = text().prop_map(|text| text.replace(char::is_control, "·"));
    ("[a-z0-9-]{1,40}", id).prop_map(|(kind, id)| {
        let kind: ObjectKind = kind.parse().expect("lower-case letters, digits and dashes");
        ObjectKey::new(kind, id).expect("short and printable")
    })
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![span().prop_map(When::Ago), ts().prop_map(When::At)]
}

/// Values that each facet accepts, in their canonical order.
fn facets() -> impl Strategy<Value = BTreeMap<Facet, Vec<FacetValue>>> {
    let facet = |facet| {
        let value = match facet {
            Facet::Verdict => select(&Verdict::ALL).prop_map(|v| v.as_str().to_owned()).boxed(),
            Facet::Outcome => select(&Outcome::ALL).prop_map(|o| o.to_string()).boxed(),
            Facet::Kind => key().prop_map(|key| key.kind().to_string()).boxed(),
            Facet::Object => key().prop_map(|key| key.to_string()).boxed(),
            _ => text().boxed(),
        };
        let values = vec((any::<bool>(), value).prop_map(|(not, value)| FacetValue { not, value }), 1..6);
        values.prop_map(move |mut values| {
            values.sort();
            values.dedup();
            (facet, values)
        })
    };
    vec(select(&Facet::ALL).prop_flat_map(facet), 0..5).prop_map(BTreeMap::from_iter)
}

fn state() -> impl Strategy<Value = ViewState> {
    let token = || option::of("[a-zA-Z0-9_.:~-]{1,100}");
    let ranges = (option::of(when()), option::of(when()), option::of(ts()));
    let switches = (any::<bool>(), any::<bool>(), option::of(select(vec!["list", "grid"])));
    let texts = (option::of(text()), token(), token(), token(), option::of(0_i64..), token());
    let parts = (option::of(select(&Group::ALL)), option::of(2_u32..100_000));
    (facets(), ranges, switches, texts, parts).prop_map(|(facets, ranges, switches, texts, (show, page))| {
        let ((from, to, at), (ungrouped, paused, view)) = (ranges, switches);
        let (q, sel, open, sort, before, after) = texts;
        let view = view.map(str::to_owned);
        let before = before.map(|n| EventId(Seq(n)));
        ViewState {
            q,
            facets,
            from,
            to,
            at,
            sel,
            open,
            ungrouped,
            paused,
            sort,
            view,
            before,
            after,
            show,
            page,
        }
    })
}

fn comes_back<T: FromStr<Err: fmt::Debug> + fmt::Display + fmt::Debug + PartialEq>(value: &T) {
    let text = value.to_string();
    assert_eq!(&text.parse::<T>().expect(&text), value, "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_state_of_a_page_survives_its_url(state in state()) {
        let query = state.to_query();
        prop_assert!(query.bytes().all(|b| b.is_ascii_graphic()), "{query}");
        prop_assert_eq!(ViewState::parse(&query), (state, vec![]));
    }

    #[test]
    fn whatever_is_understood_of_a_query_is_printed_canonically(query in "[a-z=&,%\\\\0-9-]{0,60}|(app|q|from|at)=\\PC{0,60}") {
        let (state, _) = ViewState::parse(&query);
        let canonical = state.to_query();
        let (again, strange) = ViewState::parse(&canonical);
        prop_assert_eq!((again.to_query(), again, strange), (canonical, state, vec![]));
    }

    #[test]
    fn the_order_in_which_filters_were_added_leaves_no_trace(a in text(), b in text(), not in any::<bool>()) {
        let add = |state: ViewState, value: &str| state.with(Facet::Reason, value, not);
        let ab = add(add(ViewState::default(), &a), &b);
        prop_assert_eq!(ab.to_query(), add(add(ViewState::default(), &b), &a).to_query());
        let without_a = ab.without(Facet::Reason, &FacetValue { not, value: a.clone() });
        prop_assert!(!without_a.to_query().contains("reason") || a != b);
    }

    #[test]
    fn encoding_is_undone_by_decoding(text in "\\PC{0,50}|.{0,50}") {
        let encoded = encode(&text);
        prop_assert!(encoded.bytes().all(|b| b.is_ascii_graphic() && !b"&=#?/+\"'<>".contains(&b)));
        prop_assert_eq!(decode(&encoded), Some(text));
    }

    #[test]
    fn decoding_never_panics(text in "[%+a-fA-F0-9é]{0,30}") {
        let _ = decode(&text);
    }

    #[test]
    fn instants_survive_as_text(at in ts()) {
        comes_back(&at);
        prop_assert_eq!(serde_json::from_value::<Ts>(serde_json::json!(at)).ok(), Some(at));
    }

    #[test]
    fn an_instant_that_can_be_read_can_be_read_again(
        year in select(vec!["0000", "2026", "9999"]), day in select(vec!["01-01", "12-31"]), offset in -23_i32..=23,
        clock in select(vec!["00:00:00", "23:59:60", "23:59:59.9999999"]),
    ) {
        if let Ok(at) = format!("{year}-{day}T{clock}{offset:+03}:00").parse::<Ts>() {
            comes_back(&at);
        }
    }

    #[test]
    fn durations_survive_to_the_millisecond(span in span()) {
        comes_back(&span);
        prop_assert_eq!(serde_json::from_value::<Span>(serde_json::json!(span)).ok(), Some(span));
    }

    #[test]
    fn times_and_keys_never_panic(text in "\\PC{0,30}|[0-9hmsd]{0,25}", n in any::<i64>()) {
        let _ = (text.parse::<Ts>(), text.parse::<Span>(), text.parse::<ObjectKey>(), text.parse::<EventId>());
        let _ = (Ts(n).to_string(), Ts(n).clock_ms(), Span(n).to_string(), Span(n).words(), Span(n).running());
    }

    #[test]
    fn keys_of_objects_survive_as_text_and_in_links(key in key()) {
        comes_back(&key);
        let link = ViewState::default().with(Facet::Object, &key.to_string(), false).link("/events");
        let (state, strange) = ViewState::parse(link.strip_prefix("/events?").expect("one filter"));
        prop_assert_eq!((state.event_filter(Ts(0)).object, strange), (vec![key], vec![]));
    }

    #[test]
    fn ids_survive_as_text(random in any::<u64>(), seq in 0_i64..) {
        comes_back(&AppId::mint(random));
        comes_back(&EnvId::mint(random));
        comes_back(&InstanceId::mint(random));
        comes_back(&ReceiptId::mint(random));
        comes_back(&ReleaseId::mint(random));
        comes_back(&SourceId::mint(random));
        comes_back(&TokenId::mint(random));
        comes_back(&TraceId::mint(random));
        comes_back(&WaitId::mint(random));
        comes_back(&EventId(Seq(seq)));
    }
}

#[test]
fn a_facet_takes_fifty_values_however_they_are_spread_over_the_query() {
    let repeated: Vec<String> = (0..60).map(|n| format!("reason=reason-number-{n}")).collect();
    let (state, strange) = ViewState::parse(&repeated.join("&"));
    assert_eq!((state.n_filters(), strange.len()), (50, 10));
    assert_eq!(ViewState::parse(&state.to_query()), (state, vec![]));
}

#[test]
fn a_form_sends_facet_values_as_the_link_does() {
    let state = ViewState::default().with(Facet::Reason, "a,b", true).with(Facet::Reason, "-c", false);
    let field = model::view_state::join(&state.facets[&Facet::Reason]);
    let sent = format!("reason={}", encode(&field).replace(',', "%2C"));
    assert_eq!(ViewState::parse(&sent), (state, vec![]));
}
