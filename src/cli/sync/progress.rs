use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::base::JobName;
use crate::cli::Global;
use crate::sync::Step;

/// Progress bars on a terminal; nothing anywhere else, where log lines say it.
pub struct Progress {
    bars: Option<MultiProgress>,
}

impl Progress {
    /// Bars on stderr, if a person looks at it and wants any.
    pub fn new(global: &Global) -> Self {
        let wanted = std::io::stderr().is_terminal() && !global.no_progress && !global.quiet;
        Self { bars: wanted.then(MultiProgress::new) }
    }

    /// The bar of one job.
    pub fn bar(&self, job: &JobName) -> Bar {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new_spinner());
            bar.set_style(style("{prefix:.bold} {spinner} {msg}"));
            bar.set_prefix(job.to_string());
            bar.set_message("asking the org");
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Bar(bar)
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// One job's bar: rows, rows a second, and how long it will still take.
pub struct Bar(Option<ProgressBar>);

impl Bar {
    /// Shows a step.
    pub fn show(&self, step: Step) {
        let Some(bar) = &self.0 else { return };
        match step {
            Step::Asked => bar.set_message("waiting for the org"),
            Step::Page(counts) => {
                if let Some(all) = counts.processed.filter(|_| bar.length().is_none()) {
                    bar.set_length(all);
                    bar.set_style(style(
                        "{prefix:.bold} {bar:30} {human_pos}/{human_len} rows  {per_sec:.0} rows/s  ETA {eta}",
                    ));
                }
                bar.set_position(counts.received);
            }
            Step::Comparing => bar.set_message("comparing Ids"),
            Step::Publishing => bar.set_message("publishing"),
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
