//! Whatever a source says: no rule panics, and nothing that is said carries a control character.

use model::{
    Condition, ConditionStatus, Event, Freshness, Gap, Judgement, Outcome, Seq, Span, Ts, Verdict,
    fixtures::{self, NOON},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use rules::{Limits, Scene, gap, scene::phrase, verdict};

use super::builders::{judge_all, scene};

fn text() -> impl Strategy<Value = String> {
    let nasty =
        select(vec!["", "\u{1b}[31m", "a\r\nb", "\u{0}", "\u{202e}evil", "<script>", "\u{2028}x", "\u{85}"]);
    prop_oneof![
        nasty.prop_map(str::to_owned),
        "\\PC{0,12}",
        vec(any::<char>(), 0..400).prop_map(String::from_iter)
    ]
}

fn ts() -> impl Strategy<Value = Ts> {
    prop_oneof![(-200_i64..200).prop_map(|s| NOON + Span::seconds(s)), any::<i64>().prop_map(Ts)]
}

fn condition() -> impl Strategy<Value = Condition> {
    let ty = prop_oneof![
        select(vec!["Ready", "Stalled", "Degraded", "Paused", "Reconciling"]).prop_map(str::to_owned),
        text()
    ];
    let parts = (ty, select(&ConditionStatus::ALL), text(), text(), option::of(0_i64..4), ts());
    parts.prop_map(|(ty, status, reason, message, observed_generation, since)| Condition {
        ty,
        status,
        reason,
        message,
        observed_generation,
        since,
    })
}

fn event() -> impl Strategy<Value = Event> {
    let texts = (text(), text(), text(), text());
    let parts = (texts, select(&Outcome::ALL), any::<i64>(), ts(), option::of(any::<u32>()));
    parts.prop_map(|((controller, action, reason, message), outcome, seq, at, attempt)| Event {
        seq: Seq(seq),
        at,
        controller,
        action,
        reason,
        message,
        outcome,
        attempt,
        ..fixtures::event(1)
    })
}

fn freshness() -> impl Strategy<Value = Freshness> {
    prop_oneof![3 => Just(Freshness::Live), 1 => option::of(ts()).prop_map(|since| Freshness::Stale { since })]
}

fn judgement() -> impl Strategy<Value = Judgement> {
    (select(&Verdict::ALL), ts()).prop_map(|(verdict, since)| Judgement {
        verdict,
        since,
        sentence: "as it was".into(),
        because: vec![],
    })
}

fn one() -> impl Strategy<Value = Scene> {
    let object = (
        (select(vec!["env", "instance", "machine"]), text(), option::of(ts()), ts()),
        (0_i64..4, option::of(0_i64..4)),
        vec(condition(), 0..4),
        (vec((text(), text(), text()), 0..3), option::of(text())),
    );
    let around = (option::of(judgement()), vec(event(), 0..6), freshness());
    (object, around).prop_map(|((who, (generation, observed_generation), conditions, fields), around)| {
        let (kind, name, gone_at, updated_at) = who;
        let mut object = fixtures::object(kind, "x");
        (object.generation, object.observed_generation) = (generation, observed_generation);
        (object.name, object.gone_at, object.updated_at, object.conditions) =
            (name, gone_at, updated_at, conditions);
        for (field, desired, current) in fields.0 {
            object.desired.insert(field.clone(), desired.into());
            object.current.insert(field, current.into());
        }
        object.current.extend(fields.1.map(|at| ("progress_at".to_owned(), at.into())));
        let (judgement, events, freshness) = around;
        Scene { judgement, events, freshness, ..scene(object) }
    })
}

fn tree() -> impl Strategy<Value = Scene> {
    let family = (one(), vec((one(), vec(one(), 0..3)), 0..3));
    family.prop_map(|(mut root, children)| {
        let grown = |(mut child, leaves): (Scene, Vec<Scene>)| {
            child.children = leaves;
            child
        };
        root.children = children.into_iter().map(grown).collect();
        root
    })
}

fn clean(text: &str) -> bool {
    let turns = |c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.chars().any(|c| c.is_control() || turns(c))
}

/// Every text of the panel that people read.
fn texts(gap: &Gap) -> Vec<&String> {
    let links = gap.chain.iter().flat_map(|link| [&link.name, &link.text]);
    let evidence = gap.chain.iter().filter_map(|link| link.evidence.as_ref()).chain(&gap.evidence);
    let evidence = evidence.flat_map(|evidence| [&evidence.text, &evidence.by, &evidence.href]);
    let rows = gap.rows.iter().flat_map(|row| [&row.field, &row.desired].into_iter().chain(&row.current));
    let next = gap.next.iter().flat_map(|next| [&next.label, &next.href].into_iter().chain(&next.command));
    links.chain(evidence).chain(rows).chain(next).chain(&gap.looked_at).chain(&gap.limit).collect()
}

proptest! {
    #[test]
    fn judging_never_panics_and_says_one_clean_sentence(mut scene in tree(), now in ts()) {
        judge_all(&mut scene, now);
        for scene in scene.all() {
            let judgement = scene.judgement.as_ref().expect("just judged");
            prop_assert!(clean(&judgement.sentence), "{:?}", judgement.sentence);
            prop_assert!(!judgement.sentence.is_empty(), "{judgement:?}");
            prop_assert!(judgement.because.iter().flat_map(|b| &b.evidence).all(|e| clean(&e.text) && clean(&e.by)));
        }
    }

    #[test]
    fn the_next_check_is_always_ahead(scene in tree(), now in ts()) {
        let next = verdict::judge(&scene, &Limits::default(), now).next_check_at;
        prop_assert!(next.is_none_or(|next| next > now));
    }

    #[test]
    fn the_gap_never_panics_and_every_text_of_it_is_clean(mut scene in tree(), now in ts()) {
        judge_all(&mut scene, now);
        let gap = gap::of(&scene, &Limits::default(), now);
        for text in texts(&gap) {
            prop_assert!(clean(text), "{text:?}");
        }
        prop_assert!(gap.evidence.len() <= 3 && gap.evidence.iter().all(|evidence| evidence.href.starts_with('/')));
        prop_assert_eq!(gap.limit.is_some(), scene.judgement.expect("just judged").verdict == Verdict::Stuck);
    }

    #[test]
    fn a_phrase_is_one_short_clean_line(text in text(), max in 1_usize..60) {
        let line = phrase(&text, max);
        prop_assert!(clean(&line) && line.chars().count() <= max && line.trim() == line, "{line:?}");
    }
}
