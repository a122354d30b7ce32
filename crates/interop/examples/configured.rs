//! A daemon whose address is one text, in a configuration file or on the command line: a path, an
//! abstract name, or the name of a socket that the service manager passed.
//!
//! ```text
//! configured --listen /run/app.sock
//! configured --listen @app
//! configured --config app.toml           with the line: listen = "sd-listen:control"
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::{fs, io};

use clap::Parser;
use serde::Deserialize;
use sunpath::activation::Activation;
use sunpath::{BindOptions, Bound, Existing, UnixAddr, UnixListener, serve};

#[derive(Parser)]
struct Args {
    /// A configuration file in TOML
    #[arg(long, conflicts_with = "listen", required_unless_present = "listen")]
    config: Option<PathBuf>,
    /// A path, "@name", or "sd-listen:name"
    #[arg(long)]
    listen: Option<Address>,
}

#[derive(Deserialize)]
struct Config {
    listen: Address,
}

/// The place where the daemon listens.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
enum Address {
    /// A path or an abstract name, which the daemon binds.
    Bind(UnixAddr),
    /// The name of a socket that the service manager passes.
    Passed(String),
}

impl FromStr for Address {
    type Err = sunpath::Error;

    /// A path that itself begins with `sd-listen:` has to be written with `./` before it.
    fn from_str(text: &str) -> Result<Self, sunpath::Error> {
        match text.strip_prefix("sd-listen:") {
            Some(name) => Ok(Self::Passed(name.to_owned())),
            None => text.parse().map(Self::Bind),
        }
    }
}

impl TryFrom<String> for Address {
    type Error = sunpath::Error;

    fn try_from(text: String) -> Result<Self, sunpath::Error> {
        text.parse()
    }
}

impl Address {
    fn listen(self, mut passed: Activation<'_>) -> Result<Bound<UnixListener>, Box<dyn Error>> {
        match self {
            Self::Bind(addr) => {
                let options = BindOptions::new().existing(Existing::ReplaceStale);
                Ok(options.bind_addr(&addr)?)
            }
            Self::Passed(name) => match passed.find(|passed| passed.name() == name.as_bytes()) {
                Some(socket) => Ok(socket.into_listener()?.into()),
                None => match passed.not_passed() {
                    Some(reason) => Err(reason.into()),
                    None => Err(format!("no socket with the name {name:?} was passed").into()),
                },
            },
        }
    }
}

fn main() -> ExitCode {
    // SAFETY: this is the beginning of main, and nothing was opened yet.
    let passed = unsafe { Activation::take() };
    match passed.map_err(Into::into).and_then(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("configured: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(passed: Activation<'_>) -> Result<(), Box<dyn Error>> {
    let address = match Args::parse() {
        Args {
            listen: Some(address),
            ..
        } => address,
        Args { config, .. } => {
            let text = fs::read_to_string(config.unwrap_or_default())?;
            toml::from_str::<Config>(&text)?.listen
        }
    };
    let listener = address.listen(passed)?;
    println!("listening at {}", listener.local_addr()?);
    for client in serve::incoming(&listener, |error| eprintln!("{error}")) {
        let _ = io::Write::write_all(&mut &client, b"hello\n"); // it may have closed already
    }
    Ok(())
}
