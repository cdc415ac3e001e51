//! The apps of the demo world. Small, real, and some of them broken on purpose.

use std::path::Path;

/// One app of the demo world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoApp {
    /// `checkout/prod`.
    pub title: &'static str,
    /// A release that works, to be converged before [`manifest`](Self::manifest) is applied, so that rollback has a
    /// target; `None` where the app is healthy anyway.
    pub first: Option<String>,
    /// The app file, with `{VT}` in place of the path of `vt`.
    pub manifest: String,
    /// Whether it is meant to be in trouble.
    pub broken: bool,
}

impl DemoApp {
    /// An app file with the path of `vt` written into it.
    #[must_use]
    pub fn fill(manifest: &str, vt: &Path) -> String {
        // A JSON text is a YAML text: quotes and backslashes of odd paths survive.
        manifest.replace("{VT}", &serde_json::Value::from(vt.to_string_lossy()).to_string())
    }
}

/// The apps that `vt serve --demo` starts, in this order.
#[must_use]
pub fn demo_world() -> Vec<DemoApp> {
    let healthy = |title, process, n| DemoApp {
        title,
        first: None,
        manifest: manifest(title, process, n, "healthy"),
        broken: false,
    };
    let broken = |title, process, n, fault| DemoApp {
        title,
        first: Some(manifest(title, process, n, "healthy")),
        manifest: manifest(title, process, n, fault),
        broken: true,
    };
    vec![
        healthy("checkout/prod", "web", 4),
        healthy("web/staging", "web", 2),
        broken("search/prod", "index", 2, "flapping"),
        broken("billing/prod", "worker", 1, "crash-after=20"),
        broken("ingest/eu", "reader", 2, "never-ready"),
        broken("mailer/prod", "sender", 1, "missing-config"),
    ]
}

fn manifest(title: &str, process: &str, instances: u32, fault: &str) -> String {
    let (app, env) = title.split_once('/').expect("titles are app/env");
    format!(
        "app: {app}
env: {env}
processes:
  {process}:
    command: [{{VT}}, demo-app, --fault, {fault}, --port, \"$PORT\"]
    instances: {instances}
    port: 8080
    health: {{ http: /healthz, interval: 2s, timeout: 1s, failures: 3 }}
    restart: {{ from: 1s, to: 60s }}
    stop_grace: 5s
rollout: {{ strategy: rolling, max_unavailable: 1 }}
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_app_file_of_the_demo_world_is_taken_wherever_vt_lies() {
        let vt = Path::new("/opt/odd \"place\"/vt: x");
        let world = demo_world();
        assert_eq!(world.iter().filter(|app| app.broken).count(), 4);
        for app in &world {
            for manifest in app.first.iter().chain([&app.manifest]) {
                let spec = crate::manifest::parse(&DemoApp::fill(manifest, vt)).expect(manifest);
                assert_eq!(format!("{}/{}", spec.app, spec.env), app.title);
                let process = spec.processes.values().next().expect("one process");
                assert_eq!(process.command[0], vt.to_string_lossy());
            }
        }
    }
}
