//! The entry point: starts logging, then runs the command.

/// Needs less memory than the system's allocator for many small allocations, such as cached tokens, and returns memory
/// after a burst.
#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

#[actix_web::main]
async fn main() {
    let cli = jeton::cli::Cli::read();
    jeton::cli::start_logging();
    let done = jeton::cli::run(cli).await.inspect_err(|error| tracing::error!("{error}"));
    app::log::finish();
    // Exit instead of returning: returning would wait for threads that may wait forever for a database that does not
    // respond.
    std::process::exit(i32::from(done.is_err()));
}
