//! Style sheets, scripts and pictures, embedded under names that contain a hash of their content.
//!
//! Templates name them by constants that the build script writes: `{{ crate::assets::APP_CSS }}` is the URL of
//! `static/app.css`, and a name that does not exist fails the build. Files from npm packages ([`HTMX`], [`BASECOAT`])
//! are options: `None` if the package was missing. A changed file has a new name, so browsers cache each file forever.

use super::accept::{accepts_gzip, values};
use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH, VARY};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/assets"]
struct Embedded;

/// Answers `GET /static/{name}`: compressed ahead of time if the client accepts gzip, 304 if it has the file.
pub async fn serve(request: HttpRequest) -> HttpResponse {
    let wanted = request.match_info().get("name").unwrap_or_default();
    let Some((name, content_type)) = FILES.iter().find(|(name, _)| *name == wanted) else {
        return not_found();
    };
    let gzip = accepts_gzip(&request);
    let stored = if gzip { Cow::Owned(format!("{name}.gz")) } else { Cow::Borrowed(*name) };
    // The name contains the hash; a strong validator also distinguishes the two encodings.
    let etag = format!("\"{stored}\"");

    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((ETAG, etag.as_str()))
        .insert_header((VARY, "Accept-Encoding"))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"));
    if already_has(&request, &etag) {
        return answer.status(StatusCode::NOT_MODIFIED).finish();
    }
    let Some(file) = Embedded::get(&stored) else {
        return not_found();
    };
    if gzip {
        answer.insert_header((CONTENT_ENCODING, "gzip"));
    }
    answer.content_type(*content_type).body(match file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    })
}

fn not_found() -> HttpResponse {
    HttpResponse::NotFound().content_type("text/plain; charset=utf-8").body("There is no such file.\n")
}

fn already_has(request: &HttpRequest, etag: &str) -> bool {
    values(request, &IF_NONE_MATCH).any(|value| value.trim_start_matches("W/") == etag)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::ACCEPT_ENCODING;
    use actix_web::test::TestRequest;
    use actix_web::{body, rt};

    use super::*;

    fn ask(name: &str, encoding: &str, etag: &str) -> HttpResponse {
        let request = TestRequest::default()
            .param("name", name.to_owned())
            .insert_header((ACCEPT_ENCODING, encoding))
            .insert_header((IF_NONE_MATCH, etag))
            .to_http_request();
        rt::System::new().block_on(serve(request))
    }

    fn header<'a>(answer: &'a HttpResponse, name: &str) -> Option<&'a str> {
        answer.headers().get(name).and_then(|value| value.to_str().ok())
    }

    fn css() -> &'static str {
        APP_CSS.trim_start_matches(crate::routes::path::FILES)
    }

    #[test]
    fn no_style_sheet_has_a_picture_that_the_policy_forbids() {
        let sheets = FILES.iter().filter(|(name, _)| name.ends_with(".css"));
        for (name, _) in sheets {
            let sheet = Embedded::get(name).expect("a file").data;
            let sheet = std::str::from_utf8(&sheet).expect("text");
            assert!(!sheet.contains("data:") && sheet.matches('{').count() == sheet.matches('}').count(), "{name}");
        }
    }

    #[test]
    fn a_file_is_cached_forever_and_revalidated() {
        let answer = ask(css(), "br, gzip;q=0.5", "");
        assert_eq!(answer.status(), 200);
        assert_eq!(header(&answer, "content-encoding"), Some("gzip"));
        assert_eq!(header(&answer, "vary"), Some("Accept-Encoding"));
        assert_eq!(header(&answer, "content-type"), Some("text/css; charset=utf-8"));
        assert!(header(&answer, "cache-control").is_some_and(|value| value.contains("immutable")));

        let etag = header(&answer, "etag").map(str::to_owned).expect("an ETag");
        assert_eq!(ask(css(), "gzip", &format!("\"other\", {etag}")).status(), 304);
        assert_eq!(ask(css(), "gzip;q=0", &etag).status(), 200, "the other encoding is another body");
    }

    #[test]
    fn without_gzip_the_plain_file_is_sent() {
        let answer = ask(APP_JS.trim_start_matches("/static/"), "identity", "");
        assert_eq!(header(&answer, "content-encoding"), None);
        let body = rt::System::new().block_on(body::to_bytes(answer.into_body())).expect("a body");
        assert_eq!(&body[..], include_bytes!("../../static/app.js"));
    }

    #[test]
    fn only_listed_names_are_served() {
        for name in ["app.css", "", "../Cargo.toml", &format!("{}.gz", css())] {
            assert_eq!(ask(name, "gzip", "").status(), 404, "{name}");
        }
    }

    #[test]
    fn the_style_sheet_has_the_rules_of_every_component() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../static/css");
        let components = std::fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").path());
        let rules: usize =
            components.map(|path| std::fs::read_to_string(path).expect("a style sheet").matches(" {").count()).sum();
        let joined = String::from_utf8(Embedded::get(css()).expect("the sheet").data.into_owned()).expect("UTF-8");
        assert_eq!(joined.matches('{').count(), rules);
        assert!(["/*", "@import", "  ", "\n"].iter().all(|left_out| !joined.contains(left_out)), "{joined}");
    }

    /// The budget of the first page is 60 KB, and it takes 62: the styles of items and access rules, which no first page
    /// needs, are to go into a sheet of their own. Until then, at least nothing is added. The pages that describe the API
    /// are nobody's first.
    #[test]
    fn the_files_of_a_page_leave_room_for_the_page() {
        let of_pages = FILES.iter().filter(|(name, _)| !name.starts_with("developers-"));
        let sent: usize =
            of_pages.filter_map(|(name, _)| Embedded::get(&format!("{name}.gz"))).map(|file| file.data.len()).sum();
        assert!(sent <= 53_000, "{sent} bytes");
    }

    /// What the first build installs and writes is newer than its run: if Cargo watched it, the second build would
    /// start over.
    #[test]
    fn the_build_watches_nothing_that_it_writes() {
        let output = std::path::Path::new(env!("OUT_DIR")).with_file_name("output");
        let output = std::fs::read_to_string(output).expect("what the build script said");
        let watched: Vec<&str> =
            output.lines().filter_map(|line| line.strip_prefix("cargo:rerun-if-changed=../../")).collect();
        assert_eq!(watched, ["src/web/build", "locales", "static", "templates", "package.json", "package-lock.json"]);
        assert_eq!(output.matches("rerun-if-changed").count(), watched.len(), "{output}");
    }
}
