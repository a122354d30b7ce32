//! The structs of options, which carry their size so that later versions can add fields.

use core::ffi::{c_int, c_uint};
use core::mem::offset_of;
use core::time::Duration;

use sunpath_rs::files::Lock;
use sunpath_rs::{BindOptions, ConnectOptions, Existing};

use crate::failure::{Failure, Fault};
use crate::sized::{self, Sizes, Unreadable};

/// `struct sunpath_bind_options`.
#[derive(Clone, Copy)]
#[repr(C)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct sunpath_bind_options {
    /// `sizeof(struct sunpath_bind_options)`.
    pub size: usize,
    /// A combination of `SUNPATH_SET_MODE` and the other flags for binding.
    pub flags: c_uint,
    /// The mode of the file.
    pub mode: libc::mode_t,
    /// The owner of the file.
    pub owner: libc::uid_t,
    /// The group of the file.
    pub group: libc::gid_t,
    /// `SUNPATH_REFUSE`, `SUNPATH_REPLACE_STALE` or `SUNPATH_TAKEOVER`.
    pub if_exists: c_int,
    /// The backlog of listen(2).
    pub backlog: c_int,
}

/// `struct sunpath_connect_options`.
#[derive(Clone, Copy)]
#[repr(C)]
#[allow(non_camel_case_types, reason = "the name is C's")]
pub struct sunpath_connect_options {
    /// `sizeof(struct sunpath_connect_options)`.
    pub size: usize,
    /// A combination of `SUNPATH_SET_TIMEOUT` and the other flags for connecting.
    pub flags: c_uint,
    /// The user that the server must have.
    pub peer: libc::uid_t,
    /// The timeout in milliseconds.
    pub timeout_ms: i64,
}

/// `SUNPATH_NONBLOCK`.
pub(crate) const NONBLOCK: c_uint = 0x1;

const SET_MODE: c_uint = 0x100;
const SET_OWNER: c_uint = 0x200;
const SET_GROUP: c_uint = 0x400;
const SET_BACKLOG: c_uint = 0x800;
const NO_LOCK_FILE: c_uint = 0x1000;
const REACHABLE: c_uint = 0x2000;
const KEEP_FILE: c_uint = 0x4000;
const PASS_CREDENTIALS: c_uint = 0x8000;

const SET_TIMEOUT: c_uint = 0x1_0000;
const SET_PEER: c_uint = 0x2_0000;
const OWN_USER: c_uint = 0x4_0000;
const WAIT_FOR_SERVER: c_uint = 0x8_0000;

const REFUSE: c_int = 0;
const REPLACE_STALE: c_int = 1;
const TAKEOVER: c_int = 2;

/// A struct of options.
pub(crate) trait Options: Sizes {
    /// The flags that this version knows.
    const FLAGS: c_uint;
    fn flags(&self) -> c_uint;
}

impl Sizes for sunpath_bind_options {
    const FIRST_SIZE: usize = offset_of!(Self, backlog) + size_of::<c_int>();
    const ZERO: Self = Self {
        size: 0,
        flags: 0,
        mode: 0,
        owner: 0,
        group: 0,
        if_exists: REFUSE,
        backlog: 0,
    };
}

impl Options for sunpath_bind_options {
    const FLAGS: c_uint = NONBLOCK
        | SET_MODE
        | SET_OWNER
        | SET_GROUP
        | SET_BACKLOG
        | NO_LOCK_FILE
        | REACHABLE
        | KEEP_FILE
        | PASS_CREDENTIALS;

    fn flags(&self) -> c_uint {
        self.flags
    }
}

impl Sizes for sunpath_connect_options {
    const FIRST_SIZE: usize = offset_of!(Self, timeout_ms) + size_of::<i64>();
    const ZERO: Self = Self {
        size: 0,
        flags: 0,
        peer: 0,
        timeout_ms: 0,
    };
}

impl Options for sunpath_connect_options {
    const FLAGS: c_uint = NONBLOCK | SET_TIMEOUT | SET_PEER | OWN_USER | WAIT_FOR_SERVER;

    fn flags(&self) -> c_uint {
        self.flags
    }
}

