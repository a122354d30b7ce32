//! The argument that names a socket: a path of any length, or an abstract name.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use sunpath::sys::SUN_PATH_MAX;
use sunpath::{SunPath, UnixAddr};

use crate::escape::{escape_abstract, escape_path, insert};
use crate::output::Failure;

/// The most bytes of one name in a path, from `<linux/limits.h>`.
pub(crate) const NAME_MAX: usize = 255;

/// Returns the length of the longest name in a path, if no file system takes it.
pub(crate) fn too_long_name(path: &Path) -> Option<usize> {
    let names = path.components().map(|name| name.as_os_str().len());
    names.max().filter(|len| *len > NAME_MAX)
}

/// The name of a socket, as it was given on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A path, of any length.
    Path(PathBuf),
    /// The bytes of an abstract name.
    Abstract(Vec<u8>),
}

impl Target {
    /// Reads an argument. `@` begins an abstract name, with the escapes that the library reads. In a path each
    /// byte is itself.
    pub(crate) fn read(argument: &OsStr) -> Result<Self, Failure> {
        let bytes = argument.as_bytes();
        if !bytes.starts_with(b"@") {
            return Ok(Self::Path(argument.into()));
        }
        let addr = UnixAddr::from_text(bytes).map_err(|error| {
            Failure::usage(format!("{}: {error}", crate::escape::escape(bytes)))
        })?;
        match addr.name() {
            SunPath::Abstract(name) => Ok(Self::Abstract(name.into())),
            _ => Err(Failure::usage("this is not an abstract name".into())),
        }
    }

    /// Reads an argument as [`read`](Self::read) does, and takes an abstract name that is too long as well.
    pub(crate) fn read_any(argument: &OsStr) -> Result<Self, Failure> {
        match argument.as_bytes() {
            [b'@', name @ ..] if name.len() > SUN_PATH_MAX && !name.contains(&b'\\') => {
                Ok(Self::Abstract(name.into()))
            }
            _ => Self::read(argument),
        }
    }

    /// Returns the bytes of the path or name, without the `@`.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Path(path) => path.as_os_str().as_bytes(),
            Self::Abstract(name) => name,
        }
    }

    /// Returns the name as text for a terminal.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Path(path) => escape_path(path.as_os_str().as_bytes()),
            Self::Abstract(name) => escape_abstract(name),
        }
    }

    /// Adds the name to a JSON object: the field `path` or `abstract`.
    pub(crate) fn insert(&self, object: &mut Map<String, Value>) {
        let key = match self {
            Self::Path(_) => "path",
            Self::Abstract(_) => "abstract",
        };
        insert(object, key, self.as_bytes());
    }
}

impl From<SunPath<'_>> for Target {
    /// Returns the empty path for the unnamed address, because that address has no name.
    fn from(name: SunPath<'_>) -> Self {
        match name {
            SunPath::Unnamed => Self::Path(PathBuf::new()),
            SunPath::Pathname(path) => Self::Path(OsString::from_vec(path.into()).into()),
            SunPath::Abstract(name) => Self::Abstract(name.into()),
        }
    }
}
