//! Signing in as a browser does: a form, a cookie, and a form token from the page.

use crate::{Client, Response};

impl Client {
    /// Signs in with a token's secret and reads the form token off a page.
    ///
    /// # Panics
    /// When the token is not taken.
    pub async fn sign_in(&self, token: &str) -> Client {
        let answer =
            self.form("/sign-in", &[("token", token), ("return_to", "/events")]).await.has_status(303);
        assert_eq!(answer.header("location"), "/events");
        self.with_cookie_of(&answer).await
    }

    /// The client that an answer's session cookie makes.
    ///
    /// # Panics
    /// When the answer has none, or it is not kept from scripts.
    pub async fn with_cookie_of(&self, answer: &Response) -> Client {
        let cookie = answer.header("set-cookie").to_owned();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(part), "{part} is missing in the session's cookie");
        }
        let session =
            cookie.strip_prefix("vt_session=").and_then(|rest| rest.split(';').next()).unwrap_or_default();
        let mut client = self.with_session(session);
        // Any page has the sign-out form; the list of receipts is the cheapest.
        let page: Response = client.get("/receipts").await.has_status(200);
        client.form_token = hidden(page.text(), "form_token").unwrap_or_default();
        client
    }
}

/// The value of a hidden field.
fn hidden(html: &str, name: &str) -> Option<String> {
    let input = html.split("<input").find(|input| input.contains(&format!("name=\"{name}\"")))?;
    input.split_once("value=\"")?.1.split('"').next().map(str::to_owned)
}