/// Reads options of this version, of an older one, or of a newer one, as `sized::read` does.
///
/// # Safety
///
/// - `from` is NULL, or begins with a `size_t`, and as many bytes as that says can be read from it on.
pub(crate) unsafe fn read<T: Options>(from: *const T, parameter: u8) -> Result<T, Failure> {
    // SAFETY: the caller guarantees the bytes.
    let options = unsafe { sized::read(from) }.map_err(|unreadable| {
        let fault = match unreadable {
            Unreadable::Size => Fault::OptionsSize,
            Unreadable::Newer => Fault::NewerOptions,
        };
        Failure::argument(fault, parameter)
    })?;
    match options.flags() & !T::FLAGS {
        0 => Ok(options),
        _ => Err(Failure::argument(Fault::Flags, parameter)),
    }
}

impl sunpath_bind_options {
    /// Returns whether the socket is to be nonblocking.
    pub(crate) fn nonblocking(&self) -> bool {
        self.flags & NONBLOCK != 0
    }

    /// Returns whether the file stays when the server is closed.
    pub(crate) fn keeps_file(&self) -> bool {
        self.flags & KEEP_FILE != 0
    }

    pub(crate) fn to_options(self, parameter: u8) -> Result<BindOptions, Failure> {
        let has = |flag| self.flags & flag != 0;
        let fields = [
            (SET_MODE, self.mode != 0),
            (SET_OWNER, self.owner != 0),
            (SET_GROUP, self.group != 0),
            (SET_BACKLOG, self.backlog != 0),
        ];
        if fields.iter().any(|(flag, is_set)| *is_set && !has(*flag)) {
            return Err(Failure::argument(Fault::Unset, parameter));
        }
        let mut options = BindOptions::new().existing(match self.if_exists {
            REFUSE => Existing::Refuse,
            REPLACE_STALE => Existing::ReplaceStale,
            TAKEOVER => Existing::Takeover,
            _ => return Err(Failure::argument(Fault::Existing, parameter)),
        });
        if has(SET_MODE) {
            #[allow(
                clippy::useless_conversion,
                reason = "it has 16 bits on macOS and FreeBSD"
            )]
            let mode = u32::from(self.mode);
            options = options.mode(mode);
        }
        if has(SET_OWNER) {
            options = options.owner(self.owner);
        }
        if has(SET_GROUP) {
            options = options.group(self.group);
        }
        if has(SET_BACKLOG) {
            options = options.backlog(self.backlog);
        }
        if has(NO_LOCK_FILE) {
            options = options.lock(Lock::None);
        }
        options = options.reachable(has(REACHABLE));
        Ok(options.pass_credentials(has(PASS_CREDENTIALS)))
    }
}

impl sunpath_connect_options {
    /// Returns whether the socket is to be nonblocking.
    pub(crate) fn nonblocking(&self) -> bool {
        self.flags & NONBLOCK != 0
    }

    /// Returns whether an option other than `SUNPATH_NONBLOCK` is set. All others concern a connection.
    pub(crate) fn has_conditions(&self) -> bool {
        self.flags & !NONBLOCK != 0
    }

    pub(crate) fn to_options(self, parameter: u8) -> Result<ConnectOptions, Failure> {
        let has = |flag| self.flags & flag != 0;
        let fields = [
            (SET_TIMEOUT, self.timeout_ms != 0),
            (SET_PEER, self.peer != 0),
        ];
        if fields.iter().any(|(flag, is_set)| *is_set && !has(*flag)) {
            return Err(Failure::argument(Fault::Unset, parameter));
        }
        let mut options = ConnectOptions::new().wait_for_server(has(WAIT_FOR_SERVER));
        if has(SET_TIMEOUT) {
            let milliseconds = u64::try_from(self.timeout_ms)
                .map_err(|_| Failure::argument(Fault::Timeout, parameter))?;
            options = options.timeout(Duration::from_millis(milliseconds));
        }
        if has(SET_PEER) && has(OWN_USER) {
            return Err(Failure::argument(Fault::TwoPeers, parameter));
        }
        if has(SET_PEER) {
            options = options.require_peer(self.peer);
        }
        if has(OWN_USER) {
            options = options.require_own_user();
        }
        Ok(options)
    }
}
