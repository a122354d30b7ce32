//! Records the public API of both packages in the text files beside this package, one item a line, and
//! compares the files with the sources. Every change of the API is therefore a change of these files,
//! which a reviewer sees.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use similar::TextDiff;

const USAGE: &str = "\
usage: cargo run --manifest-path api/Cargo.toml [-- --record]

Without an argument: compares the files in api/ with the sources, and fails if they differ.
--record: writes the files.
";

/// A file, and the package and the features whose API it records.
const LISTINGS: [(&str, &str, &[&str]); 3] = [
    ("sunpath.txt", "sunpath", &[]),
    (
        "sunpath-no-std.txt",
        "sunpath",
        &["--no-default-features", "--features", "files"],
    ),
    ("sunpath-sys.txt", "sunpath-sys", &[]),
];

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let record = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--record"] => true,
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(record) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!(
                "The public API differs from the files in api/. If the change is meant, record it with\n    \
                 cargo run --manifest-path api/Cargo.toml -- --record\nand commit the files."
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("sunpath-api: {error}");
            ExitCode::FAILURE
        }
    }
}

/// If `record` is set, writes every file. Otherwise compares the files with the sources, prints the
/// differences, and returns whether there are none.
fn run(record: bool) -> Result<bool, Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut same = true;
    for (file, package, features) in LISTINGS {
        let api = public_api(here, package, features)?;
        let path = here.join(file);
        if record {
            fs::write(&path, &api)?;
            continue;
        }
        let recorded = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        if recorded != api {
            same = false;
            let diff = TextDiff::from_lines(&recorded, &api);
            let (old, new) = (format!("api/{file}"), format!("{package}, its sources"));
            print!("{}", diff.unified_diff().header(&old, &new));
        }
    }
    Ok(same)
}

/// Returns the items of a package, one a line. Items that the compiler derives are left out.
fn public_api(here: &Path, package: &str, features: &[&str]) -> Result<String, Box<dyn Error>> {
    let json = rustdoc_json(here, package, features)?;
    let api = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .map_err(|error| format!("{package}: {error}"))?;
    Ok(api.to_string())
}

/// Lets rustdoc describe a package as JSON, and returns the path of the file. The format is unstable, so
/// the stable compiler writes it only if `RUSTC_BOOTSTRAP` is set.
fn rustdoc_json(here: &Path, package: &str, features: &[&str]) -> Result<PathBuf, Box<dyn Error>> {
    let target = match env::var_os("CARGO_TARGET_DIR") {
        Some(target) => PathBuf::from(target),
        None => here.join("target"),
    };
    let target = target.join("rustdoc-json");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo
        .env("RUSTC_BOOTSTRAP", "1")
        .args([
            "rustdoc",
            "--quiet",
            "--locked",
            "--lib",
            "--package",
            package,
        ])
        .args(features)
        .arg("--manifest-path")
        .arg(here.join("../Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .args([
            "--",
            "-Zunstable-options",
            "--output-format=json",
            "--cap-lints=allow",
        ]);
    let status = cargo
        .status()
        .map_err(|error| format!("{cargo:?}: {error}"))?;
    if !status.success() {
        return Err(format!("{cargo:?}: {status}").into());
    }
    let name = package.replace('-', "_");
    Ok(target.join("doc").join(format!("{name}.json")))
}
