//! The thin start: logging, then the command.

/// Takes less memory for many small things, such as what is known of tokens, than the system's, and gives back what a burst took.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[actix_web::main]
async fn main() {
    let cli = jeton::cli::Cli::read();
    jeton::cli::start_logging();
    let done = jeton::cli::run(cli).await.inspect_err(|error| tracing::error!("{error}"));
    app::log::finish();
    // Not by returning: that would wait for threads that wait for a database that answers nothing, perhaps for ever.
    std::process::exit(i32::from(done.is_err()));
}
