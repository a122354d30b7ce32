//! The kinds of Unix domain sockets.

use clap::ValueEnum;

/// The kind of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// SOCK_STREAM: bytes in order, over a connection.
    Stream,
    /// SOCK_DGRAM: messages, without a connection.
    #[value(alias = "dgram")]
    Datagram,
    /// SOCK_SEQPACKET: messages in order, over a connection.
    Seqpacket,
}

impl Kind {
    /// Returns the word for the kind.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Datagram => "datagram",
            Self::Seqpacket => "seqpacket",
        }
    }
}
