//! Tests that the table of systems in README.md agrees with `systems.txt`, and that each step that
//! `systems.txt` names is a step of `.ci/run` or `.ci/elsewhere`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const HEAD: &str = "| systems | packages | facts from the C headers | tests |\n|---|---|---|---|\n";

/// A line of the list: a target and the steps that check it.
#[derive(Clone)]
struct System {
    /// The name of the system in the table, and its C library in parentheses if the system has
    /// several.
    name: (String, &'static str),
    arch: String,
    package: String,
    has_headers: bool,
    compiled: Option<String>,
    run: Option<String>,
}

impl System {
    fn read(line: &str) -> Self {
        let columns: Vec<_> = line.split_whitespace().collect();
        let [system, target, headers, package, compiled, run] = columns[..] else {
            panic!("systems.txt: {} columns in {line:?}", columns.len());
        };
        let step = |name: &str| (name != "-").then(|| name.to_owned());
        let name = match system {
            "linux" => "Linux",
            "android" => "Android",
            "macos" => "macOS",
            "ios" => "iOS",
            "freebsd" => "FreeBSD",
            "netbsd" => "NetBSD",
            "openbsd" => "OpenBSD",
            "dragonfly" => "DragonFly",
            "haiku" => "Haiku",
            system => system,
        };
        let library = match (system, target.contains("musl")) {
            ("linux", true) => " (musl)",
            ("linux", false) => " (glibc)",
            _ => "",
        };
        let arch = target.split('-').next().expect("a target has parts");
        Self {
            name: (name.to_owned(), library),
            arch: arch.replace("riscv64gc", "riscv64"),
            package: package.to_owned(),
            has_headers: headers != "-",
            compiled: step(compiled),
            run: step(run),
        }
    }

    /// Returns the row of the system without its first column.
    fn row(&self, steps: &Steps) -> String {
        let packages = match &*self.package {
            "sunpath" => "both",
            "sunpath-sys" => "`sunpath-sys`",
            package => panic!("systems.txt: there is no package {package:?}"),
        };
        let headers = if self.has_headers { "yes" } else { "no" };
        let tests = match (&self.run, &self.compiled) {
            (Some(step), _) => format!("run {}", steps.when(step)),
            (None, Some(step)) => format!("compiled without `std` {}; not run", steps.when(step)),
            (None, None) => panic!("systems.txt: nothing is done for {}", self.arch),
        };
        format!("{packages} | {headers} | {tests} |")
    }
}

/// The names of the CI steps, each with whether it is run on every change.
struct Steps(HashMap<String, bool>);

impl Steps {
    fn read(script: &str) -> Self {
        let list = |name| {
            let list = script.split(&format!("\n{name}=(")).nth(1);
            let list = list.unwrap_or_else(|| panic!(".ci/run has no list {name}"));
            list.split(')')
                .next()
                .unwrap_or_default()
                .split_whitespace()
        };
        let every: Vec<_> = ["steps", "beside", "last"]
            .into_iter()
            .flat_map(list)
            .collect();
        let all = script.lines().filter_map(|line| {
            let name = line.strip_prefix("step_")?.split_once("()")?.0;
            Some((name.to_owned(), every.contains(&name)))
        });
        Self(all.collect())
    }

    fn when(&self, step: &str) -> String {
        match self.0.get(step) {
            Some(true) => format!("on every change (`{step}`)"),
            Some(false) => format!("by `.ci/run {step}`"),
            None => panic!("systems.txt: .ci/run has no step {step:?}"),
        }
    }
}

/// Returns the table, in which systems share a row if their other columns are equal.
fn table(list: &str, steps: &Steps) -> String {
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let systems = lines.filter(|line| !line.is_empty()).map(System::read);
    let mut rows: Vec<(String, Vec<System>)> = Vec::new();
    for system in systems {
        let row = system.row(steps);
        match rows.iter_mut().find(|(known, _)| *known == row) {
            Some((_, group)) => group.push(system),
            None => rows.push((row, vec![system])),
        }
    }
    let mut text = HEAD.to_owned();
    for (row, group) in rows {
        let names = group
            .chunk_by(|one, next| one.name == next.name)
            .map(|same| {
                let archs: Vec<_> = same.iter().map(|system| &*system.arch).collect();
                let (name, library) = &same[0].name;
                format!("{name} {}{library}", archs.join(", "))
            });
        let names: Vec<_> = names.collect();
        let _ = writeln!(text, "| {} | {row}", names.join("; "));
    }
    text
}

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    fs::read_to_string(path).expect("the file is there")
}

#[test]
fn systems_of_the_list_are_those_of_the_readme() {
    let scripts = file(".ci/run") + &file(".ci/elsewhere");
    let table = table(&file("systems.txt"), &Steps::read(&scripts));
    assert!(
        file("README.md").contains(&format!("\n\n{table}\n")),
        "the table of README.md is not that of systems.txt, which is\n\n{table}"
    );
}

#[test]
fn systems_of_one_row_have_everything_in_common() {
    let script = "steps=(a b)\nsteps=(test)\nbeside=(cross)\nlast=(tree)\n\
        step_test() {\nstep_cross() {\nstep_all() {\n";
    let steps = Steps::read(script);
    let list = "# a comment\n\n\
        linux  x86_64-unknown-linux-gnu    x86  sunpath      -      test\n\
        linux  riscv64gc-unknown-linux-gnu rv   sunpath      cross  -\n\
        linux  s390x-unknown-linux-gnu     s    sunpath      cross  -\n\
        linux  s390x-unknown-linux-musl    s    sunpath      all    -\n\
        netbsd x86_64-unknown-netbsd       n    sunpath      cross  -\n\
        haiku  x86_64-unknown-haiku        -    sunpath-sys  cross  -\n";
    let rows = [
        "| Linux x86_64 (glibc) | both | yes | run on every change (`test`) |",
        "| Linux riscv64, s390x (glibc); NetBSD x86_64 | both | yes \
         | compiled without `std` on every change (`cross`); not run |",
        "| Linux s390x (musl) | both | yes | compiled without `std` by `.ci/run all`; not run |",
        "| Haiku x86_64 | `sunpath-sys` | no \
         | compiled without `std` on every change (`cross`); not run |",
    ];
    assert_eq!(table(list, &steps), format!("{HEAD}{}\n", rows.join("\n")));
}

#[test]
#[should_panic(expected = "has no step \"crass\"")]
fn systems_name_steps_that_there_are() {
    let list = "linux s390x-unknown-linux-gnu s sunpath crass -\n";
    table(
        list,
        &Steps::read("\nsteps=()\nbeside=(cross)\nlast=()\nstep_cross() {\n"),
    );
}
