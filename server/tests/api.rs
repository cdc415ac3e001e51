//! What operators do over the API, against real processes: apply, see it stuck, roll back, and every other verb.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use model::{
    EnvRecord, EnvRef, ErrorCode, Plan, Receipt, ReceiptPhase, Verb, Verdict, Wait, WaitPhase,
    plan::Ask,
    view::{EnvView, ReleaseRow},
};
use testkit::{Apply, Client, Fault, Response, TestApp, on_both_engines, until};

const TITLE: &str = "checkout/prod";

/// `r-1 ×4` of the instances that are ready.
fn running(view: &EnvView) -> (String, usize) {
    let ready: Vec<_> = view.instances.iter().filter(|row| row.verdict == Verdict::Converged).collect();
    (ready.first().map(|row| row.release.clone()).unwrap_or_default(), ready.len())
}

/// Waits until an app-env has converged and all its instances are said to be ready. The controller counts them
/// itself; their own reports take another way and may come a moment later.
async fn settled(app: &TestApp, target: &EnvRef, n: usize) -> EnvView {
    until(&format!("{n} ready instances"), Duration::from_secs(10), || async {
        let view = app.operator().converged(target).await;
        if running(&view).1 == n { Ok(view) } else { Err(view.instances) }
    })
    .await
}

/// What must stay as it is where nothing is written.
async fn written(app: &TestApp) -> (Vec<EnvRecord>, usize, usize) {
    let client = app.operator();
    let receipts: Vec<Receipt> = client.read("/api/v1/receipts?limit=1000").await;
    let releases: Vec<ReleaseRow> = client.read(&format!("/api/v1/envs/{}/releases", "checkout:prod")).await;
    (client.read("/api/v1/envs").await, receipts.len(), releases.len())
}

async fn converged(app: &TestApp, instances: u32) -> EnvRef {
    let applied = app.operator().apply_and_converge(&app.manifest(TITLE, instances, Fault::Healthy)).await;
    applied.release.target
}

/// Deploys a release that crashes; answers its app-env, stuck.
async fn stuck(app: &TestApp, target: &EnvRef, instances: u32) -> EnvView {
    let operator = app.operator();
    let broken = Apply::of(&app.manifest(TITLE, instances, Fault::CrashAtStart));
    let applied = operator.apply(&broken).await.good();
    assert_eq!(applied.release.name(), "r-2");
    operator.has_verdict(target, Verdict::Stuck, Duration::from_secs(10)).await
}

async fn an_applied_app_is_accepted_first_and_converges_when_its_processes_are_ready(app: TestApp) {
    let operator = app.operator();
    let answer = operator.apply(&Apply::of(&app.manifest(TITLE, 4, Fault::Healthy))).await.has_status(202);
    let applied = answer.good();
    let receipt = applied.receipt.unwrap();
    assert_eq!((receipt.phase.clone(), receipt.actor.as_str()), (ReceiptPhase::Accepted, "operator"));
    assert_eq!(operator.closed(&receipt).await.phase, ReceiptPhase::Converged);
    let view = settled(&app, &applied.release.target, 4).await;
    assert_eq!(running(&view).0, "r-1");
    app.stop().await;
}

async fn a_release_that_crashes_is_stuck_within_ten_seconds_and_the_sentence_names_the_attempt(app: TestApp) {
    let target = converged(&app, 4).await;
    let view = stuck(&app, &target, 4).await;
    let sentence = &view.judgement.sentence;
    assert!(sentence.contains("attempt "), "{sentence}");
    assert!(sentence.contains("price table") || sentence.contains("exit code 1"), "{sentence}");
    assert!(!view.judgement.because[0].evidence.is_empty(), "a verdict has evidence");
    app.stop().await;
}

