//! Serves clients for a long time: accepts them, limits how many there are in all and for each
//! user, and waits for the last of them at the end.
//!
//! - [`incoming()`] returns clients as they come, and continues when no descriptor is free.
//! - [`Clients`] counts the clients that are being served. [`Clients`] refuses a client if there
//!   are too many, so that one user cannot take all descriptors of a server. At the end it waits
//!   for the clients that are left.

mod incoming;

use core::error;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use core::time::Duration;

use crate::deadline::{Deadline, sleep};

pub use self::incoming::{Incoming, incoming};

/// The longest pause between two checks, in milliseconds.
const LONGEST_PAUSE: u16 = 20;

/// The uid of a free place. No user has this uid.
const NOBODY: u32 = u32::MAX;

/// A table of the clients that are being served, at most `N`, each with its user.
///
/// The table has a fixed size, so it needs no allocator and can be a `static`. Threads admit
/// clients and drop them at the same time without waiting for each other. Admitting a client looks
/// at all `N` places.
///
/// # Examples
///
/// The following server has at most 64 clients, and at most 8 of one user:
///
/// ```
/// use sunpath::serve::Clients;
/// # use sunpath::UnixStream;
///
/// static CLIENTS: Clients<64> = Clients::new().per_user(8);
///
/// # let (stream, _client) = UnixStream::pair()?; // in place of listener.accept()
/// match CLIENTS.admit(stream.peer_cred()?.uid()) {
///     Ok(client) => {
///         std::thread::spawn(move || {
///             let _ = stream.write(b"hello\n");
///             drop(client); // its place is free
///         });
///     }
///     Err(reason) => println!("refused: {reason}"), // the stream is closed
/// }
/// # Ok::<(), sunpath::Error>(())
/// ```
#[derive(Debug)]
pub struct Clients<const N: usize> {
    /// The user of each client.
    places: [AtomicU32; N],
    per_user: usize,
    stopped: AtomicBool,
}

/// The place of one client in the table [`Clients`]. Dropping this value makes the place free.
#[derive(Debug)]
#[must_use = "dropping it makes the client's place free"]
pub struct Client<'c> {
    place: &'c AtomicU32,
}

/// The reason why a client is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAdmitted {
    /// All places are taken.
    Full {
        /// The number of places in the table.
        places: usize,
    },
    /// The user has as many clients as one user may have.
    User {
        /// The user.
        uid: u32,
        /// The limit for one user.
        most: usize,
    },
    /// No client is admitted any more, because [`Clients::stop`] was called.
    Stopped,
}

impl<const N: usize> Clients<N> {
    /// Makes an empty table, in which one user may have all places.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            places: [const { AtomicU32::new(NOBODY) }; N],
            per_user: N,
            stopped: AtomicBool::new(false),
        }
    }

    /// Sets how many clients one user may have.
    ///
    /// In a user namespace that does not map every user, all users that are not mapped count as one.
    #[must_use]
    pub const fn per_user(mut self, most: usize) -> Self {
        self.per_user = most;
        self
    }

    /// Admits a client of this user. [`peer_cred`](crate::Socket::peer_cred) returns the user of a
    /// client.
    ///
    /// The limits are never exceeded. If two clients of one user connect at the same instant and
    /// only one more may be admitted, both can be refused.
    ///
    /// # Errors
    ///
    /// - [`NotAdmitted::Full`]: `N` clients are being served.
    /// - [`NotAdmitted::User`]: this user has as many clients as one user may have, or the uid is -1, which
    ///   belongs to no user and is never admitted.
    /// - [`NotAdmitted::Stopped`]: [`stop`](Self::stop) was called.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use sunpath::{UnixListener, serve::Clients};
    ///
    /// static CLIENTS: Clients<64> = Clients::new().per_user(8);
    ///
    /// let listener = UnixListener::bind("/run/app.sock")?;
    /// let (client, _) = listener.accept()?;
    /// match CLIENTS.admit(client.peer_cred()?.uid()) {
    ///     Ok(place) => drop(place), // the place is free again when it is dropped
    ///     Err(reason) => eprintln!("{reason}"),
    /// }
    /// # Ok::<(), sunpath::Error>(())
    /// ```
    pub fn admit(&self, uid: u32) -> Result<Client<'_>, NotAdmitted> {
        let too_many = NotAdmitted::User {
            uid,
            most: self.per_user,
        };
        if uid == NOBODY {
            return Err(too_many);
        }
        // The place is taken before the other places are counted. If two threads do this at once,
        // at least one of them counts the other's place, because all threads see these operations
        // in the same order.
        let client = self
            .take_place(uid)
            .ok_or(NotAdmitted::Full { places: N })?;
        if self.stopped.load(Ordering::SeqCst) {
            return Err(NotAdmitted::Stopped);
        }
        match self.count_of(uid) <= self.per_user {
            true => Ok(client),
            false => Err(too_many),
        }
    }

    /// Stops admitting clients. Clients that are being served keep their places.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    /// Waits until no client is being served, or until `timeout` has passed, and returns whether no
    /// client is left. With `None` the wait has no limit.
    ///
    /// A client can still be admitted after the wait unless [`stop`](Self::stop) was called before
    /// it. The wait looks at all places again and again, with pauses that grow from 1 to 20
    /// milliseconds.
    ///
    /// # Examples
    ///
    /// The end of a server, which gives its clients ten seconds:
    ///
    /// ```
    /// use std::time::Duration;
    /// use sunpath::serve::Clients;
    ///
    /// static CLIENTS: Clients<64> = Clients::new();
    ///
    /// CLIENTS.stop();
    /// if !CLIENTS.wait(Some(Duration::from_secs(10))) {
    ///     println!("{} clients were not served to the end", CLIENTS.count());
    /// }
    /// ```
    pub fn wait(&self, timeout: Option<Duration>) -> bool {
        let deadline = timeout.map(Deadline::after);
        let mut pause = 1;
        loop {
            if self.count() == 0 {
                return true;
            }
            let left = deadline.map_or(i32::MAX, Deadline::left_milliseconds);
            if left == 0 {
                return false;
            }
            sleep(u16::try_from(left).map_or(pause, |left| left.min(pause)));
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    fn take_place(&self, uid: u32) -> Option<Client<'_>> {
        let is_taken = |place: &&AtomicU32| {
            let taken = place.compare_exchange(NOBODY, uid, Ordering::SeqCst, Ordering::SeqCst);
            taken.is_ok()
        };
        let place = self.places.iter().find(is_taken)?;
        Some(Client { place })
    }

    /// Returns how many clients are being served.
    #[must_use]
    pub fn count(&self) -> usize {
        self.users().filter(|user| *user != NOBODY).count()
    }

    /// Returns how many clients of this user are being served.
    #[must_use]
    pub fn count_of(&self, uid: u32) -> usize {
        let of_uid = |user: &u32| *user == uid && uid != NOBODY;
        self.users().filter(of_uid).count()
    }

    fn users(&self) -> impl Iterator<Item = u32> {
        self.places.iter().map(|place| place.load(Ordering::SeqCst))
    }
}

impl<const N: usize> Default for Clients<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        self.place.store(NOBODY, Ordering::SeqCst);
    }
}

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("no client is admitted any more"),
            Self::Full { places } => write!(f, "all {places} places for clients are taken"),
            Self::User { uid, most } => {
                write!(f, "user {uid} may not have more than {most} clients")
            }
        }
    }
}

impl error::Error for NotAdmitted {}
