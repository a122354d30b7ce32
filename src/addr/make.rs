//! Makes addresses, and returns their parts.

use sunpath_sys as sys;
use sunpath_sys::{SunPath, SunPathError, sockaddr, sockaddr_un, socklen_t};

use super::{UNNAMED, UnixAddr, len_of};
use crate::error::{Call, Error};
use crate::pathname::AsPathname;

impl UnixAddr {
    /// Makes the address of a path. The path is copied, and followed by a NUL.
    ///
    /// Paths from 1 to [`SUN_PATH_MAX`](sys::SUN_PATH_MAX) bytes (107 on Linux, 103 on the BSDs and
    /// macOS) fit. Nothing is truncated, and this function does not look at the file system.
    ///
    /// # Errors
    ///
    /// - [`SunPathError::Empty`] (`ENOENT`): the path is empty. In C an empty path becomes an
    ///   abstract socket on Linux, which every user can reach.
    /// - [`SunPathError::InteriorNul`] (`EINVAL`): there is a NUL in the path, and the kernel would
    ///   end the path there.
    /// - [`SunPathError::TooLong`] (`ENAMETOOLONG`): the path does not fit into `sun_path`.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{SunPathError, UnixAddr};
    ///
    /// let addr = UnixAddr::from_pathname("/run/app.sock")?;
    /// assert_eq!(addr.to_string(), "/run/app.sock");
    /// let error = UnixAddr::from_pathname(&*"x".repeat(200)).unwrap_err();
    /// assert!(matches!(error, SunPathError::TooLong { len: 200, .. }));
    /// # Ok::<(), sunpath::SunPathError>(())
    /// ```
    ///
    /// See unix(7), "Address format".
    #[doc(alias = "sun_path")]
    // The function is inlined, because returning an address moves all of its bytes.
    #[inline(always)]
    pub fn from_pathname(path: impl AsPathname) -> Result<Self, SunPathError> {
        let path = path.as_pathname();
        match sys::sockaddr_un_of_pathname(path) {
            Some((addr, len)) => Ok(Self {
                addr,
                len: len_of(len),
            }),
            None => Err(sys::sockaddr_un_refusal(path)),
        }
    }

    /// Does what [`from_pathname`](Self::from_pathname) does, over bytes and as a `const fn`.
    ///
    /// # Errors
    ///
    /// - [`SunPathError`]: as for [`from_pathname`](Self::from_pathname).
    #[inline]
    pub const fn from_pathname_bytes(path: &[u8]) -> Result<Self, SunPathError> {
        match sys::sockaddr_un_pathname(path) {
            Ok((addr, len)) => Ok(Self {
                addr,
                len: len_of(len),
            }),
            Err(error) => Err(error),
        }
    }

    /// Makes the address of a name in Linux's abstract namespace. The name is given without its
    /// leading NUL.
    ///
    /// Every byte of the name counts, NULs too, and the name may be empty. There are no
    /// permissions: any process of the network namespace may connect, and may take a name that is
    /// free.
    ///
    /// # Errors
    ///
    /// - [`SunPathError::TooLong`] (`ENAMETOOLONG`): more than 107 bytes.
    /// - [`SunPathError::Unsupported`] (`EOPNOTSUPP`): the system has no abstract names.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{SunPath, UnixAddr};
    ///
    /// # if !sunpath::sys::HAVE_ABSTRACT { return Ok(()) }
    /// let addr = UnixAddr::from_abstract("app")?;
    /// assert_eq!(addr.name(), SunPath::Abstract(b"app"));
    /// assert_eq!(addr.to_string(), "@app");
    /// # Ok::<(), sunpath::SunPathError>(())
    /// ```
    ///
    /// See unix(7), "Abstract sockets".
    #[inline(always)] // for the reason at `from_pathname`
    pub fn from_abstract(name: impl AsRef<[u8]>) -> Result<Self, SunPathError> {
        let name = name.as_ref();
        match sys::sockaddr_un_of_abstract(name) {
            Some((addr, len)) => Ok(Self {
                addr,
                len: len_of(len),
            }),
            None => Err(sys::sockaddr_un_abstract_refusal(name)),
        }
    }

