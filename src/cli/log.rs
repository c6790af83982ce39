use std::io::stderr;

use tracing::Level;
use tracing_subscriber::fmt::format::{FmtSpan, Writer};
use tracing_subscriber::fmt::time::FormatTime;

use super::Global;
use super::args::LogFormat;

/// Sends log lines to stderr: JSON for machines, one short line for people.
///
/// People see warnings, `-v` shows what is done, `-vv` every request, `-q` errors only; a JSON log begins at what is done,
/// because nobody is watching.
pub fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => Level::ERROR,
        (false, 0) if global.log_format == LogFormat::Json => Level::INFO,
        (false, 0) => Level::WARN,
        (false, 1) => Level::INFO,
        (false, 2) => Level::DEBUG,
        (false, _) => Level::TRACE,
    };
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(stderr)
        .with_span_events(FmtSpan::NONE)
        // It would be told on stderr, which cannot be written: that panics.
        .log_internal_errors(false);
    // A second start in one process (tests) keeps the first.
    let _ = match global.log_format {
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_timer(Rfc3339)
            .try_init(),
        LogFormat::Text => {
            builder.with_ansi(global.colour(&stderr())).with_target(false).without_time().compact().try_init()
        }
    };
}

/// RFC 3339 in UTC, whole milliseconds.
struct Rfc3339;

impl FormatTime for Rfc3339 {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        write!(writer, "{:.3}", jiff::Timestamp::now())
    }
}
