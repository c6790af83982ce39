use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;

use super::harness::{other, own, sign, sign_with, world};
use crate::emulator::{Why, base64url};

/// The same assertion with another text in one of its segments.
fn with_segment(assertion: &str, at: usize, text: &str) -> String {
    let mut segments: Vec<&str> = assertion.split('.').collect();
    segments[at] = text;
    segments.join(".")
}

#[tokio::test]
async fn forged_assertions_are_refused() {
    let world = world().await;
    let claims = world.claims();
    let honest = sign(&claims);
    let parts: Vec<&str> = honest.split('.').collect();
    let header = |text: &str| with_segment(&honest, 0, &base64url::encode(text.as_bytes()));

    let as_hmac = |secret: &[u8], algorithm| {
        jsonwebtoken::encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let none = format!("{}.{}.", base64url::encode(br#"{"alg":"none"}"#), parts[1]);
    let mut admin = claims.clone();
    admin["sub"] = crate::emulator::DEMO_ADMIN_USERNAME.into();
    let rs512 = {
        let key = own().signer();
        jsonwebtoken::encode(&Header::new(Algorithm::RS512), &claims, &key).unwrap()
    };
    let mut crit = Header::new(Algorithm::RS256);
    crit.crit = Some(vec!["exp".into()]);
    let crit = {
        let key = own().signer();
        jsonwebtoken::encode(&crit, &claims, &key).unwrap()
    };
    let mut flipped = base64url::decode(parts[2]).unwrap();
    flipped[100] ^= 1;
    let der = own().certificate.lines().filter(|line| !line.starts_with('-')).collect::<String>();

    for (name, why, forged) in [
        (
            "HS256 keyed with the certificate",
            Why::Algorithm,
            as_hmac(own().certificate.as_bytes(), Algorithm::HS256),
        ),
        (
            "HS256 keyed with the certificate's base64",
            Why::Algorithm,
            as_hmac(der.as_bytes(), Algorithm::HS256),
        ),
        ("HS512 keyed with nothing", Why::Algorithm, as_hmac(b"", Algorithm::HS512)),
        ("alg none", Why::Algorithm, none.clone()),
        ("alg none with a signature", Why::Algorithm, with_segment(&none, 2, parts[2])),
        ("alg None in another case", Why::Algorithm, header(r#"{"alg":"nOnE"}"#)),
        ("RS512 by the right key", Why::Algorithm, rs512),
        ("a critical extension", Why::Critical, crit),
        ("another key", Why::Signature, sign_with(&claims, other())),
        (
            "another payload",
            Why::Signature,
            with_segment(&honest, 1, &base64url::encode(admin.to_string().as_bytes())),
        ),
        ("another header", Why::Signature, header(r#"{"alg":"RS256"}"#)),
        ("two algorithms", Why::Malformed, header(r#"{"alg":"RS256","alg":"none"}"#)),
        ("a flipped bit", Why::Signature, with_segment(&honest, 2, &base64url::encode(&flipped))),
        ("no signature", Why::Signature, with_segment(&honest, 2, "")),
        ("half a signature", Why::Signature, with_segment(&honest, 2, &parts[2][..168])),
        ("one segment more", Why::Malformed, format!("{honest}.{}", parts[2])),
        ("one segment less", Why::Malformed, format!("{}.{}", parts[0], parts[1])),
        ("five segments, as encrypted ones have", Why::Malformed, format!("{honest}.x.y")),
        ("space in front", Why::Malformed, format!(" {honest}")),
        ("standard base64", Why::Malformed, with_segment(&honest, 1, "e30+")),
        ("payload that is no object", Why::Malformed, sign(&json!(["iss"]))),
        ("an issuer that is no text", Why::Malformed, sign(&json!({"iss": 1, "exp": 1}))),
        ("no JWS at all", Why::Malformed, "hello".to_string()),
        (
            "JSON serialization",
            Why::Malformed,
            json!({"payload": parts[1], "signature": parts[2]}).to_string(),
        ),
    ] {
        let answer = world.post_assertion(&forged).await;
        assert_eq!(answer.status, 400, "{name}");
        assert_eq!(answer.pair(), ("invalid_grant".into(), "invalid assertion".into()), "{name}");
        assert_eq!(world.org.admin().log().last().unwrap().why, Some(why), "{name}");
    }
    assert_eq!(world.post_assertion(&honest).await.status, 200, "the honest one passes");
    assert_eq!(world.org.admin().log().last().unwrap().why, None);
    assert_eq!(world.org.admin().counters().minted(), 1);
}

/// What the sender is not told, the log tells the judge.
#[tokio::test]
async fn the_log_says_which_claim_was_refused() {
    let world = world().await;
    let now = world.now().get();
    for (claim, value, why) in [
        ("iss", json!("3MVG9nobody"), Why::Issuer),
        ("iss", json!(null), Why::Issuer),
        ("sub", json!("nobody@other.example"), Why::Subject),
        ("sub", json!(null), Why::Subject),
        ("aud", json!("https://other.example"), Why::Audience),
        ("aud", json!(null), Why::Audience),
        ("exp", json!(now - 181), Why::Expiry),
        ("exp", json!(null), Why::Expiry),
    ] {
        let mut claims = world.claims();
        claims[claim] = value;
        assert_eq!(world.post_claims(&claims).await.status, 400, "{claims}");
        assert_eq!(world.org.admin().log().last().unwrap().why, Some(why), "{claims}");
    }
    world.org.admin().change_rules(|rules| rules.facts.replay_accepted = false);
    let honest = sign(&world.claims());
    assert_eq!(world.post_assertion(&honest).await.status, 200);
    assert_eq!(world.post_assertion(&honest).await.status, 400);
    let log = serde_json::to_value(world.org.admin().log()).unwrap();
    assert_eq!(log.as_array().unwrap().last().unwrap()["why"], "replay");
}

/// Camel pads its segments, and works.
#[tokio::test]
async fn padded_segments_pass_when_the_signature_covers_them() {
    let world = world().await;
    let pad = |text: &str| {
        let text = format!("{text}{}", " ".repeat((4 - text.len() % 3) % 3));
        let bare = base64url::encode(text.as_bytes());
        format!("{bare}{}", "=".repeat((4 - bare.len() % 4) % 4))
    };
    let signed = format!("{}.{}", pad(r#"{"alg":"RS256"}"#), pad(&world.claims().to_string()));
    let key = own().signer();
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &key, Algorithm::RS256).unwrap();
    let answer = world.post_assertion(&format!("{signed}.{signature}==")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let stripped = format!("{}.{signature}", signed.replace('=', ""));
    assert_eq!(world.post_assertion(&stripped).await.status, 400, "the signature covers the padding");
}

#[tokio::test]
async fn certificates_that_no_app_takes_are_refused() {
    let world = world().await;
    let ec = rcgen::generate_simple_self_signed(vec!["ec.example".into()]).unwrap().cert.pem();
    for (name, pem) in [
        ("an EC key", ec),
        ("a private key", own().key_pem.clone()),
        ("no PEM", "hello".into()),
        ("more than 4 KB", format!("{}{}", own().certificate, "\n".repeat(4096))),
    ] {
        assert!(
            world.org.admin().set_certificate(crate::emulator::DEMO_CONSUMER_KEY, Some(&pem), 0).is_err(),
            "{name}"
        );
    }
    let bare: String = own().certificate.lines().filter(|line| !line.starts_with('-')).collect();
    world.org.admin().set_certificate(crate::emulator::DEMO_CONSUMER_KEY, Some(&bare), 0).unwrap();
    assert_eq!(world.post_claims(&world.claims()).await.status, 200, "the base64 alone is taken");
}
