use crate::base::{Fault, Job};
use crate::cli::report::{Complaint, told};
use crate::cli::wire::Wire;

/// The jobs that the command line names; the only one there is, where it names none.
pub fn named(wire: &Wire, names: &[String]) -> anyhow::Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for name in names {
        let job = wire.settings().job(name).map_err(told)?;
        if !jobs.iter().any(|known: &Job| known.name == job.name) {
            jobs.push(job);
        }
    }
    if !names.is_empty() {
        return Ok(jobs);
    }
    let all = wire.settings().jobs();
    match all.as_slice() {
        [] => Err(told(none())),
        [only] => Ok(vec![only.clone()]),
        several => {
            let names: Vec<String> = several.iter().map(|job| format!("`{}`", job.name)).collect();
            let says = format!("there are {} jobs: {}", several.len(), names.join(", "));
            let complaint = Complaint::new("sync.which_job", Fault::Misuse, says);
            Err(told(complaint.hint("name the jobs, or say `--all` or `--due`")))
        }
    }
}

/// There are no jobs.
pub fn none() -> Complaint {
    Complaint::new("sync.no_jobs", Fault::Misuse, "no jobs are configured")
        .hint("add `[jobs.NAME]` to the config file, or a file to `jobs.d` beside it; docs/guides/scheduled-sync.md begins there")
}
