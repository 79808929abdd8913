//! Files of a backup: private, synced, known by their digest.
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{BufWriter, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use ring::digest::{Context, SHA256};

use super::manifest::Sum;
use crate::{error::Result, hex::hex};

/// A folder that others cannot look into, with those above it that are missing.
pub(super) fn make_folder(path: &Path) -> Result<()> {
    Ok(DirBuilder::new().recursive(true).mode(0o700).create(path)?)
}

/// A file that is summed up while it is written.
pub(super) struct Writing {
    file: BufWriter<File>,
    digest: Context,
    bytes: u64,
}

impl Writing {
    pub(super) fn begin(path: &Path) -> Result<Self> {
        let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
        Ok(Self { file: BufWriter::with_capacity(1 << 16, file), digest: Context::new(&SHA256), bytes: 0 })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(self.file.write_all(bytes)?)
    }

    /// On the disk, and what it is.
    pub(super) fn finish(mut self) -> Result<Sum> {
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok(Sum { bytes: self.bytes, sha256: hex(self.digest.finish().as_ref()) })
    }
}

/// Writes a whole file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<Sum> {
    let mut file = Writing::begin(path)?;
    file.write(bytes)?;
    file.finish()
}

/// What a file is, read to its end.
pub(super) fn sum(path: &Path) -> Result<Sum> {
    let mut file = File::open(path)?;
    let (mut digest, mut bytes) = (Context::new(&SHA256), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            return Ok(Sum { bytes, sha256: hex(digest.finish().as_ref()) });
        }
        digest.update(&buffer[..length]);
        bytes += length as u64;
    }
}

/// Everything below a folder is on the disk, names included.
pub(super) fn sync_folders(folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_folders(&entry.path())?;
        }
    }
    sync_folder(folder)
}

/// The names in a folder are on the disk.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    Ok(File::open(folder)?.sync_all()?)
}
