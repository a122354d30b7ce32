//! The answer of the doctor, as it is put together.

use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use serde_json::{Map, Value, json};

use super::Question;
use super::walk::{Step, Walk};
use crate::escape::{escape_path, insert};
use crate::output::{Answer, Line, Status};
use crate::sockets::{Server, waiting_text};
use crate::target::Target;
use crate::user::{group_name, user_name};

/// The facts that were found about a socket, and the advice that follows from them.
#[derive(Debug)]
pub(crate) struct Diagnosis {
    status: Status,
    /// A word for programs.
    reason: &'static str,
    first: String,
    evidence: Vec<String>,
    advice: Vec<String>,
    steps: Vec<Step>,
    server: Option<Server>,
}

impl Diagnosis {
    pub(crate) fn new(status: Status, reason: &'static str, first: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            first: first.into(),
            evidence: Vec::new(),
            advice: Vec::new(),
            steps: Vec::new(),
            server: None,
        }
    }

    /// The answer could not be found out.
    pub(crate) fn unknown(first: impl Into<String>) -> Self {
        Self::new(Status::Unknown, "unknown", first)
    }

    /// Adds a line of what was found.
    pub(crate) fn found(mut self, line: impl Into<String>) -> Self {
        self.evidence.push(line.into());
        self
    }

    /// Adds a line of what to do.
    pub(crate) fn advise(mut self, line: impl Into<String>) -> Self {
        self.advice.push(line.into());
        self
    }

    /// Adds the server, and lines about it.
    pub(crate) fn with_server(mut self, server: &Server) -> Self {
        self.evidence.extend(server_lines(server));
        self.server = Some(server.clone());
        self
    }

    pub(crate) fn with_walk(mut self, walk: Walk) -> Self {
        self.steps = walk.steps;
        self
    }

    /// Puts another answer before this one, which becomes evidence.
    pub(crate) fn behind(mut self, reason: &'static str, first: String) -> Self {
        let rest = std::mem::replace(&mut self.first, first);
        self.evidence
            .insert(0, format!("for a call that takes it: {rest}"));
        self.status = Status::Not;
        self.reason = reason;
        self
    }

    /// Returns the answer for printing.
    pub(crate) fn into_answer(self, target: &Target, question: &Question<'_>) -> Answer {
        let mut rest = Vec::new();
        let mut evidence: Vec<_> = self.steps.iter().map(step_line).collect();
        evidence.extend(self.evidence);
        if let Some(error) = question.sockets.error {
            evidence.push(format!("the list of sockets is not complete: {error}"));
        }
        let unreadable = question.sockets.unreadable;
        let is_holder_known = self.server.as_ref().is_none_or(|s| !s.processes.is_empty());
        if unreadable > 0 && !is_holder_known {
            evidence.push(match unreadable {
                1 => "1 process could not be read".into(),
                _ => format!("{unreadable} processes could not be read"),
            });
        }
        for (heading, lines) in [("What was found", &evidence), ("What to do", &self.advice)] {
            if !lines.is_empty() {
                rest.push(Line::Heading(heading.into()));
                rest.extend(lines.iter().map(|line| Line::Text(line.clone())));
            }
        }
        let mut json = Map::new();
        json.insert("answer".into(), self.first.clone().into());
        json.insert("reason".into(), self.reason.into());
        json.insert("status".into(), (self.status as u8).into());
        target.insert(&mut json);
        json.insert("kind".into(), question.kind.text().into());
        json.insert("uid".into(), question.subject.uid().into());
        json.insert("files".into(), self.steps.iter().map(step_json).collect());
        json.insert(
            "server".into(),
            self.server.as_ref().map_or(Value::Null, server_json),
        );
        json.insert("unreadable_processes".into(), unreadable.into());
        json.insert("evidence".into(), evidence.into());
        json.insert("advice".into(), self.advice.into());
        Answer {
            status: self.status,
            first: self.first,
            rest,
            json: json.into(),
        }
    }
}

/// Returns what a file is, as a noun.
pub(crate) fn type_of(file: &Metadata) -> &'static str {
    let kind = file.file_type();
    match () {
        () if kind.is_dir() => "directory",
        () if kind.is_symlink() => "symbolic link",
        () if kind.is_socket() => "socket",
        () if kind.is_fifo() => "FIFO",
        () if kind.is_char_device() || kind.is_block_device() => "device",
        () => "file",
    }
}

fn step_line(step: &Step) -> String {
    let file = &step.file;
    let path = escape_path(step.path.as_os_str().as_bytes());
    match &step.link {
        Some(target) => {
            let target = escape_path(target.as_os_str().as_bytes());
            format!("{path}: symbolic link to {target}")
        }
        None => format!(
            "{path}: {}, mode {:04o}, {}:{}{}",
            type_of(file),
            file.mode() & 0o7777,
            user_name(file.uid()),
            group_name(file.gid()),
            if super::acl::Acl::of(&step.path).mask().is_some() {
                ", with an ACL"
            } else {
                ""
            },
        ),
    }
}

fn step_json(step: &Step) -> Value {
    let mut object = Map::new();
    insert(&mut object, "path", step.path.as_os_str().as_bytes());
    object.insert("type".into(), type_of(&step.file).into());
    object.insert(
        "mode".into(),
        format!("{:04o}", step.file.mode() & 0o7777).into(),
    );
    object.insert("uid".into(), step.file.uid().into());
    object.insert("gid".into(), step.file.gid().into());
    if let Some(target) = &step.link {
        insert(&mut object, "target", target.as_os_str().as_bytes());
    }
    object.into()
}

fn server_lines(server: &Server) -> Vec<String> {
    let mut lines = Vec::new();
    for process in &server.processes {
        lines.push(format!("{} has the socket open", process.text()));
    }
    let kind = server.kind().map_or("other", crate::kind::Kind::text);
    let mut line = format!("{kind} socket");
    if let Some(uid) = server.entry.uid() {
        line += &format!(", made by user {}", user_name(uid));
    }
    if let Some((waiting, backlog)) = server.clients() {
        line += &format!(", {}, backlog {backlog}", waiting_text(waiting));
    }
    lines.push(line);
    lines.push(format!("bound to {}", server.target().text()));
    lines
}

fn server_json(server: &Server) -> Value {
    let mut object = Map::new();
    server.target().insert(&mut object);
    object.insert(
        "kind".into(),
        server.kind().map(crate::kind::Kind::text).into(),
    );
    object.insert("listening".into(), server.is_listening().into());
    object.insert("inode".into(), server.entry.inode().into());
    object.insert("uid".into(), server.entry.uid().into());
    object.insert("other_network_namespace".into(), server.elsewhere.into());
    if let Some((waiting, backlog)) = server.clients() {
        object.insert("waiting".into(), waiting.into());
        object.insert("backlog".into(), backlog.into());
    }
    let processes = server.processes.iter().map(|process| {
        let mut object = Map::new();
        object.insert("pid".into(), process.pid.into());
        insert(&mut object, "command", &process.command);
        Value::from(object)
    });
    object.insert("processes".into(), processes.collect());
    json!(object)
}
