//! What can be given as a path.

use core::ffi::CStr;

/// What can be given as a path: `&str`, bytes and `&CStr`, and with `std` everything that is a
/// `Path` or turns into one.
pub trait AsPathname {
    /// The bytes of the path, as the file system has them.
    fn as_pathname(&self) -> &[u8];
}

impl<P: AsPathname + ?Sized> AsPathname for &P {
    fn as_pathname(&self) -> &[u8] {
        (**self).as_pathname()
    }
}

impl AsPathname for [u8] {
    fn as_pathname(&self) -> &[u8] {
        self
    }
}

impl<const N: usize> AsPathname for [u8; N] {
    fn as_pathname(&self) -> &[u8] {
        self
    }
}

impl AsPathname for str {
    fn as_pathname(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsPathname for CStr {
    fn as_pathname(&self) -> &[u8] {
        self.to_bytes()
    }
}

/// The path arguments that `std` has.
#[cfg(feature = "std")]
mod std_paths {
    use super::AsPathname;
    use std::borrow::Cow;
    use std::ffi::{CString, OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};
    use std::string::String;
    use std::vec::Vec;

    impl AsPathname for OsStr {
        fn as_pathname(&self) -> &[u8] {
            self.as_bytes()
        }
    }

    impl AsPathname for Path {
        fn as_pathname(&self) -> &[u8] {
            self.as_os_str().as_bytes()
        }
    }

    impl AsPathname for Cow<'_, Path> {
        fn as_pathname(&self) -> &[u8] {
            self.as_os_str().as_bytes()
        }
    }

    macro_rules! owned {
        ($($owned:ty => $borrowed:ty),* $(,)?) => {
            $(impl AsPathname for $owned {
                fn as_pathname(&self) -> &[u8] {
                    <$borrowed>::as_pathname(self)
                }
            })*
        };
    }

    owned! {
        String => str,
        Vec<u8> => [u8],
        CString => super::CStr,
        OsString => OsStr,
        PathBuf => Path,
    }
}
