//! Resolution of apps and envs, without a server.

use model::{AppId, EnvId, fixtures};

use super::*;

fn envs(names: &[(&str, &str)]) -> Vec<EnvRecord> {
    let env = |(n, (app, env)): (u64, &(&str, &str))| {
        let mut record = fixtures::env_record(1, &fixtures::release(1));
        let app_id = AppId::mint(app.bytes().map(u64::from).sum());
        record.target = EnvRef { app_id, app: (*app).into(), env_id: EnvId::mint(n), env: (*env).into() };
        record
    };
    (1..).zip(names).map(env).collect()
}

fn wanted(app: Option<&str>, env: Option<&str>) -> Wanted {
    Wanted { app: app.map(Into::into), env: env.map(Into::into), file: None }
}

fn title(wanted: &Wanted, envs: &[EnvRecord]) -> Result<String, (u8, String)> {
    wanted.choose(envs).map(|env| env.target.title()).map_err(|error| {
        let report = error.report();
        (report.exit.code(), format!("{} / {}", report.message, report.hint.unwrap_or_default()))
    })
}

#[test]
fn an_app_and_an_env_choose_by_name_or_id() {
    let envs = envs(&[("checkout", "prod"), ("checkout", "dev"), ("search", "prod")]);
    assert_eq!(title(&wanted(Some("checkout"), Some("prod")), &envs), Ok("checkout/prod".into()));
    let id = envs[2].target.env_id.to_string();
    assert_eq!(title(&wanted(None, Some(&id)), &envs), Ok("search/prod".into()));
    let id = envs[2].target.app_id.to_string();
    assert_eq!(title(&wanted(Some(&id), None), &envs), Ok("search/prod".into()));
}

#[test]
fn the_only_app_that_has_the_env_is_meant() {
    let envs = envs(&[("checkout", "prod"), ("search", "dev")]);
    assert_eq!(title(&wanted(None, Some("dev")), &envs), Ok("search/dev".into()));
}

#[test]
fn what_is_ambiguous_is_a_usage_error_that_lists_the_candidates() {
    let envs = envs(&[("search", "prod"), ("checkout", "prod"), ("checkout", "dev")]);
    let (exit, text) = title(&wanted(None, Some("prod")), &envs).expect_err("two apps");
    assert_eq!(exit, 2);
    assert_eq!(
        text,
        "env prod could be several: checkout/prod, search/prod / name one with --app, or with --env and an id"
    );
    let (exit, text) = title(&wanted(Some("checkout"), None), &envs).expect_err("two envs");
    assert!(exit == 2 && text.contains("name one with --env"), "{text}");
}

#[test]
fn what_does_not_exist_is_not_found_and_says_what_does() {
    let some = envs(&[("checkout", "prod")]);
    let (exit, text) = title(&wanted(Some("checkuot"), Some("prod")), &some).expect_err("a typo");
    assert_eq!(
        (exit, text.as_str()),
        (4, "there is no app checkuot with an env prod / there are checkout/prod")
    );
    assert_eq!(title(&wanted(None, None), &[]).expect_err("nothing").0, 4);
}

#[test]
fn the_app_file_of_a_parent_names_the_app_and_flags_win() {
    let root = tempfile::tempdir().expect("a folder");
    let deep = root.path().join("a/b");
    std::fs::create_dir_all(&deep).expect("made");
    std::fs::write(root.path().join(MANIFEST), "app: checkout\nenv: prod\nprocesses: {}\n").expect("written");
    let of = |global: Global| Wanted::in_folder(&global, &deep).expect("read");

    let file = Some(root.path().join(MANIFEST));
    let found = of(Global::default());
    assert_eq!(found, Wanted { file: file.clone(), ..wanted(Some("checkout"), Some("prod")) });
    let found = of(Global { env: Some("dev".into()), ..Global::default() });
    assert_eq!(found, Wanted { file, ..wanted(Some("checkout"), Some("dev")) });
    let found = of(Global { app: Some("search".into()), ..Global::default() });
    assert_eq!(found, wanted(Some("search"), None));
    let found = of(Global { env: Some("env_7f3k9".into()), ..Global::default() });
    assert_eq!(found, wanted(None, Some("env_7f3k9")));
}

#[test]
fn a_broken_or_huge_app_file_is_named_in_the_error() {
    let root = tempfile::tempdir().expect("a folder");
    let path = root.path().join(MANIFEST);
    for text in ["app: [".to_owned(), "#".repeat(2 << 20)] {
        std::fs::write(&path, text).expect("written");
        let error = Wanted::in_folder(&Global::default(), root.path()).expect_err("refused").report();
        assert!(error.exit.code() == 2 && error.message.contains(MANIFEST), "{}", error.message);
    }
}

#[test]
fn organisations_are_refused_with_a_sentence() {
    let global = Global { org: Some("acme".into()), ..Global::default() };
    let report = refuse_unknown_scopes(&global).expect_err("refused").report();
    assert_eq!(
        (report.exit.code(), report.message.as_str()),
        (2, "this server has no organisations, so none is called acme")
    );
}
