//! Runs every case of every suite in each lane, on the running kernel: C is compared with the
//! recorded transcript, and the other lanes with C. A case is a test named `suite::ID.name`. Each
//! lane of a case is a process in a fresh directory. README.md explains the words.
//!
//! `SUNPATH_BLESS=1 cargo test -p sunpath-c-tests --test conformance [SUITE::[ID]]` writes the
//! lines of these cases into the transcripts, as the C lane prints them, and then the pages that
//! are generated from tables and transcripts. This run needs what the cases need, which is root for
//! most suites. Lines of a transcript that begin with a lane's letter are written by hand.
//!
//! The lane of Python runs whole suites, as the tests `python::SUITE`.
//!
//! A case that needs root, or a namespace or an option that is missing, is not run: every lane
//! prints the reason, the case counts as ignored, and the summary lists it with the reason.

#[cfg(target_os = "linux")]
mod lanes;

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
    use std::fmt::Write as _;
    use std::fs;
    use std::path::PathBuf;
    use std::process::ExitCode;
    use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

    use libtest_mimic::{Arguments, Completion, Failed, Trial};
    use sunpath_c_tests::lane::{self, Beside};
    use sunpath_c_tests::suite::{self, Report, Suite, Verdict};
    use sunpath_c_tests::{catalogue, differences, python};

    use crate::lanes::{LANES, lanes_of};

    static SUITES: LazyLock<Vec<Suite>> = LazyLock::new(Suite::all);

    /// The kernels other than Linux for which suites have lines.
    const OTHER_KERNELS: [&str; 1] = ["gvisor"];

    /// The name of the running kernel, if it is one of `OTHER_KERNELS`. The user sets it in
    /// `SUNPATH_KERNEL`, because gVisor calls itself Linux.
    static KERNEL: LazyLock<Option<String>> = LazyLock::new(|| env::var("SUNPATH_KERNEL").ok());

    /// Cases that run alone, because what they measure is counted by the kernel over all processes
    /// of a user.
    const ALONE: [&str; 1] = ["ancillary::I17."];

    /// Cases that are not run under valgrind, because valgrind answers their calls itself, and
    /// differently from the kernel.
    const NOT_UNDER: [&str; 1] = ["K11.from_sockets"];

    /// The results, which are printed at the end of the output.
    #[derive(Default)]
    struct Found {
        /// The reports on the cases that were run, by suite and id.
        reports: BTreeMap<(&'static str, String), Report>,
        /// The names of the tests that failed, and why.
        failures: Vec<(String, String)>,
        /// The counts of the answers that the lane of Python gave, by suite.
        python: BTreeMap<&'static str, python::Counts>,
    }

    type Shared = Arc<Mutex<Found>>;

    fn locked(found: &Shared) -> MutexGuard<'_, Found> {
        found
            .lock()
            .expect("no test panics while it holds the lock")
    }

    pub(crate) fn main() -> ExitCode {
        let arguments = Arguments::from_args();
        if lane::is_under() {
            return libtest_mimic::run(&arguments, under()).exit_code();
        }
        let bless = env::var_os("SUNPATH_BLESS").is_some();
        let found = Shared::default();
        let mut trials = cases(&found, bless);
        if !bless {
            trials.extend(lane_of_python(&found, bless));
            trials.extend(checks(&found));
        }
        let mut ran = libtest_mimic::run(&arguments, trials);
        if bless {
            record(&locked(&found));
            ran.num_failed +=
                libtest_mimic::run(&arguments, lane_of_python(&found, bless)).num_failed;
            for (path, page) in pages() {
                fs::write(path, page).expect("the page can be written");
            }
            let checked = libtest_mimic::run(&arguments, checks(&found));
            ran.num_failed += checked.num_failed;
        }
        if !arguments.list {
            print!("{}", summary(&locked(&found)));
        }
        ran.exit_code()
    }

    /// Returns the tests for a run under another program such as valgrind. Valgrind is slow, so
    /// each lane runs all cases of a suite in one process.
    fn under() -> Vec<Trial> {
        let trials = SUITES.iter().flat_map(|suite| {
            lanes_of(&suite.name).map(move |lane| {
                Trial::test(format!("{}::{}", suite.name, lane.name), move || {
                    suite.run_under(lane, &NOT_UNDER).map_err(Failed::from)
                })
            })
        });
        trials.collect()
    }

    /// Makes a test for every case. The cases that run alone come last.
    fn cases(found: &Shared, bless: bool) -> Vec<Trial> {
        let mut trials = Vec::new();
        let mut alone = Vec::new();
        for suite in SUITES.iter() {
            let transcript = Arc::new(suite.transcript(KERNEL.as_deref()));
            for case in suite.cases() {
                let name = format!("{}::{}", suite.name, case.id);
                let beside = if ALONE.iter().any(|id| name.starts_with(id)) {
                    Beside::Nobody
                } else {
                    suite::beside()
                };
                let trials = match beside {
                    Beside::Others => &mut trials,
                    Beside::Nobody => &mut alone,
                };
                let (transcript, found) = (Arc::clone(&transcript), Arc::clone(found));
                trials.push(Trial::ignorable_test(name.clone(), move || {
                    let report = suite.run(&case, LANES, &transcript, beside, bless);
                    let outcome = match &report.not_run {
                        _ if !report.faults.is_empty() => {
                            Err(failed(&found, &name, report.faults.join("\n")))
                        }
                        Some(reason) => Ok(Completion::ignored_with(reason)),
                        None => Ok(Completion::Completed),
                    };
                    let key = (suite.name.as_str(), case.id);
                    locked(&found).reports.insert(key, report);
                    outcome
                }));
            }
        }
        trials.append(&mut alone);
        trials
    }

    /// Returns a failure whose text is printed at the end, after everything else.
    fn failed(found: &Shared, name: &str, text: String) -> Failed {
        locked(found).failures.push((name.to_owned(), text));
        Failed::without_message()
    }

    /// Makes a test for the lane of Python in each suite that has it, and one for the advice of its
    /// page. The declared lines and the advice are about Linux.
    fn lane_of_python(found: &Shared, bless: bool) -> Vec<Trial> {
        if KERNEL.is_some() {
            return Vec::new();
        }
        let suites = SUITES
            .iter()
            .filter(|suite| python::LANE.is_in(&suite.name));
        let trials = suites.map(|suite| {
            let of_suite = Arc::clone(found);
            let test = move || {
                let counts = python::compare(suite, bless)?;
                locked(&of_suite).python.insert(&suite.name, counts);
                Ok(())
            };
            trial_of_python(&suite.name, found, test)
        });
        let advice = trial_of_python("advice", found, python::follow_advice);
        trials.chain([advice]).collect()
    }

    fn trial_of_python(
        name: &str,
        found: &Shared,
        test: impl FnOnce() -> Result<(), String> + Send + 'static,
    ) -> Trial {
        let (name, found) = (format!("python::{name}"), Arc::clone(found));
        Trial::ignorable_test(name.clone(), move || {
            if python::program_of_python().is_none() {
                let _ = lane::skip(python::NEED);
                return Ok(Completion::ignored_with(format!("needs {}", python::NEED)));
            }
            test().map_err(|text| failed(&found, &name, text))?;
            Ok(Completion::Completed)
        })
    }

    /// Returns the paths and texts of the generated pages.
    fn pages() -> [(PathBuf, String); 3] {
        [
            (catalogue::path(), catalogue::page(&SUITES)),
            (differences::path(), differences::page(&SUITES)),
            (python::path(), python::page(&SUITES)),
        ]
    }

    /// Returns the checks of the tables, the transcripts and the generated pages.
    fn checks(found: &Shared) -> Vec<Trial> {
        let check = |name: String, check: fn(&str) -> Result<(), String>| {
            let found = Arc::clone(found);
            let test = name.clone();
            Trial::test(name, move || {
                let (subject, _) = test.split_once("::").expect("a name has two parts");
                check(subject).map_err(|text| failed(&found, &test, text))
            })
        };
        let mut trials = Vec::new();
        for suite in SUITES.iter() {
            let name = format!("{}::transcript_has_every_case", suite.name);
            trials.push(check(name, |name| {
                let suite = SUITES.iter().find(|suite| suite.name == name);
                let suite = suite.expect("the test was made for a suite");
                let cases = suite.cases();
                let ids = cases.iter().map(|case| case.id.as_str());
                let letters = LANES.iter().chain([&python::LANE]);
                let letters = letters.filter_map(|lane| lane.letter);
                let letters = Vec::from_iter(letters);
                for kernel in [None].into_iter().chain(OTHER_KERNELS.map(Some)) {
                    let transcript = suite.transcript(kernel);
                    transcript.check_cases(ids.clone(), &letters)?;
                }
                Ok(())
            }));
        }
        trials.push(check("pages::are_current".to_owned(), |_| {
            let old = pages().into_iter().filter(|(path, page)| {
                let current = fs::read_to_string(path).unwrap_or_default();
                current != *page
            });
            let old: Vec<_> = old.map(|(path, _)| path.display().to_string()).collect();
            if old.is_empty() {
                return Ok(());
            }
            Err(format!(
                "not what the tables and transcripts give: {}. To write them:\n  SUNPATH_BLESS=1 \
                 cargo test -p sunpath-c-tests --test conformance pages::",
                old.join(", ")
            ))
        }));
        trials
    }

    /// Writes the lines that C printed. A line is written only if all lanes that have to equal C
    /// agree.
    fn record(found: &Found) {
        let kernel = KERNEL.as_deref();
        for suite in SUITES.iter() {
            let of_suite = found.reports.iter();
            let of_suite = of_suite.filter(|((name, _), _)| *name == suite.name);
            let lines =
                of_suite.filter_map(|((_, id), report)| Some((id.clone(), report.agreed.clone()?)));
            let lines = BTreeMap::from_iter(lines);
            if lines.is_empty() {
                continue;
            }
            let (old, path) = (suite.transcript(kernel), suite.transcript_path(kernel));
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            for (id, line) in &lines {
                if old.line(id) != Some(line) {
                    println!("recorded in suites/{}/{file}:\n{line}", suite.name);
                }
            }
            let text = suite.blessed(kernel, &lines);
            fs::write(path, text).expect("the transcript can be written");
        }
    }

    /// Returns a text that lists what ran, what did not run, and at the end what failed.
    fn summary(found: &Found) -> String {
        let mut text = String::new();
        if !found.reports.is_empty() {
            text += &table(found);
        }
        for (suite, counts) in &found.python {
            let python::Counts {
                equal,
                different,
                not_asked,
                not_run,
            } = counts;
            let _ = writeln!(
                text,
                "python {suite}: {equal} equal, {different} different, {not_asked} not asked, \
                 {not_run} not run"
            );
        }
        for ((suite, id), report) in &found.reports {
            if let Some(reason) = &report.not_run {
                let _ = writeln!(text, "not run: {suite}::{id}: {reason}");
            }
        }
        for (name, failure) in &found.failures {
            let _ = write!(text, "\nFAILED {name}\n{}\n", failure.trim_end());
        }
        text
    }

    /// Returns a table with a row for each suite that ran, and a last row with the sums.
    fn table(found: &Found) -> String {
        let mut text = format!("{:14}{:>6}", "suite", "cases");
        for lane in LANES {
            let _ = write!(text, "{:>7}", lane.name);
        }
        let _ = writeln!(text, "{:>11}{:>9}", "different", "not run");
        let mut row = |name: &str, reports: &[&Report]| {
            let count = |what: &dyn Fn(&Report) -> bool| {
                reports.iter().filter(|report| what(report)).count()
            };
            let _ = write!(text, "{name:14}{:>6}", reports.len());
            for lane in 0..LANES.len() {
                let is = |report: &Report, verdict| report.verdicts.get(lane) == Some(&verdict);
                let passed = count(&|report| {
                    let passed = is(report, Verdict::Equal) || is(report, Verdict::Declared);
                    passed && report.not_run.is_none()
                });
                if reports.iter().all(|report| is(report, Verdict::Absent)) {
                    text += "      -";
                } else {
                    let _ = write!(text, "{passed:>7}");
                }
            }
            let different = count(&|report| report.verdicts.contains(&Verdict::Declared));
            let not_run = count(&|report| report.not_run.is_some());
            let _ = writeln!(text, "{different:>11}{not_run:>9}");
        };
        for suite in SUITES.iter() {
            let of_suite = found.reports.iter();
            let of_suite = of_suite.filter(|((name, _), _)| *name == suite.name);
            let reports: Vec<_> = of_suite.map(|(_, report)| report).collect();
            if !reports.is_empty() {
                row(&suite.name, &reports);
            }
        }
        row("all", &Vec::from_iter(found.reports.values()));
        text
    }
}
