//! What it means that a path ends before its last file.

use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::diagnosis::{Diagnosis, type_of};
use super::subject::{Access, Class, Denied, owner_text};
use super::walk::Stop;
use super::{Question, missing};
use crate::escape::{escape, escape_path};
use crate::output::Status;
use crate::user::{group_name, user_name};

/// Diagnoses a path that leads nowhere.
pub(crate) fn diagnose(question: &Question<'_>, path: &Path, stop: &Stop) -> Diagnosis {
    let who = question.subject.text();
    match stop {
        Stop::NotEntered { dir, file, why } => {
            let what = format!("enter {} ({})", text(dir), owner_text(file));
            refused(question, &what, file, why, Access::Enter)
        }
        Stop::Missing {
            dir,
            name,
            is_last,
            link,
        } => missing::diagnose(
            question,
            path,
            missing::Gap {
                dir,
                name,
                is_last: *is_last,
                link: link.as_deref(),
            },
        ),
        Stop::NotDirectory { path, file } => {
            let first = format!("{} is a {}, not a directory.", text(path), type_of(file));
            Diagnosis::new(Status::Not, "not-a-directory", first)
                .advise("Correct the path: it goes on after a file, or ends with a slash.")
        }
        Stop::Loop { link } => {
            let first = format!("The symbolic links after {} form a loop.", text(link));
            Diagnosis::new(Status::Not, "loop", first)
                .advise("Remove the link, and make it again with the path of the socket.")
        }
        Stop::LinkProtected { link, owner } => {
            let first = format!(
                "{who} may not follow {} (a link of {} in a directory that everybody may write).",
                text(link),
                user_name(*owner)
            );
            Diagnosis::new(Status::Not, "link-protected", first)
                .found("fs.protected_symlinks is 1: see proc_sys_fs(5)")
                .advise("Give the path of the socket itself, or make the link as the owner of the directory.")
        }
        Stop::Hidden { dir } => {
            let first = format!(
                "You may not enter {}, so nothing could be found out.",
                text(dir)
            );
            Diagnosis::new(Status::Unknown, "hidden", first).advise("Ask as root.")
        }
        Stop::Other { path, error } => {
            let first = format!("{} could not be read: {error}.", text(path));
            Diagnosis::new(Status::Unknown, "unknown", first)
        }
    }
}

fn text(path: &Path) -> String {
    escape_path(path.as_os_str().as_bytes())
}

/// Diagnoses a file that the user may not use. `what` is what the user may not do.
pub(crate) fn refused(
    question: &Question<'_>,
    what: &str,
    file: &Metadata,
    why: &Denied,
    access: Access,
) -> Diagnosis {
    let subject = question.subject;
    let who = subject.text();
    let right = if access == Access::Enter { "x" } else { "w" };
    if let Some(group) = subject.group_since_login(file, access) {
        let first =
            format!("{who} may not {what}: you are in the group {group} since after your login.");
        return Diagnosis::new(Status::Not, "group-since-login", first).advise(format!(
            "Log in again, or run newgrp {}.",
            escape(group.as_bytes())
        ));
    }
    let first = format!("{who} may not {what}.");
    let diagnosis = Diagnosis::new(Status::Not, "permission", first);
    let owner = user_name(std::os::unix::fs::MetadataExt::uid(file));
    let group = group_name(std::os::unix::fs::MetadataExt::gid(file));
    let lower = who.replacen("You", "you", 1).replacen("User", "user", 1);
    let verb = if subject.is_asker() { "are" } else { "is" };
    match why {
        Denied::By(Class::Owner) => diagnosis
            .found(format!("{lower} {verb} the owner, and the mode does not give the owner {right}"))
            .advise(format!("chmod u+{right} gives it to the owner.")),
        Denied::By(Class::Group) => diagnosis
            .found(format!("{lower} {verb} in the group {group}, and the mode does not give the group {right}"))
            .advise(format!("chmod g+{right} gives it to the group.")),
        Denied::By(Class::Other) => diagnosis
            .found(format!("{lower} {verb} neither {owner} nor in the group {group}, and the mode does not give others {right}"))
            .advise(format!("Give {lower} the permission: setfacl -m u:{}:{right}, or a group that both are in.", subject.uid())),
        Denied::By(Class::Acl) => diagnosis
            .found(format!("the ACL has an entry for {lower} or a group, without {right}"))
            .advise("getfacl shows the entries, and setfacl changes them."),
        Denied::By(Class::AclMask) => diagnosis
            .found(format!("the ACL gives {lower} {right}, but its mask takes {right} away"))
            .advise(format!("chmod changes the mask of a file with an ACL: setfacl -m m::rw{}.", if right == "x" { "x" } else { "" })),
        Denied::BySecurityModule => diagnosis
            .found("the mode and the ACL allow it, so a security module refuses it, such as AppArmor or SELinux")
            .advise("Look for the refusal in the kernel's log: dmesg, or ausearch -m avc."),
    }
}
