use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::base::{Explain, Fault};

use super::File;

/// A package that could not be packed. A *bug*: nothing but memory is used.
#[derive(Debug, thiserror::Error)]
#[error("the metadata package could not be packed")]
pub struct ArchiveError(#[source] zip::result::ZipError);

impl Explain for ArchiveError {
    fn fault(&self) -> Fault {
        Fault::Bug
    }

    fn code(&self) -> &'static str {
        "app.archive"
    }
}

/// Packs files into a zip. The same files give the same bytes, whenever and wherever they are packed.
///
/// # Errors
///
/// [`ArchiveError`]. *Bug*.
pub fn archive(files: &[File]) -> Result<Vec<u8>, ArchiveError> {
    // 1980 is where the format's time begins; the day of packing would change the bytes.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        writer.start_file(file.path.as_str(), options).map_err(ArchiveError)?;
        writer.write_all(file.text.as_bytes()).map_err(|error| ArchiveError(error.into()))?;
    }
    Ok(writer.finish().map_err(ArchiveError)?.into_inner())
}
