/// Whether a job reads what changed, or everything each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// What changed since the watermark.
    #[default]
    Incremental,
    /// Everything, put in place of what was there.
    Full,
}

/// What becomes of rows that were deleted in the org.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deletes {
    /// The row stays, with `IsDeleted` true, or with `_sfmint_deleted_at` where the org no longer has it.
    #[default]
    Mark,
    /// The row goes.
    Remove,
    /// The row stays as it was.
    Ignore,
}

/// What a changed set of fields does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SchemaPolicy {
    /// New fields become columns; nothing is ever dropped.
    #[default]
    Evolve,
    /// The baseline's fields go on being read; the change is reported with each run.
    Warn,
    /// The run ends before anything is read.
    Fail,
}

/// Which API rows come by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// Bulk for large sets, REST for small ones and for what Bulk refuses.
    #[default]
    Auto,
    /// Bulk API 2.0 only.
    Bulk,
    /// REST only.
    Rest,
}

/// What becomes of NUL characters in text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nul {
    /// Each becomes U+FFFD, and is counted.
    #[default]
    Replace,
    /// Each is left out, and is counted.
    Remove,
    /// They are kept, where the destination can.
    Keep,
    /// The run ends.
    Fail,
}
