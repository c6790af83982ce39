use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::base::{ConnectionName, Fault};
use crate::config::Environment;

use super::super::Global;
use super::super::init::Places;
use super::super::report::{Complaint, told};

/// A folder for the demo, removed in the end unless it is to be kept.
#[derive(Debug)]
pub struct Stage {
    folder: PathBuf,
    keep: bool,
    left: bool,
    name: ConnectionName,
    global: Global,
}

impl Stage {
    /// Makes the folder, mode 0700.
    ///
    /// # Errors
    ///
    /// `demo.folder`: it holds something already. *Misuse*.
    pub fn set(keep: Option<&Path>, global: &Global) -> anyhow::Result<Self> {
        let folder = match keep {
            Some(folder) => std::path::absolute(folder).map_err(|error| unusable(folder, error))?,
            None => unique()?,
        };
        if keep.is_some() {
            match std::fs::read_dir(&folder) {
                Ok(mut entries) => {
                    if entries.next().is_some() {
                        let says = format!("{} holds something already", folder.display());
                        return Err(told(
                            Complaint::new("demo.folder", Fault::Misuse, says)
                                .hint("name a new folder with --keep"),
                        ));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    DirBuilder::new()
                        .recursive(true)
                        .mode(0o700)
                        .create(&folder)
                        .map_err(|error| unusable(&folder, error))?;
                }
                Err(error) => return Err(unusable(&folder, error)),
            }
        }
        let name = "demo".parse::<ConnectionName>().map_err(anyhow::Error::new)?;
        let global = Global {
            config: Some(folder.join("config/sfmint.toml")),
            state_dir: Some(folder.join("state")),
            connection: Some(name.to_string()),
            ..global.clone()
        };
        Ok(Self { folder, keep: keep.is_some(), left: false, name, global })
    }

    /// What the connection is called.
    pub fn name(&self) -> &ConnectionName {
        &self.name
    }

    /// The flags a user would give.
    pub fn global(&self) -> &Global {
        &self.global
    }

    /// The demo's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the connection's files go.
    pub fn places(&self) -> Places {
        Places::around(self.folder.join("config/sfmint.toml"), false, &self.name, None)
    }

    /// Removes the folder, or says where it is.
    pub fn leave(mut self) -> anyhow::Result<Option<PathBuf>> {
        self.left = true;
        if self.keep {
            return Ok(Some(self.folder.clone()));
        }
        std::fs::remove_dir_all(&self.folder).map_err(|error| unusable(&self.folder, error))?;
        Ok(None)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // After a failure or Ctrl-C: the error that led here is what is told.
        if !self.left && !self.keep {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// A new folder where temporary files go.
fn unique() -> anyhow::Result<PathBuf> {
    let base = Environment::from_process().path("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp"));
    for attempt in 0..100 {
        let folder = base.join(format!("sfmint-demo-{}-{attempt}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => return Ok(folder),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unusable(&folder, error)),
        }
    }
    Err(unusable(&base, io::Error::from(io::ErrorKind::AlreadyExists)))
}

fn unusable(folder: &Path, error: io::Error) -> anyhow::Error {
    let says = format!("{} cannot be used", folder.display());
    told(Complaint::new("demo.folder", Fault::Disk, says).because(error))
}
