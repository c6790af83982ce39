use crate::api::metadata::AppPackage;
use crate::base::{ConnectionName, UnixSeconds};
use crate::crypto::Certificate;

use super::super::answers::{Answers, NO_CONTACT};
use super::super::tell::word;
use super::words::{Block, Line, Packet, Section, line, p, plain, s, x};

/// What the administrator is told.
pub fn packet(
    name: &ConnectionName,
    app: &AppPackage,
    answers: &Answers,
    certificate: &Certificate,
) -> Packet {
    let user = answers.username.as_deref();
    Packet {
        title: format!("Salesforce set-up for “{}”", app.label()),
        lead: plain(
            "A program asks for access to your org with a certificate: no password, no refresh token, nobody who \
             logs in. You create one External Client App that holds the certificate and say which user it may act \
             for, then send three values back. It takes about a quarter of an hour. Nothing in this packet is \
             secret; the private key stays with whoever sent it.",
        ),
        sections: vec![
            asked_for(app),
            the_certificate(certificate),
            by_command(app),
            by_clicks(app, answers),
            the_user(app, user),
            to_send_back(user, answers),
            afterwards(name),
            undo(app),
            the_certificate_itself(certificate),
        ],
    }
}

/// Each permission, and why.
fn asked_for(app: &AppPackage) -> Section {
    let minutes = app.session_timeout_minutes();
    let facts = vec![
        (
            line([p("External Client App "), s(app.label())]),
            plain(
                "Holds the certificate. Local to this org, not packaged, and without a page that anybody visits.",
            ),
        ),
        (
            line([p("OAuth scope "), x("api")]),
            plain("Every call the program makes is a call of the REST or Bulk API."),
        ),
        (
            line([p("OAuth scope "), x("refresh_token, offline_access")]),
            plain(
                "Salesforce demands it of apps that use the JWT bearer flow. The flow itself never issues a refresh \
                 token, and the app's policy is that one would expire at once.",
            ),
        ),
        (
            line([p("Permitted users: "), s("Admin approved users are pre-authorized")]),
            plain(
                "Only users who have the permission set below can be acted for, and you decide who has it.",
            ),
        ),
        (
            line([p("Permission set "), s(app.label()), p(", API name "), x(app.name().as_str())]),
            line([
                p("Grants "),
                s("API Enabled"),
                p(
                    " and the use of this app. It shows no record: you add read access to the objects that the \
                     program needs, and nothing else. It is tied to no licence, because a permission set that is cannot \
                     hold an app.",
                ),
            ]),
        ),
        (
            plain(&format!("Session timeout: {minutes} minutes")),
            plain("So long a token lives without a call. The program asks for a new one before."),
        ),
        (
            line([p("IP relaxation: "), s("Enforce IP restrictions")]),
            plain("The login IP ranges of the user's profile and of your org hold for this app, too."),
        ),
        (
            plain("Not asked for"),
            plain(
                "The scopes full and web, Modify All Data, View All Data, Author Apex, Customize Application, a \
                 client secret, a login page, any flow but this one.",
            ),
        ),
    ];
    Section { title: "What is asked for, and why", blocks: vec![Block::Facts(facts)] }
}

fn the_certificate(certificate: &Certificate) -> Section {
    let fact = |name: &str, value: Line| (plain(name), value);
    let facts = vec![
        fact("File", line([x("certificate.crt"), p(" in this folder; its text is at the end")])),
        fact("Subject", line([x(certificate.subject())])),
        fact(
            "Holds",
            line([p(format!(
                "from {} until {} (UTC)",
                day(certificate.not_before()),
                day(certificate.not_after())
            ))]),
        ),
        fact("SHA-256 fingerprint", line([x(pairs(&certificate.sha256()))])),
        fact("SHA-1 fingerprint", line([x(pairs(&certificate.sha1()))])),
    ];
    Section {
        title: "The certificate",
        blocks: vec![
            Block::Says(plain(
                "Whoever holds its key can act for the user you choose. Before you upload it, compare the SHA-256 \
                 fingerprint with the sender over another way than this packet came, by telephone for example.",
            )),
            Block::Facts(facts),
        ],
    }
}

