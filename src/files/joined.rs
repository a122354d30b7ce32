//! Paths that are put together from pieces.

/// A path of at most `N` bytes that is put together from pieces.
#[derive(Clone, Copy)]
pub(crate) struct Path<const N: usize> {
    bytes: [u8; N],
    /// INVARIANT: the length is at most `N`.
    len: usize,
}

impl<const N: usize> Path<N> {
    /// Puts the pieces one after the other. If they have more than `N` bytes in all, fails with
    /// that sum.
    pub(crate) fn join(pieces: &[&[u8]]) -> Result<Self, usize> {
        let mut bytes = [0; N];
        let len = join(pieces, &mut bytes)?;
        Ok(Self { bytes, len })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Puts the pieces one after the other at the front of `buf`. Returns how many bytes they have in
/// all, as an error if they do not fit.
#[inline(never)]
fn join(pieces: &[&[u8]], buf: &mut [u8]) -> Result<usize, usize> {
    let len = pieces.iter().map(|piece| piece.len()).sum();
    let mut buf = buf.get_mut(..len).ok_or(len)?;
    for piece in pieces {
        let (place, rest) = buf.split_at_mut_checked(piece.len()).ok_or(len)?;
        // The compiler cannot always tell that `copy_from_slice` would not panic here.
        for (to, from) in place.iter_mut().zip(*piece) {
            *to = *from;
        }
        buf = rest;
    }
    Ok(len)
}
