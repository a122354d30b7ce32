//! What it means that a path ends before its last file.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::diagnosis::{Diagnosis, type_of};
use super::subject::{Access, Class, Denied, owner_text};
use super::walk::Stop;
use super::{Question, missing, text};
use crate::escape::escape;
use crate::output::Status;
use crate::shell::word;
use crate::user::{group_name, user_name};

/// Diagnoses a path that leads nowhere.
pub(crate) fn diagnose(question: &Question<'_>, path: &Path, stop: &Stop) -> Diagnosis {
    let who = question.subject.text();
    match stop {
        Stop::NotEntered { dir, file, why } => refused(question, dir, file, why, Access::Enter),
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
            Diagnosis::unknown(first)
        }
    }
}

/// Diagnoses a file that the user may not use.
pub(crate) fn refused(
    question: &Question<'_>,
    path: &Path,
    file: &Metadata,
    why: &Denied,
    access: Access,
) -> Diagnosis {
    let subject = question.subject;
    let who = subject.text();
    let owner = user_name(file.uid());
    let group = group_name(file.gid());
    let mode = owner_text(file);
    let (right, what) = match access {
        Access::Enter => ("x", format!("enter {} ({mode})", text(path))),
        Access::Write => ("w", format!("write to the socket ({mode})")),
    };
    if let Some(group) = subject.group_since_login(file, access) {
        let first =
            format!("{who} may not {what}: you are in the group {group} since after your login.");
        return Diagnosis::new(Status::Not, "group-since-login", first).advise(format!(
            "Log in again, or run newgrp {}.",
            escape(group.as_bytes())
        ));
    }
    let first = format!("{who} may not {what}.");
    let mut diagnosis = Diagnosis::new(Status::Not, "permission", first);
    let class = match why {
        Denied::BySecurityModule => {
            return diagnosis
                .found("the mode and the ACL allow it, so a security module refuses it, such as AppArmor or SELinux")
                .advise("Look for the refusal in the kernel's log: dmesg, or ausearch -m avc.");
        }
        Denied::By(class) => class,
    };
    if subject.is_asker() && subject.uid() == 0 {
        diagnosis = diagnosis
            .found("you are root without CAP_DAC_OVERRIDE for this file, as in a container");
    }
    let lower = who.replacen("You", "you", 1).replacen("User", "user", 1);
    let verb = if subject.is_asker() { "are" } else { "is" };
    let word = word(path.as_os_str());
    let (found, advice) = match class {
        Class::Owner => (
            format!("{lower} {verb} the owner, and the mode does not give the owner {right}"),
            format!("chmod u+{right} {word} gives it to the owner."),
        ),
        Class::Group => (
            format!(
                "{lower} {verb} in the group {group}, and the mode does not give the group {right}"
            ),
            format!("chmod g+{right} {word} gives it to the group."),
        ),
        Class::Other => (
            format!(
                "{lower} {verb} neither {owner} nor in the group {group}, and the mode does not give others {right}"
            ),
            format!(
                "The owner or root can give the permission, by setfacl -m u:{}:{right} {word} or by a group that both are in.",
                subject.uid()
            ),
        ),
        Class::Acl => (
            format!("the ACL has an entry for {lower} or a group, without {right}"),
            format!("getfacl {word} shows the entries, and setfacl changes them."),
        ),
        Class::AclMask => (
            format!("the ACL gives {lower} {right}, but its mask takes {right} away"),
            format!(
                "setfacl -m m::rw{} {word} sets the mask, which chmod g= changes, too.",
                if right == "x" { "x" } else { "" }
            ),
        ),
    };
    diagnosis.found(found).advise(advice)
}
