//! Every case of every family in C, over `sunpath-sys` and over `sunpath`, on the kernel that is
//! there: C against the recorded transcript, and the Rust lanes against C. A case is a test named
//! `family::ID.name`; each of its lanes is a process in a fresh directory.
//!
//! `SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test conformance [FAMILY::[ID]]` writes the
//! transcripts of these cases anew from the C lane, as root, on a kernel that has what they ask for,
//! and `docs/differences.md` from all transcripts. Lines of a transcript that begin with `S` are the
//! safe lane's and are written by hand.
//!
//! A case that needs root, a namespace or an option that is not there is not run: every lane says so,
//! it counts as ignored, and stands in the summary with its reason.

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::env;
    use std::fs;
    use std::process::ExitCode;
    use std::sync::{Arc, Mutex};

    use libtest_mimic::{Arguments, Completion, Failed, Trial};
    use sunpath_c_tests::family::{Family, LANES, Report};
    use sunpath_c_tests::lane::{self, Beside};
    use sunpath_c_tests::{c, differences};

    const FAMILIES: [Family; 6] = [
        Family {
            name: "addr",
            programs: [
                c::ADDR,
                env!("CARGO_BIN_EXE_addr-raw"),
                env!("CARGO_BIN_EXE_addr-safe"),
            ],
            alone: &[],
            unknown_under: &[],
        },
        Family {
            name: "sockets",
            programs: [
                c::SOCKETS,
                env!("CARGO_BIN_EXE_sockets-raw"),
                env!("CARGO_BIN_EXE_sockets-safe"),
            ],
            alone: &[],
            unknown_under: &[],
        },
        Family {
            name: "files",
            programs: [
                c::FILES,
                env!("CARGO_BIN_EXE_files-raw"),
                env!("CARGO_BIN_EXE_files-safe"),
            ],
            alone: &[],
            unknown_under: &["K11.from_sockets"],
        },
        Family {
            name: "life",
            programs: [
                c::LIFE,
                env!("CARGO_BIN_EXE_life-raw"),
                env!("CARGO_BIN_EXE_life-safe"),
            ],
            alone: &[],
            unknown_under: &[],
        },
        Family {
            name: "identity",
            programs: [
                c::IDENTITY,
                env!("CARGO_BIN_EXE_identity-raw"),
                env!("CARGO_BIN_EXE_identity-safe"),
            ],
            alone: &[],
            unknown_under: &[],
        },
        Family {
            name: "ancillary",
            programs: [
                c::ANCILLARY,
                env!("CARGO_BIN_EXE_ancillary-raw"),
                env!("CARGO_BIN_EXE_ancillary-safe"),
            ],
            alone: &["I17."],
            unknown_under: &[],
        },
    ];

    /// What the cases that were run reported, by family and id.
    type Reports = Arc<Mutex<BTreeMap<(&'static str, String), Report>>>;

    /// Under another program, which is slow: all cases of a family in one process a lane.
    fn under() -> Vec<Trial> {
        let lanes = |family: &'static Family| {
            LANES
                .into_iter()
                .zip(family.programs)
                .map(move |l| (family, l))
        };
        let trial = |(family, (lane, program)): (&'static Family, (&str, &'static str))| {
            Trial::test(format!("{}::{lane}", family.name), move || {
                family.run_under(program).map_err(Failed::from)
            })
        };
        FAMILIES.iter().flat_map(lanes).map(trial).collect()
    }

    pub(crate) fn main() -> ExitCode {
        let arguments = Arguments::from_args();
        if lane::is_under() {
            return libtest_mimic::run(&arguments, under()).exit_code();
        }
        let bless = env::var_os("SUNPATH_BLESS").is_some();
        let reports = Reports::default();
        let ran = libtest_mimic::run(&arguments, cases(&reports, bless));
        if bless && !ran.has_failed() {
            write_anew(&reports);
        }
        if !arguments.list {
            print!("{}", summary(&reports));
        }
        let held = libtest_mimic::run(&arguments, checks());
        if ran.has_failed() {
            ran.exit_code()
        } else {
            held.exit_code()
        }
    }

    /// A test for every case, those last that wait until nothing else runs.
    fn cases(reports: &Reports, bless: bool) -> Vec<Trial> {
        let mut trials = Vec::new();
        let mut alone = Vec::new();
        for family in &FAMILIES {
            let transcript = Arc::new(family.transcript());
            for case in family.cases() {
                let trials = match family.beside(&case) {
                    Beside::Others => &mut trials,
                    Beside::Nobody => &mut alone,
                };
                let (transcript, reports) = (Arc::clone(&transcript), Arc::clone(reports));
                let name = format!("{}::{}", family.name, case.id);
                trials.push(Trial::ignorable_test(name, move || {
                    let report = family.run(&case, &transcript, bless);
                    let outcome = outcome(&report);
                    let key = (family.name, case.id);
                    reports
                        .lock()
                        .expect("no test panics here")
                        .insert(key, report);
                    outcome
                }));
            }
        }
        trials.append(&mut alone);
        trials
    }

    fn outcome(report: &Report) -> Result<Completion, Failed> {
        match &report.not_run {
            _ if !report.faults.is_empty() => Err(report.faults.join("\n").into()),
            Some(reason) => Ok(Completion::ignored_with(reason)),
            None => Ok(Completion::Completed),
        }
    }

    /// What holds for the tables, the transcripts and the page as they are then.
    fn checks() -> Vec<Trial> {
        let transcripts = FAMILIES.iter().map(|family| {
            Trial::test(
                format!("{}::transcript_has_every_case", family.name),
                || {
                    let cases = family.cases();
                    let ids = cases.iter().map(|case| case.id.as_str());
                    family.transcript().check_cases(ids).map_err(Failed::from)
                },
            )
        });
        let page = Trial::test("differences::page_is_that_of_the_transcripts", || {
            let current = fs::read_to_string(differences::path()).unwrap_or_default();
            if current == differences::page(&FAMILIES) {
                return Ok(());
            }
            Err("docs/differences.md is old: run this test with SUNPATH_BLESS=1".into())
        });
        transcripts.chain([page]).collect()
    }

    fn write_anew(reports: &Reports) {
        let reports = reports.lock().expect("no test panics here");
        for family in &FAMILIES {
            let of_family = reports.iter().filter(|((name, _), _)| *name == family.name);
            let lines = of_family.map(|((_, id), report)| (id.clone(), report.c.clone()));
            let cases = family.cases();
            let ids = cases.iter().map(|case| case.id.as_str());
            let text = family.transcript().blessed(ids, &lines.collect());
            fs::write(family.transcript_path(), text).expect("the transcript can be written");
        }
        fs::write(differences::path(), differences::page(&FAMILIES)).expect("the page, too");
    }

    /// A line a family, and one for every case that was not run.
    fn summary(reports: &Reports) -> String {
        let reports = reports.lock().expect("no test panics here");
        let [c, raw, safe] = LANES;
        let mut text = format!(
            "{:12}{:>7}{c:>7}{raw:>7}{safe:>7}{:>18}{:>9}\n",
            "family", "cases", "otherwise than C", "not run"
        );
        for family in &FAMILIES {
            let of_family = reports.iter().filter(|((name, _), _)| *name == family.name);
            let of_family: Vec<&Report> = of_family.map(|(_, report)| report).collect();
            let count = |what: &dyn Fn(&Report) -> bool| {
                of_family.iter().filter(|report| what(report)).count()
            };
            let [c, raw, safe] = [0, 1, 2]
                .map(|lane| count(&|report| report.green[lane] && report.not_run.is_none()));
            let declared = count(&|report| report.declared);
            let not_run = count(&|report| report.not_run.is_some());
            let (name, cases) = (family.name, of_family.len());
            text +=
                &format!("{name:12}{cases:>7}{c:>7}{raw:>7}{safe:>7}{declared:>18}{not_run:>9}\n");
        }
        for ((family, id), report) in &*reports {
            if let Some(reason) = &report.not_run {
                text += &format!("not run: {family}::{id}: {reason}\n");
            }
        }
        text
    }
}
