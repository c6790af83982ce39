use super::ask::answered;

#[test]
fn a_wrong_answer_is_asked_again_and_an_empty_one_is_none() {
    use crate::base::Username;
    let mut to = Vec::new();
    let name =
        answered::<Username>("Username", &mut "nonsense\nann@acme.example\n".as_bytes(), &mut to).unwrap();
    assert_eq!(name.unwrap().as_str(), "ann@acme.example");
    let shown = String::from_utf8(to).unwrap();
    assert_eq!(shown.matches("Username: ").count(), 2, "{shown}");
    assert!(shown.contains("does not look like name@example.com"), "{shown}");
    for nothing in ["\n", ""] {
        assert!(answered::<Username>("?", &mut nothing.as_bytes(), &mut Vec::new()).unwrap().is_none());
    }
}