async fn a_rollback_is_planned_confirmed_followed_and_runs_the_release_from_before(app: TestApp) {
    let target = converged(&app, 4).await;
    let _ = stuck(&app, &target, 4).await;
    let operator = app.operator();
    let plan = operator.plan(&target, Verb::Rollback, &Ask::default()).await.good();
    assert_eq!((plan.blocked(), plan.confirm.as_str()), (None, "Roll back to r-1"));
    let receipt = operator.act_and_wait(&plan, &Client::key(), Some(20)).await.has_status(202).good();
    assert_eq!((receipt.phase.clone(), receipt.verb), (ReceiptPhase::Accepted, Verb::Rollback));
    let wait: Wait =
        operator.read(&format!("/api/v1/waits/{}?timeout=20", receipt.wait.clone().unwrap())).await;
    assert_eq!(wait.phase, WaitPhase::Converged, "{wait:#?}");
    assert_eq!(operator.closed(&receipt).await.phase, ReceiptPhase::Converged);
    let view = settled(&app, &target, 4).await;
    assert_eq!((running(&view), view.instances.len()), (("r-1".to_owned(), 4), 4));
    app.stop().await;
}

async fn a_repeated_key_answers_the_same_receipt_and_acts_once(app: TestApp) {
    let target = converged(&app, 1).await;
    let (operator, key) = (app.operator(), Client::key());
    let plan = operator.plan(&target, Verb::Restart, &Ask::default()).await.good();
    let (one, two) = tokio::join!(operator.act(&plan, &key), operator.act(&plan, &key));
    let (one, two) = (one.good(), two.good());
    let three = operator.act(&plan, &key).await.good();
    assert_eq!((&one.id, &one.id), (&two.id, &three.id));
    let env: Vec<EnvRecord> = operator.read("/api/v1/envs").await;
    assert_eq!(env[0].intent.restarts, 1);
    assert_eq!(env[0].generation, plan.expected_generation + 1);
    // The key is the actor's: somebody else may use the same word.
    let theirs = app.admin().plan(&target, Verb::Restart, &Ask::default()).await.good();
    assert_ne!(app.admin().act(&theirs, &key).await.good().id, one.id);
}

async fn a_key_of_another_request_is_refused(app: TestApp) {
    let target = converged(&app, 1).await;
    let (operator, key) = (app.operator(), Client::key());
    let plan = operator.plan(&target, Verb::Restart, &Ask::default()).await.good();
    let _ = operator.act(&plan, &key).await.good();
    let other = operator.plan(&target, Verb::Stop, &Ask::default()).await.good();
    let before = written(&app).await;
    let _ = operator.act(&other, &key).await.problem(409, ErrorCode::KeyReused);
    let file = Apply::of(&app.manifest(TITLE, 2, Fault::Healthy));
    let apply = |file: Apply| {
        let (operator, key) = (operator.clone(), key.clone());
        async move {
            let answer: Response = operator.keyed(reqwest::Method::POST, "/api/v1/apply", &key, &file).await;
            answer
        }
    };
    let _ = apply(file.clone()).await.problem(409, ErrorCode::KeyReused);
    assert_eq!(written(&app).await, before);
}

async fn an_apply_that_is_repeated_answers_its_receipt_and_another_file_does_not(app: TestApp) {
    let (operator, key) = (app.operator(), Client::key());
    let file = Apply::of(&app.manifest(TITLE, 1, Fault::Healthy));
    let path = "/api/v1/apply";
    let first: Response<testkit::Applied> = operator.keyed(reqwest::Method::POST, path, &key, &file).await;
    let again: Response<testkit::Applied> = operator.keyed(reqwest::Method::POST, path, &key, &file).await;
    assert_eq!(first.good().receipt.unwrap().id, again.good().receipt.unwrap().id);
    let before = written(&app).await;
    let other = Apply::of(&app.manifest(TITLE, 2, Fault::Healthy));
    let refused: Response = operator.keyed(reqwest::Method::POST, path, &key, &other).await;
    let _ = refused.problem(409, ErrorCode::KeyReused);
    assert_eq!(written(&app).await, before);
}