    /// Does what [`from_abstract`](Self::from_abstract) does, over bytes and as a `const fn`.
    ///
    /// # Errors
    ///
    /// - [`SunPathError`]: as for [`from_abstract`](Self::from_abstract).
    #[inline]
    pub const fn from_abstract_bytes(name: &[u8]) -> Result<Self, SunPathError> {
        match sys::sockaddr_un_abstract(name) {
            Ok((addr, len)) => Ok(Self {
                addr,
                len: len_of(len),
            }),
            Err(error) => Err(error),
        }
    }

    /// Turns this value into the address of a path, as [`from_pathname`](Self::from_pathname) makes
    /// it. This saves a few instructions, because no new value has to be moved.
    ///
    /// # Errors
    ///
    /// On failure the address is not changed.
    ///
    /// - [`SunPathError`]: as for [`from_pathname`](Self::from_pathname).
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::UnixAddr;
    ///
    /// let mut addr = UnixAddr::unnamed();
    /// for path in ["/run/a.sock", "/run/b.sock"] {
    ///     addr.set_pathname(path)?;
    ///     assert_eq!(addr.to_string(), path);
    /// }
    /// # Ok::<(), sunpath::SunPathError>(())
    /// ```
    #[inline(always)]
    pub fn set_pathname(&mut self, path: impl AsPathname) -> Result<(), SunPathError> {
        let path = path.as_pathname();
        match self.replace_pathname(path) {
            true => Ok(()),
            false => Err(sys::sockaddr_un_refusal(path)),
        }
    }

    /// Does what [`set_pathname`](Self::set_pathname) does, and returns whether the path was
    /// accepted.
    #[inline(always)]
    fn replace_pathname(&mut self, path: &[u8]) -> bool {
        let len = sys::sockaddr_un_replace_pathname(&mut self.addr, path);
        self.len = len.map_or(self.len, len_of);
        len.is_some()
    }

    /// Makes the address of a path. If the path is rejected, the error names `call`.
    pub(crate) fn for_call(call: Call, path: &[u8]) -> Result<Self, Error> {
        let mut addr = Self::unnamed();
        addr.set_for_call(call, path)?;
        Ok(addr)
    }

    /// Does what [`set_pathname`](Self::set_pathname) does, and names `call` in the error. The
    /// function is out of line, because the system call that follows takes far longer than a
    /// function call.
    #[inline(never)]
    pub(crate) fn set_for_call(&mut self, call: Call, path: &[u8]) -> Result<(), Error> {
        self.set_pathname(path)
            .map_err(|error| Error::refused(call, error))
    }

    /// Does what [`from_abstract_bytes`](Self::from_abstract_bytes) does. The function is out of
    /// line, for callers to which the size of the code matters more than the time.
    #[inline(never)]
    pub(crate) fn of_abstract(name: &[u8]) -> Result<Self, Error> {
        let mut addr = Self::unnamed();
        addr.set_abstract(name)?;
        Ok(addr)
    }

    /// Turns this value into the address of an abstract name, as
    /// [`from_abstract`](Self::from_abstract) makes it.
    ///
    /// # Errors
    ///
    /// On failure the address is not changed.
    ///
    /// - [`SunPathError`]: as for [`from_abstract`](Self::from_abstract).
    #[inline(always)]
    pub fn set_abstract(&mut self, name: impl AsRef<[u8]>) -> Result<(), SunPathError> {
        let name = name.as_ref();
        match self.replace_abstract(name) {
            true => Ok(()),
            false => Err(sys::sockaddr_un_abstract_refusal(name)),
        }
    }

    /// Does what [`set_abstract`](Self::set_abstract) does, and returns whether the name was
    /// accepted.
    #[inline(always)]
    fn replace_abstract(&mut self, name: &[u8]) -> bool {
        let len = sys::sockaddr_un_replace_abstract(&mut self.addr, name);
        self.len = len.map_or(self.len, len_of);
        len.is_some()
    }

    /// Makes the unnamed address, which a socket has before it is bound.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{UnixAddr, UnixStream};
    ///
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// assert_eq!(ours.local_addr()?, UnixAddr::unnamed());
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[inline]
    pub const fn unnamed() -> Self {
        let (addr, _) = sys::sockaddr_un_unnamed();
        Self { addr, len: UNNAMED }
    }

