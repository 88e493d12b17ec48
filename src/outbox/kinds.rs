//! What a file of the outbox is, by its name: its media type, and how long it may be kept without asking again.

/// How long a file may be kept without asking again.
#[must_use]
pub fn keeping(name: &str) -> &'static str {
    if is_lasting(name) { "public, max-age=31536000, immutable" } else { "public, max-age=300" }
}

/// Whether a file's name carries a hash of its bytes, so that it never changes: books, pictures and assets.
fn is_lasting(name: &str) -> bool {
    let named_by_hash = matches!(media_type(name), "application/epub+zip" | "image/png" | "image/jpeg");
    // A cover keeps its address when its issue is corrected.
    let cover = name.ends_with("/cover.png") || name.ends_with("/thumbnail.png");
    name.starts_with("assets/") || (name.starts_with("issues/") && named_by_hash && !cover)
}

/// The media type of a file. Feeds are `application/xml`, because browsers show the style sheet of those and only those.
#[must_use]
pub fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        // E-readers take a catalogue for one by its type alone.
        "xml" if name == "opds/navigation.xml" => "application/atom+xml;profile=opds-catalog;kind=navigation",
        "xml" if name == "opds/search.xml" => "application/opensearchdescription+xml",
        "xml" if name.starts_with("opds/") => "application/atom+xml;profile=opds-catalog;kind=acquisition",
        "xml" => "application/xml; charset=utf-8",
        "opml" => "text/x-opml; charset=utf-8",
        "json" if name.starts_with("opds/") => "application/opds+json",
        "json" if name.starts_with("feed") => "application/feed+json",
        "txt" => "text/plain; charset=utf-8",
        "json" => "application/json",
        "epub" => "application/epub+zip",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        _ => "application/octet-stream",
    }
}
