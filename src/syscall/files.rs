//! The calls of the feature `files`, which only socket files, directories and activation need.

#[cfg(have_bound_file)]
mod bound_file;
mod dir;
mod inherit;
mod locks;
mod mode;
#[cfg(feature = "std")]
mod place;
mod process;
mod status;
mod wait;

#[cfg(not(have_bound_file))]
use crate::error::{Call, Errno, Error};
#[cfg(not(have_bound_file))]
use crate::fd::BorrowedFd;

#[cfg(have_bound_file)]
pub(crate) use self::bound_file::is_file_of;
pub(crate) use self::dir::*;
pub(crate) use self::inherit::{Inherited, NotInherited, inherit};
pub(crate) use self::locks::lock_holder;
pub(crate) use self::mode::*;
#[cfg(feature = "std")]
pub(crate) use self::place::{Program, place_in_child};
pub(crate) use self::process::*;
pub(crate) use self::status::*;
pub(crate) use self::wait::*;

/// Would return whether a socket is bound to a file, but always fails, because this system does not
/// report that.
#[cfg(not(have_bound_file))]
pub(crate) fn is_file_of(_socket: BorrowedFd<'_>, _file: &Status) -> Result<bool, Error> {
    Err(Error::new(Call::Ioctl, Errno::EOPNOTSUPP))
}