    /// Returns the name in the address.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{SunPath, UnixAddr};
    ///
    /// let addr = UnixAddr::from_pathname("a.sock")?;
    /// match addr.name() {
    ///     SunPath::Pathname(path) => assert_eq!(path, b"a.sock"),
    ///     SunPath::Abstract(name) => println!("@{}", name.escape_ascii()),
    ///     SunPath::Unnamed => println!("no name"),
    /// }
    /// # Ok::<(), sunpath::SunPathError>(())
    /// ```
    #[must_use]
    #[inline]
    pub const fn name(&self) -> SunPath<'_> {
        sys::sun_path_counted(&self.addr, self.len())
    }

    /// Returns whether the address is a path that leads to another file in another process: below
    /// `/proc/self` or `/proc/thread-self`. Another process cannot reach a socket by an address of
    /// this form.
    #[inline]
    pub(crate) fn leads_elsewhere(&self) -> bool {
        // Comparing one byte first rules out nearly all addresses.
        self.addr.sun_path[1] as u8 == b'p' && self.is_below_proc_self()
    }

    #[cold]
    fn is_below_proc_self(&self) -> bool {
        match self.name() {
            SunPath::Pathname(path) => {
                path.starts_with(b"/proc/self/") || path.starts_with(b"/proc/thread-self/")
            }
            _ => false,
        }
    }

    /// Returns whether the socket has no address.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixStream;
    /// let (ours, _theirs) = UnixStream::pair()?;
    /// assert!(ours.local_addr()?.is_unnamed()); // nothing was bound
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    #[must_use]
    #[inline]
    pub const fn is_unnamed(&self) -> bool {
        matches!(self.name(), SunPath::Unnamed)
    }

    /// Returns the path, if the address has one.
    ///
    /// # Examples
    ///
    /// ```
    /// # use sunpath::UnixAddr;
    /// use std::path::Path;
    ///
    /// let addr = UnixAddr::from_pathname("/run/app.sock")?;
    /// assert_eq!(addr.as_pathname(), Some(Path::new("/run/app.sock")));
    /// assert_eq!(UnixAddr::unnamed().as_pathname(), None);
    /// # Ok::<(), sunpath::SunPathError>(())
    /// ```
    #[cfg(feature = "std")]
    #[must_use]
    pub fn as_pathname(&self) -> Option<&std::path::Path> {
        use std::os::unix::ffi::OsStrExt;
        match self.name() {
            SunPath::Pathname(path) => Some(std::ffi::OsStr::from_bytes(path).as_ref()),
            _ => None,
        }
    }

    /// Returns the struct, to pass to C with [`len`](Self::len).
    #[must_use]
    #[inline]
    pub const fn as_sockaddr_un(&self) -> &sockaddr_un {
        &self.addr
    }

    /// Returns a pointer to the struct, of the type that the calls take. The pointer is valid as
    /// long as the address is.
    ///
    /// # Examples
    ///
    /// ```
    /// use sunpath::{addr, sys};
    ///
    /// let addr = addr!("/nobody/listens/here");
    /// // SAFETY: socket takes integers, no pointers.
    /// let fd = unsafe { sys::socket(sys::AF_UNIX, sys::SOCK_STREAM, 0) };
    /// // SAFETY: the address is live, and `len` is its length.
    /// assert_eq!(unsafe { sys::connect(fd, addr.as_ptr(), addr.len()) }, -1);
    /// # unsafe { sys::close(fd) };
    /// ```
    #[must_use]
    #[inline]
    pub const fn as_ptr(&self) -> *const sockaddr {
        (&raw const self.addr).cast()
    }

    /// Returns the length that is passed with the struct, in bytes: 2 to `sizeof(struct
    /// sockaddr_un)`.
    #[must_use]
    #[allow(
        clippy::len_without_is_empty,
        reason = "the length of an address is never 0"
    )]
    #[inline]
    pub const fn len(&self) -> socklen_t {
        self.len.get() as socklen_t
    }
}
