//! A world with the same texts in every place that takes text.

use std::time::Duration;

use model::{EnvRecord, EnvRef, Receipt, Verb, Wait, object::object_path, plan::Ask, view_state::encode};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Apply, Client, Fault, Response, TestApp, until};

pub(crate) struct World {
    pub(crate) browser: Client,
    target: EnvRef,
    stored: Vec<String>,
    /// Texts, and a page that has to show each.
    shown: Vec<(String, String)>,
}

impl World {
    pub(crate) async fn of(app: &TestApp, texts: &[String]) -> Self {
        let (operator, admin) = (app.operator(), app.admin());
        let registered: Response = admin.write(Method::PUT, "/api/v1/sources/edge", &json!({})).await;
        assert_eq!(registered.status, 200);
        let known: Vec<EnvRecord> = operator.read("/api/v1/envs").await;
        let target = match known.into_iter().find(|env| env.target.title() == "web/prod") {
            Some(env) => env.target,
            None => {
                let file = app.manifest("web/prod", 0, Fault::Healthy);
                operator.apply(&Apply::of(&file)).await.good().release.target
            }
        };
        let browser = app.anonymous().sign_in(app.admin_token()).await;
        let mut world = Self { browser, target, stored: vec![], shown: vec![] };
        if !texts.is_empty() {
            world.observe(app, texts).await;
            world.order(app, texts).await;
            world.release(app, texts).await;
            world.name(app, texts).await;
        }
        world
    }

    /// Pages with what was stored.
    pub(crate) fn stored(&self) -> &[String] {
        &self.stored
    }

    /// Texts, and the page that shows each.
    pub(crate) fn shown(&self) -> &[(String, String)] {
        &self.shown
    }

