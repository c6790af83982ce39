use crate::api::metadata::{AppPackage, archive};
use crate::base::ConnectionName;
use crate::crypto::Certificate;

use super::super::report::told;
use super::answers::Answers;
use super::packet;
use super::write::Handed;

/// Everything the administrator gets: the packet in both forms, the certificate, the app as a project and as a zip.
///
/// Public, all of it; the same answers and certificate give the same bytes.
pub fn files(
    name: &ConnectionName,
    app: &AppPackage,
    answers: &Answers,
    certificate: &Certificate,
) -> anyhow::Result<Vec<Handed>> {
    let file = |path: &str, bytes: Vec<u8>| Handed { path: path.to_string(), bytes };
    let packet = packet::packet(name, app, answers, certificate);
    let mut files = vec![
        file("packet.html", packet::html(&packet).into_bytes()),
        file("packet.txt", packet::text(&packet).into_bytes()),
        file("certificate.crt", certificate.pem().into_bytes()),
        file("app.zip", archive(&app.metadata_package()).map_err(told)?),
    ];
    let project = app.source_project().into_iter();
    files.extend(
        project.map(|part| Handed { path: format!("app/{}", part.path), bytes: part.text.into_bytes() }),
    );
    Ok(files)
}
