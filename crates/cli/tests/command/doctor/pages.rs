//! The output on the pages is what the command prints on a terminal of 80 columns.
//!
//! `SUNPATH_BLESS=1 cargo test -p sunpath-cli pages` writes it.

use std::{env, fs};

use rustix::termios::{Winsize, tcsetwinsize};

use super::sixteen::set_up;
use super::*;
use crate::ls::terminal::{Printed, terminal};

/// Runs a line of a page in the directory, and returns its output, with the names that the pages use.
fn output(set_up: &SetUp, line: &str) -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_sunpath")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command
        .args(["-c", line])
        .env("PATH", path)
        .env("COLUMNS", "80");
    let output = command.current_dir(set_up.dir.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{line}");
    let text = without_children(&String::from_utf8(output.stdout).unwrap());
    let names = Command::new("id").arg("-gn").output().unwrap();
    let group = String::from_utf8(names.stdout).unwrap();
    let (user, group) = (user_name(), group.trim_end().to_owned());
    // The names of this process and of its user are replaced by those of the pages.
    let dir = format!("{}/", set_up.dir.path().display());
    let text = text
        .replace(&dir, "/srv/")
        .replace(&own_process(), "web (pid 1234)");
    let text = text.replace(&format!("{user}:{group}"), "app:app");
    let text = text
        .replace(&format!("owner {user}"), "owner app")
        .replace(&format!("user {user}"), "user app");
    text.replace(
        &format!("neither {user} nor in the group {group}"),
        "neither app nor in the group app",
    )
    .replace(&format!("backlog {}", somaxconn()), "backlog 4096")
}

/// Leaves out the children of other tests. Between fork(2) and exec(2) they have the socket open, too.
fn without_children(text: &str) -> String {
    let own = own_process();
    text.lines()
        .filter(|line| !line.ends_with(" has the socket open") || line.contains(&own))
        .map(|line| format!("{line}\n"))
        .collect()
}

fn somaxconn() -> String {
    let text = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    text.trim_end().into()
}

/// Returns the page with the output of every line that begins with `$ `. A block whose output ends with `...`
/// keeps as many lines as it has.
fn with_output(set_up: &SetUp, page: &str) -> String {
    let mut result = String::new();
    let mut lines = page.lines().peekable();
    let mut is_console = false;
    while let Some(line) = lines.next() {
        result += line;
        result.push('\n');
        if line.starts_with("```") {
            is_console = line == "```console";
            continue;
        }
        let Some(command) = line.strip_prefix("$ ").filter(|_| is_console) else {
            continue;
        };
        let mut kept = 0;
        let mut last = "";
        while let Some(old) = lines.next_if(|next| !next.starts_with("$ ") && *next != "```") {
            kept += 1;
            last = old;
        }
        let text = output(set_up, command);
        assert!(
            text.lines().all(|line| line.chars().count() <= 80),
            "{text}"
        );
        if last == "..." {
            text.lines()
                .take(kept - 1)
                .for_each(|line| result += &format!("{line}\n"));
            result += "...\n";
        } else {
            result += &text;
        }
    }
    result
}

#[test]
fn doctor_pages_show_what_the_command_prints() {
    let (set_up, _kept) = set_up();
    fs::rename(set_up.path("stale"), set_up.path("app.sock")).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in [root.join("README.md"), root.join("../../docs/command.md")] {
        if file.ends_with("docs/command.md") {
            fs::rename(set_up.path("app.sock"), set_up.path("stale")).unwrap();
        }
        let page = fs::read_to_string(&file).unwrap();
        let right = with_output(&set_up, &page);
        if env::var_os("SUNPATH_BLESS").is_some() {
            fs::write(&file, &right).unwrap();
            continue;
        }
        let differs = right
            .lines()
            .zip(page.lines())
            .find(|(right, page)| right != page);
        assert_eq!(differs, None, "{}: see SUNPATH_BLESS", file.display());
        assert_eq!(right.len(), page.len(), "{}", file.display());
    }
    set_up.assert_unnoticed();
}

/// Returns what the command prints on a terminal of 80 columns.
fn on_terminal(command: &mut Command) -> String {
    let (ours, theirs) = terminal();
    let size = Winsize {
        ws_row: 24,
        ws_col: 80,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&theirs, size).unwrap();
    command.env("TERM", "xterm").env_remove("COLUMNS");
    let mut child = command.stdout(theirs).spawn().unwrap();
    command.stdout(std::process::Stdio::null()); // the command has no copy of the terminal any more
    let printed = Printed::to(ours);
    child.wait().unwrap();
    printed
        .pieces
        .iter()
        .collect::<String>()
        .replace("\r\n", "\n")
}

#[test]
fn doctor_on_a_terminal_has_the_same_words_with_colours() {
    let mut set_up = SetUp::new();
    set_up.listen("fine");
    set_up.leave_stale("stale");
    for (name, colour) in [("fine", "\x1b[1m\x1b[32m"), ("stale", "\x1b[1m\x1b[31m")] {
        let plain = run(set_up.doctor().arg(set_up.path(name)).env("COLUMNS", "80")).out;
        let printed = on_terminal(set_up.doctor().arg(set_up.path(name)));
        assert!(printed.starts_with(colour), "{printed:?}");
        let words = ["\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[0m"];
        let words = words
            .iter()
            .fold(printed, |text, code| text.replace(code, ""));
        assert_eq!(without_children(&words), without_children(&plain));
        let printed = on_terminal(set_up.doctor().arg(set_up.path(name)).env("NO_COLOR", "1"));
        assert_eq!(without_children(&printed), without_children(&plain));
    }
    set_up.assert_unnoticed();
}
