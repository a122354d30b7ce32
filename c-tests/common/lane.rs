//! The `main` of a Rust lane.

/// Makes `main`, which runs the comparison that the first argument names. The other arguments are its
/// own.
macro_rules! main {
    ($($name:ident)*) => {
        fn main() -> std::process::ExitCode {
            use std::process::Termination as _;
            match std::env::args().nth(1).unwrap_or_default().as_str() {
                $(stringify!($name) => $name::main().report(),)*
                name => panic!("this lane does not have {name:?}"),
            }
        }
    };
}
pub(crate) use main;