async fn the_same_file_makes_no_second_release_and_a_dry_run_makes_none_at_all(app: TestApp) {
    let operator = app.operator();
    let file = Apply::of(&app.manifest(TITLE, 1, Fault::Healthy));
    let dry = operator.apply(&Apply { dry_run: true, ..file.clone() }).await.has_status(200).good();
    assert!(dry.receipt.is_none());
    assert!(operator.read::<Vec<EnvRecord>>("/api/v1/envs").await.is_empty());
    let _ = operator.apply_and_converge(&file.manifest).await;
    let before = written(&app).await;
    let _ = operator.apply(&file).await.problem(409, ErrorCode::PlanBlocked);
    assert_eq!(written(&app).await, before);
}

async fn a_plan_that_is_out_of_date_is_refused_and_nothing_is_written(app: TestApp) {
    let target = converged(&app, 1).await;
    let operator = app.operator();
    let plan = operator.plan(&target, Verb::Restart, &Ask::default()).await.good();
    let before = written(&app).await;
    let stale = Plan { expected_generation: plan.expected_generation - 1, ..plan.clone() };
    let forged = Plan { hash: "0".repeat(64), ..plan.clone() };
    let scaled = Plan { verb: Verb::Stop, ..plan.clone() };
    for plan in [stale, forged, scaled] {
        let error = operator.act(&plan, &Client::key()).await.problem(409, ErrorCode::PlanChanged);
        assert!(error.hint.is_some_and(|hint| hint.contains("generation")));
    }
    assert_eq!(written(&app).await, before);
}

async fn a_plan_stays_good_while_the_command_before_it_ends(app: TestApp) {
    let operator = app.operator();
    let applied = operator.apply(&Apply::of(&app.manifest(TITLE, 1, Fault::Healthy))).await.good();
    let (target, receipt) = (applied.release.target, applied.receipt.unwrap());
    let plan = operator.plan(&target, Verb::Restart, &Ask::default()).await.good();
    assert!(plan.guardrails.iter().any(|rail| rail.text.contains(receipt.id.as_str())), "{plan:#?}");
    assert_eq!(operator.closed(&receipt).await.phase, ReceiptPhase::Converged);
    let _ = operator.act(&plan, &Client::key()).await.has_status(202).good();
}

async fn of_two_people_who_confirm_the_same_plan_one_acts_and_the_other_is_told(app: TestApp) {
    let target = converged(&app, 1).await;
    let (operator, admin) = (app.operator(), app.admin());
    let ask = Ask { instances: Some(2), ..Ask::default() };
    let mine = operator.plan(&target, Verb::Scale, &ask).await.good();
    let theirs = admin.plan(&target, Verb::Scale, &ask).await.good();
    let (key, other) = (Client::key(), Client::key());
    let (one, two) = tokio::join!(operator.act(&mine, &key), admin.act(&theirs, &other));
    let statuses = [one.status, two.status];
    assert!(statuses.contains(&202) && statuses.contains(&409), "{statuses:?}");
    let late = if one.status == 409 { one } else { two };
    let _ = late.problem(409, ErrorCode::PlanChanged);
    let env: Vec<EnvRecord> = operator.read("/api/v1/envs").await;
    assert_eq!(env[0].generation, mine.expected_generation + 1);
}

async fn a_plan_that_would_change_nothing_is_blocked(app: TestApp) {
    let target = converged(&app, 1).await;
    let operator = app.operator();
    let plan =
        operator.plan(&target, Verb::Scale, &Ask { instances: Some(1), ..Ask::default() }).await.good();
    assert!(plan.blocked().unwrap().contains("nothing would change"), "{plan:#?}");
    let before = written(&app).await;
    let error = operator.act(&plan, &Client::key()).await.problem(409, ErrorCode::PlanBlocked);
    assert!(error.title.contains("nothing would change"), "{}", error.title);
    assert_eq!(written(&app).await, before);
}

