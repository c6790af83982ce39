use std::path::Path;

/// How SQLite keeps a transaction whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Journal {
    /// Readers and a writer side by side, and commits without fsync. Needs memory shared by all who open it.
    Wal,
    /// Slower, and right where several machines may meet.
    Delete,
}

/// Room that the file system of `path` still has for us.
pub(super) fn free_bytes(path: &Path) -> Option<u64> {
    let vfs = rustix::fs::statvfs(path.parent()?).ok()?;
    vfs.f_bavail.checked_mul(vfs.f_frsize)
}

#[cfg(target_os = "linux")]
pub(super) fn journal_on(folder: &Path) -> Journal {
    rustix::fs::statfs(folder).map_or(Journal::Delete, |fs| journal_for(fs.f_type as u32))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn journal_on(_folder: &Path) -> Journal {
    Journal::Wal
}

/// Decides by the file system's magic number (statfs(2)): WAL wants memory that all who open the file
/// share, and on these another machine, or another kernel, may be among them.
#[cfg(target_os = "linux")]
fn journal_for(magic: u32) -> Journal {
    const SHARED: [(u32, &str); 11] = [
        (0x6969, "nfs"),
        (0x517b, "smb"),
        (0xff53_4d42, "cifs"),
        (0xfe53_4d42, "smb2"),
        (0x0102_1997, "9p"),
        (0x5346_414f, "afs"),
        (0x00c3_6400, "ceph"),
        (0x6573_5546, "fuse"),
        (0x0bd0_0bd0, "lustre"),
        (0x4750_4653, "gpfs"),
        (0x7461_636f, "ocfs2"),
    ];
    match SHARED.iter().any(|(known, _)| *known == magic) {
        true => Journal::Delete,
        false => Journal::Wal,
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    // faults B10
    #[test]
    fn network_file_systems_get_no_write_ahead_log() {
        for magic in [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x0102_1997, 0x6573_5546] {
            assert_eq!(journal_for(magic), Journal::Delete, "{magic:x}");
        }
        for (local, magic) in
            [("ext4", 0xef53), ("xfs", 0x5846_5342), ("tmpfs", 0x0102_1994), ("overlay", 0x794c_7630)]
        {
            assert_eq!(journal_for(magic), Journal::Wal, "{local}");
        }
    }
}
