//! Changes: plan, key, receipt, wait.

use model::{Verb, WaitPhase, fixtures};
use serde_json::json;

use super::{
    blocked, envs,
    fake::{Asked, Fake, cut, ok},
    plan, receipt, wait, world,
};

#[tokio::test]
async fn a_receipt_for_programs_has_the_shape_of_the_contract() {
    let server = world(Verb::Restart).start().await;
    let said = server.vt("restart --app checkout --env prod --reason oom --json").await;
    assert_eq!(said.exit, 0, "{said:?}");
    let flags = format!("--server {}", server.server);
    let here = format!("--app checkout --env prod {flags}");
    assert_eq!(
        said.json(),
        json!({ "schemaVersion": "vt.v1", "data": { "receipt": {
            "id": "rc_1000000000",
            "kind": "restart",
            "status": "accepted",
            "ids": {
                "app": "app_1000000000",
                "env": "env_1000000000",
                "release": "rel_2000000000",
                "wait": "wt_1000000000",
            },
            "generation": 8,
            "trace_id": "tr_1000000000",
            "next": [
                { "label": "desired and current", "command": format!("vt status {here}") },
                { "label": "what controllers do", "command": format!("vt events tail {here}") },
                {
                    "label": "wait until it converged",
                    "command": format!("vt wait env env_1000000000 --timeout 10m {flags}"),
                },
                { "label": "how far it came", "command": format!("vt receipts describe rc_1000000000 {flags}") },
            ],
        } } })
    );
    let action = &server.asked("POST /envs/env_1000000000/actions/restart")[0];
    assert_eq!(
        action.json(),
        json!({ "ask": plan(Verb::Restart).ask, "generation": 7, "plan_hash": "h4sh", "reason": "oom", "wait_s": null })
    );
}

#[tokio::test]
async fn commands_that_are_printed_as_next_can_be_read_back() {
    use clap::Parser as _;
    let server = world(Verb::Restart).start().await;
    let said = server.vt("restart --app checkout --env prod --json").await.json();
    let next = said["data"]["receipt"]["next"].as_array().expect("a list").clone();
    for command in next.iter().filter_map(|next| next["command"].as_str()) {
        crate::Cli::try_parse_from(command.split(' ')).expect(command);
    }
}

#[tokio::test]
async fn a_receipt_for_people_is_a_plan_and_lines_to_copy() {
    let server = world(Verb::Restart).start().await;
    let said = server.vt("restart --env prod --app checkout").await;
    assert_eq!(said.exit, 0, "{said:?}");
    for line in [
        "will change",
        "  release: r-1 → r-2",
        "will not change",
        "  instances: 4",
        "  ✓ r-2 is complete",
        "receipt=rc_1000000000",
        "generation=8",
        "trace=tr_1000000000",
    ] {
        assert!(said.out.lines().any(|said| said == line), "{line} in {}", said.out);
    }
}

#[tokio::test]
async fn plan_prints_and_writes_nothing_and_a_blocked_one_ends_with_5() {
    for (plan, exit) in [(plan(Verb::Stop), 0), (blocked(Verb::Stop), 5)] {
        let server = Fake::default()
            .json("GET /envs", &envs())
            .json("POST /envs/env_1000000000/plans", &plan)
            .start()
            .await;
        let said = server.vt("stop --plan --app checkout --env prod").await;
        assert_eq!(said.exit, exit, "{said:?}");
        assert!(said.out.contains("will change"));
        let said = server.vt("stop --dry-run --app checkout --env prod --json").await;
        assert_eq!((said.exit, &said.json()["data"]["plan"]["hash"]), (exit, &json!("h4sh")));
    }
    let server = Fake::default()
        .json("GET /envs", &envs())
        .json("POST /envs/env_1000000000/plans", &blocked(Verb::Stop))
        .start()
        .await;
    let said = server.vt("stop --app checkout --env prod --json").await;
    assert_eq!((said.exit, &said.json()["error"]["code"]), (5, &json!("plan_blocked")));
}

#[tokio::test]
async fn delete_asks_for_yes_where_nobody_can_type() {
    let server = world(Verb::Delete).start().await;
    let said = server.vt("delete --app checkout --env prod").await;
    assert_eq!(said.exit, 2, "{said:?}");
    assert!(said.err.contains("hint: --yes"), "{}", said.err);
    assert!(server.asked("POST /envs/env_1000000000/actions").is_empty());
    assert_eq!(server.vt("delete --app checkout --env prod --yes").await.exit, 0);
}

