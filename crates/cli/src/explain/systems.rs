//! Which systems take an address.

use serde_json::{Value, json};

use crate::output::Line;
use crate::target::Target;

/// The systems with the same `sockaddr_un`: their names, the size of `sun_path`, and whether they have
/// abstract names.
const SYSTEMS: [(&str, usize, bool); 5] = [
    ("Linux, Android", 108, true),
    ("macOS, iOS", 104, false),
    ("FreeBSD, NetBSD, OpenBSD, DragonFly", 104, false),
    ("illumos, Windows", 108, false),
    ("Haiku", 126, false),
];

/// Returns why a system does not take the address, or `None` if it does.
fn objection(target: &Target, size: usize, has_abstract: bool) -> Option<String> {
    let len = target.as_bytes().len();
    let most = size - 1;
    match target {
        Target::Path(_) if len == 0 => Some("no, the path is empty".into()),
        Target::Path(_) if target.as_bytes().contains(&0) => Some("no, it has a NUL".into()),
        Target::Abstract(_) if !has_abstract => Some("no, it has no abstract names".into()),
        _ if len > most => Some(format!(
            "no, {} too long: at most {most}",
            bytes(len - most)
        )),
        _ => None,
    }
}

pub(crate) fn bytes(count: usize) -> String {
    match count {
        1 => "1 byte".into(),
        _ => format!("{count} bytes"),
    }
}

/// Returns a line for each group of systems.
pub(crate) fn lines(target: &Target) -> Vec<Line> {
    let mut lines = vec![Line::Heading("Which systems take it in one call".into())];
    lines.extend(SYSTEMS.map(|(names, size, has_abstract)| {
        let verdict = objection(target, size, has_abstract);
        let verdict = verdict.unwrap_or_else(|| format!("yes, at most {} bytes", size - 1));
        Line::Text(format!("{names:36} {verdict}"))
    }));
    lines
}

/// Returns an object for each system.
pub(crate) fn json(target: &Target) -> Value {
    let each = SYSTEMS.iter().flat_map(|(names, size, has_abstract)| {
        let takes = objection(target, *size, *has_abstract).is_none();
        let row = move |name: &str| json!({ "system": name, "max": size - 1, "takes": takes });
        names.split(", ").map(row)
    });
    each.collect()
}
