//! Which clients a command that listens accepts, and what it reports about them.

use clap::Args;
use sunpath::socket::Connected;
use sunpath::{PeerCred, Socket};

use crate::output::{Failure, note};
use crate::target::Target;
use crate::user::{self, peer_text};

/// Which clients are accepted.
#[derive(Args, Debug)]
pub(crate) struct Admission {
    /// Accepts only clients of these users, by name or number.
    #[arg(long, value_name = "USER")]
    require_user: Vec<String>,
    /// Prints to standard error who each client is.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

impl Admission {
    /// Looks the users up.
    pub(crate) fn rule(&self) -> Result<Rule, Failure> {
        let required = self.require_user.iter().map(|user| user::uid(user));
        Ok(Rule {
            required: required.collect::<Result<_, _>>()?,
            verbose: self.verbose,
        })
    }
}

/// The rule by which clients are accepted.
#[derive(Debug)]
pub(crate) struct Rule {
    /// The users whose clients are accepted; empty for all.
    required: Vec<u32>,
    pub(crate) verbose: bool,
}

impl Rule {
    /// Returns whether the rule needs to know who a client is.
    pub(crate) fn asks(&self) -> bool {
        self.verbose || !self.required.is_empty()
    }

    /// Returns whether clients of this user are accepted. `None` is a user who is not known.
    pub(crate) fn accepts(&self, uid: Option<u32>) -> bool {
        self.required.is_empty() || uid.is_some_and(|uid| self.required.contains(&uid))
    }

    /// Returns who the client is, unless it is refused.
    pub(crate) fn admit<T: Connected>(&self, client: &Socket<T>) -> Option<PeerCred> {
        let peer = client.peer_cred().ok()?;
        let is_accepted = self.accepts(Some(peer.uid()));
        if !is_accepted {
            note(&format!("refused: {}", peer_text(peer)));
        } else if self.verbose {
            note(&format!("accepted: {}", peer_text(peer)));
        }
        is_accepted.then_some(peer)
    }

    pub(crate) fn report_listening(&self, target: &Target) {
        if self.verbose {
            note(&format!("listening on {}", target.text()));
        }
    }
}