#[tokio::test]
async fn the_key_of_a_write_survives_lost_answers_and_differs_between_writes() {
    let text = serde_json::to_string(&receipt(Verb::Restart)).expect("serialises");
    let server = Fake::default()
        .json("GET /envs", &envs())
        .json("POST /envs/env_1000000000/plans", &plan(Verb::Restart))
        .on("POST /envs/env_1000000000/actions", move |n, _| match n {
            0 | 1 => ok(cut(vec![text[..20].to_owned()])),
            _ => ok(text.clone()),
        })
        .start()
        .await;
    assert_eq!(server.vt("restart --app checkout --env prod").await.exit, 0);
    assert_eq!(server.vt("restart --app checkout --env prod").await.exit, 0);
    let keys: Vec<_> =
        server.asked("POST /envs/env_1000000000/actions").into_iter().map(|asked| asked.key).collect();
    assert_eq!(keys.len(), 4);
    assert!(keys[0].is_some() && keys[0] == keys[1] && keys[1] == keys[2] && keys[2] != keys[3], "{keys:?}");
}

#[tokio::test]
async fn a_write_whose_answer_is_always_lost_is_sent_four_times_at_most() {
    let server = Fake::default()
        .json("GET /envs", &envs())
        .on("POST /envs/env_1000000000/plans", |_, _| ok(cut(vec![])))
        .start()
        .await;
    assert_eq!(server.vt("restart --app checkout --env prod").await.exit, 6);
    assert_eq!(server.asked("POST /envs/env_1000000000/plans").len(), 4);
}

#[tokio::test]
async fn a_wait_that_converges_ends_with_0_and_one_that_does_not_says_what_to_do() {
    let phases = [
        (WaitPhase::Converged, 0, ""),
        (WaitPhase::TimedOut, 6, "wait_timed_out"),
        (WaitPhase::Failed { reason: "exit code 1".into() }, 1, "wait_failed"),
        (WaitPhase::Superseded { by: None }, 5, "wait_superseded"),
    ];
    for (phase, exit, code) in phases {
        let answer = move |n, _: &Asked| {
            let phase = if n == 0 { WaitPhase::Waiting } else { phase.clone() };
            ok(serde_json::to_string(&wait(phase)).expect("serialises"))
        };
        let server = world(Verb::Restart).on("GET /waits/wt_1000000000", answer).start().await;
        let said = server.vt("restart --app checkout --env prod --wait=10m --json").await;
        assert_eq!(said.exit, exit, "{said:?}");
        assert_eq!(server.asked("POST /envs/env_1000000000/actions")[0].json()["wait_s"], 600);
        if exit == 0 {
            assert_eq!(said.json()["data"]["wait"]["phase"], "converged");
            continue;
        }
        let error = &said.json()["error"];
        assert_eq!(error["code"], code);
        assert_eq!(error["details"]["receipt"]["id"], "rc_1000000000");
        let next = error["details"]["next"].as_array().expect("a list");
        let commands: Vec<&str> = next.iter().filter_map(|next| next["command"].as_str()).collect();
        let begins = ["vt events tail ", "vt status ", "vt describe env env_1000000000"];
        assert!(
            commands.iter().zip(begins).all(|(command, begin)| command.starts_with(begin)),
            "{commands:?}"
        );
    }
}

#[tokio::test]
async fn apply_sends_only_what_the_server_lacks_and_then_the_file() {
    let root = tempfile::tempdir().expect("a folder");
    let manifest = "app: checkout\nenv: prod\nartefact: [a, b]\nprocesses: {}\n";
    for (name, text) in [("vantage.yaml", manifest), ("a", "A"), ("b", "B")] {
        std::fs::write(root.path().join(name), text).expect("written");
    }
    let b = "df7e70e5021544f4834bbee64a9e3789febc4be81470df629cad6ddb03320a5c";
    let applied = json!({ "release": fixtures::release(2), "plan": plan(Verb::Deploy), "receipt": receipt(Verb::Deploy) });
    let server = Fake::default()
        .json("POST /blobs/missing", &json!({ "missing": [b] }))
        .on("PUT /blobs/", |_, _| ok(""))
        .json("POST /apply", &applied)
        .start()
        .await;
    let file = root.path().join("vantage.yaml");
    let said = server.vt(&format!("apply -f {} --json", file.display())).await;
    assert_eq!(said.exit, 0, "{said:?}");
    assert_eq!(said.json()["data"]["receipt"]["kind"], "deploy");
    let sent = server.asked("PUT /blobs/");
    assert_eq!(
        (sent.len(), sent[0].line.as_str(), &sent[0].body[..]),
        (1, &*format!("PUT /blobs/{b}"), &b"B"[..])
    );
    let asked = server.asked("POST /apply")[0].json();
    assert_eq!((&asked["manifest"], &asked["dry_run"]), (&json!(manifest), &json!(false)));
    assert_eq!(asked["files"]["b"], json!({ "sha256": b, "executable": false }));
}