async fn scaling_restarting_and_stopping_end_as_they_were_planned(app: TestApp) {
    let target = converged(&app, 1).await;
    let operator = app.operator();
    let ids = |view: &EnvView| view.instances.iter().filter_map(|row| row.object.clone()).collect::<Vec<_>>();
    let old = ids(&operator.converged(&target).await);

    let receipt = operator.command(&target, Verb::Scale, &Ask { instances: Some(3), ..Ask::default() }).await;
    assert_eq!(operator.closed(&receipt).await.phase, ReceiptPhase::Converged);
    let view = settled(&app, &target, 3).await;
    assert!(ids(&view).contains(&old[0]), "scaling up replaces nothing");

    let receipt = operator.command(&target, Verb::Restart, &Ask::default()).await;
    assert_eq!(operator.closed(&receipt).await.phase, ReceiptPhase::Converged);
    until("three other instances", Duration::from_secs(10), || async {
        let view = operator.converged(&target).await;
        let now = ids(&view);
        if now.len() == 3 && !now.contains(&old[0]) { Ok(()) } else { Err(now) }
    })
    .await;

    let receipt = operator.command(&target, Verb::Stop, &Ask::default()).await;
    assert_eq!(operator.closed(&receipt).await.phase, ReceiptPhase::Converged);
    let view = operator.has_verdict(&target, Verdict::Idle, Duration::from_secs(10)).await;
    assert_eq!(running(&view).1, 0);
    app.stop().await;
}

async fn a_deleted_app_is_gone_and_its_receipt_says_so(app: TestApp) {
    let target = converged(&app, 1).await;
    let operator = app.operator();
    let plan = operator.plan(&target, Verb::Delete, &Ask::default()).await.good();
    assert_eq!(plan.type_to_confirm.as_deref(), Some(TITLE));
    let receipt = operator.act_and_wait(&plan, &Client::key(), Some(20)).await.good();
    let wait: Wait =
        operator.read(&format!("/api/v1/waits/{}?timeout=20", receipt.wait.clone().unwrap())).await;
    assert_eq!(wait.phase, WaitPhase::Converged, "{wait:#?}");
    assert_eq!(operator.closed(&receipt).await.phase, ReceiptPhase::Converged);
    until("the env to be gone", Duration::from_secs(5), || async {
        let answer: Response = operator.get(&format!("/api/v1/envs/{}", target.env_id)).await;
        if answer.status == 404 { Ok(()) } else { Err(answer.status) }
    })
    .await;
    assert!(operator.read::<Vec<EnvRecord>>("/api/v1/envs").await.is_empty());
    let objects: serde_json::Value = operator.read("/api/v1/objects?kind=instance").await;
    assert_eq!(objects, serde_json::json!([]));
    // The name is free again, for an app that has nothing of the old one.
    let again = operator.apply_and_converge(&app.manifest(TITLE, 1, Fault::Healthy)).await;
    assert_eq!(again.release.name(), "r-1");
    assert_ne!(again.release.target.env_id, target.env_id);
    app.stop().await;
}

on_both_engines! {
    an_applied_app_is_accepted_first_and_converges_when_its_processes_are_ready,
    a_release_that_crashes_is_stuck_within_ten_seconds_and_the_sentence_names_the_attempt,
    a_rollback_is_planned_confirmed_followed_and_runs_the_release_from_before,
    a_repeated_key_answers_the_same_receipt_and_acts_once,
    a_key_of_another_request_is_refused,
    an_apply_that_is_repeated_answers_its_receipt_and_another_file_does_not,
    the_same_file_makes_no_second_release_and_a_dry_run_makes_none_at_all,
    a_plan_that_is_out_of_date_is_refused_and_nothing_is_written,
    a_plan_stays_good_while_the_command_before_it_ends,
    of_two_people_who_confirm_the_same_plan_one_acts_and_the_other_is_told,
    a_plan_that_would_change_nothing_is_blocked,
    scaling_restarting_and_stopping_end_as_they_were_planned,
    a_deleted_app_is_gone_and_its_receipt_says_so,
}
