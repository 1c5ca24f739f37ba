//! X.509 and JWT sources of the crate `spiffe` with a federated trust domain. The last line printed is `done`.
use spiffe::{BundleSource, JwtSource, JwtSvid, TrustDomain, WorkloadApiClient, X509Source};
use std::{error::Error, time::Duration};

async fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), Box<dyn Error>> {
    for _ in 0..400 {
        if holds() {
            println!("{what}");
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(format!("not within 40 s: {what}").into())
}

fn require(what: &str, holds: bool) -> Result<(), Box<dyn Error>> {
    if holds { Ok(()) } else { Err(format!("expected: {what}").into()) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let (socket, id, token) = (&args[1], &args[2], &args[4]);
    let other = TrustDomain::new(&args[3])?;

    let x509 = X509Source::builder().endpoint(socket).build().await?;
    let first = x509.svid()?;
    require("the identity of the entry", first.spiffe_id().to_string() == *id)?;
    let roots = || x509.try_bundle_for_trust_domain(&other).map(|bundle| bundle.authorities().to_vec());
    let federated = roots();
    require("a federated root", federated.as_ref().is_some_and(|known| known.len() == 1))?;
    until("rotated", || x509.svid().is_ok_and(|now| now.cert_chain() != first.cert_chain())).await?;

    let jwt = JwtSource::builder().endpoint(socket).build().await?;
    let own = jwt.fetch_jwt_svid(["api"]).await?;
    require("a token of the identity", own.spiffe_id().to_string() == *id)?;
    JwtSvid::parse_and_validate(own.token(), &jwt, &["api"])?;
    require("no other audience", JwtSvid::parse_and_validate(own.token(), &jwt, &["web"]).is_err())?;
    require("federated keys", jwt.bundle_for_trust_domain(&other)?.is_some())?;
    JwtSvid::parse_and_validate(token, &jwt, &[id.as_str()])?;
    let client = WorkloadApiClient::connect_to(socket).await?;
    let validated = client.validate_jwt_token(id, token).await?;
    require("the agent says the same", validated.spiffe_id().trust_domain() == &other)?;
    require("nor does it take another audience", client.validate_jwt_token("web", token).await.is_err())?;

    println!("ready");
    until("replaced", || roots() != federated).await?;
    println!("done");
    Ok(())
}