    /// Sends lines for the source `edge`.
    pub(crate) async fn report(&self, app: &TestApp, lines: String) -> String {
        let admin = app.admin();
        let request = admin.request(Method::POST, "/api/v1/sources/edge/observations").body(lines);
        let answer: Response = admin.send(request).await.has_status(200);
        assert!(answer.text().contains(r#""done":true"#), "{}", answer.text());
        answer.text().to_owned()
    }

    /// Every text in every field of an observation. A field that does not take it refuses its own line only.
    async fn observe(&mut self, app: &TestApp, texts: &[String]) {
        let at = app.state().now().to_string();
        let mut lines = vec![json!({"type":"object","kind":"cluster","id":"c","name":"c"})];
        for (i, text) in texts.iter().enumerate() {
            let id = format!("m-{i}");
            let condition = json!({"condition":text,"status":"False","reason":text,"message":text});
            let fields = json!({ "version": text, text: text, "list": [text, { text: text }] });
            let event = |more: Value| {
                let mut event =
                    json!({"type":"event","at":at,"kind":"machine","id":id,"action":"x","outcome":"failed"});
                event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                event
            };
            lines.extend([
                json!({"type":"object","kind":"machine","id":id,"name":text}),
                json!({"type":"object","kind":"machine","id":id,"name":text,"desired":{ "version": text }}),
                json!({"type":"object","kind":"machine","id":id,"name":text,"generation":2,"observed_generation":1,
                    "desired":fields,"current":{ "version": "old" },"refs":[{"rel":"part_of","kind":"cluster","id":"c"}],
                    "conditions":[condition]}),
                json!({"type":"object","kind":"labelled","id":id,"name":text}),
                json!({"type":"object","kind":"labelled","id":id,"name":id,"app":text}),
                json!({"type":"object","kind":"labelled","id":id,"name":id,"env":text,"app":"web"}),
                json!({"type":"object","kind":"labelled","id":format!("r-{i}"),"refs":[{"rel":text,"kind":"cluster","id":"c"}]}),
                json!({"type":"object","kind":"labelled","id":format!("s-{i}"),"refs":[{"rel":"x","kind":"cluster","id":text}]}),
                json!({"type":"object","kind":"named","id":text,"name":text}),
                json!({"type":"object","kind":text,"id":id}),
                json!({"type":text,"kind":"machine","id":id}),
                json!({"type":"condition","kind":"labelled","id":id,"condition":"Ready","status":"False","reason":text,"message":text}),
                event(json!({"controller":text,"action":text,"reason":text,"message":text,"attempt":3,"key":format!("e-{i}-{}", texts.len())})),
                event(json!({"message":text})),
                event(json!({"app":text,"env":text})),
                event(json!({"app":"web","env":"prod","message":text,"reason":text,"controller":text})),
                event(json!({"key":text})),
                event(json!({"trace_id":text})),
                event(json!({"at":text})),
                json!({"type":"log","kind":"machine","id":id,"line":text,"stream":"stderr"}),
                json!({"type":"log","kind":"machine","id":id,"line":text,"app":text,"env":text}),
                json!({"type":"log","kind":"machine","id":id,"line":"x","stream":text}),
                json!({"type":"gone","kind":"machine","id":text}),
            ]);
            let path = format!("/o/machine/{id}");
            self.stored.extend([
                path.clone(),
                format!("/o/labelled/{id}"),
                format!("/events?object=machine%3A{id}"),
            ]);
            self.shown.push((text.clone(), path));
        }
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let _ = self.report(app, lines).await;
        // What could be the id of an object has a page of its own.
        let named: Vec<Value> = app.viewer().read("/api/v1/objects?kind=named").await;
        for row in &named {
            let key = row["object"]["key"].as_str().unwrap().parse().unwrap();
            self.stored.push(object_path(&key));
        }
        self.stored.extend(
            ["/", "/events", "/events?group=0", "/events?outcome=failed", "/o/cluster/c", "/sources"]
                .map(str::to_owned),
        );
    }

    /// Every text as the reason of an action, and the name of what is waited for.
    async fn order(&mut self, app: &TestApp, texts: &[String]) {
        let operator = app.operator();
        for (i, text) in texts.iter().enumerate() {
            let plan = operator.plan(&self.target, Verb::Restart, &Ask::default()).await.good();
            let body =
                json!({ "generation": plan.expected_generation, "plan_hash": plan.hash, "reason": text });
            let path = format!("/api/v1/envs/{}/actions/restart", self.target.env_id);
            let answer: Response<Receipt> = operator.post(&path, &body).await;
            if answer.status == 202 {
                let receipt = answer.good();
                self.shown.push((text.clone(), receipt.path()));
            } else {
                // A reason may be too long, and nothing else.
                assert!(answer.status == 400 && text.len() > 1000, "{}", answer.text());
            }
            let wait = json!({ "object": format!("machine:m-{i}"), "timeout_s": 600 });
            let wait: Response<Wait> = operator.post("/api/v1/waits", &wait).await;
            assert_eq!(wait.status, 200, "{i} {text:.100?}: {}", wait.text());
            let wait = wait.good();
            self.stored.push(wait.path());
        }
        self.stored.extend(["/receipts", "/waits", "/audit"].map(str::to_owned));
    }

    /// Every text in an app file: refused with a place, or pinned by a release and shown with its plan.
    async fn release(&mut self, app: &TestApp, texts: &[String]) {
        let operator = app.operator();
        let file = |command: &[&str], environment: &Value, instances: u32| {
            json!({ "app": "echo", "env": "prod", "processes": { "p": {
                "command": command, "environment": environment, "instances": instances,
                "restart": { "from": "50ms", "to": "500ms" } } } })
            .to_string()
        };
        let mut taken: Vec<&str> = vec![];
        for text in texts {
            let tried = Apply {
                dry_run: true,
                ..Apply::of(&file(&["/bin/echo", text.as_str()], &json!({ "TEXT": text }), 0))
            };
            let answer = operator.apply(&tried).await;
            match answer.status {
                200 => taken.push(text),
                400 => drop(answer.any_problem()),
                _ => panic!("{text:.100?}: {} {}", answer.status, answer.text()),
            }
            for strange in [
                json!({ "app": text, "env": "prod", "processes": { "p": { "command": ["/bin/true"] } } }),
                json!({ "app": "a", "env": text, "processes": { "p": { "command": ["/bin/true"] } } }),
                json!({ "app": "a", "env": "b", "processes": { text: { "command": ["/bin/true"] } } }),
                json!({ "app": "a", "env": "b", text: 1, "processes": { "p": { "command": ["/bin/true"] } } }),
            ] {
                let answer =
                    operator.apply(&Apply { dry_run: true, ..Apply::of(&strange.to_string()) }).await;
                assert!([200, 400].contains(&answer.status), "{strange:.300}: {}", answer.text());
            }
        }
        // Arguments are bounded together; twenty at a time are enough to be seen.
        let environment: Value = taken
            .iter()
            .enumerate()
            .map(|(i, text)| (format!("T{i}"), Value::from(*text)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let command: Vec<&str> = std::iter::once("/bin/echo").chain(taken.iter().copied().take(20)).collect();
        let applied = operator.apply(&Apply::of(&file(&command, &environment, 1))).await.good();
        let target = applied.release.target;
        until("an event about the echo", Duration::from_secs(10), || async {
            let events: Value = operator.read("/api/v1/events?app=echo&outcome=failed").await;
            if events["groups"].as_array().is_some_and(|groups| !groups.is_empty()) {
                Ok(())
            } else {
                Err(events)
            }
        })
        .await;
        self.stored.extend([target.path(), format!("{}/releases", target.path())]);
        for verb in Verb::ALL.iter().filter(|verb| **verb != Verb::Deploy) {
            let path = format!("/actions/{}/plan?env={}", verb.as_str(), target.env_id);
            let page: Response = self.browser.get(&path).await;
            if page.status == 200 {
                self.stored.push(path);
            }
        }
        let _ = operator.command(&target, Verb::Stop, &Ask::default()).await;
    }

    /// Names of tokens and sources are plain words; everything else is refused.
    async fn name(&mut self, app: &TestApp, texts: &[String]) {
        let admin = app.admin();
        for text in texts {
            for body in [json!({ "name": text, "role": "viewer" }), json!({ "name": "x", "source": text })] {
                let answer: Response = admin.post("/api/v1/tokens", &body).await;
                assert!([200, 400].contains(&answer.status), "{text:.100?}: {}", answer.text());
            }
        }
        self.stored.push("/settings".to_owned());
    }

    /// Addresses that say this text in each of their places.
    pub(crate) fn asked(&self, text: &str) -> Vec<String> {
        // A line of a request has its limits too.
        let text: String = text.chars().take(2000).collect();
        let (q, page) = (encode(&text), self.target.path());
        [
            format!("/{q}"),
            format!("/?{q}={q}"),
            format!("/?at={q}&show={q}&page={q}"),
            format!("/events?q={q}"),
            format!("/events?app={q}&env={q}&controller={q}&reason=-{q}&source={q}&actor={q}"),
            format!("/events?object={q}&outcome={q}&kind={q}&from={q}&to={q}&before={q}"),
            format!("/events?sel={q}&open={q}&sort={q}&view={q}"),
            format!("{page}?from={q}&to={q}&open={q}&sel={q}"),
            format!("/search?q={q}"),
            format!("/audit?actor={q}&verb={q}&target={q}&result={q}&before={q}"),
            format!("/audit.json?actor={q}"),
            format!("/sources/{q}"),
            format!("/o/machine/{q}"),
            format!("/o/{q}/x"),
            format!("/a/{q}/{q}"),
            format!("/receipts/{q}"),
            format!("/waits/{q}"),
            format!("/actions/{q}/plan"),
            format!("/actions/scale/plan?env={q}&release={q}&process={q}&instances={q}"),
            format!("/actions/scale/plan?env={}&process={q}&instances=2", self.target.env_id),
            format!("/sign-in?return_to={q}&link={q}"),
            format!("/assets/{q}"),
            format!("/api/v1/{q}"),
        ]
        .into()
    }

    /// Forms that say this text in each of their fields.
    pub(crate) fn forms(&self, text: &str) -> Vec<(String, Vec<(&'static str, String)>)> {
        let token = ("form_token", self.browser.form_token.clone());
        let field = |name| (name, text.to_owned());
        let env = ("env", self.target.env_id.to_string());
        let stale = [
            ("generation", "1".to_owned()),
            ("plan_hash", "x".to_owned()),
            ("idempotency_key", "k".to_owned()),
        ];
        let confirm = |more: Vec<(&'static str, String)>| {
            [vec![token.clone(), env.clone()], stale.to_vec(), more].concat()
        };
        vec![
            ("/actions/restart".to_owned(), confirm(vec![field("reason")])),
            ("/actions/delete".to_owned(), confirm(vec![field("typed"), field("reason")])),
            ("/actions/scale".to_owned(), confirm(vec![field("process"), ("instances", "2".to_owned())])),
            ("/actions/scale".to_owned(), confirm(vec![field("instances"), field("wait")])),
            ("/sign-in".to_owned(), vec![field("token"), field("return_to")]),
            ("/sign-in".to_owned(), vec![field("link"), field("return_to")]),
            ("/sign-out".to_owned(), vec![field("form_token")]),
        ]
    }
}