fn by_command(app: &AppPackage) -> Section {
    Section {
        title: "Way A: deploy the app with the Salesforce CLI",
        blocks: vec![
            Block::Says(line([
                p("The folder "),
                x("app"),
                p(" is a source project with the app's five files and the permission set. "),
                x("app.zip"),
                p(" is the same for the Metadata API. ADMIN is your own alias for the org. Try it first without effect, then deploy:"),
            ])),
            Block::Copy(
                "cd app\nsf project deploy start --dry-run --target-org ADMIN\nsf project deploy start --target-org ADMIN"
                    .into(),
            ),
            Block::Says(plain("Or, with the zip, from the folder that holds it:")),
            Block::Copy(
                "sf project deploy start --metadata-dir app.zip --single-package --target-org ADMIN".into(),
            ),
            Block::Says(line([
                p("If the org refuses the files: in Setup, under External Client App Settings, "),
                s("Allow Access to OAuth Consumer Secrets via Metadata API"),
                p(" has to be on while you deploy, and you need the permissions "),
                s("View all External Client Apps, view their settings, and edit their policies"),
                p(" and "),
                s("View External Client Apps Consumer Secrets in Metadata"),
                p(". Or take way B."),
            ])),
            Block::Says(line([
                p("The consumer key, which is asked for below, can be read in Setup, or with a retrieval into a folder of its own; look for "),
                x("<consumerKey>"),
                p(" there:"),
            ])),
            Block::Copy(format!(
                "sf project retrieve start --metadata ExtlClntAppGlobalOauthSettings:{} \\\n    --target-metadata-dir ../consumer-key --unzip --target-org ADMIN",
                app.global_settings_name()
            )),
            Block::Says(line([
                p("Deploy these files whole or not at all. A deployment of "),
                x(format!("{}.ecaGlblOauth", app.global_settings_name())),
                p(" without its certificate clears the certificate that is there, and every login fails from then on. A retrieval does not bring the certificate back, so never retrieve over these files."),
            ])),
        ],
    }
}

fn by_clicks(app: &AppPackage, answers: &Answers) -> Section {
    let email = answers.contact_email.as_str();
    let contact = match email == NO_CONTACT {
        true => p("your own"),
        false => x(email),
    };
    let steps = vec![
        line([
            p("In Setup, enter "),
            x("External Client App"),
            p(" into Quick Find, open "),
            s("External Client App Manager"),
            p(" and choose "),
            s("New External Client App"),
            p("."),
        ]),
        line([
            p("Name "),
            x(app.label()),
            p(", API name "),
            x(app.name().as_str()),
            p(", contact e-mail "),
            contact,
            p(", distribution state "),
            s("Local"),
            p("."),
        ]),
        line([
            p("Under "),
            s("API (Enable OAuth Settings)"),
            p(" switch on "),
            s("Enable OAuth"),
            p(". Callback URL "),
            x("https://sfmint.invalid/callback"),
            p(": the field must be filled, and this flow never uses it."),
        ]),
        line([
            p("Selected scopes: "),
            s("Manage user data via APIs (api)"),
            p(" and "),
            s("Perform requests at any time (refresh_token, offline_access)"),
            p(", no other."),
        ]),
        line([
            p("Switch on "),
            s("Enable JWT Bearer Flow"),
            p(" and upload "),
            x("certificate.crt"),
            p(". Leave every other flow off. Choose "),
            s("Create"),
            p("."),
        ]),
        line([
            p("Make the permission set: Setup, "),
            s("Permission Sets"),
            p(", "),
            s("New"),
            p(". Label "),
            x(app.label()),
            p(", API name "),
            x(app.name().as_str()),
            p(", licence "),
            s("--None--"),
            p(". Under "),
            s("System Permissions"),
            p(" switch on "),
            s("API Enabled"),
            p(" and nothing else."),
        ]),
        line([p(
            "Assign it to the user, as the next section says, before the next step. Where an app is in use already, the other order locks its users out.",
        )]),
        line([
            p("Back at the app, on the tab "),
            s("Policies"),
            p(", choose "),
            s("Edit"),
            p(". Permitted users: "),
            s("Admin approved users are pre-authorized"),
            p(". Selected permission sets: "),
            x(app.label()),
            p(". Refresh token policy: "),
            s("Immediately expire refresh token"),
            p(". IP relaxation: "),
            s("Enforce IP restrictions"),
            p(". Session timeout: "),
            x(app.session_timeout_minutes().to_string()),
            p(" minutes. Save."),
        ]),
    ];
    Section {
        title: "Way B: the same by clicks",
        blocks: vec![
            Block::Says(plain(
                "Skip this after way A. Names on the screen differ a little from release to release.",
            )),
            Block::Steps(steps),
        ],
    }
}

