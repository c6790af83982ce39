use std::fmt;

/// Who, beside us and root, could put files of theirs into a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intruder {
    /// The folder is another user's.
    Owner(u32),
    /// Every user of this machine.
    Everybody,
    /// The members of a group that this process is not in.
    Group(u32),
}

impl Intruder {
    /// Looks at a folder's owner, group and mode.
    ///
    /// | the folder                                     | answer                        |
    /// |------------------------------------------------|-------------------------------|
    /// | is neither ours nor root's                     | [`Intruder::Owner`]           |
    /// | everybody may write, without the sticky bit    | [`Intruder::Everybody`]       |
    /// | its group may write, and we are not in it      | [`Intruder::Group`]           |
    /// | anything else                                  | `None`                        |
    ///
    /// Root's own folder is no exception: Kubernetes mounts its `emptyDir` volumes as root's with mode 0777, and every
    /// container of the pod may rename what lies in them. A folder below is what sfmint makes for itself, mode 0700.
    /// In a sticky folder, as /tmp is, nobody can replace another's file.
    pub fn of(uid: u32, gid: u32, mode: u32, us: u32, in_group: impl Fn(u32) -> bool) -> Option<Self> {
        let sticky = mode & 0o1000 != 0;
        if uid != us && uid != 0 {
            Some(Intruder::Owner(uid))
        } else if mode & 0o002 != 0 && !sticky {
            Some(Intruder::Everybody)
        } else if mode & 0o020 != 0 && !sticky && !in_group(gid) {
            Some(Intruder::Group(gid))
        } else {
            None
        }
    }

    /// What to do about it, where `path` is how a shell names the folder.
    pub fn hint(self, path: &str) -> String {
        match self {
            Intruder::Owner(_) => "point --state-dir at a folder of your own".to_string(),
            Intruder::Everybody => format!("run `chmod 700 {path}`, or use a folder in it: {path}/sfmint"),
            Intruder::Group(_) => format!("run `chmod g-w {path}`"),
        }
    }
}

impl fmt::Display for Intruder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Intruder::Owner(owner) => write!(f, "belongs to user id {owner}, which is neither you nor root"),
            Intruder::Everybody => f.write_str("can be written by everybody"),
            Intruder::Group(group) => {
                write!(f, "can be written by group {group}, which this process is not in")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_told_from_us_root_and_our_group() {
        let cases = [
            ((7, 7, 0o700), None),
            ((0, 0, 0o755), None),
            ((8, 7, 0o700), Some(Intruder::Owner(8))),
            ((0, 0, 0o777), Some(Intruder::Everybody)),
            ((7, 7, 0o2777), Some(Intruder::Everybody)),
            ((0, 0, 0o1777), None),
            ((7, 9, 0o770), Some(Intruder::Group(9))),
            ((7, 7, 0o770), None),
            ((0, 9, 0o1770), None),
        ];
        for ((uid, gid, mode), expected) in cases {
            assert_eq!(Intruder::of(uid, gid, mode, 7, |group| group == 7), expected, "{uid} {gid} {mode:o}");
            assert_eq!(
                Intruder::of(uid, gid, mode, 0, |_| true).is_some(),
                uid != 0 || mode & 0o1002 == 2,
                "{uid} {mode:o} as root"
            );
        }
    }
}
