//! The page of a lesson: its table is made from the programs, its commands are run, and the conformance
//! cases that it names exist.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::process::Command;
use std::sync::{Mutex, MutexGuard};

use sunpath_c_tests::lane::installed;

use crate::is_bless;
use crate::lesson::{C, Lesson, SAFE, fresh, lessons, run_in, steps};
use crate::transcript::diff;

/// The most lines that a page may have. A paragraph is one line.
const MAX_LINES: usize = 85;

/// The most words of the first paragraph, which answers the question of the page.
const MAX_WORDS_OF_ANSWER: usize = 85;

/// The largest number of consecutive missing lines that a difference shows.
const MAX_MISSING: usize = 3;

/// The headings of a page, in their order.
const HEADINGS: [&str; 4] = [
    "## Who is responsible",
    "## The trap",
    "## What Rust does not fix",
    "## Three things to try",
];

/// The calls that the table does not name: printing, and calls that every kind of program makes.
const NOT_IN_TABLE: &str = "
    if for while switch return sizeof show check printf err errx exit main lesson puts else match
    map_err and_then unwrap unwrap_or expect is_ok is_err is_err_and ok into iter collect push len to_string to_str
    starts_with repeat from_utf8_lossy as_bytes as_mut_ptr escape_ascii rev remove last_os_error
    mem::zeroed memset strerror errno exists args nth as_fd as_raw_fd permissions
    Vec::new i32::from File::from OwnedFd::from";

const TABLE_HEAD: &str = "| step | C | Rust | who is responsible |\n|---|---|---|---|\n";

/// Returns the names of what a piece of code calls, in the order in which they come, without
/// repetition. `own` has the functions that the program defines. A call of such a function is
/// replaced by the names that the function calls.
fn calls(code: &str, own: &BTreeMap<String, String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: String| {
        if !names.contains(&name) {
            names.push(name);
        }
    };
    let code = without_text(code);
    for (at, _) in code.match_indices('(') {
        let before = &code[..at];
        let is_name = |c: char| c.is_alphanumeric() || "_:<>".contains(c);
        let start = before.rfind(|c| !is_name(c)).map_or(0, |index| index + 1);
        let name = without_type(before[start..].trim_matches(':'));
        let last = name.rsplit("::").next().unwrap_or_default();
        let is_macro_of_c = last.starts_with("CMSG_");
        let is_call = is_macro_of_c || last.starts_with(|c: char| c.is_ascii_lowercase());
        let mut left_out = NOT_IN_TABLE.split_whitespace();
        if !is_call || left_out.any(|left_out| left_out == last || left_out == name) {
            continue;
        }
        // A method may have the name of a function of the program.
        let is_method = before[..start].ends_with('.');
        match own.get(last).filter(|_| !is_method) {
            Some(body) => calls(body, own).into_iter().for_each(&mut add),
            None => add(name),
        }
    }
    names
}

/// Returns a path of Rust without the types that it is given: `Socket::new` of `Socket::<Stream>::new`.
fn without_type(name: &str) -> String {
    match (name.find("::<"), name.find('>')) {
        (Some(start), Some(end)) if start < end => {
            format!("{}{}", &name[..start], &name[end + 1..])
        }
        _ => name.to_owned(),
    }
}

/// Returns code without its comments and the contents of its string literals.
fn without_text(code: &str) -> String {
    let mut out = String::new();
    let mut is_text = false;
    for line in code.lines() {
        let line = line.split("// ").next().unwrap_or_default();
        if line.trim_start().starts_with("/*") || is_definition(line) {
            continue;
        }
        let mut escaped = false;
        for c in line.chars() {
            match c {
                '"' if !escaped => is_text = !is_text,
                _ if !is_text => out.push(c),
                _ => {}
            }
            escaped = c == '\\' && !escaped;
        }
        is_text = false;
        out.push('\n');
    }
    out
}

/// Returns whether a line begins the definition of a function.
fn is_definition(line: &str) -> bool {
    let start = line.trim_start().trim_start_matches("unsafe ");
    (start.starts_with("static ") || start.starts_with("fn ")) && line.contains('(')
}

/// Returns the functions that a program defines before its first step, with their bodies. A
/// function that is defined in a step is part of what the steps explain.
fn own_functions(text: &str) -> BTreeMap<String, String> {
    let mut functions = BTreeMap::new();
    let step = |line: &&str| steps(line).is_empty();
    let mut lines = text.lines().take_while(step);
    while let Some(line) = lines.next() {
        let before = line
            .split(['(', '<'])
            .next()
            .filter(|_| is_definition(line));
        let Some(name) = before.and_then(|before| before.rsplit([' ', '*']).next()) else {
            continue;
        };
        let body: Vec<_> = lines.by_ref().take_while(|line| *line != "}").collect();
        functions.insert(name.to_owned(), body.join("\n"));
    }
    functions
}

