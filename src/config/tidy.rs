use std::path::{Component, Path, PathBuf};

/// The path without what it does not need: `.`, and `folder/..` where `folder` is one.
///
/// `..` after a link leads to the parent of where the link points, so there it stays, as it does after a name that is
/// not there.
pub(super) fn tidy(path: &Path) -> PathBuf {
    tidy_where(path, |folder| std::fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_dir()))
}

fn tidy_where(path: &Path, is_folder: impl Fn(&Path) -> bool) -> PathBuf {
    let mut tidied = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(tidied.components().next_back(), Some(Component::Normal(_)))
                    && is_folder(&tidied) =>
            {
                tidied.pop();
            }
            other => tidied.push(other),
        }
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_in_and_out_again_is_left_out_unless_it_leads_elsewhere() {
        let folders = |path: &Path| !path.ends_with("link") && !path.ends_with("absent");
        for (path, expected) in [
            ("/c/connections.d/../certs/a.key", "/c/certs/a.key"),
            ("/c/./a/b/../../x", "/c/x"),
            ("/c/link/../x", "/c/link/../x"),
            ("/c/absent/../x", "/c/absent/../x"),
            ("/c/link/../d/../x", "/c/link/../x"),
            ("/../x", "/../x"),
            ("../x", "../x"),
            ("/c/a.key", "/c/a.key"),
        ] {
            assert_eq!(tidy_where(Path::new(path), folders), Path::new(expected), "{path}");
        }
    }
}
