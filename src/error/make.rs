//! Makes the errors that the crate itself finds, each with its cause.

use sunpath_sys::SunPathError;

#[cfg(any(feature = "files", test))]
use super::InUse;
use super::cause::{Tag, count, short};
use super::{Call, Cause, Errno, Error};

impl Error {
    /// Makes the error of a `call` that was not made, because there is no address to pass to it.
    #[cold]
    pub(crate) fn refused(call: Call, error: SunPathError) -> Self {
        let errno = Errno::from_raw(error.errno());
        Self::with_cause(call, errno, Cause::Path(error))
    }

    /// Makes the error for an address whose length is greater than any that the system returns.
    #[cold]
    pub(crate) const fn address_length(len: usize, max: usize) -> Self {
        let len = if len > 0xffff { 0xffff } else { len as u32 };
        Self {
            tag: Tag::AddressLength,
            call: Call::SockaddrUn,
            errno: Errno::EINVAL.raw() as i16,
            number: len | (max as u32) << 16,
        }
    }

    /// Makes the failure to bind to a path where a file is in the way.
    #[cfg(any(feature = "files", test))]
    #[cold]
    pub(crate) fn address_in_use(in_use: InUse) -> Self {
        Self::with_cause(Call::Bind, Errno::EADDRINUSE, Cause::InUse(in_use))
    }

    /// Makes the error for too many descriptors in one message.
    pub(crate) fn too_many_descriptors(call: Call, descriptors: usize) -> Self {
        let count = count(descriptors);
        Self::with_cause(call, Errno::EINVAL, Cause::TooManyDescriptors { count })
    }

    /// Makes the error for more control messages than a batch has space for.
    pub(crate) fn batch_space(descriptors: usize, space: usize) -> Self {
        let cause = Cause::BatchSpace {
            descriptors: short(descriptors),
            space: short(space),
        };
        Self::with_cause(Call::Sendmmsg, Errno::EMSGSIZE, cause)
    }

    /// Makes the error for control messages of more bytes than there is space for.
    #[cold]
    pub(crate) fn control_space(call: Call, needed: usize, space: usize) -> Self {
        let cause = Cause::ControlSpace {
            needed: short(needed),
            space: short(space),
        };
        Self::with_cause(call, Errno::EMSGSIZE, cause)
    }

    /// Makes the error for an answer of the kernel that is longer than the buffer.
    #[cfg(feature = "files")]
    #[cold]
    pub(crate) fn answer_space(needed: usize, space: usize) -> Self {
        let cause = Cause::AnswerSpace {
            needed: short(needed),
            space: short(space),
        };
        Self::with_cause(Call::SockDiag, Errno::EMSGSIZE, cause)
    }

    /// Makes the error for an answer of the kernel with a wrong length.
    #[cfg(feature = "files")]
    #[cold]
    pub(crate) fn malformed_answer(len: usize, at: usize) -> Self {
        let cause = Cause::MalformedAnswer {
            len: short(len),
            at: short(at),
        };
        Self::with_cause(Call::SockDiag, Errno::EBADMSG, cause)
    }

    /// Makes the error for one more message in a full batch.
    #[cold]
    pub(crate) fn batch_full(messages: usize) -> Self {
        let messages = count(messages);
        Self::with_cause(
            Call::Sendmmsg,
            Errno::ENOBUFS,
            Cause::BatchFull { messages },
        )
    }

    /// Makes the error for control messages that are sent without a byte of data: a stream drops
    /// such messages.
    pub(crate) fn empty_payload() -> Self {
        Self::with_cause(Call::Sendmsg, Errno::EINVAL, Cause::EmptyPayload)
    }

    /// Makes the error for truncated control data. `closed` descriptors arrived and were closed.
    pub(crate) fn control_truncated(closed: usize) -> Self {
        let closed = count(closed);
        Self::with_cause(
            Call::Recvmsg,
            Errno::EMSGSIZE,
            Cause::ControlTruncated { closed },
        )
    }

    /// Makes the error for more descriptors than `expected`, or for fewer where control messages were
    /// truncated. The descriptors that arrived are closed.
    #[cold]
    pub(crate) fn descriptors_truncated(received: usize, expected: usize) -> Self {
        let is_more = received > expected;
        let (expected, received) = (short(expected), short(received));
        let cause = match is_more {
            true => Cause::ExtraDescriptors { expected, received },
            false => Cause::TruncatedDescriptors { expected, received },
        };
        Self::with_cause(Call::Recvmsg, Errno::EMSGSIZE, cause)
    }

    /// Makes the error for fewer descriptors than expected. The descriptors that arrived are
    /// closed.
    pub(crate) fn too_few_descriptors(received: usize, expected: usize) -> Self {
        let cause = Cause::TooFewDescriptors {
            expected: short(expected),
            received: short(received),
        };
        Self::with_cause(Call::Recvmsg, Errno::ENOMSG, cause)
    }

    /// Makes the error for a stream that ended where a descriptor was expected.
    pub(crate) fn end_of_file() -> Self {
        Self::with_cause(Call::Recvmsg, Errno::EPIPE, Cause::EndOfFile)
    }
}
