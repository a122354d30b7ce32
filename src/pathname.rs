//! The types that a program can pass as a path.

use core::ffi::CStr;

/// A type that a program can pass as a path: `&str`, bytes and `&CStr`; with `std` also `&Path`,
/// `&OsStr`, a path's component, types that own any of these, and a `Box`, `Rc`, `Arc` or `Cow` of
/// them.
///
/// A path is passed to the system call unchanged. A leading `@` does not make it an abstract name
/// ([`UnixAddr::from_abstract`](crate::UnixAddr::from_abstract) does, from the name without the
/// `@`), and `~`, `$VAR` and `unix:` are parts of a name like any other. A server that binds the
/// path `@name` makes a file of that name, and a client gets `ENOENT`.
pub trait AsPathname {
    /// Returns the bytes of the path, as the file system has them.
    fn as_pathname(&self) -> &[u8];
}

impl<P: AsPathname + ?Sized> AsPathname for &P {
    #[inline]
    fn as_pathname(&self) -> &[u8] {
        (**self).as_pathname()
    }
}

impl AsPathname for [u8] {
    #[inline]
    fn as_pathname(&self) -> &[u8] {
        self
    }
}

impl<const N: usize> AsPathname for [u8; N] {
    #[inline]
    fn as_pathname(&self) -> &[u8] {
        self
    }
}

impl AsPathname for str {
    #[inline]
    fn as_pathname(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsPathname for CStr {
    #[inline]
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
        #[inline]
        fn as_pathname(&self) -> &[u8] {
            self.as_bytes()
        }
    }

    impl AsPathname for Path {
        #[inline]
        fn as_pathname(&self) -> &[u8] {
            self.as_os_str().as_bytes()
        }
    }

    impl AsPathname for Component<'_> {
        #[inline]
        fn as_pathname(&self) -> &[u8] {
            self.as_os_str().as_bytes()
        }
    }

    impl<P: AsPathname + ToOwned + ?Sized> AsPathname for Cow<'_, P> {
        #[inline]
        fn as_pathname(&self) -> &[u8] {
            (**self).as_pathname()
        }
    }

    macro_rules! pointers {
        ($($pointer:ident)*) => {
            $(impl<P: AsPathname + ?Sized> AsPathname for $pointer<P> {
                #[inline]
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
                #[inline]
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