/// Returns the table of a page. The programs give all columns but the last, which the page has.
fn table(lesson: &Lesson, page: &str) -> String {
    let [c, rust] = [C, SAFE].map(|lane| lesson.read(lane.file));
    let cell = |code: &str, text: &str| {
        let names = calls(code, &own_functions(text));
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        match names.is_empty() {
            true => "–".to_owned(),
            false => names.join(", "),
        }
    };
    let mut all = TABLE_HEAD.to_owned();
    for (in_c, in_rust) in steps(&c).iter().zip(&steps(&rust)) {
        let name = in_c.name();
        let start = format!("| {name} |");
        let row = page.lines().find(|line| line.starts_with(&start));
        let last = row.and_then(|row| row.trim_end_matches(['|', ' ']).rsplit('|').next());
        let who = last.map_or("?", str::trim);
        let c = cell(&in_c.code, &c);
        let rust = cell(&in_rust.code, &rust);
        writeln!(all, "| {name} | {c} | {rust} | {who} |").expect("a string takes all");
    }
    all
}

/// Returns a page with this table in place of its own.
fn with_table(page: &str, table: &str) -> String {
    let Some((before, rest)) = page.split_once(TABLE_HEAD) else {
        panic!("the page has no line {TABLE_HEAD}");
    };
    let end = rest.find("\n\n").map_or(rest.len(), |end| end + 1);
    format!("{before}{table}{}", &rest[end..])
}

/// A command of a page, and the difference that it makes in the transcript.
#[derive(Debug, PartialEq)]
struct Try<'p> {
    command: &'p str,
    difference: &'p str,
}

/// Returns the commands of a page and their differences. A block of a difference begins with the
/// command, in one line.
fn tries(page: &str) -> Vec<Try<'_>> {
    let blocks = page.split("```diff\n").skip(1);
    let block = |text| {
        let (block, _) = str::split_once(text, "```").expect("the block ends");
        let (command, difference) = block.split_once('\n').expect("a command has a line");
        Try {
            command,
            difference,
        }
    };
    blocks.map(block).collect()
}

/// Returns a difference in which each long row of missing lines is replaced by its first line and
/// the number of the others. A program that ends early causes such a row.
fn shortened(difference: &str) -> String {
    let mut all = String::new();
    let lines: Vec<_> = difference.lines().collect();
    for row in lines.chunk_by(|a, b| a.starts_with('-') && b.starts_with('-')) {
        let shown = match row.len() > MAX_MISSING {
            true => &row[..1],
            false => row,
        };
        for line in shown {
            writeln!(all, "{line}").expect("a string takes all");
        }
        if shown.len() < row.len() {
            let left = row.len() - shown.len();
            writeln!(all, "-... and {left} more lines").expect("a string takes all");
        }
    }
    all
}

/// Takes the lock under which pages are recorded, or returns nothing if they are only compared.
fn recording() -> Option<MutexGuard<'static, ()>> {
    static PAGES: Mutex<()> = Mutex::new(());
    is_bless().then(|| PAGES.lock().expect("a test that recorded pages has failed"))
}

#[test]
fn pages_have_the_table_of_the_programs() {
    let _recording = recording();
    for lesson in lessons() {
        let page = lesson.read("README.md");
        let new = with_table(&page, &table(&lesson, &page));
        if is_bless() {
            lesson.write("README.md", &new);
        }
        let old = lesson.read("README.md");
        let differs = diff(&old, &new);
        assert!(differs.is_empty(), "{}:\n{differs}", lesson.name());
        assert!(
            !new.contains("| ? |"),
            "{}: who is responsible?",
            lesson.name()
        );
    }
}

/// Each command changes the program in C, and runs it. Every page has one for its trap, and three more.
#[test]
fn pages_have_the_differences_that_their_commands_make() {
    if !installed("cc") {
        return;
    }
    let _recording = recording();
    for lesson in lessons() {
        let name = lesson.name();
        let page = lesson.read("README.md");
        let usual = lesson.transcript().of_lane(None);
        let all = tries(&page);
        assert!(
            all.len() >= 4,
            "{name} has {} commands with a difference",
            all.len()
        );
        for Try {
            command,
            difference,
        } in all
        {
            let dir = fresh();
            let source = dir.path().join(C.file);
            fs::copy(lesson.0.join(C.file), source).expect("the directory can be written to");
            // A changed program may wait for something that never comes.
            let mut shell = Command::new("timeout");
            shell.args(["20", "sh", "-c", command]);
            let output = run_in(dir.path(), shell);
            let printed = String::from_utf8_lossy(&output.stdout);
            let made = shortened(&diff(&usual, &printed));
            assert!(
                !made.is_empty(),
                "{name}: no difference: {command}{output:?}"
            );
            if is_bless() && made != difference {
                let page = lesson.read("README.md");
                let old = format!("{command}\n{difference}```");
                assert!(page.contains(&old), "{name}: {old}");
                let new = format!("{command}\n{made}```");
                lesson.write("README.md", &page.replacen(&old, &new, 1));
                continue;
            }
            let differs = diff(difference, &made);
            assert!(differs.is_empty(), "{name}: {command}{differs}{output:?}");
        }
    }
}

