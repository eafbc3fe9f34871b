//! The attribute of tests that run on both databases. Without a parser of Rust, since all it needs is the name.

use proc_macro::{TokenStream, TokenTree};

/// Runs a test on SQLite and on Postgres, as `the_name::sqlite` and `the_name::postgres`:
///
/// ```text
/// #[db_test]
/// async fn two_requests_at_nine_of_ten_make_one_token(db: TestDb) {
///     …
/// }
/// ```
#[proc_macro_attribute]
pub fn db_test(_: TokenStream, function: TokenStream) -> TokenStream {
    let Some(name) = name(function.clone()) else {
        return tokens("compile_error!(\"db_test is for functions\");");
    };
    let run = |database: &str| {
        format!(
            "#[::actix_web::test] async fn {database}() {{ super::{name}(crate::harness::TestDb::{database}()).await; }}"
        )
    };
    let module = format!("mod {name} {{ {} {} }}", run("sqlite"), run("postgres"));
    [function, tokens(&module)].into_iter().collect()
}

/// What stands behind `fn`.
fn name(function: TokenStream) -> Option<String> {
    let is_fn = |token: &TokenTree| token.to_string() == "fn";
    function.into_iter().skip_while(|token| !is_fn(token)).nth(1).map(|token| token.to_string())
}

fn tokens(source: &str) -> TokenStream {
    source.parse().expect("it is Rust")
}
