//! The chain from an env to the instance that holds it up, every link with its evidence.

use model::{EvidenceKind, Verdict};
use rules::{Limits, chain, gap};

use super::builders::{False, True, *};

#[test]
fn the_chain_leads_from_the_env_over_the_release_to_the_instance() {
    let mut env = broken_rollout(4);
    judge_all(&mut env, at(5));
    let links = chain::of(&env, &Limits::default());
    let told: Vec<_> =
        links.iter().map(|l| (l.name.as_str(), l.verdict, l.text.as_str(), l.attempt)).collect();
    assert_eq!(
        told,
        [
            ("checkout/prod", Verdict::Stuck, "r-2 wants 4 instances, 3 are ready", None),
            ("r-2", Verdict::Stuck, "3 of 4 ready", None),
            ("i-9f2k", Verdict::Stuck, "exited with code 1", Some(4)),
        ]
    );
    let evidence: Vec<_> = links.iter().map(|l| l.evidence.as_ref().expect("every link has some")).collect();
    assert!(evidence.iter().all(|evidence| evidence.kind == EvidenceKind::Direct));
    assert_eq!(evidence[0].text, "Ready=False InstancesNotReady: r-2 wants 4 instances, 3 are ready");
    assert_eq!(evidence[1].href, "/o/release/r-2#conditions");
    assert_eq!(evidence[2].text, "StartInstance failed ×4: exited with code 1");
    assert_eq!(evidence[2].href, "/events?sel=ev_4#ev_4");
    assert_eq!(
        env.judgement.expect("judged").because[0].evidence[0],
        *evidence[2],
        "the deepest comes first"
    );
}

#[test]
fn the_chain_ends_where_everything_is_fine() {
    let mut env = ready("env", "checkout/prod", True, "4 of 4 ready");
    env.children = vec![ready("release", "r-2", True, "4 of 4 ready")];
    judge_all(&mut env, at(5));
    assert_eq!(chain::of(&env, &Limits::default()), []);
    env.children = vec![];
    say(&mut env, model::fixtures::condition("Ready", False, "NoSource"));
    judge_all(&mut env, at(5));
    assert_eq!(chain::of(&env, &Limits::default()).len(), 1);
}

#[test]
fn of_two_failing_instances_the_one_that_tried_more_often_explains_it() {
    let mut release = ready("release", "r-2", False, "0 of 2 ready");
    release.children = [("i-a", 3), ("i-b", 5), ("i-c", 4)]
        .map(|(name, n)| {
            let mut instance = ready("instance", name, False, "down");
            instance.events = failures(n);
            instance
        })
        .to_vec();
    judge_all(&mut release, at(9));
    assert_eq!(chain::worst_child(&release).map(|worst| worst.object.name.as_str()), Some("i-b"));
    release.children[0].judgement = Some(said(Verdict::Failed, "stalled", "gave up"));
    assert_eq!(chain::worst_child(&release).map(|worst| worst.object.name.as_str()), Some("i-a"));
}

#[test]
fn what_was_said_about_an_older_spec_is_no_link_and_no_evidence() {
    let mut env = ready("env", "checkout/prod", False, "r-1 wants 4 instances, 3 are ready");
    env.object.generation = 2;
    let links = chain::of(&env, &Limits::default());
    assert_eq!((links[0].text.as_str(), &links[0].evidence), ("generation 2 is not observed yet", &None));
}

#[test]
fn instances_that_fail_in_step_do_not_take_turns_in_explaining_it() {
    let mut release = ready("release", "r-2", False, "0 of 2 ready");
    let mut named = std::collections::BTreeSet::new();
    for (a, b) in [(9, 9), (9, 10), (10, 10), (11, 10), (11, 12)] {
        release.children = [("i-a", a), ("i-b", b)]
            .map(|(name, n)| {
                let mut instance = ready("instance", name, False, "restarting");
                instance.events = failures(n);
                instance
            })
            .into();
        judge_all(&mut release, at(100));
        named.insert(chain::worst_child(&release).unwrap().object.name.clone());
    }
    assert_eq!(named.into_iter().collect::<Vec<_>>(), ["i-a"]);
}

#[test]
fn the_next_step_is_to_read_what_the_instance_printed() {
    let mut env = broken_rollout(3);
    judge_all(&mut env, at(5));
    let next = gap::of(&env, &Limits::default(), at(5)).next.expect("there is exactly one");
    assert_eq!(next.href, "/o/instance/i-9f2k#logs");
    assert_eq!(next.command.as_deref(), Some("vt logs query --instance i-9f2k"));
    judge_all(&mut env.children[0], at(5));
    env.judgement = Some(said(Verdict::Converging, "progress", "moves"));
    let next = gap::of(&env, &Limits::default(), at(5)).next.expect("there is exactly one");
    assert_eq!(next.href, "/events?object=instance:i-9f2k");
}

#[test]
fn a_name_that_another_system_chose_is_one_word_of_the_command() {
    let mut machine = ready("machine", "a, b'; reboot", False, "down");
    judge_all(&mut machine, at(5));
    let next = gap::of(&machine, &Limits::default(), at(5)).next.expect("there is exactly one");
    assert_eq!(next.command.as_deref(), Some(r"vt events query --object 'machine:a, b'\''; reboot'"));
    let query = next.href.strip_prefix("/events?").expect("a filtered list");
    let (state, strange) = model::ViewState::parse(query);
    assert_eq!((state.event_filter(at(5)).object, strange), (vec![machine.object.key], vec![]));
}
