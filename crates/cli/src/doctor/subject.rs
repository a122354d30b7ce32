//! The user who wants to connect, and what that user may do with a file.

use std::ffi::CString;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Gid, Uid, User, getgrouplist};
use rustix::fs::{Access as AccessOk, AtFlags, CWD, accessat};
use rustix::io::Errno;
use rustix::process::{getegid, geteuid, getgroups};

use super::acl::{Acl, Entry};
use crate::escape::escape;
use crate::output::Failure;
use crate::user::{group_name, user_name};

/// The user who wants to connect.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The name, for a terminal; `None` for the user who asks.
    name: Option<String>,
    uid: u32,
    /// The groups, with the main group first.
    groups: Vec<u32>,
}

/// What connect(2) needs to do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// To look up a name in a directory.
    Enter,
    /// To connect to a socket.
    Write,
}

/// The reason why a user may not use a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// By the permissions of the class of users that the user belongs to.
    By(Class),
    /// The permissions allow it, and the kernel refuses it all the same.
    BySecurityModule,
}

/// The class of users whose permissions decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Owner,
    Group,
    Other,
    /// An entry of the ACL for this user or one of the user's groups.
    Acl,
    /// An entry of the ACL, of which the mask takes the permission away.
    AclMask,
}

impl Subject {
    /// Finds a user by name or number, or the user who asks.
    pub(crate) fn new(user: Option<&str>) -> Result<Self, Failure> {
        let Some(user) = user else {
            let groups = getgroups()
                .unwrap_or_default()
                .into_iter()
                .map(|gid| gid.as_raw());
            let groups = [getegid().as_raw()].into_iter().chain(groups).collect();
            return Ok(Self {
                name: None,
                uid: geteuid().as_raw(),
                groups,
            });
        };
        let number = user.parse::<u32>();
        let found = match number {
            Ok(uid) => User::from_uid(Uid::from_raw(uid)),
            Err(_) => User::from_name(user),
        };
        match (found, number) {
            (Ok(Some(user)), _) => Ok(Self::from_entry(&user)),
            // A number without a name is a user who is in no group.
            (Ok(None), Ok(uid)) => Ok(Self {
                name: Some(uid.to_string()),
                uid,
                groups: Vec::new(),
            }),
            _ => Err(Failure::usage(format!(
                "there is no user {}",
                escape(user.as_bytes())
            ))),
        }
    }

    fn from_entry(user: &User) -> Self {
        let name = Some(escape(user.name.as_bytes()));
        let groups = groups_of(user);
        Self {
            name,
            uid: user.uid.as_raw(),
            groups,
        }
    }

    /// Returns "you", or the user's name, as the subject of a sentence that begins with it.
    pub(crate) fn text(&self) -> String {
        match &self.name {
            None => "You".into(),
            Some(name) => format!("User {name}"),
        }
    }

    pub(crate) fn uid(&self) -> u32 {
        self.uid
    }

    /// Returns whether this is the user who asks, about whom the kernel can be asked.
    pub(crate) fn is_asker(&self) -> bool {
        self.name.is_none()
    }

    fn is_in(&self, gid: u32) -> bool {
        self.groups.contains(&gid)
    }

    /// Checks whether the user may do this with a file. The kernel is asked about the user who asks. For
    /// another user its rule is applied.
    pub(crate) fn may(&self, path: &Path, file: &Metadata, access: Access) -> Result<(), Denied> {
        let by_mode = self.may_by_mode(file, &Acl::of(path), access);
        let by_rule = match self.uid {
            0 => Ok(()),
            _ => by_mode.clone().map_err(Denied::By),
        };
        if !self.is_asker() {
            return by_rule;
        }
        let wanted = match access {
            Access::Enter => AccessOk::EXEC_OK,
            Access::Write => AccessOk::WRITE_OK,
        };
        match accessat(CWD, path, wanted, AtFlags::EACCESS) {
            Ok(()) => Ok(()),
            Err(Errno::ACCESS | Errno::PERM) => {
                Err(by_mode.map_or_else(Denied::By, |()| Denied::BySecurityModule))
            }
            // The kernel lacks the call, or the file is gone, so only the rule is left to decide.
            Err(_) => by_rule,
        }
    }

    /// Applies path_resolution(7) and acl(5), without the privilege of root.
    fn may_by_mode(&self, file: &Metadata, acl: &Acl, access: Access) -> Result<(), Class> {
        let wanted = match access {
            Access::Enter => 1,
            Access::Write => 2,
        };
        let grants = |mode: u32| mode & wanted != 0;
        let check = |mode: u32, class| if grants(mode) { Ok(()) } else { Err(class) };
        let mode = file.mode();
        if self.uid == file.uid() {
            return check(mode >> 6, Class::Owner);
        }
        let Some(mask) = acl.mask() else {
            return match self.is_in(file.gid()) {
                true => check(mode >> 3, Class::Group),
                false => check(mode, Class::Other),
            };
        };
        let masked = |entry: u32| match (grants(entry), grants(entry & mask)) {
            (_, true) => Ok(()),
            (true, false) => Err(Class::AclMask),
            (false, false) => Err(Class::Acl),
        };
        if let Some(entry) = acl.find(|entry| *entry == Entry::User(self.uid)) {
            return masked(entry);
        }
        let mut denied = None;
        for (entry, permissions) in acl.iter() {
            let matches = match entry {
                Entry::OwningGroup => self.is_in(file.gid()),
                Entry::Group(gid) => self.is_in(gid),
                _ => false,
            };
            match matches.then(|| masked(permissions)) {
                Some(Ok(())) => return Ok(()),
                Some(Err(class)) if denied != Some(Class::AclMask) => denied = Some(class),
                _ => {}
            }
        }
        denied.map_or_else(|| check(mode, Class::Other), Err)
    }

    /// Returns the name of a group that the user has been put into, but that this process does not
    /// have, if it is the group of the file and would have permission. Groups are set at login.
    pub(crate) fn group_since_login(&self, file: &Metadata, access: Access) -> Option<String> {
        let wanted = if access == Access::Enter { 1 } else { 2 };
        let is_group_enough = file.mode() >> 3 & wanted != 0;
        if !self.is_asker() || self.uid == file.uid() || self.is_in(file.gid()) || !is_group_enough
        {
            return None;
        }
        let user = User::from_uid(Uid::from_raw(self.uid)).ok()??;
        let is_entered = groups_of(&user).contains(&file.gid());
        is_entered.then(|| group_name(file.gid()))
    }
}

/// Returns the groups of a user in the list of groups.
fn groups_of(user: &User) -> Vec<u32> {
    let name = CString::new(user.name.as_bytes()).unwrap_or_default();
    let groups = getgrouplist(&name, user.gid).unwrap_or_default();
    [user.gid]
        .into_iter()
        .chain(groups)
        .map(Gid::as_raw)
        .collect()
}

/// Returns the mode and the owner of a file, as the first line of an answer has them.
pub(crate) fn owner_text(file: &Metadata) -> String {
    format!(
        "mode {:04o}, owner {}",
        file.mode() & 0o7777,
        user_name(file.uid())
    )
}
