//! The style and the scripts of the desk, under names that change with what is in them.

use std::sync::{Arc, LazyLock};

use axum::{Router, extract::Path, http::header, response::IntoResponse as _, routing::get};

use super::{Answer, Desk, Failure};

/// Each with the name by which templates know it, and its type.
const FILES: [(&str, &str, &str); 2] = [
    ("desk.css", "text/css; charset=utf-8", include_str!("assets/desk.css")),
    ("desk.js", "text/javascript; charset=utf-8", include_str!("assets/desk.js")),
];

/// A file under its own address.
pub(super) struct Asset {
    /// The name by which templates know it.
    pub(super) name: &'static str,
    /// Where it is.
    pub(super) path: String,
    kind: &'static str,
    text: &'static str,
}

/// All of them.
pub(super) static ALL: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |(name, kind, text): (&'static str, &'static str, &'static str)| {
        let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
        let hash = blake3::hash(text.as_bytes()).to_hex();
        Asset { name, path: format!("/desk-assets/{stem}-{}.{ending}", &hash[..12]), kind, text }
    };
    FILES.into_iter().map(asset).collect()
});

pub(super) fn routes() -> Router<Arc<Desk>> {
    Router::new().route("/desk-assets/{name}", get(serve))
}

async fn serve(Path(name): Path<String>) -> Answer {
    let path = format!("/desk-assets/{name}");
    let asset = ALL.iter().find(|asset| asset.path == path).ok_or_else(Failure::nothing)?;
    let headers =
        [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.text).into_response())
}
