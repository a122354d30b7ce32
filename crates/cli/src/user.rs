//! Users and groups by name and number, and who a peer is.

use nix::unistd::{Gid, Group, Uid, User};
use sunpath::PeerCred;

use crate::escape::escape;
use crate::output::Failure;

/// Returns the number of a user who is given by name or number.
pub(crate) fn uid(user: &str) -> Result<u32, Failure> {
    if let Ok(uid) = user.parse() {
        return Ok(uid);
    }
    match User::from_name(user) {
        Ok(Some(user)) => Ok(user.uid.as_raw()),
        _ => Err(Failure::usage(format!(
            "there is no user {}",
            escape(user.as_bytes())
        ))),
    }
}

/// Returns the number of a group that is given by name or number.
pub(crate) fn gid(group: &str) -> Result<u32, Failure> {
    if let Ok(gid) = group.parse() {
        return Ok(gid);
    }
    match Group::from_name(group) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        _ => Err(Failure::usage(format!(
            "there is no group {}",
            escape(group.as_bytes())
        ))),
    }
}

/// Returns the name of a user for a terminal, or the number of one who has no name.
pub(crate) fn user_name(uid: u32) -> String {
    match User::from_uid(Uid::from_raw(uid)) {
        Ok(Some(user)) => escape(user.name.as_bytes()),
        _ => uid.to_string(),
    }
}

/// Returns the name of a group for a terminal, or the number of one that has no name.
pub(crate) fn group_name(gid: u32) -> String {
    match Group::from_gid(Gid::from_raw(gid)) {
        Ok(Some(group)) => escape(group.name.as_bytes()),
        _ => gid.to_string(),
    }
}

/// Returns who a peer is, for a terminal.
pub(crate) fn peer_text(peer: PeerCred) -> String {
    let process = peer
        .pid()
        .map_or(String::new(), |pid| format!(", process {pid}"));
    format!(
        "user {}, group {}{process}",
        user_name(peer.uid()),
        group_name(peer.gid())
    )
}
