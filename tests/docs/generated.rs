use std::fs;

use super::pages::root;

/// Compares a page with what the code makes of it; where they differ, leaves the new one to be copied.
pub fn assert_current(name: &str, made: &str) {
    if fs::read_to_string(root().join(name)).is_ok_and(|is| is == made) {
        return;
    }
    let fresh = root().join("target/generated").join(name);
    fs::create_dir_all(fresh.parent().unwrap()).unwrap();
    fs::write(&fresh, made).unwrap();
    panic!("{name} is not current; run: cp -r target/generated/. .");
}

/// Puts `made` between the two marks of a page that is otherwise written by hand.
pub fn between_marks(page: &str, made: &str) -> String {
    const BEGIN: &str = "<!-- begin: generated -->\n";
    const END: &str = "<!-- end: generated -->\n";
    let (before, rest) = page.split_once(BEGIN).expect("the page has a begin mark");
    let (_, after) = rest.split_once(END).expect("the page has an end mark");
    format!("{before}{BEGIN}{made}{END}{after}")
}