#[test]
fn pages_have_every_heading_and_are_short() {
    let cases = concat!(env!("CARGO_MANIFEST_DIR"), "/CASES.md");
    let cases = fs::read_to_string(cases).expect("CASES.md can be read");
    for lesson in lessons() {
        let name = lesson.name();
        let page = lesson.read("README.md");
        let headings: Vec<_> = page
            .lines()
            .filter(|line| line.starts_with("## "))
            .collect();
        assert_eq!(headings, HEADINGS, "{name}");
        let lines = page.lines().count();
        assert!(lines <= MAX_LINES, "{name}/README.md has {lines} lines");
        let answer = page.lines().nth(2).unwrap_or_default();
        let words = answer.split_whitespace().count();
        assert!(
            (1..=MAX_WORDS_OF_ANSWER).contains(&words),
            "{name}: the first paragraph has {words} words"
        );
        assert!(page.contains("Runs on "), "{name}: on which systems?");
        for file in ["main.c", "main.rs", "main.py", "raw.rs"] {
            assert!(lesson.0.join(file).exists(), "{name} has no {file}");
        }
        let (_, proved) = page.split_once("are proved by ").expect("it names cases");
        let ids: Vec<_> = proved.split('`').skip(1).step_by(2).collect();
        assert!(!ids.is_empty(), "{name} names no case");
        for id in ids {
            let (suite, id) = id
                .split_once("::")
                .unwrap_or_else(|| panic!("{name}: {id}"));
            let (_, rest) = cases
                .split_once(&format!("\n## {suite}\n"))
                .unwrap_or_else(|| panic!("{name}: no suite {suite}"));
            let of_suite = rest.split("\n## ").next().unwrap_or_default();
            assert!(
                of_suite.contains(&format!("`{id}`")),
                "{name}: no case {suite}::{id}"
            );
        }
    }
}

/// The README of the project asks the questions of all lessons, and shows the table of the second.
#[test]
fn pages_are_listed_in_the_readme() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = fs::read_to_string(readme).expect("README.md can be read");
    for lesson in lessons() {
        let page = lesson.read("README.md");
        let question = page.lines().next().unwrap_or_default();
        let question = question.trim_start_matches(|c: char| !c.is_alphabetic());
        let place = format!(
            "[{question}](https://github.com/sunpath/sunpath/blob/main/examples/{}/README.md)",
            lesson.name()
        );
        assert!(readme.contains(&place), "README.md lacks {place}");
        if lesson.name() == "02_stream" {
            let table = table(&lesson, &page);
            let table = table.replace(
                "](../",
                "](https://github.com/sunpath/sunpath/blob/main/examples/",
            );
            assert!(
                readme.contains(&table),
                "the table of README.md is not {table}"
            );
        }
    }
}

#[test]
fn calls_of_a_step_are_its_functions_and_methods() {
    let own = own_functions(
        "static int read_it(int a)\n{\n    read(a);\n}\n/* 1. A: b. */\nstatic void c(void)\n{\n}\n",
    );
    let c = "/* f() */\ncheck(\"g()\", bind(s, a)); x = bind(read_it(b));\nputs(\"h()\");";
    assert_eq!(calls(c, &own), ["bind", "read"]);
    assert_eq!(
        own.len(),
        1,
        "a function of a step is not left out: {own:?}"
    );
    let rust = "let s = Socket::<Stream>::new()?; // f()\nshow(\"g\", s.bind_to(&a))?; Ok(())";
    assert_eq!(calls(rust, &own), ["Socket::new", "bind_to"]);
}

#[test]
fn tries_are_the_commands_with_a_difference() {
    let page = "```sh\na\n```\n\n1. x\n```diff\nb | c\n-d\n+e\n```\n";
    let [only] = &tries(page)[..] else {
        panic!("{:?}", tries(page));
    };
    assert_eq!((only.command, only.difference), ("b | c", "-d\n+e\n"));
}

#[test]
fn shortened_counts_the_lines_of_a_long_row() {
    assert_eq!(shortened("-a\n-b\n-c\n+d\n"), "-a\n-b\n-c\n+d\n");
    assert_eq!(
        shortened("+d\n-a\n-b\n-c\n-d\n+e\n+f\n+g\n+h\n"),
        "+d\n-a\n-... and 3 more lines\n+e\n+f\n+g\n+h\n"
    );
}

#[test]
fn table_takes_the_place_of_the_old_one() {
    let page = format!("a\n\n{TABLE_HEAD}| 1. A | x | y | z |\n\nb\n");
    let new = format!("{TABLE_HEAD}| new |\n");
    assert_eq!(
        with_table(&page, &new),
        format!("a\n\n{TABLE_HEAD}| new |\n\nb\n")
    );
}
