//! Stands in for `vt` in the tests of this crate, which cannot know the real one. Not installed, not shipped.
//!
//! `server DATA_DIR COMMAND…` is a server that runs one instance until somebody kills it.

use std::{ffi::OsString, path::PathBuf, process::ExitCode, sync::Arc, time::Instant};

use local::{Config, Platform};
use model::{
    AppId, EnvId, EnvRef, InstanceId, ReleaseId, SourceId, Span, StartInstance, Ts, spec::ProcessSpec,
};
use sources::Actuator;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    match args.next().as_ref().and_then(|word| word.to_str()) {
        Some("shim") => local::shim_main(args),
        Some("demo-app") => local::demo_app_main(args),
        Some("server") => server(args.collect()),
        _ => ExitCode::from(2),
    }
}

fn server(args: Vec<OsString>) -> ExitCode {
    let mut args = args.into_iter();
    let Some(data_dir) = args.next().map(PathBuf::from) else { return ExitCode::from(2) };
    let command: Vec<_> = args.filter_map(|arg| arg.into_string().ok()).collect();
    let spec = serde_json::json!({ "command": command, "stop_grace": "500ms" });
    let spec: ProcessSpec = serde_json::from_value(spec).expect("a process spec");
    let order = StartInstance {
        id: InstanceId::mint(u64::from(std::process::id())),
        target: EnvRef { app_id: AppId::mint(1), app: "a".into(), env_id: EnvId::mint(1), env: "e".into() },
        process: "web".into(),
        release: ReleaseId::mint(1),
        release_number: 1,
        restarts: 0,
        generation: 1,
        spec,
        files: std::collections::BTreeMap::new(),
    };
    let begun = Instant::now();
    let config = Config {
        data_dir,
        vt_binary: std::env::current_exe().expect("we run"),
        shim_args: vec!["shim".into()],
        clock: Arc::new(move || Ts(i64::try_from(begun.elapsed().as_micros()).unwrap_or(i64::MAX))),
        interval: Span::seconds(5),
        source: SourceId::mint(1),
    };
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(async {
        let platform = Platform::new(config).expect("a data folder");
        println!("{}", order.id);
        platform.start(order).await.expect("taken");
        std::future::pending().await
    })
}
