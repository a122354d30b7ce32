//! The types that can be a path.

use core::ffi::CStr;

/// A type that can be a path: `&str`, bytes and `&CStr`; with `std` also `&Path`, `&OsStr`, a
/// path's component, types that own any of these, and a `Box`, `Rc`, `Arc` or `Cow` of them.
///
/// A path is used as it is, because the system call uses it so. A leading `@` does not make it an
/// abstract name ([`UnixAddr::from_abstract`](crate::UnixAddr::from_abstract) does, from the name
/// without the `@`), and `~`, `$VAR` and `unix:` are parts of a name like any other. A server that
/// binds such a path makes a file of that name, and a client gets `ENOENT`.
pub trait AsPathname {
    /// Returns the bytes of the path, as the file system has them.
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

/// Implements `AsPathname` for the path types of `std`.
#[cfg(feature = "std")]
mod std_paths {
    use super::AsPathname;
    use std::borrow::{Cow, ToOwned};
    use std::boxed::Box;
    use std::ffi::{CString, OsStr, OsString};
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Component, Path, PathBuf};
    use std::rc::Rc;
    use std::string::String;
    use std::sync::Arc;
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

    impl AsPathname for Component<'_> {
        fn as_pathname(&self) -> &[u8] {
            self.as_os_str().as_bytes()
        }
    }

    impl<P: AsPathname + ToOwned + ?Sized> AsPathname for Cow<'_, P> {
        fn as_pathname(&self) -> &[u8] {
            (**self).as_pathname()
        }
    }

    macro_rules! pointers {
        ($($pointer:ident)*) => {
            $(impl<P: AsPathname + ?Sized> AsPathname for $pointer<P> {
                fn as_pathname(&self) -> &[u8] {
                    (**self).as_pathname()
                }
            })*
        };
    }

    pointers! { Box Rc Arc }

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
