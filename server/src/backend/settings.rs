//! `/settings`: what the server was started with. What one person chose comes with their request.

use app::api::{Page, PageError, ServerSetting, SettingsPage, Viewer};
use model::Role;

use super::Pages;

impl Pages {
    pub(super) async fn load_settings(&self, who: &Viewer) -> Result<Page<SettingsPage>, PageError> {
        let mut reader = self.reader().await?;
        let serve = &self.state.serve;
        let public = serve.public_url.clone().unwrap_or_else(|| "the listen address".to_owned());
        let anonymous = serve.anonymous.as_deref().unwrap_or("nobody");
        let all = [
            ("Public URL", "--public-url", public),
            ("May read without signing in", "--anonymous", anonymous.to_owned()),
            ("Stuck after", "--stuck-after", serve.stuck_after.exact()),
            ("Events and history are kept", "--keep-history", serve.keep_history.words()),
            ("Log lines are kept", "--keep-logs", serve.keep_logs.words()),
            ("Log lines of one object", "--keep-log-lines", serve.keep_log_lines.to_string()),
        ];
        let may = who.signed_in && who.role >= Role::Admin;
        let server = all
            .into_iter()
            .map(|(title, how, value)| ServerSetting { title, how, value: may.then_some(value) })
            .collect();
        self.page(&mut reader, who, SettingsPage { server }).await
    }
}