fn the_user(app: &AppPackage, user: Option<&str>) -> Section {
    let who = match user {
        Some(user) => line([
            p("Take the user "),
            x(user),
            p(
                ". If there is no such user yet, create one for this program alone, so that the audit trail tells the two apart.",
            ),
        ]),
        None => line([p(
            "Choose the user that the program acts for. Best is one of its own, so that the audit trail tells the program from people.",
        )]),
    };
    let steps = vec![
        who,
        line([
            p("A "),
            s("Salesforce Integration"),
            p(" licence with the profile "),
            s("Minimum Access - API Only Integrations"),
            p(" is enough; such a user cannot log in to any page."),
        ]),
        line([
            p("Assign the permission set: Setup, "),
            s("Permission Sets"),
            p(", "),
            s(app.label()),
            p(", "),
            s("Manage Assignments"),
            p(", "),
            s("Add Assignment"),
            p("; or with the command below."),
        ]),
        line([
            p("Grant read access to the objects that the program needs: in this permission set under "),
            s("Object Settings"),
            p(
                ", or in one that the user has already. A user with the Salesforce API Integration licence may need a second permission set for that.",
            ),
        ]),
    ];
    let assign = format!(
        "sf org assign permset --name {} --on-behalf-of {} --target-org ADMIN",
        app.name(),
        word(user.unwrap_or("USERNAME"))
    );
    Section { title: "The user", blocks: vec![Block::Steps(steps), Block::Copy(assign)] }
}

fn to_send_back(user: Option<&str>, answers: &Answers) -> Section {
    let org = match answers.login_url.as_deref() {
        Some(url) => line([p("expected: "), x(url)]),
        None => line([p("Setup, My Domain; such as "), x("https://acme.my.salesforce.com")]),
    };
    let username = match user {
        Some(user) => line([p("expected: "), x(user)]),
        None => line([p("the Username, not the e-mail; in a sandbox it ends in the sandbox's name")]),
    };
    Section {
        title: "What to send back",
        blocks: vec![
            Block::Says(plain(
                "None of the three is a secret: without the private key they open nothing. Do not send the consumer secret; it is not used.",
            )),
            Block::Blanks(vec![
                (
                    "Consumer key",
                    line([
                        p("External Client App Manager, the app, Settings, OAuth Settings, "),
                        s("Consumer Key and Secret"),
                    ]),
                ),
                ("My Domain URL", org),
                ("Username", username),
            ]),
        ],
    }
}

fn afterwards(name: &ConnectionName) -> Section {
    Section {
        title: "What happens then",
        blocks: vec![
            Block::Says(line([
                p("The sender runs "),
                x(format!("sfmint init {name} --client-id ... --login-url ... --username ...")),
                p(
                    ", which asks for a first token. A new app or certificate takes 2 to 10 minutes until every server knows it. Each login is in the user's Login History under the app's name, and each change of the app is in the Setup Audit Trail.",
                ),
            ])),
            Block::Says(plain(
                "Before the certificate ends you get another one the same way. Salesforce reminds nobody of it; sfmint says in its log how many days are left.",
            )),
        ],
    }
}

fn undo(app: &AppPackage) -> Section {
    let steps = vec![
        line([
            p("At once: take the permission set "),
            s(app.label()),
            p(" from the user, or freeze the user. No further token is given out."),
        ]),
        line([
            p("Sessions that are open: Setup, "),
            s("Session Management"),
            p(", select the user's, "),
            s("Remove"),
            p(". Otherwise they end after the session timeout."),
        ]),
        line([
            p("For good: External Client App Manager, the app, delete it; then delete the permission set "),
            x(app.name().as_str()),
            p(". Nothing else was changed."),
        ]),
    ];
    Section { title: "How to undo it", blocks: vec![Block::Steps(steps)] }
}

fn the_certificate_itself(certificate: &Certificate) -> Section {
    Section { title: "certificate.crt", blocks: vec![Block::Copy(certificate.pem().trim_end().to_string())] }
}

/// The day of a moment, UTC.
fn day(moment: UnixSeconds) -> String {
    moment.to_string().chars().take(10).collect()
}

/// `abcd` as `AB:CD`, the way fingerprints are read out.
fn pairs(hex: &str) -> String {
    let upper = hex.to_ascii_uppercase();
    let bytes: Vec<&str> =
        upper.as_bytes().chunks(2).filter_map(|two| std::str::from_utf8(two).ok()).collect();
    bytes.join(":")
}
