use super::*;
use crate::base::Explain;

fn app(label: &str) -> AppPackage {
    let pem = include_str!("../../../tests/fixtures/keys/certificate.pem");
    AppPackage::new(label, "sfmint_prod", "admin@acme.example", pem, 120).unwrap()
}

#[test]
fn an_app_is_five_files_and_a_permission_set() {
    let parts = app("sfmint prod").components();
    let names: Vec<String> =
        parts.iter().map(|part| format!("{}/{}.{}", part.folder, part.name, part.suffix)).collect();
    assert_eq!(
        names,
        [
            "externalClientApps/sfmint_prod.eca",
            "extlClntAppPolicies/sfmint_prod_plcy.ecaPlcy",
            "extlClntAppGlobalOauthSets/sfmint_prod_glbloauth.ecaGlblOauth",
            "extlClntAppOauthPolicies/sfmint_prod_oauthPlcy.ecaOauthPlcy",
            "extlClntAppOauthSettings/sfmint_prod_oauth.ecaOauth",
            "permissionsets/sfmint_prod.permissionset",
        ]
    );
}

#[test]
fn the_policies_let_in_who_has_the_permission_set_and_nobody_else() {
    let parts = app("sfmint prod").components();
    let policy = &parts.iter().find(|part| part.suffix == "ecaOauthPlcy").unwrap().xml;
    for line in [
        "<commaSeparatedPermissionSet>sfmint_prod</commaSeparatedPermissionSet>",
        "<permittedUsersPolicyType>AdminApprovedPreAuthorized</permittedUsersPolicyType>",
        "<sessionTimeoutInMinutes>120</sessionTimeoutInMinutes>",
    ] {
        assert!(policy.contains(line), "{line}\n{policy}");
    }
    let set = &parts.iter().find(|part| part.suffix == "permissionset").unwrap().xml;
    assert!(!set.contains("<license>"), "a licensed permission set cannot pre-authorize an app (peers T2)");
    let settings = &parts.iter().find(|part| part.suffix == "ecaOauth").unwrap().xml;
    assert!(settings.contains(">Api, RefreshToken<"), "{settings}");
}

#[test]
fn no_package_is_without_its_certificate() {
    // salesforce-protocol 4.4: a deploy without it clears the one that is there.
    let app = app("sfmint prod");
    for files in [app.source_project(), app.metadata_package()] {
        let global = files.iter().find(|file| file.path.contains(".ecaGlblOauth")).unwrap();
        let body = global.text.split("<certificate>").nth(1).unwrap().split("</certificate>").next().unwrap();
        let read = crate::crypto::read_certificate(body.as_bytes()).unwrap();
        assert!(read.subject().contains("CN=throw-away"), "{read:?}");
    }
}

#[test]
fn children_stand_in_the_order_of_the_alphabet() {
    for part in app("sfmint prod").components() {
        let names: Vec<&str> = part
            .xml
            .lines()
            .skip_while(|line| !line.contains("-->") && part.xml.contains("-->"))
            .filter(|line| line.starts_with("    <") && !line.starts_with("    </"))
            .filter_map(|line| line.trim_start().strip_prefix('<')?.split(['>', ' ']).next())
            .filter(|name| !name.starts_with('!'))
            .collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(names, sorted, "{}", part.name);
        assert!(names.len() > 3, "{}: {names:?}", part.name);
    }
}

#[test]
fn hostile_labels_stay_text() {
    let app = app("<b>&amp; \"Acme\" ]]> 'x' --> 統合");
    assert_eq!(app.name().as_str(), "b_amp_Acme_x");
    for file in app.metadata_package() {
        assert!(!file.text.contains("<b>"), "{}", file.path);
        assert_eq!(file.text.matches("-->").count(), file.text.matches("<!--").count(), "{}", file.path);
    }
    let eca = &app.components()[0].xml;
    assert!(eca.contains("<label>&lt;b&gt;&amp;amp; \"Acme\" ]]&gt; 'x' --&gt; 統合</label>"), "{eca}");
}

#[test]
fn what_salesforce_would_refuse_is_refused_here() {
    let make = |label: &str, mail: &str, minutes: u32, pem: &str| {
        AppPackage::new(label, "sfmint_prod", mail, pem, minutes).map(drop).map_err(|error| error.code())
    };
    let mail = "admin@acme.example";
    assert_eq!(make("sfmint", mail, 120, "pem"), Ok(()));
    assert_eq!(make("  ", mail, 120, "pem"), Err("app.name"));
    assert_eq!(make(&"x".repeat(81), mail, 120, "pem"), Err("app.name"));
    assert_eq!(make("two\nlines", mail, 120, "pem"), Err("app.name"));
    assert_eq!(make("right\u{202e}left", mail, 120, "pem"), Err("app.name"));
    for wrong in
        ["", "admin", "a@b", "a b@acme.example", "<a@acme.example>", "a@acme.example, b@acme.example"]
    {
        assert_eq!(make("sfmint", wrong, 120, "pem"), Err("app.contact_email"), "{wrong}");
    }
    for minutes in [0, 14, 1441] {
        assert_eq!(make("sfmint", mail, minutes, "pem"), Err("app.session_timeout"), "{minutes}");
    }
    assert_eq!(make("sfmint", mail, 15, &"x".repeat(4097)), Err("app.certificate_too_large"));
}

#[test]
fn api_names_fit_however_long_the_label() {
    for label in
        ["x".repeat(80), "é".repeat(80), "__a__b__".into(), "9 lives".into(), format!("{} x", "y".repeat(59))]
    {
        let name = DeveloperName::of(&label, "sfmint_prod");
        let text = name.as_str();
        assert!(text.len() <= 60 && text.starts_with(|c: char| c.is_ascii_alphabetic()), "{text}");
        assert!(!text.ends_with('_') && !text.contains("__"), "{text}");
    }
}

#[cfg(feature = "cli")]
#[test]
fn the_zip_is_the_package_and_the_same_bytes_every_time() {
    use std::io::Read;
    let files = app("sfmint prod").metadata_package();
    let packed = archive(&files).unwrap();
    assert_eq!(packed, archive(&files).unwrap());
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(packed)).unwrap();
    assert_eq!(zip.len(), files.len());
    for (at, file) in files.iter().enumerate() {
        let mut entry = zip.by_index(at).unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert_eq!((&*entry.name().unwrap(), text.as_str()), (file.path.as_str(), file.text.as_str()));
    }
}
