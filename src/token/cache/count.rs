use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tracing::warn;

use crate::base::{Connection, UnixSeconds, sha256_hex};
use crate::token::governor::{Claimant, MintCount, Verdict};

use super::file::open_ours;

/// Counts the mints of one user at one org, over all connections and processes of this machine's user.
#[derive(Debug)]
pub struct MintCounter {
    path: Option<PathBuf>,
    here: Mutex<MintCount>,
}

impl MintCounter {
    /// The counter of `connection`'s user in `folder`; in memory where there is none.
    pub fn new(folder: Option<&Path>, connection: &Connection) -> Self {
        let user = format!("{}\n{}", connection.login_url, connection.username.folded());
        let name = format!("{}.mints", &sha256_hex(user.as_bytes())[..32]);
        Self { path: folder.map(|folder| folder.join(name)), here: Mutex::default() }
    }

    /// Asks for one mint, and counts it where it is allowed.
    ///
    /// Counted before it is made: a process that is killed in the middle has logged in all the same.
    pub fn claim(&self, now: UnixSeconds, limit: u32, claimant: Claimant) -> Verdict {
        self.change(|count| {
            let verdict = count.judge(now, limit, claimant);
            if !matches!(verdict, Verdict::Spent { .. }) {
                count.add(now);
            }
            verdict
        })
    }

    /// Sets a mint that was claimed at `now` right: it took `posts` requests, and none where the key could not sign.
    pub fn settle(&self, now: UnixSeconds, posts: u32) {
        match posts {
            0 => self.change(|count| count.take_back(now)),
            1 => {}
            more => self.change(|count| (1..more).for_each(|_| count.add(now))),
        }
    }

    /// Mints in the last hour.
    pub fn used(&self, now: UnixSeconds) -> u32 {
        self.change(|count| count.used(now))
    }

    fn change<T>(&self, change: impl FnOnce(&mut MintCount) -> T) -> T {
        let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = &self.path else { return change(&mut here) };
        let mut file = match open_locked(path) {
            Ok(file) => file,
            Err(error) => {
                warn!("mints are counted in this process only: {}: {error}", path.display());
                return change(&mut here);
            }
        };
        let mut text = String::new();
        let _ = (&mut file).take(16 * 1024).read_to_string(&mut text);
        // A damaged count is a count that starts anew; what this process knows itself is kept.
        let mut count = read(&text).unwrap_or_else(|| here.clone());
        let answer = change(&mut count);
        let text = serde_json::to_vec(&count).unwrap_or_default();
        let written = overwrite(&mut file, &text).and_then(|()| file.set_len(text.len() as u64));
        if let Err(error) = written {
            warn!("mints are counted in this process only: {}: {error}", path.display());
        }
        *here = count;
        answer
    }
}

/// Held for a few microseconds by whoever counts, so waiting for it is no matter.
fn open_locked(path: &Path) -> io::Result<std::fs::File> {
    let file = open_ours(path)?;
    file.lock()?;
    Ok(file)
}

/// The count at the start of a text. What a longer one before it has left behind it is no matter.
fn read(text: &str) -> Option<MintCount> {
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}

/// Writes over what is there: cut first, it would be lost on a full disk or with a process that is killed.
fn overwrite(file: &mut (impl Write + Seek), text: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: UnixSeconds = UnixSeconds::new(1_800_000_000);

    fn counted(mints: u32) -> (MintCount, String) {
        let mut count = MintCount::default();
        (0..mints).for_each(|at| count.add(T0.moved(i64::from(at) * 60)));
        let text = serde_json::to_string(&count).unwrap();
        (count, text)
    }

    #[test]
    fn a_count_that_was_written_over_a_longer_one_and_not_cut_is_read() {
        let ((_, longer), (shorter, text)) = (counted(9), counted(2));
        let mut file = io::Cursor::new(longer.clone().into_bytes());
        overwrite(&mut file, text.as_bytes()).unwrap();
        let left = String::from_utf8(file.into_inner()).unwrap();
        assert_eq!((left.len(), read(&left)), (longer.len(), Some(shorter)));
        assert_eq!(read("{\"minutes\":[[1,"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_full_disk_takes_no_count_away() {
        struct Full(io::Cursor<Vec<u8>>);
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        impl Seek for Full {
            fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
                self.0.seek(to)
            }
        }
        let (count, text) = counted(3);
        let mut disk = Full(io::Cursor::new(text.into_bytes()));
        overwrite(&mut disk, counted(4).1.as_bytes()).unwrap_err();
        let left = String::from_utf8(disk.0.into_inner()).unwrap();
        assert_eq!(read(&left), Some(count));
    }
}
