//! Names in a directory: those of the socket file, of temporary files in the same directory, and of
//! the lock file.

use crate::error::{Call, Errno, Error};
use crate::files::joined::Path;
use crate::syscall;

/// The greatest length of a component in bytes.
const NAME_MAX: usize = 255;

/// A component of a path, without a slash or a NUL.
pub(crate) type Name = Path<NAME_MAX>;

/// Joins pieces into a name.
pub(crate) fn join_name(pieces: &[&[u8]]) -> Result<Name, Error> {
    Path::join(pieces).map_err(|_| Error::new(Call::Bind, Errno::ENAMETOOLONG))
}

/// Returns `<name>.lock`, or `.sunpath-<hash of the name>.lock` if that does not fit.
pub(crate) fn lock_name(socket: &[u8]) -> Result<Name, Error> {
    const SUFFIX: &[u8] = b".lock";
    // The hash is FNV-1a. If two names have the same hash, their servers exclude each other, which
    // is safe.
    let hash = socket
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
    join_name(&[socket, SUFFIX]).or_else(|_| join_name(&[&numbered_name(hash), SUFFIX]))
}

/// A name that no other process chooses, because it contains a random number.
pub(crate) type TemporaryName = [u8; 9 + 16];

/// Returns `.sunpath-` and 16 hexadecimal digits of a random number.
pub(crate) fn temporary_name() -> Result<TemporaryName, Error> {
    syscall::random_number().map(numbered_name)
}

/// Returns `.sunpath-` and the 16 hexadecimal digits of `number`, the lowest digit first.
fn numbered_name(mut number: u64) -> TemporaryName {
    let mut name = *b".sunpath-0123456789abcdef";
    for digit in name.iter_mut().skip(9) {
        *digit = match (number % 16) as u8 {
            low @ 0..10 => b'0' + low,
            high => b'a' + (high - 10),
        };
        number /= 16;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every version of this crate must compute the same name of the lock file.
    #[test]
    fn name_of_a_lock_is_always_the_same() {
        let lock = |len: usize| lock_name(&b"n".repeat(len)).unwrap();
        assert_eq!(lock(1).as_bytes(), b"n.lock");
        assert_eq!(lock(250).as_bytes(), [&[b'n'; 250][..], b".lock"].concat());
        assert_eq!(lock(251).as_bytes(), b".sunpath-930e7ee3bdb312e5.lock");
    }
}
