use std::ops::RangeInclusive;

use crate::base::{ApiVersion, printable};

use super::permission_set::permission_set;
use super::xml::Document;
use super::{AppMistake, DeveloperName};

/// The largest certificate an app takes. Bytes of PEM.
///
/// Salesforce help, "OAuth 2.0 JWT Bearer Flow for Server-to-Server Integration".
pub const LARGEST_CERTIFICATE: usize = 4096;

/// Session timeouts an org can set. Minutes: a quarter of an hour to a day.
///
/// Salesforce help, Session Settings; SOAP API guide, "Session Expiration".
pub const SESSION_TIMEOUT_MINUTES: RangeInclusive<u32> = 15..=1440;

/// The version the files are written for. The certificate is in the schema since 60.0.
pub(super) const VERSION: ApiVersion = ApiVersion::new(67);

/// What a required field gets that this flow never uses: nobody is ever sent there.
///
/// `.invalid` can never be registered (RFC 2606 §2), so a code sent there is lost to everybody.
const NO_CALLBACK: &str = "https://sfmint.invalid/callback";

/// An External Client App that takes a certificate, and the permission set that may use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPackage {
    label: String,
    name: DeveloperName,
    contact_email: String,
    certificate_pem: String,
    session_timeout_minutes: u32,
}

/// One part of a package: a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// The metadata type: `ExternalClientApplication`.
    pub kind: &'static str,
    /// Its API name.
    pub name: String,
    /// The folder it lies in.
    pub folder: &'static str,
    /// How its file's name ends, without the dot.
    pub suffix: &'static str,
    /// The file's text.
    pub xml: String,
}

impl AppPackage {
    /// Describes an app.
    ///
    /// # Shape
    ///
    /// `label` is what people see, 1 to 80 characters; its API name is made from it, or from `otherwise`.
    /// `certificate_pem` is one certificate, and no key.
    ///
    /// # Errors
    ///
    /// [`AppMistake`], one for each value. *Misuse*.
    pub fn new(
        label: &str,
        otherwise: &str,
        contact_email: &str,
        certificate_pem: &str,
        session_timeout_minutes: u32,
    ) -> Result<Self, AppMistake> {
        let label = label.trim();
        if label.is_empty() {
            return Err(AppMistake::Name("is empty"));
        }
        if label.chars().count() > 80 {
            return Err(AppMistake::Name("is longer than 80 characters, the longest label Salesforce has"));
        }
        if label.chars().any(|c| c.is_control()) || printable(label, 200) != label {
            return Err(AppMistake::Name("holds line breaks or characters that cannot be seen"));
        }
        if !is_email(contact_email) {
            return Err(AppMistake::ContactEmail { found: printable(contact_email, 80) });
        }
        if !SESSION_TIMEOUT_MINUTES.contains(&session_timeout_minutes) {
            return Err(AppMistake::SessionTimeout { minutes: session_timeout_minutes });
        }
        if certificate_pem.len() > LARGEST_CERTIFICATE {
            return Err(AppMistake::CertificateTooLarge { found: certificate_pem.len() });
        }
        Ok(Self {
            label: label.to_string(),
            name: DeveloperName::of(label, otherwise),
            contact_email: contact_email.to_string(),
            certificate_pem: certificate_pem.to_string(),
            session_timeout_minutes,
        })
    }

    /// What people see.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The API name of the app, and of its permission set.
    pub fn name(&self) -> &DeveloperName {
        &self.name
    }

    /// Whom Salesforce writes to about the app.
    pub fn contact_email(&self) -> &str {
        &self.contact_email
    }

    /// How long a session of the app lives without a call. Minutes.
    pub fn session_timeout_minutes(&self) -> u32 {
        self.session_timeout_minutes
    }

    /// The API name of the part that holds certificate and consumer key.
    pub fn global_settings_name(&self) -> String {
        format!("{}_glbloauth", self.name)
    }

    /// The app's five files and the permission set, in the order of `package.xml`.
    ///
    /// Deploying the global settings without `<certificate>` would clear it, and no API reads it back; so it is part
    /// of every package, and there is no way to make one without.
    pub fn components(&self) -> Vec<Component> {
        vec![self.app(), self.policies(), self.global_settings(), self.oauth_policies(), self.settings(), {
            let Self { label, name, .. } = self;
            Component {
                kind: "PermissionSet",
                name: name.to_string(),
                folder: "permissionsets",
                suffix: "permissionset",
                xml: permission_set(label),
            }
        }]
    }

