//! Answers every request with the bytes of one file, from memory: what serving a page costs where nothing is read,
//! judged or rendered. A yardstick for `cargo xtask bench overview`; it prints where it listens.

use axum::{Router, body::Bytes, http::header::CONTENT_TYPE};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).ok_or_else(|| anyhow::anyhow!("name the file"))?;
    let bytes = Bytes::from(std::fs::read(path)?);
    let page = move || {
        let bytes = bytes.clone();
        async move { ([(CONTENT_TYPE, "text/html; charset=utf-8")], bytes) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    #[expect(clippy::print_stdout, reason = "whoever started it has to find it")]
    {
        println!("listening on http://{}", listener.local_addr()?);
    }
    Ok(axum::serve(listener, Router::new().fallback(page)).await?)
}
