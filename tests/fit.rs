//! Tests of `fits_in` and `space_in`, which check whether the paths of a directory's sockets fit
//! into `sun_path`.
#![cfg(all(feature = "std", feature = "files"))]

use sunpath::UnixAddr;
use sunpath::files::{fits_in, space_in};
use sunpath::sys::{SUN_PATH_MAX, SUN_PATH_MAX_PORTABLE};

#[test]
fn fit_is_that_of_the_address_with_the_longest_name() {
    let names = ["a", "control.sock", "log.sock"];
    let fits = SUN_PATH_MAX - 1 - names[1].len();
    for len in [fits - 1, fits, fits + 1] {
        let dir = "d".repeat(len);
        let path = format!("{dir}/{}", names[1]);
        let is_address = UnixAddr::from_pathname(&*path).is_ok();
        assert_eq!(is_address, len <= fits);
        for dir in [dir.clone(), format!("{dir}///")] {
            assert_eq!(fits_in(&*dir, &names, SUN_PATH_MAX).is_ok(), is_address);
        }
        assert_eq!(space_in(len, SUN_PATH_MAX) >= names[1].len(), is_address);
    }
}

#[test]
fn fit_error_has_the_name_and_both_lengths() {
    let dir = "d".repeat(91);
    let error = fits_in(&*dir, &["a", "control.sock"], SUN_PATH_MAX_PORTABLE).unwrap_err();
    assert_eq!(error.longest(), "control.sock");
    assert_eq!((error.dir_len(), error.dir_max()), (91, 90));
    assert_eq!(error.errno(), sunpath::Errno::ENAMETOOLONG);
    assert_eq!(
        error.to_string(),
        "the path of the directory has 91 bytes, and may have at most 90 for the socket \
         \"control.sock\" in it"
    );
    let long = "n".repeat(SUN_PATH_MAX_PORTABLE);
    let error = fits_in("/", &[&long], SUN_PATH_MAX_PORTABLE).unwrap_err();
    assert_eq!((error.dir_len(), error.dir_max()), (0, 0));
}

#[test]
fn fit_of_names_without_a_directory_counts_no_slash() {
    for (len, fits) in [
        (SUN_PATH_MAX - 1, true),
        (SUN_PATH_MAX, true),
        (SUN_PATH_MAX + 1, false),
    ] {
        let name = "n".repeat(len);
        assert_eq!(fits_in("", &[&name], SUN_PATH_MAX).is_ok(), fits, "{len}");
    }
    assert!(fits_in("", &[], 0).is_ok());
    for (dir_len, space) in [(0, 102), (101, 1), (102, 0), (103, 0), (104, 0)] {
        assert_eq!(space_in(dir_len, SUN_PATH_MAX_PORTABLE), space);
    }
}