    fn app(&self) -> Component {
        let xml = Document::new("ExternalClientApplication")
            .text("contactEmail", &self.contact_email)
            .text("description", "Access tokens by certificate (OAuth 2.0 JWT bearer flow), for sfmint")
            .text("distributionState", "Local")
            .flag("isProtected", false)
            .text("label", &self.label);
        Component {
            kind: "ExternalClientApplication",
            name: self.name.to_string(),
            folder: "externalClientApps",
            suffix: "eca",
            xml: xml.write(),
        }
    }

    fn policies(&self) -> Component {
        let name = format!("{}_plcy", self.name);
        let xml = Document::new("ExtlClntAppConfigurablePolicies")
            .text("externalClientApplication", self.name.as_str())
            .flag("isEnabled", true)
            .flag("isOauthPluginEnabled", true)
            .text("label", &name);
        Component {
            kind: "ExtlClntAppConfigurablePolicies",
            name,
            folder: "extlClntAppPolicies",
            suffix: "ecaPlcy",
            xml: xml.write(),
        }
    }

    /// Everything but the certificate's own flow is off, each said in words: one left out would take its default.
    fn global_settings(&self) -> Component {
        let name = self.global_settings_name();
        let xml = Document::new("ExtlClntAppGlobalOauthSettings")
            .text("callbackUrl", NO_CALLBACK)
            .text("certificate", self.certificate_pem.trim_end())
            .text("externalClientApplication", self.name.as_str())
            .flag("isClientCredentialsFlowEnabled", false)
            .flag("isCodeCredFlowEnabled", false)
            .flag("isConsumerSecretOptional", false)
            .flag("isDeviceFlowEnabled", false)
            .flag("isIntrospectAllTokens", false)
            .flag("isNamedUserJwtEnabled", false)
            .flag("isPkceRequired", true)
            .flag("isRefreshTokenRotationEnabled", true)
            .flag("isSecretRequiredForRefreshToken", true)
            .flag("isSecretRequiredForTokenExchange", true)
            .flag("isTokenExchangeEnabled", false)
            .text("label", &name)
            .flag("shouldRotateConsumerKey", false)
            .flag("shouldRotateConsumerSecret", false);
        Component {
            kind: "ExtlClntAppGlobalOauthSettings",
            name,
            folder: "extlClntAppGlobalOauthSets",
            suffix: "ecaGlblOauth",
            xml: xml.write(),
        }
    }

    /// Who may use the app, and how long a session lives.
    fn oauth_policies(&self) -> Component {
        let name = format!("{}_oauthPlcy", self.name);
        let xml = Document::new("ExtlClntAppOauthConfigurablePolicies")
            .text("commaSeparatedPermissionSet", self.name.as_str())
            .text("externalClientApplication", self.name.as_str())
            .text("ipRelaxationPolicyType", "Enforce")
            .flag("isClientCredentialsFlowEnabled", false)
            .flag("isGuestCodeCredFlowEnabled", false)
            .flag("isTokenExchangeFlowEnabled", false)
            .text("label", &name)
            .text("permittedUsersPolicyType", "AdminApprovedPreAuthorized")
            .text("refreshTokenPolicyType", "Zero")
            .text("requiredSessionLevel", "STANDARD")
            .text("sessionTimeoutInMinutes", &self.session_timeout_minutes.to_string());
        Component {
            kind: "ExtlClntAppOauthConfigurablePolicies",
            name,
            folder: "extlClntAppOauthPolicies",
            suffix: "ecaOauthPlcy",
            xml: xml.write(),
        }
    }

    fn settings(&self) -> Component {
        let name = format!("{}_oauth", self.name);
        let xml = Document::new("ExtlClntAppOauthSettings")
            .text("commaSeparatedOauthScopes", "Api, RefreshToken")
            .text("externalClientApplication", self.name.as_str())
            .flag("isFirstPartyAppEnabled", false)
            .text("label", &name);
        Component {
            kind: "ExtlClntAppOauthSettings",
            name,
            folder: "extlClntAppOauthSettings",
            suffix: "ecaOauth",
            xml: xml.write(),
        }
    }
}

/// Enough to catch what is no address; whether mail arrives, only mail can tell.
fn is_email(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_graphic() && !"<>()[],;:\\\"".contains(c);
    match text.split('@').collect::<Vec<_>>().as_slice() {
        [local, domain] => {
            !local.is_empty()
                && domain.contains('.')
                && !domain.starts_with('.')
                && !domain.ends_with('.')
                && text.len() <= 80
                && text.chars().all(fits)
        }
        _ => false,
    }
}
