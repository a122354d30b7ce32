//! The access control list of a file, see acl(5).

use std::path::Path;

use rustix::fs::getxattr;

/// The permissions of a file for more users and groups than its mode has. It is empty if the file has
/// only a mode.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Acl {
    entries: Vec<(Entry, u32)>,
}

/// Whom an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    User(u32),
    OwningGroup,
    Group(u32),
    Mask,
    /// The owner and all others, whose permissions the mode has too.
    InMode,
}

impl Acl {
    /// Reads the ACL of a file.
    pub(crate) fn of(path: &Path) -> Self {
        let mut bytes = vec![0; 64 * 1024]; // XATTR_SIZE_MAX
        match getxattr(path, "system.posix_acl_access", &mut bytes[..]) {
            Ok(len) => Self::read(&bytes[..len]),
            Err(_) => Self::default(),
        }
    }

    /// Reads the form of the kernel's `posix_acl_xattr.h`: a version of 4 bytes, and entries of 8, all
    /// little-endian.
    fn read(bytes: &[u8]) -> Self {
        let Some((&[2, 0, 0, 0], entries)) = bytes.split_first_chunk() else {
            return Self::default();
        };
        let entries = entries.chunks_exact(8).map(|entry| {
            let number = |at: usize| u16::from_le_bytes([entry[at], entry[at + 1]]);
            let id = u32::from(number(4)) | u32::from(number(6)) << 16;
            let entry = match number(0) {
                0x02 => Entry::User(id),
                0x04 => Entry::OwningGroup,
                0x08 => Entry::Group(id),
                0x10 => Entry::Mask,
                _ => Entry::InMode,
            };
            (entry, u32::from(number(2)))
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// Returns the mask, which limits what all entries but those of the mode's owner and others give.
    /// `None` if the file has no entries beyond its mode.
    pub(crate) fn mask(&self) -> Option<u32> {
        self.find(|entry| *entry == Entry::Mask)
    }

    /// Returns the permissions of the first entry that matches.
    pub(crate) fn find(&self, matches: impl Fn(&Entry) -> bool) -> Option<u32> {
        self.iter()
            .find(|(entry, _)| matches(entry))
            .map(|(_, permissions)| permissions)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Entry, u32)> {
        self.entries.iter().copied()
    }
}
