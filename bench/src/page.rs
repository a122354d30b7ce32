//! Tables, and the page of the documentation that contains them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Result;
use crate::build::{self, HERE, output};

/// A table in Markdown.
pub struct Table(String);

impl Table {
    pub fn new<H: AsRef<str>>(head: &[H]) -> Self {
        let mut table = Self(String::new());
        table.row(head);
        let rule = |place| if place == 0 { "---" } else { "---:" };
        table.row(&(0..head.len()).map(rule).collect::<Vec<_>>());
        table
    }

    pub fn row<C: AsRef<str>>(&mut self, cells: &[C]) {
        for cell in cells {
            let _ = write!(self.0, "| {} ", cell.as_ref());
        }
        self.0.push_str("|\n");
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns a number as text. The text has one decimal if the number is below 10 and not whole, and
/// otherwise no decimals.
pub fn number(number: f64) -> String {
    let digits = match number.abs() {
        0.05..9.95 if (number - number.round()).abs() >= 0.05 => 1,
        _ => 0,
    };
    format!("{:.digits$}", number + 0.0)
}

/// Writes a picture into the folder `performance` beside the page.
pub fn draw(file: &str, picture: &str) -> Result<()> {
    let folder = Path::new(HERE).join("../docs/performance");
    fs::create_dir_all(&folder)?;
    Ok(fs::write(folder.join(file), picture)?)
}

/// Prints a part of the page, and writes it into the page in place of its last version, which is between
/// `<!-- measured: NAME -->` and `<!-- end -->`.
pub fn publish(name: &str, part: &str) -> Result<()> {
    println!("\n{part}");
    let path = Path::new(HERE).join("../docs/performance.md");
    let page = fs::read_to_string(&path)?;
    let begin = format!("<!-- measured: {name} -->\n");
    let place = || {
        let start = page.find(&begin)? + begin.len();
        Some((start, start + page[start..].find("<!-- end -->")?))
    };
    let (start, end) = place().ok_or_else(|| format!("docs/performance.md lacks {begin}"))?;
    let page = format!("{}\n{}\n{}", &page[..start], part.trim_end(), &page[end..]);
    Ok(fs::write(
        &path,
        page.replace("\n<!-- end", "\n\n<!-- end")
            .replace("\n\n\n", "\n\n"),
    )?)
}

/// Publishes a table together with the picture above it.
pub fn publish_with_picture(name: &str, file: &str, table: &Table) -> Result<()> {
    publish(name, &with_picture(file, table))
}

fn with_picture(file: &str, table: &Table) -> String {
    format!("![{file}](performance/{file})\n\n{table}")
}

/// Publishes a table of times, which depend on the processor. The page has such a table for each vendor
/// in its list; for another vendor it is only printed.
pub fn publish_times(name: &str, picture: Option<&str>, table: &Table) -> Result<()> {
    let part = picture.map_or_else(|| table.to_string(), |file| with_picture(file, table));
    let part = format!("{}.\n\n{part}", processor()?);
    let vendor = vendor()?;
    if VENDORS.contains(&vendor.as_str()) {
        return publish(&format!("{name}, {vendor}"), &part);
    }
    println!("\n{part}");
    eprintln!("docs/performance.md has no times of processors by {vendor}");
    Ok(())
}

/// The vendors of processors for which the page has times.
const VENDORS: [&str; 2] = ["Intel", "AMD"];

/// Returns the vendor of the processor, which is the first word of its name.
pub fn vendor() -> Result<String> {
    let processor = processor()?;
    let vendor = processor.split([' ', '(']).next();
    Ok(vendor.unwrap_or_default().to_owned())
}

/// Returns the name of the processor.
pub fn processor() -> Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let cpu = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    Ok(cpu.map_or("unknown processor", |(_, name)| name).to_owned())
}

/// Returns the machine, and the versions of everything that was measured.
pub fn machine() -> Result<String> {
    let first = |program: &str, args: &[&str]| -> Result<String> {
        let (text, _) = output(Command::new(program).args(args))?;
        Ok(text.lines().next().unwrap_or_default().trim().to_owned())
    };
    Ok(format!(
        "{}, {} processors; Linux {}; {}; {} {}; {}; {}",
        processor()?,
        std::thread::available_parallelism()?,
        first("uname", &["-r"])?
            .split('-')
            .next()
            .unwrap_or_default(),
        first("getconf", &["GNU_LIBC_VERSION"])?,
        build::compiler(),
        first(&build::compiler(), &["-dumpfullversion"])?,
        first("rustc", &["--version"])?
            .split(" (")
            .next()
            .unwrap_or_default(),
        first("valgrind", &["--version"])?,
    ))
}

/// Returns a package's version, from the lock file.
pub fn version(package: &str) -> Result<String> {
    let lock = fs::read_to_string(Path::new(HERE).join("Cargo.lock"))?;
    let entry = format!("name = \"{package}\"\nversion = \"");
    let (_, rest) = lock
        .split_once(&entry)
        .ok_or_else(|| format!("{package} is not locked"))?;
    Ok(rest.split('"').next().unwrap_or_default().to_owned())
}
