use std::io;

/// Keeps this process's memory, keys in it, out of core files and away from other processes of the same user.
///
/// On Linux the process becomes undumpable: no core file, no `ptrace`, and `/proc/self/environ` and `mem` belong
/// to root; a program that it becomes is an ordinary one again. Elsewhere the core size limit goes to zero.
///
/// # Errors
///
/// Those of the system calls. A caller may go on: what is lost is a second fence.
///
/// # Source
///
/// prctl(2), `PR_SET_DUMPABLE`; setrlimit(2), `RLIMIT_CORE`; core(5).
///
/// # Examples
///
/// ```
/// # #[cfg(target_os = "linux")] {
/// use rustix::process::{DumpableBehavior, dumpable_behavior};
///
/// sfmint::crypto::harden_process()?;
/// assert_eq!(dumpable_behavior()?, DumpableBehavior::NotDumpable);
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn harden_process() -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    }
    #[cfg(not(target_os = "linux"))]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    }
    Ok(())
}
