use super::*;
use crate::config::StoreLocation;

#[test]
fn a_state_directory_is_made_for_us_alone_or_done_without() {
    let house = House::new(PROD);
    let settings = house.load().unwrap();
    assert_eq!(settings.state_dir(), Some(house.path("state").as_path()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(house.path("state")).unwrap().permissions().mode() & 0o777, 0o700);
    }
    let house = House::new(PROD);
    house.write("state", "a file");
    let settings = house.load().unwrap();
    assert_eq!((settings.state_dir(), settings.store()), (None, StoreLocation::Memory));
    assert_eq!(settings.warnings().len(), 1);
    assert!(
        settings.warnings()[0].says.ends_with("is not a folder; tokens and history are kept in memory only")
    );
    assert_eq!(settings.connection("prod").unwrap().state_dir, None);
    let mut house = House::new(PROD);
    house.environment.clear();
    assert!(
        house.load().unwrap().warnings()[0].says.starts_with("there is no state directory: HOME is not set")
    );
}

#[cfg(unix)]
#[test]
fn a_state_directory_of_somebody_else_is_not_used() {
    let house = House::new(PROD);
    fs::create_dir(house.path("state")).unwrap();
    set_mode(&house.path("state"), 0o777);
    let says = house.load().unwrap().warnings()[0].says.clone();
    assert!(says.contains("can be written by everybody (run `chmod 700 "), "{says}");
    set_mode(&house.path("state"), 0o700);
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(house.path("state"), Some(12345), None).unwrap();
        let says = house.load().unwrap().warnings()[0].says.clone();
        assert!(says.contains("belongs to user id 12345, which is neither you nor root"), "{says}");
    }
}
